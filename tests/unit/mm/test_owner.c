/* SOURCES: mm/owner.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Page ownership: firmware maps, changes, search; and a random walk against a
 * page-by-page model */
#include "arch/x86/cpu/features.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/owner.h"
#include "tests/unit/test.h"

static struct boot_info bi;

static void mem_add(u64 base, u64 size, u32 type)
{
	bi.mem[bi.mem_count++] =
		(struct boot_mem){ .base = base, .size = size, .type = type };
}

static int fresh(void **state)
{
	memset(&bi, 0, sizeof(bi));
	return 0;
}

static void pc_map(void)
{
	mem_add(0, 0x9fc00, BOOT_MEM_CONVENTIONAL);
	mem_add(0x9fc00, 0x400, BOOT_MEM_RESERVED);
	mem_add(0xf0000, 0x10000, BOOT_MEM_RESERVED);
	mem_add(MIB(1), MIB(1), BOOT_MEM_LOADER_DATA);
	mem_add(MIB(2), MIB(14), BOOT_MEM_CONVENTIONAL);
	mem_add(MIB(16), MIB(1), BOOT_MEM_ACPI_RECLAIM);
	mem_add(MIB(17), MIB(15), BOOT_MEM_CONVENTIONAL);
	mem_add(GIB(4), MIB(64), BOOT_MEM_CONVENTIONAL);
}

static void check_invariants(void)
{
	for (u32 i = 0; i < owner_count(); i++) {
		const struct extent *e = owner_at(i), *n = owner_at(i + 1);

		assert_true(e->size);
		assert_true(IS_ALIGNED(e->base | e->size, PAGE_SIZE));
		if (!n)
			break;
		assert_true(e->base + e->size <= n->base);
		if (e->base + e->size == n->base)
			assert_false(e->kind == n->kind && e->vm == n->vm &&
				     e->firmware_type == n->firmware_type);
	}
	assert_null(owner_at(owner_count()));
}

static void test_init(void **state)
{
	struct extent e;

	pc_map();
	assert_int_equal(owner_init(&bi), 0);
	check_invariants();
	/* A page that is free in part only is not free */
	e = owner_find(HPA(0x9f800));
	assert_int_equal(e.kind, OWNER_FIRMWARE);
	assert_int_equal(e.base, 0x9f000);
	assert_int_equal(owner_find(HPA(0x9efff)).kind, OWNER_FREE);
	/* Holes are devices */
	e = owner_find(HPA(0xa1234));
	assert_int_equal(e.kind, OWNER_DEVICE);
	assert_int_equal(e.base, 0xa0000);
	assert_int_equal(e.size, 0x50000);
	e = owner_find(HPA(GIB(8)));
	assert_int_equal(e.kind, OWNER_DEVICE);
	assert_int_equal(e.base, GIB(4) + MIB(64));
	assert_int_equal(owner_bytes(OWNER_FREE, 0),
			 0x9f000 + MIB(30) + MIB(64));
}

static void test_init_hostile(void **state)
{
	mem_add(MIB(1), MIB(31), BOOT_MEM_CONVENTIONAL);
	mem_add(MIB(4), MIB(1), BOOT_MEM_RESERVED);      /* inside */
	mem_add(MIB(2), MIB(1), BOOT_MEM_CONVENTIONAL);  /* twice */
	mem_add(~0ull - 10, 100, BOOT_MEM_CONVENTIONAL); /* wraps */
	mem_add(GIB(1), ~0ull, BOOT_MEM_UNUSABLE);       /* endless */
	mem_add(GIB(1), 0, BOOT_MEM_CONVENTIONAL);       /* empty */
	mem_add(MIB(100), MIB(1), 0x80000001);           /* an OS loader's */
	bi.mem_count = 7;
	assert_int_equal(owner_init(&bi), 0);
	check_invariants();
	assert_int_equal(owner_find(HPA(MIB(4))).kind, OWNER_FIRMWARE);
	assert_int_equal(owner_find(HPA(MIB(5))).kind, OWNER_FREE);
	assert_int_equal(owner_find(HPA(MIB(100))).kind, OWNER_FIRMWARE);
	assert_int_equal(owner_find(HPA(GIB(2))).kind, OWNER_UNUSABLE);
	bi.mem_count = 100000; /* more than there are */
	assert_int_equal(owner_init(&bi), 0);
	check_invariants();
}

/* RAM that the CPU cannot address is nobody's */
static void test_physical_width(void **state)
{
	cpu_features.phys_bits = 36;
	mem_add(MIB(1), MIB(31), BOOT_MEM_CONVENTIONAL);
	mem_add(GIB(60), GIB(8), BOOT_MEM_CONVENTIONAL);
	mem_add(GIB(128), GIB(8), BOOT_MEM_CONVENTIONAL);
	mem_add(GIB(256), GIB(8), BOOT_MEM_RESERVED);
	assert_int_equal(owner_init(&bi), 0);
	check_invariants();
	assert_int_equal(owner_bytes(OWNER_FREE, 0), MIB(31) + GIB(4));
	assert_int_equal(owner_bytes(OWNER_FIRMWARE, 0), 0);
	cpu_features.phys_bits = PHYS_BITS_MAX;
}

static void test_change(void **state)
{
	pc_map();
	assert_int_equal(owner_init(&bi), 0);
	assert_int_equal(
		owner_change(MIB(2), MIB(2), OWNER_FREE, OWNER_HYPERVISOR, 0),
		0);
	/* Across two firmware types */
	assert_int_equal(
		owner_change(MIB(1), MIB(1), OWNER_FREE, OWNER_GUEST, 3), 0);
	assert_int_equal(owner_bytes(OWNER_GUEST, 3), MIB(1));
	assert_int_equal(owner_bytes(OWNER_GUEST, 2), 0);
	/* Not all of it */
	assert_int_equal(
		owner_change(MIB(3), MIB(2), OWNER_FREE, OWNER_GUEST, 1),
		-EBUSY);
	assert_int_equal(
		owner_change(MIB(12), MIB(6), OWNER_FREE, OWNER_GUEST, 1),
		-EBUSY);
	/* Wrong guest */
	assert_int_equal(
		owner_change(MIB(1), MIB(1), OWNER_GUEST, OWNER_FREE, 2),
		-EBUSY);
	assert_int_equal(
		owner_change(MIB(1), MIB(1), OWNER_GUEST, OWNER_FREE, 3), 0);
	assert_int_equal(owner_change(MIB(1), 100, OWNER_FREE, OWNER_GUEST, 1),
			 -EINVAL);
	assert_int_equal(
		owner_change(~0xfffull, 0x2000, OWNER_FREE, OWNER_GUEST, 1),
		-EINVAL);
	/* A device page out of a hole */
	assert_int_equal(owner_change(0xfec00000, PAGE_SIZE, OWNER_DEVICE,
				      OWNER_HYPERVISOR, 0),
			 0);
	assert_int_equal(owner_find(HPA(0xfec00000)).kind, OWNER_HYPERVISOR);
	assert_int_equal(owner_find(HPA(0xfec01000)).kind, OWNER_DEVICE);
	check_invariants();
}

static void test_take(void **state)
{
	hpa_t base;

	pc_map();
	assert_int_equal(owner_init(&bi), 0);
	/* The loader's memory is not given out while it lives */
	assert_int_equal(owner_take(MIB(15), PAGE_SIZE, MIB(1), MIB(16),
				    OWNER_HYPERVISOR, 0, &base),
			 -ENOMEM);
	owner_loader_gone();
	assert_int_equal(owner_take(MIB(15), PAGE_SIZE, MIB(1), MIB(16),
				    OWNER_HYPERVISOR, 0, &base),
			 0);
	assert_int_equal(base.v, MIB(1));
	assert_int_equal(
		owner_take(MIB(4), PAGE_2M, 0, GIB(4), OWNER_GUEST, 7, &base),
		0);
	assert_int_equal(base.v, MIB(28));
	assert_int_equal(owner_take(PAGE_SIZE, PAGE_SIZE, 0, MIB(1),
				    OWNER_HYPERVISOR, 0, &base),
			 0);
	assert_int_equal(base.v, 0x9e000);
	assert_int_equal(owner_take(0x9e000, PAGE_SIZE, 0, MIB(1),
				    OWNER_HYPERVISOR, 0, &base),
			 -ENOMEM); /* page 0 stays */
	assert_int_equal(owner_take(100, PAGE_SIZE, 0, MIB(1), OWNER_HYPERVISOR,
				    0, &base),
			 -EINVAL);
	assert_int_equal(owner_take(GIB(1), PAGE_SIZE, 0, ~0ull,
				    OWNER_HYPERVISOR, 0, &base),
			 -ENOMEM);
	check_invariants();
}

/* Page by page: what owner.c must say after the same changes */
#define MODEL_PAGES 256
static u8 model[MODEL_PAGES];

static bool model_change(u32 first, u32 count, u8 from, u8 to)
{
	for (u32 i = first; i < first + count; i++)
		if (model[i] != from)
			return false;
	memset(model + first, to, count);
	return true;
}

static void test_random(void **state)
{
	mem_add(0, MODEL_PAGES * PAGE_SIZE, BOOT_MEM_CONVENTIONAL);
	assert_int_equal(owner_init(&bi), 0);
	memset(model, OWNER_FREE, sizeof(model));
	srand(1);
	for (u32 n = 0; n < 20000; n++) {
		u32 first = (u32)rand() % MODEL_PAGES;
		u32 count = 1 + (u32)rand() % 8;
		u8 from = (u8)(rand() % 4), to = (u8)(rand() % 4);
		int err;

		count = MIN(count, MODEL_PAGES - first);
		err = owner_change(first * PAGE_SIZE, count * PAGE_SIZE,
				   (enum owner_kind)from, (enum owner_kind)to,
				   1);
		assert_int_equal(err == 0,
				 model_change(first, count, from, to));
	}
	for (u32 i = 0; i < MODEL_PAGES; i++)
		assert_int_equal(owner_find(HPA(i * PAGE_SIZE)).kind, model[i]);
	check_invariants();
}

static void test_full(void **state)
{
	int err = 0;

	mem_add(0, MIB(64), BOOT_MEM_CONVENTIONAL);
	assert_int_equal(owner_init(&bi), 0);
	for (u64 at = 0; at < MIB(32) && !err; at += 2 * PAGE_SIZE)
		err = owner_change(at, PAGE_SIZE, OWNER_FREE, OWNER_GUEST, 1);
	assert_int_equal(err, -ENOSPC);
	check_invariants();
}

/* A server: 16 TiB with 300 holes, and the owners that come on top: guests'
 * pieces, files, devices */
static void test_server(void **state)
{
	const u64 step = GIB(54);
	u64 free;
	hpa_t at;

	for (u64 i = 300; i-- > 0;) {
		mem_add(i * step + step - MIB(3), MIB(3), BOOT_MEM_RESERVED);
		mem_add(i * step, step, BOOT_MEM_CONVENTIONAL);
	}
	assert_int_equal(owner_init(&bi), 0);
	owner_loader_gone();
	check_invariants();
	assert_int_equal(owner_count(), 600);
	free = 300 * (step - MIB(3));
	assert_int_equal(owner_bytes(OWNER_FREE, 0), free);
	for (u64 i = 0; i < 300; i++)
		assert_int_equal(owner_take(MIB(2), PAGE_2M, i * step,
					    (i + 1) * step, OWNER_GUEST, 1,
					    &at),
				 0);
	check_invariants();
	assert_int_equal(owner_bytes(OWNER_GUEST, 1), MIB(600));
	assert_int_equal(owner_bytes(OWNER_FREE, 0), free - MIB(600));
}

/* CXL and the like: nobody's memory but the privileged guest's drivers', until
 * the manifest asks for it */
static void test_special_memory(void **state)
{
	hpa_t at;

	mem_add(MIB(2), MIB(14), BOOT_MEM_CONVENTIONAL);
	mem_add(GIB(4), GIB(1), BOOT_MEM_SPECIAL);
	mem_add(GIB(8), GIB(1), BOOT_MEM_PERSISTENT);
	mem_add(GIB(9), GIB(1), BOOT_MEM_UNACCEPTED);
	assert_int_equal(owner_init(&bi), 0);
	owner_loader_gone();
	assert_int_equal(owner_bytes(OWNER_FREE, 0), MIB(14));
	assert_int_equal(
		owner_take(MIB(64), PAGE_2M, 0, ~0ull, OWNER_GUEST, 1, &at),
		-ENOMEM);
	/* It is no place for registers, either */
	assert_int_equal(owner_keep_device(GIB(4), PAGE_SIZE), -EBUSY);
	assert_int_equal(owner_find(HPA(GIB(4))).firmware_type,
			 BOOT_MEM_SPECIAL);
	owner_use_special();
	check_invariants();
	assert_int_equal(owner_bytes(OWNER_FREE, 0), MIB(14) + GIB(1));
	assert_int_equal(
		owner_take(MIB(64), PAGE_2M, 0, ~0ull, OWNER_GUEST, 1, &at), 0);
	assert_int_equal(at.v, GIB(5) - MIB(64));
	assert_int_equal(owner_find(HPA(GIB(8))).kind, OWNER_FIRMWARE);
}

/* Registers may lie in what firmware reserves, or in no entry at all */
static void test_keep_device(void **state)
{
	struct extent e;

	pc_map();
	mem_add(0xfed00000, 0x4000, BOOT_MEM_RESERVED);
	assert_int_equal(owner_init(&bi), 0);
	assert_int_equal(owner_keep_device(0xfec00000, 0x20), 0);
	e = owner_find(HPA(0xfec00010));
	assert_int_equal(e.kind, OWNER_KEPT);
	assert_int_equal(e.base, 0xfec00000);
	assert_int_equal(e.size, PAGE_SIZE);
	/* Part of a reserved range, and then more around it */
	assert_int_equal(owner_keep_device(0xfed00400, 0x400), 0);
	assert_int_equal(owner_find(HPA(0xfed00000)).kind, OWNER_KEPT);
	assert_int_equal(owner_find(HPA(0xfed01000)).kind, OWNER_FIRMWARE);
	assert_int_equal(owner_keep_device(0xfecff000, 0x6000), 0);
	e = owner_find(HPA(0xfed02000));
	assert_int_equal(e.kind, OWNER_KEPT);
	check_invariants();
	/* No guest gets it, as a device or otherwise */
	assert_int_equal(owner_change(0xfed00000, PAGE_SIZE, OWNER_DEVICE,
				      OWNER_GUEST, 1),
			 -EBUSY);
	assert_int_equal(owner_bytes(OWNER_HYPERVISOR, 0), 0);
	/* Tables that name RAM are wrong */
	assert_int_equal(owner_keep_device(MIB(2), PAGE_SIZE), -EBUSY);
	assert_int_equal(owner_keep_device(MIB(16), PAGE_SIZE), -EBUSY);
	assert_int_equal(owner_keep_device(MIB(32) - PAGE_SIZE, MIB(1)),
			 -EBUSY);
	assert_int_equal(owner_find(HPA(MIB(16))).kind, OWNER_FIRMWARE);
	assert_int_equal(owner_keep_device(0xfec00000, 0), -EINVAL);
	assert_int_equal(owner_keep_device(~0ull - 1, 1), -EINVAL);
	assert_int_equal(owner_keep_device(MIB(1), ~0ull), -EINVAL);
	check_invariants();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_init, fresh),
		cmocka_unit_test_setup(test_init_hostile, fresh),
		cmocka_unit_test_setup(test_physical_width, fresh),
		cmocka_unit_test_setup(test_change, fresh),
		cmocka_unit_test_setup(test_keep_device, fresh),
		cmocka_unit_test_setup(test_take, fresh),
		cmocka_unit_test_setup(test_random, fresh),
		cmocka_unit_test_setup(test_full, fresh),
		cmocka_unit_test_setup(test_server, fresh),
		cmocka_unit_test_setup(test_special_memory, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
