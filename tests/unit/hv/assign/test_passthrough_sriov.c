/* SOURCES: hv/assign/passthrough.c hv/assign/passthrough_func.c hv/assign/passthrough_bus.c hv/assign/passthrough_sriov.c hv/assign/passthrough_guard.c hv/assign/passthrough_list.c hv/assign/passthrough_msi.c hv/assign/passthrough_msix.c hv/assign/passthrough_move.c hv/assign/passthrough_virtual.c hv/device/pci/pci_fn.c hv/core/bus.c hv/core/slots.c tests/unit/hv/assign/functions.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual functions of 00:03.0, four at most, from 00:13.0 on, every other one;
 * with ARI from 01:00.0 on. BAR 0 of each has 8 KiB, with an MSI-X table.
 */
#include "drivers/acpi/acpi.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/hv/assign/functions.h"

#define CAP       0x300u
#define VFS       4u
#define VF_BAR    0xe0200000u
#define VF_BYTES  0x2000u
#define VF_TABLE  0x1000u
#define VF_COUNT  3u /* entries */
#define ON        (PCI_SRIOV_VF_ENABLE | PCI_SRIOV_VF_MEMORY)
#define RID_FIRST (0x18u + 0x80u)
#define RID_ARI   0x100u

static u8 vfs[VFS][4096];
static u8 vf_memory[VFS * VF_BYTES] __attribute__((aligned(4096)));
static bool not_ready;
static u32 asked;  /* accesses of VFs */
static u8 *former; /* a function in the place of the first */
static u8 no_answer[4096];

static u32 word(u32 off)
{
	u32 v = 0;

	memcpy(&v, config[0] + CAP + off, 2);
	return v;
}

static u32 first(void)
{
	return word(PCI_SRIOV_CONTROL) & PCI_SRIOV_ARI ? RID_ARI : RID_FIRST;
}

static u8 *vf_at(struct pci_bdf bdf)
{
	u32 n = ((u32)bdf.bus << 8 | bdf.devfn) - first();

	if (former)
		return n ? NULL : former;
	if (!(word(PCI_SRIOV_CONTROL) & PCI_SRIOV_VF_ENABLE) || n % 2 ||
	    n / 2 >= word(PCI_SRIOV_NUM_VFS))
		return NULL;
	asked++;
	return not_ready ? no_answer : vfs[n / 2];
}

/* Sizing, and what is read-only */
static void hardware(void)
{
	u8 *c = config[0] + CAP;

	c[PCI_SRIOV_VF_BAR0] = PCI_BAR_64;
	c[PCI_SRIOV_VF_BAR0 + 1] &= (u8) ~((VF_BYTES >> 8) - 1);
	memset(c + PCI_SRIOV_VF_BAR0 + 8, 0, 16);
	put32(c, PCI_EXT_CAP_SRIOV | 1u << 16);
	c[PCI_SRIOV_TOTAL_VFS] = VFS;
	put32(c + PCI_SRIOV_VF_OFFSET, (first() - 0x18) | 2u << 16);
}

static int vf_setup(void **state)
{
	sriov_cap = CAP;
	virtual_function = vf_at;
	written = hardware;
	not_ready = false;
	former = NULL;
	memset(no_answer, 0xff, sizeof(no_answer));
	memset(vf_memory, 0, sizeof(vf_memory));
	for (u32 i = 0; i < VFS; i++) {
		memset(vfs[i], 0, sizeof(vfs[i]));
		put32(vfs[i], ~0u);
		put32(vfs[i] + MSIX_CAP, PCI_CAP_ID_MSIX | (VF_COUNT - 1)
								   << 16);
		put32(vfs[i] + MSIX_CAP + 4, VF_TABLE);
	}
	setup(state);
	fake_ioremap_add(VF_BAR, vf_memory, sizeof(vf_memory));
	new_guest();
	return 0;
}

static int vf_teardown(void **state)
{
	sriov_cap = 0;
	virtual_function = NULL;
	written = NULL;
	return teardown(state);
}

static u64 vf_ecam(u32 rid, u32 off)
{
	return 0xb0000000u + (rid << 12) + off;
}

static u32 vf_read(u32 rid, u32 off, u8 size)
{
	return (u32)bus_read(&fake_vm.mmio, &fake_vcpus[0], vf_ecam(rid, off),
			     size);
}

static void vf_write(u32 rid, u32 off, u8 size, u32 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], vf_ecam(rid, off), size,
		  value);
	while (go_on())
		;
}

static void vfs_enable(u32 count, u32 control)
{
	cfg_write(CAP + PCI_SRIOV_VF_BAR0, 4, VF_BAR);
	cfg_write(CAP + PCI_SRIOV_NUM_VFS, 2, count);
	cfg_write(CAP + PCI_SRIOV_CONTROL, 2, control);
}

static const struct bus_region *trap_of(u32 index)
{
	return bus_find(&fake_vm.mmio, VF_BAR + index * VF_BYTES + VF_TABLE);
}

static u32 vf_entry(u32 index, u32 at)
{
	u32 v;

	memcpy(&v, vf_memory + index * VF_BYTES + VF_TABLE + at * 4, 4);
	return v;
}

/* Entry 0: a message, unmasked */
static void vf_ask(u32 index)
{
	u64 at = VF_BAR + index * VF_BYTES + VF_TABLE;

	bus_write(&fake_vm.mmio, &fake_vcpus[0], at, 4, 0xfee01000);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], at + 4, 4, 0);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], at + 8, 4, 0x41);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], at + 12, 4, 0);
}

static bool msix_on(u32 index)
{
	return vfs[index][MSIX_CAP + 3] & 0x80;
}

static void test_seen(void **state)
{
	assert_int_equal(vf_read(RID_FIRST, 0x0e, 1), 0xff);
	vfs_enable(2, ON);
	/* No ids, as the specification has it, but all else */
	assert_int_equal(vf_read(RID_FIRST, 0, 4), 0xffffffff);
	assert_int_equal(vf_read(RID_FIRST, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(vf_read(RID_FIRST + 2, MSIX_CAP, 1), PCI_CAP_ID_MSIX);
	assert_int_equal(vf_read(RID_FIRST + 1, PCI_HEADER_TYPE, 1), 0xff);
	assert_int_equal(vf_read(RID_FIRST + 4, PCI_HEADER_TYPE, 1), 0xff);
	/* The BAR was only sized */
	assert_int_equal(cfg_read(0x18, CAP + PCI_SRIOV_VF_BAR0, 4),
			 VF_BAR | PCI_BAR_64);
}

static void test_interrupts(void **state)
{
	vfs_enable(2, ON);
	assert_null(trap_of(1));
	vf_write(RID_FIRST + 2, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_non_null(trap_of(1));
	assert_null(trap_of(0));
	vf_ask(1);
	assert_true(msix_on(1));
	assert_int_equal(vf_entry(1, 0), HOST_ADDR);
	assert_int_equal(vf_entry(1, 2), HOST_DATA);
	assert_int_equal(vf_entry(1, 3), 0);
	assert_int_equal(vf_entry(0, 2), 0);
}

/* What the guest wrote to the table before its VF was known is gone */
static void test_written_early(void **state)
{
	vfs_enable(1, ON);
	put32(vf_memory + VF_TABLE + 16, 0xfee00000);
	put32(vf_memory + VF_TABLE + 24, 0x0e);
	put32(vf_memory + VF_TABLE + 28, 0);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_true(msix_on(0));
	assert_int_equal(vf_entry(0, 4 + 3), PCI_MSIX_ENTRY_MASKED);
}

/* With nothing to trap there is no MSI-X */
static void test_memory_off(void **state)
{
	vfs_enable(2, PCI_SRIOV_VF_ENABLE);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_false(msix_on(0));
	assert_int_equal(vf_read(RID_FIRST, MSIX_CAP + 2, 2) & PCI_MSIX_ENABLE,
			 PCI_MSIX_ENABLE);
	put32(vf_memory + VF_TABLE + 8, 0x0e);
	cfg_write(CAP + PCI_SRIOV_CONTROL, 2, ON);
	assert_true(msix_on(0));
	assert_int_equal(vf_entry(0, 3), PCI_MSIX_ENTRY_MASKED);
	assert_false(msix_on(1));
}

static void test_places_are_fixed(void **state)
{
	vfs_enable(2, ON);
	cfg_write(CAP + PCI_SRIOV_VF_BAR0, 4, BAR);
	cfg_write(CAP + PCI_SRIOV_NUM_VFS, 2, 4);
	cfg_write(CAP + PCI_SRIOV_PAGE_SIZE, 4, 2);
	cfg_write(CAP + PCI_SRIOV_CONTROL, 1, ON | PCI_SRIOV_ARI);
	assert_int_equal(word(PCI_SRIOV_NUM_VFS), 2);
	assert_int_equal(word(PCI_SRIOV_VF_BAR0 + 2), VF_BAR >> 16);
	assert_int_equal(word(PCI_SRIOV_PAGE_SIZE), 0);
	assert_int_equal(word(PCI_SRIOV_CONTROL), ON);
	cfg_write(CAP + PCI_SRIOV_CONTROL, 2, 0);
	cfg_write(CAP + PCI_SRIOV_NUM_VFS, 2, 4);
	assert_int_equal(word(PCI_SRIOV_NUM_VFS), 4);
}

static void test_ari(void **state)
{
	vfs_enable(4, ON | PCI_SRIOV_ARI);
	assert_int_equal(vf_read(RID_FIRST, PCI_HEADER_TYPE, 1), 0xff);
	assert_int_equal(vf_read(RID_ARI + 6, PCI_HEADER_TYPE, 1), 0);
	vf_write(RID_ARI + 6, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_non_null(trap_of(3));
}

/* Nobody asks it in its first 100 ms, nor one that says "later" then */
static void test_early(void **state)
{
	tsc_khz = 1000000000000;
	vfs_enable(2, ON);
	asked = 0;
	assert_int_equal(vf_read(RID_FIRST, PCI_CLASS_REVISION, 4), ~0u);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_int_equal(asked, 0);
	tsc_khz = 0;
	put32(vfs[0], 0xffff0001);
	assert_int_equal(vf_read(RID_FIRST, PCI_CLASS_REVISION, 4), ~0u);
	assert_in_range(asked, 1, 2);
	put32(vfs[0], ~0u);
	assert_int_equal(vf_read(RID_FIRST, PCI_CLASS_REVISION, 4), 0);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_non_null(trap_of(0));
}

/* Off and on again, at other addresses: routes and traps of then are gone */
static void test_again(void **state)
{
	u32 before;

	vfs_enable(2, ON);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	vf_ask(0);
	before = unroutes;
	cfg_write(CAP + PCI_SRIOV_CONTROL, 2, 0);
	assert_int_equal(vf_read(RID_FIRST, PCI_HEADER_TYPE, 1), 0xff);
	assert_null(trap_of(0));
	while (go_on())
		;
	assert_int_equal(unroutes, before + 1);
	memset(vfs[0] + MSIX_CAP + 2, 0, 2);
	vfs[0][MSIX_CAP + 2] = VF_COUNT - 1;
	cfg_write(CAP + PCI_SRIOV_VF_BAR0, 4, VF_BAR + VF_BYTES);
	cfg_write(CAP + PCI_SRIOV_NUM_VFS, 2, 1);
	cfg_write(CAP + PCI_SRIOV_CONTROL, 2, ON);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_null(trap_of(0));
	assert_non_null(trap_of(1));
	assert_true(msix_on(0));
}

/* A reset of the PF takes the VFs, and what says where they are is free */
static void test_reset(void **state)
{
	vfs_enable(2, ON);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	put32(config[0] + CAP + PCI_SRIOV_CONTROL, 0);
	put32(config[0] + CAP + PCI_SRIOV_NUM_VFS, 0);
	assert_int_equal(vf_read(RID_FIRST, PCI_HEADER_TYPE, 1), 0xff);
	vfs_enable(3, ON);
	assert_int_equal(word(PCI_SRIOV_NUM_VFS), 3);
	assert_int_equal(vf_read(RID_FIRST + 4, PCI_HEADER_TYPE, 1), 0);
}

/* The PF's driver has given it more interrupts */
static void test_resized(void **state)
{
	u64 at = VF_BAR + VF_TABLE + VF_COUNT * 16;

	vfs_enable(1, ON);
	assert_int_equal(vf_read(RID_FIRST, PCI_HEADER_TYPE, 1), 0);
	vfs[0][MSIX_CAP + 2] = VF_COUNT;
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], at, 4, 0xfee01000);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], at + 8, 4, 0x41);
	bus_write(&fake_vm.mmio, &fake_vcpus[0], at + 12, 4, 0);
	assert_int_equal(vf_entry(0, VF_COUNT * 4), HOST_ADDR);
	assert_int_equal(vf_entry(0, VF_COUNT * 4 + 2), HOST_DATA);
	/* What is reset has no size for a while */
	memset(vfs[0] + MSIX_CAP, 0xff, 4);
	assert_int_equal(vf_read(RID_FIRST, PCI_HEADER_TYPE, 1), 0);
	assert_non_null(trap_of(0));
}

/* One that does not answer yet is looked at again */
static void test_not_ready(void **state)
{
	not_ready = true;
	vfs_enable(1, ON);
	assert_int_equal(vf_read(RID_FIRST, PCI_HEADER_TYPE, 1), 0xff);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	not_ready = false;
	assert_int_equal(vf_read(RID_FIRST, PCI_HEADER_TYPE, 1), 0);
	assert_false(msix_on(0));
}

/* A table that would lie in the next VF's part is none */
static void test_table_outside(void **state)
{
	put32(vfs[0] + MSIX_CAP + 4, VF_BYTES);
	vfs_enable(2, ON);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_false(msix_on(0));
	assert_null(trap_of(1));
}

/* A function was there, of which the guest knew, and has left */
static void test_place_of_another(void **state)
{
	static u8 plain[4096] = { 0x34, 0x12, 0x34, 0x12 };

	former = plain;
	assert_int_equal(vf_read(RID_FIRST, 0, 4), 0x12341234);
	former = NULL;
	assert_int_equal(vf_read(RID_FIRST, 0, 4), 0xffffffff);
	vfs_enable(1, ON);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	assert_non_null(trap_of(0));
	assert_true(msix_on(0));
}

/* What firmware left on is off */
static void test_left_on(void **state)
{
	put32(config[0] + CAP + PCI_SRIOV_CONTROL, ON);
	new_guest();
	assert_int_equal(word(PCI_SRIOV_CONTROL), 0);
}

/* The PF's slot has another function: its VFs are nobody's */
static void test_replaced(void **state)
{
	vfs_enable(2, ON);
	vf_write(RID_FIRST, MSIX_CAP + 2, 2, PCI_MSIX_ENABLE);
	config[0][4] = 0;
	put32(config[0], 0x12345670);
	sriov_cap = 0;
	put32(config[0] + CAP + PCI_SRIOV_CONTROL, 0);
	assert_int_equal(cfg_read(0x18, 0, 4), 0x12345670);
	assert_int_equal(vf_read(RID_FIRST, PCI_HEADER_TYPE, 1), 0xff);
	assert_null(trap_of(0));
}

#define VF_TEST(fn) cmocka_unit_test_setup_teardown(fn, vf_setup, vf_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VF_TEST(test_seen),
		VF_TEST(test_interrupts),
		VF_TEST(test_written_early),
		VF_TEST(test_memory_off),
		VF_TEST(test_places_are_fixed),
		VF_TEST(test_ari),
		VF_TEST(test_early),
		VF_TEST(test_again),
		VF_TEST(test_reset),
		VF_TEST(test_not_ready),
		VF_TEST(test_resized),
		VF_TEST(test_table_outside),
		VF_TEST(test_left_on),
		VF_TEST(test_place_of_another),
		VF_TEST(test_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
