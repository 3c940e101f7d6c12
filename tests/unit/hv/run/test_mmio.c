/* SOURCES: hv/run/mmio.c hv/core/slots.c hv/core/split.c hv/core/bus.c mm/pt.c mm/pt_exec.c mm/pt_format.c tests/unit/mm/table_pages.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A fetch from pages that the guest's table keeps from being executed, on a CPU
 * with iTLB multihit */
#include "arch/x86/machine/mtrr.h"
#include "hv/core/crowd.h"
#include "hv/core/split.h"
#include "hv/emulate/emulate.h"
#include "hv/irq/vlapic.h"
#include "hv/run/mmio.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "tests/unit/fakes/kill.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/vm.h"
#include "tests/unit/mm/table_pages.h"

#define WINDOW MIB(512) /* of a device */

#define PAGES 40u /* large ones, of RAM */

static u32 emulated;

void pcpu_kick(struct pcpu *cpu, u32 bits)
{
}

void *kmem_alloc(struct budget *b, size_t size)
{
	return size ? calloc(1, size) : NULL;
}

void kmem_free(struct budget *b, void *p, size_t size)
{
	free(p);
}

/* The machine's: one large page each is WB, WC and WT, one has two types */
#define WB_MEM (WINDOW + MIB(128))
#define WC_MEM (WINDOW + MIB(130))
#define WT_MEM (WINDOW + MIB(132))
#define MIXED  (WINDOW + MIB(134))

bool mtrr_type(u64 base, u64 size, u8 *type)
{
	u64 large = ALIGN_DOWN(base, PAGE_2M);

	*type = large == WB_MEM   ? MEM_WB
		: large == WC_MEM ? MEM_WC
		: large == WT_MEM ? MEM_WT
				  : MEM_UC;
	return large != MIXED || size == PAGE_SIZE;
}

enum verdict emulate_mmio(struct vcpu *v, const struct vcpu_exit *e)
{
	emulated++;
	return VERDICT_ADVANCE;
}
bool emulate_lapic_page(struct vcpu *v, const struct vcpu_exit *e)
{
	return false;
}
bool emulate_rom_accessed(struct vcpu *v, gpa_t gpa)
{
	return false;
}

static struct vcpu *vcpu;

static int setup(void **state)
{
	struct page_table *npt = &fake_vm.npt;

	fake_vm_init(1);
	vcpu = &fake_vcpus[0];
	table_pages_reset();
	fake_owner_count = 0;
	fake_owner_add(0, 2 * PAGE_1G, OWNER_GUEST, 0);
	kills = 0;
	emulated = 0;
	fake_vm.privileged = true;
	fake_vm.phys_bits = 40;
	fake_vm.slots[0] = (struct vm_slot){ .size = PAGES * PAGE_2M };
	fake_vm.slot_count = 1;
	assert_int_equal(pt_init(npt, &pt_ept, &fake_vm.budget, 2), 0);
	npt->split_exec = true;
	assert_int_equal(
		pt_map(npt, 0, HPA(0), PAGES * PAGE_2M, PT_R | PT_W | PT_X), 0);
	assert_int_equal(split_create(&fake_vm), 0);
	return 0;
}

static int teardown(void **state)
{
	split_destroy(&fake_vm);
	pt_destroy(&fake_vm.npt);
	return 0;
}

static enum verdict touch(u64 gpa, u8 access)
{
	const struct vcpu_exit e = { .kind = EXIT_MMIO,
				     .mmio.gpa = GPA(gpa),
				     .mmio.access = access };

	return exit_mmio(vcpu, &e);
}

static u64 leaf_bytes(u64 gpa)
{
	u64 left;
	u32 attrs;
	hpa_t hpa;

	assert_int_equal(pt_query(&fake_vm.npt, gpa, &hpa, &attrs, &left), 0);
	assert_int_equal(hpa.v, gpa);
	return left;
}

/* Only what was fetched from is split, once, and the guest goes on */
static void test_fetch_splits(void **state)
{
	u64 tables = fake_vm.budget.used_pages;

	assert_int_equal(touch(3 * PAGE_2M + 0x1000, ACCESS_X), VERDICT_RESUME);
	assert_int_equal(leaf_bytes(3 * PAGE_2M + 0x1000), PAGE_SIZE);
	assert_int_equal(leaf_bytes(2 * PAGE_2M), PAGE_2M);
	assert_int_equal(fake_vm.budget.used_pages, tables + 1);
	/* Another vCPU that fetched meanwhile */
	assert_int_equal(touch(3 * PAGE_2M + 0x1000, ACCESS_R | ACCESS_X),
			 VERDICT_RESUME);
	assert_int_equal(fake_vm.budget.used_pages, tables + 1);
	assert_int_equal(kills, 0);
}

/* More large pages with code than it may have tables for: all of it runs */
static void test_fetch_everywhere(void **state)
{
	u64 tables = fake_vm.budget.used_pages;
	u32 exits = 0;

	for (u32 n = 0; n < 4 * PAGES; n++) {
		u64 gpa = n * 7 % PAGES * PAGE_2M + n * PAGE_SIZE;

		do {
			assert_int_equal(touch(gpa, ACCESS_X), VERDICT_RESUME);
			assert_true(++exits < 8 * PAGES);
		} while (leaf_bytes(gpa) != PAGE_SIZE);
		/* Reads and writes find all of it, in pages of either size */
		(void)leaf_bytes((n + 1) % PAGES * PAGE_2M);
	}
	assert_true(fake_vm.split.most < PAGES);
	assert_int_equal(fake_vm.budget.used_pages,
			 tables + fake_vm.split.used + fake_vm.split.out_count);
	assert_true(fake_vm.split.used <= fake_vm.split.most);
	assert_int_equal(kills, 0);
}

/* Nor is the table's lock waited for by a crowd */
static void test_fetch_in_a_crowd(void **state)
{
	fake_vm.vcpu_count = CROWD_PRIVILEGED + 1;
	fake_vm.crowd = CROWD_PRIVILEGED;
	assert_int_equal(touch(3 * PAGE_2M, ACCESS_X), VERDICT_RESUME);
	assert_int_equal(leaf_bytes(3 * PAGE_2M), PAGE_2M);
	fake_vm.crowd = 0;
	assert_int_equal(touch(3 * PAGE_2M, ACCESS_X), VERDICT_RESUME);
	assert_int_equal(leaf_bytes(3 * PAGE_2M), PAGE_SIZE);
	assert_int_equal(fake_vm.crowd, 0);
	fake_vm.vcpu_count = 1;
}

static void test_no_table_left(void **state)
{
	table_pages_left = 0;
	assert_int_equal(touch(PAGE_2M, ACCESS_X), VERDICT_KILL);
	assert_non_null(strstr(kill_reason, "split"));
	assert_int_equal(leaf_bytes(PAGE_2M), PAGE_2M);
}

/* A device's first touch maps it, and it is no code */
static void test_device(void **state)
{
	fake_owners[0].size = WINDOW;
	fake_owner_add(2 * PAGE_1G, PAGE_1G, OWNER_GUEST, 0);
	assert_int_equal(touch(WINDOW, ACCESS_R), VERDICT_RESUME);
	assert_int_equal(leaf_bytes(WINDOW), PAGE_2M);
	assert_int_equal(touch(WINDOW, ACCESS_X), VERDICT_KILL);
	assert_int_equal(leaf_bytes(WINDOW), PAGE_2M);
	assert_non_null(strstr(kill_reason, "no RAM"));
}

/* Where a table was left, what is touched is mapped, not all that the table has
 * room for */
static void test_left_table(void **state)
{
	u64 left;
	u32 attrs;
	hpa_t hpa;

	fake_owners[0].size = WINDOW;
	assert_int_equal(touch(WINDOW, ACCESS_R), VERDICT_RESUME);
	assert_int_equal(pt_unmap(&fake_vm.npt, WINDOW + PAGE_SIZE, PAGE_SIZE),
			 0);
	assert_int_equal(pt_unmap(&fake_vm.npt, WINDOW, PAGE_2M), 0);
	assert_int_equal(touch(WINDOW + 0x3000, ACCESS_W), VERDICT_RESUME);
	assert_int_equal(leaf_bytes(WINDOW + 0x3000), PAGE_SIZE);
	assert_int_equal(
		pt_query(&fake_vm.npt, WINDOW + 0x4000, &hpa, &attrs, &left),
		-ENOENT);
	assert_int_equal(touch(WINDOW + PAGE_2M, ACCESS_R), VERDICT_RESUME);
	assert_int_equal(leaf_bytes(WINDOW + PAGE_2M), PAGE_2M);
}

static u32 type_at(u64 gpa)
{
	u64 left;
	u32 attrs;
	hpa_t hpa;

	assert_int_equal(touch(gpa, ACCESS_R), VERDICT_RESUME);
	assert_int_equal(pt_query(&fake_vm.npt, gpa, &hpa, &attrs, &left), 0);
	return attrs & (PT_UC | PT_WC);
}

/* An EPT says what the MTRRs do, and a piece has one type */
static void test_types(void **state)
{
	fake_owners[0].size = WINDOW;
	assert_int_equal(type_at(WINDOW), PT_UC);
	assert_int_equal(type_at(WB_MEM), PT_WB);
	assert_int_equal(type_at(WC_MEM), PT_WC);
	assert_int_equal(type_at(WT_MEM), PT_UC);
	assert_int_equal(leaf_bytes(WB_MEM), PAGE_2M);
	assert_int_equal(type_at(MIXED), PT_UC);
	assert_int_equal(leaf_bytes(MIXED), PAGE_SIZE);
}

/* With an NPT they are in force beside it */
static void test_types_of_npt(void **state)
{
	fake_owners[0].size = WINDOW;
	fake_vm.npt.fmt = &pt_npt;
	assert_int_equal(type_at(WINDOW), PT_WB);
	assert_int_equal(type_at(WC_MEM), PT_WB);
	assert_int_equal(type_at(MIXED), PT_WB);
	assert_int_equal(leaf_bytes(MIXED), PAGE_SIZE);
}

/* The firmware's code may lie outside of RAM */
static void test_firmware(void **state)
{
	fake_owners[0].size = WINDOW;
	fake_owner_add(WINDOW, PAGE_2M, OWNER_FIRMWARE, 0);
	assert_int_equal(touch(WINDOW + 0x3000, ACCESS_X), VERDICT_RESUME);
	assert_int_equal(leaf_bytes(WINDOW + 0x3000), PAGE_2M - 0x3000);
	assert_int_equal(touch(WINDOW + 0x3000, ACCESS_X), VERDICT_RESUME);
	assert_int_equal(leaf_bytes(WINDOW + 0x3000), PAGE_SIZE);
}

/* Nobody has that address */
static void test_nothing_there(void **state)
{
	fake_vm.privileged = false;
	assert_int_equal(touch(GIB(8), ACCESS_X), VERDICT_KILL);
	assert_int_equal(touch(GIB(8), ACCESS_R), VERDICT_ADVANCE);
	assert_int_equal(emulated, 1);
}

/* The walk of a guest's table is no fetch */
static void test_walk(void **state)
{
	const struct vcpu_exit e = { .kind = EXIT_MMIO,
				     .mmio.gpa = GPA(GIB(8)),
				     .mmio.access = ACCESS_X,
				     .mmio.walk = true };

	fake_vm.privileged = false;
	assert_int_equal(exit_mmio(vcpu, &e), VERDICT_ADVANCE);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fetch_everywhere),
		TEST(test_fetch_splits),
		TEST(test_fetch_in_a_crowd),
		TEST(test_no_table_left),
		TEST(test_device),
		TEST(test_left_table),
		TEST(test_firmware),
		TEST(test_nothing_there),
		TEST(test_walk),
		TEST(test_types),
		TEST(test_types_of_npt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
