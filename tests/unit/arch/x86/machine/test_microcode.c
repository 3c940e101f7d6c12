/* SOURCES: arch/x86/machine/microcode.c arch/x86/machine/ucode_intel.c arch/x86/machine/ucode_amd.c lib/cpio.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Microcode is found in an initrd, kept and loaded, on CPUs of either vendor
 * whose signature is this one's. INVLPG is a privileged instruction: the fault
 * handler counts it and steps over it.
 */
#include <signal.h>
#include <ucontext.h>

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/microcode.h"
#include "include/hw/cpuid.h"
#include "include/hw/microcode.h"
#include "include/hw/msr.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/test.h"

#define INTEL_BYTES (64 * sizeof(struct ucode_intel_header))
#define AMD_BYTES   (sizeof(struct ucode_amd_patch) + 1024)

#define OLD 0x21u
#define NEW 0x2cu

static u8 initrd[32768] __attribute__((aligned(4096)));
static u32 used;
static u32 revision, loads, flushes;
static bool deaf;       /* the CPU takes nothing */
static u64 reads_as;    /* Intel's MSR_UCODE_REV */
static u64 platform;    /* MSR_PLATFORM_ID */
static const u8 *given; /* what the last load got */

int rdmsr_safe(u32 msr, u64 *value)
{
	bool intel = cpu_features.vendor == VENDOR_INTEL;

	if (msr == MSR_PLATFORM_ID)
		*value = platform << 50;
	else if (msr == MSR_UCODE_REV)
		*value = intel ? reads_as : revision;
	else
		return -EIO;
	return 0;
}

static int load(const u8 *header, u32 to)
{
	loads++;
	given = header;
	if (!deaf)
		revision = to;
	return 0;
}

int wrmsr_safe(u32 msr, u64 value)
{
	const u8 *at = (const u8 *)value;

	switch (msr) {
	case MSR_UCODE_REV: /* then CPUID puts the revision there */
		assert_int_equal(value, 0);
		reads_as = (u64)revision << 32;
		return 0;
	case MSR_UCODE_WRITE:
		at -= sizeof(struct ucode_intel_header);
		return load(at,
			    ((const struct ucode_intel_header *)at)->revision);
	case MSR_AMD_PATCH_LOADER:
		return load(at, ((const struct ucode_amd_patch *)at)->revision);
	default:
		return -EIO;
	}
}

/* 0f 01 /7 with a register's address, three bytes; four with a REX prefix */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	const u8 *insn = (const u8 *)uc->uc_mcontext.gregs[REG_RIP];
	u32 rex = insn[0] >> 4 == 4;

	if (insn[rex] != 0x0f || insn[rex + 1] != 0x01)
		abort();
	flushes++;
	uc->uc_mcontext.gregs[REG_RIP] += 3 + rex;
}

/* In the test: cmocka sets its own after a setup */
static void catch_invlpg(void)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
}

static u32 signature(void)
{
	return cpuid(CPUID_FEATURES).eax;
}

static void pad(void)
{
	used = (used + 3) & ~3u;
}

static void add_file(const char *path, const void *data, u32 bytes)
{
	u32 name = (u32)strlen(path) + 1;

	used += (u32)sprintf((char *)initrd + used,
			     "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x"
			     "%08x%08x%08x",
			     1, 0x81a4, 0, 0, 1, 0, bytes, 0, 0, 0, 0, name, 0);
	memcpy(initrd + used, path, name);
	used += name;
	pad();
	memcpy(initrd + used, data, bytes);
	used += bytes;
	pad();
}

static void add_intel(u32 flags, u32 to)
{
	struct ucode_intel_header file[64] = { {
		.header_version = 1,
		.revision = to,
		.signature = signature(),
		.loader_revision = 1,
		.flags = flags,
		.data_bytes = sizeof(file) - sizeof(file[0]),
		.total_bytes = sizeof(file),
	} };
	u32 sum = 0;

	for (u32 i = 0; i < sizeof(file) / 4; i++)
		sum += ((const u32 *)file)[i];
	file->checksum = 0 - sum;
	add_file(UCODE_PATH_INTEL, file, sizeof(file));
}

static void add_amd(u32 to)
{
	struct {
		u32 magic;
		struct ucode_amd_section table_head;
		struct ucode_amd_equivalence row;
		struct ucode_amd_section patch_head;
		struct ucode_amd_patch patch;
		u8 code[1024];
	} file = {
		.magic = UCODE_AMD_MAGIC,
		.table_head = { UCODE_AMD_EQUIVALENCES, sizeof(file.row) },
		.row = { .signature = signature(), .id = 0x1234 },
		.patch_head = { UCODE_AMD_PATCH,
				sizeof(file.patch) + sizeof(file.code) },
		.patch = { .revision = to, .processor_id = 0x1234 },
	};

	add_file(UCODE_PATH_AMD, &file, sizeof(file));
}

static int setup(enum cpu_vendor vendor)
{
	cpu_features.vendor = vendor;
	used = loads = flushes = 0;
	given = NULL;
	revision = OLD;
	platform = 3;
	deaf = false;
	fake_log_reset();
	add_file("kernel", "", 0);
	return 0;
}

static int setup_intel(void **state)
{
	return setup(VENDOR_INTEL);
}

static int setup_amd(void **state)
{
	return setup(VENDOR_AMD);
}

/* The copy stays in the machine for good */
static int teardown(void **state)
{
	u64 bytes = cpu_features.vendor == VENDOR_AMD ? AMD_BYTES : INTEL_BYTES;

	pmm_free_bytes(&pmm_self, (void *)given, bytes);
	fake_pool_check(&pmm_self);
	return 0;
}

/* The same core plays the others */
static void intel_loads_on_every_core(void **state)
{
	add_intel(1u << 3, NEW);
	microcode_init(initrd, used);
	assert_string_equal(fake_log_last,
			    "updated from revision 0x21 to 0x2c");
	assert_int_equal(loads, 1);
	assert_false(given >= initrd && given < initrd + sizeof(initrd));
	assert_int_equal((u64)given % 16, 0);
	memset(initrd, 0xee, sizeof(initrd)); /* it is a guest's by now */
	revision = OLD;
	microcode_load_this();
	assert_int_equal(loads, 2);
	assert_int_equal(revision, NEW);
	assert_int_equal(reads_as, (u64)NEW << 32); /* what guests read */
	assert_int_equal(fake_log_warnings, 0);
}

static void a_sibling_need_not_load_again(void **state)
{
	add_intel(1u << 3, NEW);
	microcode_init(initrd, used);
	microcode_load_this();
	assert_int_equal(loads, 1);
	assert_int_equal(fake_log_warnings, 0);
}

static void amd_loads_the_patch_with_its_header(void **state)
{
	catch_invlpg();
	add_amd(NEW);
	microcode_init(initrd, used);
	assert_string_equal(fake_log_last,
			    "updated from revision 0x21 to 0x2c");
	assert_int_equal(loads, 1);
	assert_int_equal(flushes, 1);
	revision = OLD;
	microcode_load_this();
	assert_int_equal(loads, 2);
}

/* Both vendors' files may be there */
static void the_other_vendors_file_is_not_looked_at(void **state)
{
	catch_invlpg();
	add_file(UCODE_PATH_INTEL, "damaged", 7);
	add_amd(NEW);
	microcode_init(initrd, used);
	assert_int_equal(revision, NEW);
	assert_int_equal(fake_log_warnings, 0);
}

static void another_platform_gets_none(void **state)
{
	add_intel(1u << 4, NEW);
	microcode_init(initrd, used);
	assert_string_equal(fake_log_last, "revision 0x21");
	microcode_load_this();
	assert_int_equal(loads, 0);
}

static void a_core_that_is_another_cpu_keeps_its_own(void **state)
{
	add_intel(1u << 3 | 1u << 5, NEW);
	microcode_init(initrd, used);
	platform = 5;
	revision = OLD;
	microcode_load_this();
	assert_int_equal(loads, 1);
	assert_string_equal(fake_log_alarm,
			    "core 0 is another CPU than core 0 and stays at "
			    "revision 0x21");
}

static void a_refusal_is_told(void **state)
{
	deaf = true;
	add_intel(1u << 3, NEW);
	microcode_init(initrd, used);
	assert_string_equal(
		fake_log_alarm,
		"the CPU stays at revision 0x21: it did not take the update "
		"to 0x2c of " UCODE_PATH_INTEL
		" in the privileged guest's initrd");
	microcode_load_this();
	assert_string_equal(fake_log_alarm,
			    "core 0 stays at revision 0x21: it did not take "
			    "the update to 0x2c");
}

static void damage_is_told(void **state)
{
	add_file(UCODE_PATH_INTEL, "damaged", 7);
	microcode_init(initrd, used);
	assert_string_equal(fake_log_alarm,
			    "no update: " UCODE_PATH_INTEL
			    " in the privileged guest's initrd is cut short; "
			    "build the initrd again");
	fake_log_reset();
	microcode_init(initrd, 112);
	assert_string_equal(fake_log_alarm,
			    "no update: " UCODE_PATH_INTEL
			    " in the privileged guest's initrd lies behind a "
			    "damaged part of the archive; build the initrd "
			    "again");
	assert_int_equal(loads, 0);
}

static void nothing_to_load_is_no_fault(void **state)
{
	microcode_init(NULL, 0);
	assert_string_equal(fake_log_last, "revision 0x21");
	microcode_init(initrd, used);
	microcode_load_this();
	assert_int_equal(loads, 0);
	assert_int_equal(fake_log_warnings, 0);
}

static void without_memory_it_goes_on(void **state)
{
	add_intel(1u << 3, NEW);
	fake_pool_left = 0;
	microcode_init(initrd, used);
	fake_pool_left = UINT32_MAX;
	assert_int_equal(loads, 0);
	assert_string_equal(fake_log_alarm, "no memory for an update of 3 KiB");
	microcode_load_this();
	assert_int_equal(loads, 0);
}

static void an_unknown_vendor_has_none(void **state)
{
	cpu_features.vendor = VENDOR_OTHER;
	add_intel(1u << 3, NEW);
	microcode_init(initrd, used);
	microcode_load_this();
	assert_int_equal(loads + fake_log_lines, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* These four come before a copy is kept */
		cmocka_unit_test_setup_teardown(nothing_to_load_is_no_fault,
						setup_intel, teardown),
		cmocka_unit_test_setup_teardown(without_memory_it_goes_on,
						setup_intel, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_vendor_has_none,
						setup_intel, teardown),
		cmocka_unit_test_setup_teardown(another_platform_gets_none,
						setup_intel, teardown),
		cmocka_unit_test_setup_teardown(intel_loads_on_every_core,
						setup_intel, teardown),
		cmocka_unit_test_setup_teardown(a_sibling_need_not_load_again,
						setup_intel, teardown),
		cmocka_unit_test_setup_teardown(
			a_core_that_is_another_cpu_keeps_its_own, setup_intel,
			teardown),
		cmocka_unit_test_setup_teardown(a_refusal_is_told, setup_intel,
						teardown),
		cmocka_unit_test_setup_teardown(damage_is_told, setup_intel,
						teardown),
		cmocka_unit_test_setup_teardown(
			amd_loads_the_patch_with_its_header, setup_amd,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_other_vendors_file_is_not_looked_at, setup_amd,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
