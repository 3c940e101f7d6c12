/* SOURCES: hv/assign/vtd.c hv/assign/vtd_walk.c hv/core/bus.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual IOMMU's registers as Linux uses them, and its device's accesses */
#include "hv/assign/vtd.h"

#include "include/hw/vtd.h"
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/vdev.h"

#define DEVFN     0x78u
#define RAM_BYTES MIB(1)
#define ROOT      0x1000ull
#define CONTEXT   0x2000ull
#define TABLE     0x3000ull /* and two more: levels 4, 3, 2 */
#define IOVA      0x10000ull
#define RW        (VTD_SL_READ | VTD_SL_WRITE)

static struct vtd *unit;

hpa_t virt_to_hpa(const void *va)
{
	return HPA(0xf00000 + ((u64)va & 0xff000));
}

static u64 reg(u64 offset, u8 size)
{
	return bus_read(&fake_vm.mmio, &fake_vcpus[0],
			fake_vm.remap.base + offset, size);
}

static void set(u64 offset, u8 size, u64 value)
{
	bus_write(&fake_vm.mmio, &fake_vcpus[0], fake_vm.remap.base + offset,
		  size, value);
}

static void put(u64 gpa, u64 value)
{
	memcpy(fake_ram + gpa, &value, sizeof(value));
}

static int setup(void **state)
{
	fake_vm_init(1);
	fake_ram_init(RAM_BYTES, 0);
	fake_vm.phys_bits = 40;
	assert_int_equal(bus_init(&fake_vm.mmio, &fake_vm.budget, 4), 0);
	assert_int_equal(vtd_create(&fake_vm, DEVFN, &unit), 0);
	assert_int_equal(fake_vm.remap.devfn, DEVFN);
	assert_true(IS_ALIGNED(fake_vm.remap.base, PAGE_SIZE));
	put(ROOT, CONTEXT | VTD_PRESENT);
	put(CONTEXT + DEVFN * 16, TABLE | VTD_PRESENT);
	put(CONTEXT + DEVFN * 16 + 8, VTD_AW_48);
	put(TABLE, (TABLE + 0x1000) | RW);
	put(TABLE + 0x1000, (TABLE + 0x2000) | RW);
	put(TABLE + 0x2000, (TABLE + 0x3000) | RW);
	put(TABLE + 0x3000 + 16 * 8, 0x8000 | RW);
	put(TABLE + 0x3000 + 17 * 8, 0x6000 | VTD_SL_READ);
	return 0;
}

static int teardown(void **state)
{
	vtd_destroy(unit);
	assert_int_equal(fake_vm.remap.base, 0);
	bus_destroy(&fake_vm.mmio, &fake_vm.budget);
	assert_int_equal(fake_vm.budget.used_pages, 0);
	return 0;
}

static void turn_on(void)
{
	set(VTD_RTADDR, 8, ROOT);
	set(VTD_GCMD, 4, VTD_G_RTP);
	assert_int_equal(reg(VTD_GSTS, 4), VTD_G_RTP);
	set(VTD_GCMD, 4, VTD_G_TE);
	assert_int_equal(reg(VTD_GSTS, 4), VTD_G_RTP | VTD_G_TE);
}

static void test_registers(void **state)
{
	u64 cap = reg(VTD_CAP, 8);

	assert_int_equal(reg(VTD_VER, 4), 0x10);
	assert_int_equal(cap & 0xffffffff, 0x222f0400);
	assert_int_equal(reg(VTD_CAP + 4, 4), cap >> 32);
	/* The records lie within the page, and are empty */
	assert_int_equal(VTD_CAP_FRO(cap), 0x220);
	assert_int_equal(VTD_CAP_NFR(cap), 1);
	for (u32 i = 0; i < 16; i += 4)
		assert_int_equal(reg(0x220 + i, 4), 0);
	assert_int_equal(VTD_ECAP_IRO(reg(VTD_ECAP, 8)), 0xf0);
	assert_int_equal(reg(VTD_GSTS, 4), 0);
	assert_int_equal(reg(VTD_FECTL, 4), VTD_FECTL_MASK);
	/* Halves, and what is read only */
	set(VTD_RTADDR + 4, 4, 0x12);
	set(VTD_RTADDR, 4, 0x3000);
	assert_int_equal(reg(VTD_RTADDR, 8), 0x1200003000);
	set(VTD_CAP, 8, ~0ull);
	assert_int_equal(reg(VTD_CAP, 8), cap);
	set(VTD_FECTL, 4, 0);
	set(VTD_FEDATA, 4, 0x4321);
	assert_int_equal(reg(VTD_FECTL, 8), 0x432100000000);
	set(VTD_FEADDR, 8, 0x1fee00000);
	assert_int_equal(reg(VTD_FEADDR + 4, 4), 1);
	/* Neither bytes nor what is not aligned */
	set(VTD_RTADDR, 2, 0xffff);
	set(VTD_RTADDR + 4, 8, ~0ull);
	assert_int_equal(reg(VTD_RTADDR, 8), 0x1200003000);
	assert_int_equal(reg(VTD_VER, 1), 0xff);
}

/* An invalidation is over at once, and as wide as it was asked for */
static void test_invalidations(void **state)
{
	set(VTD_CCMD, 8, VTD_CCMD_ICC | 1ull << 61 | 0x1234);
	assert_int_equal(reg(VTD_CCMD, 8), 1ull << 61 | 1ull << 59 | 0x1234);
	set(0xf8, 8, VTD_IOTLB_IVT | 2ull << 60);
	assert_int_equal(reg(0xf8, 8), 2ull << 60 | 2ull << 57);
	set(0xfc, 4, (VTD_IOTLB_IVT | 3ull << 60) >> 32);
	assert_int_equal(reg(0xf8, 8), 3ull << 60 | 3ull << 57);
}

static void test_off(void **state)
{
	u64 value = 0x1122334455667788, seen = 0;

	assert_int_equal(vtd_dma_write(unit, 0x7ffc, &value, 8), 0);
	assert_int_equal(vtd_dma_read(unit, 0x7ffc, &seen, 8), 0);
	assert_int_equal(seen, value);
	assert_memory_equal(fake_ram + 0x7ffc, &value, 8);
	assert_int_equal(vtd_dma_read(unit, RAM_BYTES - 4, &seen, 8), -EFAULT);
	assert_int_equal(vtd_dma_read(unit, ~0ull - 3, &seen, 8), -EFAULT);
	assert_int_equal(vtd_dma_read(unit, ~0ull, NULL, 0), 0);
}

static void test_on(void **state)
{
	u64 value = 0x1122334455667788, seen = 0;

	turn_on();
	assert_int_equal(vtd_dma_write(unit, IOVA + 8, &value, 8), 0);
	assert_memory_equal(fake_ram + 0x8008, &value, 8);
	/* Across pages that lie elsewhere; the second may only be read */
	memcpy(fake_ram + 0x6000, "next", 4);
	assert_int_equal(vtd_dma_read(unit, IOVA + 0xffc, &seen, 8), 0);
	assert_memory_equal((u8 *)&seen + 4, "next", 4);
	assert_int_equal(vtd_dma_write(unit, IOVA + 0xffc, &value, 8), -EFAULT);
	assert_memory_equal(fake_ram + 0x6000, "next", 4);
	assert_int_equal(vtd_dma_read(unit, 0x8000, &seen, 8), -EFAULT);
	/* Nothing is cached */
	put(TABLE + 0x3000 + 16 * 8, 0x9000 | RW);
	assert_int_equal(vtd_dma_write(unit, IOVA, &value, 8), 0);
	assert_memory_equal(fake_ram + 0x9000, &value, 8);
	put(TABLE + 0x3000 + 16 * 8, 0);
	assert_int_equal(vtd_dma_write(unit, IOVA, &value, 8), -EFAULT);
	set(VTD_GCMD, 4, 0);
	assert_int_equal(vtd_dma_write(unit, 0x8000, &value, 8), 0);
}

/* The root table is the one that was there at the command */
static void test_root(void **state)
{
	u64 seen;

	turn_on();
	set(VTD_RTADDR, 8, 0x5000);
	assert_int_equal(vtd_dma_read(unit, IOVA, &seen, 8), 0);
	set(VTD_GCMD, 4, VTD_G_TE | VTD_G_RTP);
	assert_int_equal(vtd_dma_read(unit, IOVA, &seen, 8), -EFAULT);
	vtd_reset(unit);
	assert_int_equal(reg(VTD_GSTS, 4), 0);
	assert_int_equal(vtd_dma_read(unit, 0x8000, &seen, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_registers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_invalidations, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_root, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
