/* SOURCES: hv/vm/plan.c hv/vm/numa.c drivers/acpi/nodes.c sched/placement.c hv/manifest/parse.c hv/manifest/keys.c hv/manifest/lookup.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manifest against the machine it must fit, the ways in, and the guest that
 * starts when there is no manifest. Over 400 lines: a sentence for each fault.
 */
#include "drivers/acpi/acpi.h"
#include "hv/load/load.h"
#include "hv/vm/plan.h"

#include "arch/x86/cpu/random.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "tests/unit/fakes/manifest.h"
#include "tests/unit/test.h"

/* Cores of two NUMA nodes, where the test has them */
struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;

/* What each file is by itself */
static enum boot_way file_way = BOOT_WAY_AUTO;

int file_find(const char *name, struct image *out)
{
	*out = (struct image){ .name = name, .size = 1 };
	return 0;
}

enum boot_way load_way(const struct image *file)
{
	return strcmp(file->name, "k") ? BOOT_WAY_AUTO : file_way;
}

static bool has_random;

bool cpu_has_random(void)
{
	return has_random;
}

/* The machine: 1 GiB in two pieces, 4 cores, three files */
static struct boot_info bi = {
	.mem_count = 4,
	.mem = { { 0, MIB(640), BOOT_MEM_CONVENTIONAL, 0 },
		 { MIB(640), MIB(256), BOOT_MEM_BS_DATA, 0 },
		 { MIB(896), MIB(128), BOOT_MEM_LOADER_DATA, 0 },
		 { GIB(1), MIB(512), BOOT_MEM_RESERVED, 0 } },
	.module_count = 4,
	.modules = { { "bulkhead.conf", 0x1000, 10 },
		     { "k", 0x2000, 100 },
		     { "i.cpio", 0x3000, 100 },
		     { "empty", 0, 0 } },
};

static void check(const char *text, u32 cores)
{
	parse(text);
	assert_int_equal(said_count, 0);
	plan_check(&m, &bi, cores, 0, report);
}

static void test_check_fits(void **state)
{
	check("[guest p]\nprivileged=yes\nkernel=k\ninitrd=i.cpio\n"
	      "[guest a]\nkernel=k\nmemory=512M\nvcpus=4\ncores=0-3\n",
	      4);
	assert_int_equal(said_count, 0);
	assert_int_equal(m.guests[0].vcpus, 4);
	check("[guest p]\nprivileged=yes\nkernel=k\ncores=1,3\n", 4);
	assert_int_equal(m.guests[0].vcpus, 2);
}

/* A guest that names no cores has those from the first for guests on */
static void test_default_cores(void **state)
{
	static const char *const text =
		"[guest p]\nprivileged=yes\nkernel=k\n"
		"[guest a]\nkernel=k\nmemory=4M\ncores=0\n";

	check(text, 3);
	assert_int_equal(m.guests[0].vcpus, 3);
	assert_int_equal(m.guests[0].cores[0] & 7, 7);
	parse(text);
	plan_check(&m, &bi, 3, 1, report);
	assert_int_equal(m.guests[0].vcpus, 2);
	assert_int_equal(m.guests[0].cores[0] & 7, 6);
	assert_int_equal(m.guests[1].cores[0], 1);
	parse("[guest p]\nprivileged=yes\nkernel=k\nvcpus=3\n");
	plan_check(&m, &bi, 3, 1, report);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "it has only 2 cores to run on"));
}

static void test_check_files(void **state)
{
	check("[guest a]\nkernel=nope\nmemory=4M\n"
	      "[guest b]\nkernel=k\ninitrd=nope\nmemory=4M\n"
	      "[guest c]\nkernel=empty\nmemory=4M\n"
	      "[guest d]\nkernel=k\nmemory=4M\n",
	      1);
	assert_int_equal(said_count, 3);
	assert_string_equal(said[0],
			    "bulkhead.conf:2: guest a: kernel = nope: there is "
			    "no such file; copy it to the folder bulkhead of "
			    "the boot volume or correct the name");
	assert_non_null(strstr(said[1], "conf:6: guest b: initrd = nope"));
	assert_non_null(strstr(said[2], "the file is empty; copy it"));
	assert_true(m.guests[3].valid);
	/* Keys that come more than once */
	check("[guest a]\nmodule = k one\nkernel=k\nmodule = nope two\n"
	      "memory=4M\n[guest b]\nfw_cfg = opt/a k\nfw_cfg = opt/b nope\n"
	      "kernel=k\nmemory=4M\n",
	      1);
	assert_int_equal(said_count, 2);
	assert_non_null(strstr(said[0], "conf:4: guest a: module = nope"));
	assert_non_null(strstr(said[1], "conf:8: guest b: fw_cfg = nope"));
}

static void test_check_cores(void **state)
{
	check("[guest a]\nkernel=k\nmemory=4M\ncores=0,4\n"
	      "[guest b]\nprivileged=yes\nkernel=k\nvcpus=5\n"
	      "[guest c]\nkernel=k\nmemory=4M\nvcpus=3\ncores=1-2\n",
	      4);
	assert_int_equal(said_count, 2);
	assert_non_null(strstr(
		said[0], "conf:4: guest a: cores names core 4, but the machine "
			 "has 4, numbered from 0"));
	assert_non_null(
		strstr(said[1],
		       "conf:8: guest b: vcpus = 5, but it has only 4 cores"));
	assert_true(m.guests[2].valid); /* two of them share a core */
	assert_int_equal(m.guests[2].vcpus, 3);
}

/* The privileged guest has all cores, however many */
static void test_many_vcpus(void **state)
{
	check("[guest p]\nprivileged=yes\nkernel=k\n"
	      "[guest a]\nkernel=k\nmemory=4M\nvcpus=128\n",
	      1024);
	assert_int_equal(m.guests[0].vcpus, 1024);
	assert_true(m.guests[1].valid);
	assert_int_equal(said_count, 0);
}

/* `numa =` names a node that is there, with the memory and a core for it */
static void test_check_node(void **state)
{
	static struct pcpu cores[2];

	acpi.numa = (struct acpi_numa){
		.node_count = 2,
		.domains = { 0, 1 },
		.cpu_count = 2,
		.cpus = { { 0, 0, 0 }, { 1, 1, 0 } },
		.range_count = 2,
		.ranges = { { 0, bi.mem[0].base + MIB(64), 0, SRAT_ENABLED },
			    { bi.mem[0].base + MIB(64), GIB(64), 1,
			      SRAT_ENABLED } },
	};
	pcpu_count = 2;
	for (u32 i = 0; i < 2; i++) {
		cores[i] =
			(struct pcpu){ .id = i, .apic_id = i, .online = true };
		pcpus[i] = &cores[i];
	}
	check("[guest p]\nprivileged=yes\nkernel=k\nnuma=0\n"
	      "[guest a]\nkernel=k\nmemory=4M\nnuma=2\n"
	      "[guest b]\nkernel=k\nmemory=65M\nnuma=0\n"
	      "[guest c]\nkernel=k\nmemory=4M\nnuma=1\ncores=0\n"
	      "[guest d]\nkernel=k\nmemory=65M\nnuma=1\n"
	      "[guest e]\nkernel=k\nmemory=4M\nnuma=auto\n",
	      2);
	assert_int_equal(said_count, 4);
	assert_non_null(strstr(said[0], "guest p: numa = 0, but the "
					"privileged guest"));
	assert_non_null(strstr(said[1], "guest a: numa = 2, but the machine "
					"has 2 NUMA nodes, numbered from 0"));
	assert_non_null(strstr(said[2], "guest b: memory = 65M, but NUMA node "
					"0 has 64M"));
	assert_non_null(strstr(said[3], "guest c: numa = 1, but none of the "
					"cores"));
	assert_true(m.guests[4].valid && m.guests[5].valid);
	pcpu_count = 0;
	acpi.numa = (struct acpi_numa){ 0 };
}

static void test_check_memory(void **state)
{
	check("[guest a]\nkernel=k\nmemory=64G\n"
	      "[guest b]\nkernel=k\nmemory=512M\n"
	      "[guest c]\nkernel=k\nmemory=512M\n"
	      "[guest p]\nprivileged=yes\nkernel=k\n",
	      4);
	assert_int_equal(said_count, 2);
	assert_non_null(strstr(said[0],
			       "conf:3: guest a: memory = 65536M, but of the "
			       "machine's 1024M only"));
	assert_non_null(strstr(said[1], "guest c: memory = 512M"));
	assert_false(m.guests[0].valid);
	assert_true(m.guests[1].valid);
	assert_true(m.guests[3].valid);
}

static enum boot_way way_of(const char *keys, enum boot_way file)
{
	char text[200];

	file_way = file;
	snprintf(text, sizeof(text), "[guest g]\nkernel=k\n%s", keys);
	check(text, 4);
	file_way = BOOT_WAY_AUTO;
	assert_int_equal(said_count, 0);
	return m.guests[0].boot;
}

/* By boot =, by firmware =, else by the file */
static void test_way_in(void **state)
{
	static const char *const box = "memory=4M\n";
	static const char *const owner = "privileged=yes\n";

	for (enum boot_way w = BOOT_WAY_AUTO; w <= BOOT_WAY_FIRMWARE; w++)
		assert_int_equal(way_of(box, w), w);
	assert_int_equal(way_of("memory=4M\nboot=pvh\n", BOOT_WAY_LINUX),
			 BOOT_WAY_PVH);
	assert_int_equal(way_of("memory=4M\nfirmware=i.cpio\n", BOOT_WAY_LINUX),
			 BOOT_WAY_FIRMWARE);
	assert_int_equal(way_of(owner, BOOT_WAY_LINUX), BOOT_WAY_LINUX);
	assert_int_equal(way_of(owner, BOOT_WAY_FIRMWARE), BOOT_WAY_AUTO);
}

static void test_default(void **state)
{
	said_count = 0;
	file_way = BOOT_WAY_LINUX;
	plan_default(&m, &bi, report);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "there is no manifest; kernel k with "
					"initrd i.cpio starts as the"));
	assert_int_equal(m.guest_count, 1);
	assert_true(m.guests[0].valid && m.guests[0].privileged);
	plan_check(&m, &bi, 2, 0, report);
	assert_int_equal(said_count, 1);
	assert_int_equal(m.guests[0].vcpus, 2);
	assert_int_equal(m.guests[0].boot, BOOT_WAY_LINUX);

	said_count = 0;
	file_way = BOOT_WAY_MULTIBOOT;
	plan_default(&m, &bi, report);
	assert_int_equal(m.guest_count, 0);
	assert_non_null(strstr(said[0], "neither a manifest nor a Linux"));
}

/* An entropy device has something to be seeded from, or its guest is refused */
static void test_entropy(void **state)
{
	static const char text[] = "[guest a]\nkernel=k\nmemory=64M\n"
				   "entropy=yes\n"
				   "[guest b]\nkernel=k\nmemory=64M\n"
				   "entropy=no\n";

	has_random = true;
	check(text, 4);
	assert_int_equal(said_count, 0);
	has_random = false;
	check(text, 4);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "bulkhead.conf:4: guest a: entropy = "
					"yes, but this CPU has neither"));
	assert_false(m.guests[0].valid);
	assert_true(m.guests[1].valid);
}

#define PRIVILEGED "[guest p]\nprivileged=yes\nkernel=k\n"

/* The pool gets what is left, and none without a privileged guest */
static void test_pool(void **state)
{
	check("[hypervisor]\nguest-memory=25%\n" PRIVILEGED, 4);
	assert_int_equal(said_count, 0);
	assert_in_range(m.pool_bytes, MIB(254), MIB(256));
	assert_true(IS_ALIGNED(m.pool_bytes, PAGE_2M));
	check("[hypervisor]\nguest-memory=301M\n" PRIVILEGED, 4);
	assert_int_equal(m.pool_bytes, MIB(300));
	check("[hypervisor]\nguest-memory=1G\n" PRIVILEGED, 4);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], "bulkhead.conf:2: guest-memory is "
					"1024M, but"));
	assert_int_equal(m.pool_bytes, 0);
	check("[hypervisor]\nguest-memory=256M\n"
	      "[guest a]\nkernel=k\nmemory=64M\n",
	      4);
	assert_int_equal(m.pool_bytes, 0);
	check("[hypervisor]\nguest-memory=0\n" PRIVILEGED, 4);
	assert_int_equal(m.pool_bytes, 0);
}

/* Without guest-memory a quarter, where there is a privileged guest, and never
 * more than half of what its least memory leaves */
static void test_pool_default(void **state)
{
	check(PRIVILEGED, 4);
	assert_int_equal(said_count, 0);
	assert_in_range(m.pool_bytes, MIB(254), MIB(256));
	check(PRIVILEGED "memory=800M\n", 4);
	assert_int_equal(said_count, 0);
	assert_in_range(m.pool_bytes, MIB(2), MIB(112));
	check("[guest p]\nprivileged=yes\nkernel=k\nautostart=no\n", 4);
	assert_int_equal(m.pool_bytes, 0);
	check("[guest a]\nkernel=k\nmemory=64M\n", 4);
	assert_int_equal(m.pool_bytes, 0);
	file_way = BOOT_WAY_LINUX;
	plan_default(&m, &bi, report);
	said_count = 0;
	plan_check(&m, &bi, 4, 0, report);
	assert_int_equal(said_count, 0);
	assert_in_range(m.pool_bytes, MIB(254), MIB(256));
}

static struct guest_config checked;
static bool check_definition(const char *text)
{
	said_count = 0;
	assert_true(manifest_parse_guest(&checked, PLAN_DEFINITION, text,
					 strlen(text), report));
	return plan_check_dynamic(&checked, report);
}

static void test_dynamic(void **state)
{
	/* Memory is shared of the pool alone */
	check("[guest a]\nkernel=k\nmemory=4M\nshare=memory\n", 4);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], ":4: guest a: share = memory is for a "
					"guest that is made"));
	/* And so are devices that the privileged guest serves */
	check("[guest a]\nkernel=k\nmemory=4M\nshare=memory\ndisk=d\n", 4);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], ":5: guest a: disk is for a guest that "
					"is made while the machine runs"));
	check("[guest a]\nkernel=k\nmemory=4M\nvhost-user=s,type=2\n", 4);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said[0], ":4: guest a: vhost-user is for"));
	check(PRIVILEGED, 4);
	assert_true(check_definition("[guest a]\nkernel=x\nmemory=4M\n"
				     "share = memory\n"));
	assert_true(check_definition("[guest a]\nkernel=x\nmemory=4M\n"
				     "share = memory\ndisk=d\n"));
	assert_true(check_definition("[guest a]\nkernel=x\nmemory=4M\n"
				     "fw_cfg = opt/a \"text\"\n"));
	assert_int_equal(checked.boot, BOOT_WAY_AUTO);
	assert_true(check_definition("[guest a]\nkernel=x\nmemory=4M\n"
				     "fw_cfg = opt/a file\n"));
	assert_true(check_definition("[guest a]\nfirmware=x\nmemory=4M\n"));
	assert_int_equal(checked.boot, BOOT_WAY_FIRMWARE);
	assert_true(check_definition("[guest a]\nkernel=x\nboot=firmware\n"
				     "memory=4M\n"));
	assert_int_equal(checked.boot, BOOT_WAY_FIRMWARE);
	assert_false(check_definition("[guest a]\nkernel=x\nprivileged=yes\n"
				      "memory=4M\n"));
	assert_non_null(strstr(said[0], "definition:3: guest a: privileged is "
					"not for a guest that is made"));
	assert_false(check_definition("[guest a]\nkernel=x\nmemory=4M\n"
				      "cores=7\n"));
	assert_non_null(strstr(said[0], "definition:4: guest a: cores names"));
}

/* tests/build.mk puts this one before the real one */
static u32 comparisons;
int __real_strcmp(const char *a, const char *b);
int __wrap_strcmp(const char *a, const char *b);

int __wrap_strcmp(const char *a, const char *b)
{
	comparisons++;
	return __real_strcmp(a, b);
}

static bool has_guest(const char *name)
{
	comparisons = 0;
	return plan_has_guest(name);
}

static void ignore(const char *sentence)
{
}

/* Of so many, one is looked at: who asks has interrupts off */
static void test_crowd_of_names(void **state)
{
	static char text[MANIFEST_MAX_GUESTS * 48];
	char name[MANIFEST_NAME_LEN];
	size_t len = 0;

	for (u32 i = 0; i < MANIFEST_MAX_GUESTS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"[guest g%u]\nkernel=k\nmemory=4M\n",
					i);
	parse(text);
	assert_int_equal(m.guest_count, MANIFEST_MAX_GUESTS);
	plan_check(&m, &bi, 4, 0, ignore);
	for (u32 i = 0; i < MANIFEST_MAX_GUESTS; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		assert_true(has_guest(name));
		assert_int_equal(comparisons, 1);
		snprintf(name, sizeof(name), "h%u", i);
		assert_false(has_guest(name));
		assert_int_equal(comparisons, 0);
	}
	assert_false(has_guest(""));
	/* The same hash, and another name */
	check("[guest costarring]\nkernel=k\nmemory=4M\n", 4);
	assert_false(has_guest("liquid"));
	assert_int_equal(comparisons, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_fits),
		cmocka_unit_test(test_check_files),
		cmocka_unit_test(test_default_cores),
		cmocka_unit_test(test_check_cores),
		cmocka_unit_test(test_many_vcpus),
		cmocka_unit_test(test_check_memory),
		cmocka_unit_test(test_check_node),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_way_in),
		cmocka_unit_test(test_entropy),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_pool_default),
		cmocka_unit_test(test_dynamic),
		cmocka_unit_test(test_crowd_of_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
