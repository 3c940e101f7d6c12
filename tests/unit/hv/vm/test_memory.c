/* SOURCES: hv/vm/memory.c drivers/acpi/nodes.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's RAM: where it comes from, where the guest sees it, lookups */
#include "drivers/acpi/acpi.h"
#include "hv/core/slots.h"
#include "hv/load/load.h"
#include "hv/vm/create.h"
#include "hv/vm/memory.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/test.h"

bool vm_making_may_log(const struct vm *vm)
{
	return true;
}

static struct vm vm;
static struct guest_config config;
static u64 mapped_bytes;
static u64 mapped_now;    /* in a step */
static u64 largest_piece; /* what owner_take() can give in one piece */
static u64 top;
static u64 node_left; /* in the last range of node 1 */
static int map_result;
static u64 rom_bytes, rom_mapped;

u32 vm_npt_max_level = 3;

/* Free memory ends at @top and goes down; a piece has at most largest_piece */
int owner_take(u64 size, u64 align, u64 min, u64 max, enum owner_kind to,
	       u16 id, hpa_t *base)
{
	assert_int_equal(to, OWNER_GUEST);
	assert_int_equal(id, vm.id);
	assert_true(IS_ALIGNED(size, PAGE_2M) || size == rom_bytes);
	if (max <= GIB(256)) { /* of a node's range */
		if (size > node_left)
			return -ENOMEM;
		node_left -= size;
		assert_true(max - min > node_left);
		*base = HPA(min + node_left);
		return 0;
	}
	if (size > largest_piece || ALIGN_DOWN(top - size, align) > top ||
	    top < size)
		return -ENOMEM;
	top = ALIGN_DOWN(top - size, align);
	*base = HPA(top);
	top -= PAGE_2M; /* so that pieces do not touch */
	return 0;
}

int pt_init(struct page_table *pt, const struct pt_format *fmt,
	    struct budget *b, u32 max_level)
{
	pt->max_level = max_level;
	pt->root = &vm;
	return 0;
}

int pt_map(struct page_table *pt, u64 addr, hpa_t hpa, u64 size, u32 attrs)
{
	if (addr >= GIB(4) - rom_bytes && addr < GIB(4)) {
		assert_int_equal(attrs, PT_R | PT_X);
		rom_mapped += size;
		return map_result;
	}
	assert_int_equal(attrs, PT_R | PT_W | PT_X);
	mapped_bytes += size;
	mapped_now += size;
	return map_result;
}

bool firmware_rom(const struct vm *v, struct image *out)
{
	assert_ptr_equal(v, &vm);
	out->size = rom_bytes;
	return rom_bytes;
}

static void begin(u64 memory)
{
	rom_bytes = rom_mapped = 0;
	memset(&vm, 0, sizeof(vm));
	vm.node = VM_NODE_ANY;
	memset(&config, 0, sizeof(config));
	fake_owner_count = 0;
	fake_log_reset();
	mapped_bytes = 0;
	map_result = 0;
	largest_piece = ~0ull;
	top = GIB(64);
	config.memory_bytes = memory;
	vm.config = &config;
	vm.id = 3;
	vm.slot_max = vm_memory_slots(&config);
}

/* No step maps more than a table of leaves has, nor twice */
static int create(void)
{
	int err = vm_memory_take(&vm);
	u64 span = vm_npt_max_level > 1 ? GIB(1) : MIB(2);
	u32 slot = 0;
	u64 at = 0;

	while (!err || err == VM_GOES_ON) {
		mapped_now = 0;
		err = vm_memory_map(&vm, &slot, &at);
		assert_in_range(mapped_now, 0, span);
		if (!err)
			return 0;
	}
	return err;
}

static void test_small_guest_is_one_piece(void **state)
{
	u64 left;
	hpa_t hpa;

	begin(MIB(16));
	assert_int_equal(create(), 0);
	assert_int_equal(vm.slot_count, 1);
	assert_int_equal(mapped_bytes, MIB(16));
	assert_true(vm_translate(&vm, GPA(0x1234), &hpa, &left));
	assert_int_equal(hpa.v, vm.slots[0].hpa + 0x1234);
	assert_int_equal(left, MIB(16) - 0x1234);
	assert_false(vm_translate(&vm, GPA(MIB(16)), &hpa, &left));
	assert_false(vm_translate(&vm, GPA(~0ull), &hpa, &left));
}

static void test_room_for_devices_below_4g(void **state)
{
	u64 left;
	hpa_t hpa;

	begin(GIB(5));
	assert_int_equal(create(), 0);
	assert_int_equal(vm.slot_count, 2);
	assert_int_equal(vm.slots[0].size, GIB(2));
	assert_int_equal(vm.slots[1].gpa, GIB(4));
	assert_int_equal(vm.slots[1].size, GIB(3));
	assert_false(vm_translate(&vm, GPA(GIB(2)), &hpa, &left));
	assert_false(vm_translate(&vm, GPA(0xfee00000), &hpa, &left));
	assert_true(vm_translate(&vm, GPA(GIB(7) - 1), &hpa, &left));
	assert_int_equal(left, 1);
}

static void test_steps(void **state)
{
	u32 slot = 0, steps = 1;
	u64 at = 0;

	begin(GIB(32) + MIB(2));
	assert_int_equal(vm_memory_take(&vm), 0);
	assert_int_equal(mapped_bytes, 0);
	for (; vm_memory_map(&vm, &slot, &at) == VM_GOES_ON; steps++)
		;
	assert_int_equal(mapped_bytes, GIB(32) + MIB(2));
	assert_int_equal(steps, 33);
	vm_npt_max_level = 1; /* no larger leaves than 4 KiB */
	begin(MIB(10));
	assert_int_equal(create(), 0);
	assert_int_equal(mapped_bytes, MIB(10));
	vm_npt_max_level = 3;
}

/* Between low and high RAM, never adjacent to either for a lookup */
static void test_rom_ends_at_4g(void **state)
{
	const struct vm_slot *rom;
	u64 left;
	hpa_t hpa;

	begin(GIB(3));
	rom_bytes = KIB(256);
	assert_int_equal(create(), 0);
	assert_int_equal(vm.slot_count, 3);
	assert_int_equal(rom_mapped, KIB(256));
	assert_int_equal(mapped_bytes, GIB(3));
	rom = vm_slot_at(&vm, GPA(GIB(4) - 1));
	assert_ptr_equal(rom, &vm.slots[1]);
	assert_true(rom->rom);
	assert_int_equal(rom->gpa, GIB(4) - KIB(256));
	assert_false(vm_translate(&vm, GPA(GIB(4) - 1), &hpa, &left));
	assert_false(vm_translate(&vm, GPA(rom->gpa), &hpa, &left));
	assert_null(vm_slot_at(&vm, GPA(rom->gpa - 1)));
	assert_ptr_equal(vm_slot_at(&vm, GPA(GIB(4))), &vm.slots[2]);
	assert_true(vm_translate(&vm, GPA(GIB(4)), &hpa, &left));
}

static void test_pieces(void **state)
{
	u64 sum = 0;

	begin(MIB(100));
	largest_piece = MIB(30);
	assert_int_equal(create(), 0);
	for (u32 i = 0; i < vm.slot_count; i++) {
		assert_int_equal(vm.slots[i].gpa, sum);
		assert_true(IS_ALIGNED(vm.slots[i].hpa, PAGE_2M));
		sum += vm.slots[i].size;
	}
	assert_int_equal(sum, MIB(100));
	assert_in_range(vm.slot_count, 4, 8);
}

static void test_too_much(void **state)
{
	begin(GIB(100));
	assert_int_not_equal(create(), 0);
	assert_int_equal(fake_log_errors, 1);
	assert_true(vm_memory_release(&vm));
	assert_int_equal(vm.slot_count, 0);
}

/* Node 1 is [128 GiB, 256 GiB), of which there are 40 MiB left */
static void begin_on_node(u64 memory, enum numa_way way)
{
	begin(memory);
	acpi.numa = (struct acpi_numa){
		.node_count = 2,
		.domains = { 4, 5 },
		.range_count = 2,
		.ranges = { { 0, GIB(128), 4, SRAT_ENABLED },
			    { GIB(128), GIB(128), 5, SRAT_ENABLED } },
	};
	node_left = MIB(40);
	vm.node = 1;
	config.numa = way;
}

static void test_node(void **state)
{
	begin_on_node(MIB(36), NUMA_AUTO);
	assert_int_equal(create(), 0);
	assert_int_equal(vm.slot_count, 1);
	assert_in_range(vm.slots[0].hpa, GIB(128), GIB(256) - 1);
	assert_int_equal(vm.node, 1);
	/* What is too much for its node comes from others, too */
	begin_on_node(MIB(100), NUMA_AUTO);
	assert_int_equal(create(), 0);
	assert_int_equal(vm.node, VM_NODE_ANY);
	assert_int_equal(mapped_bytes, MIB(100));
	assert_true(vm.slot_count > 1);
	/* Unless the manifest says which */
	begin_on_node(MIB(100), NUMA_NODE);
	assert_int_equal(create(), -ENOMEM);
	assert_non_null(strstr(fake_log_last, "more than is free on NUMA node "
					      "1; give it less"));
	assert_true(vm_memory_release(&vm));
	acpi.numa = (struct acpi_numa){ 0 };
}

static void be_privileged(void)
{
	vm.privileged = config.privileged = true;
	vm.slot_max = VM_MAX_SLOTS;
}

/* What struct vm has room for when it is made for the owners there are */
static void make_room(void)
{
	vm.slot_max = vm_memory_slots(&config);
}

static void test_privileged_takes_what_is_left(void **state)
{
	u64 left;
	hpa_t hpa;

	begin(0);
	be_privileged();
	fake_owner_add(0x1000, 0x9e000, OWNER_FREE, BOOT_MEM_CONVENTIONAL);
	fake_owner_add(MIB(1), MIB(1), OWNER_HYPERVISOR, BOOT_MEM_LOADER_DATA);
	fake_owner_add(MIB(2), MIB(14), OWNER_FREE, BOOT_MEM_CONVENTIONAL);
	fake_owner_add(MIB(16), MIB(1), OWNER_FIRMWARE, BOOT_MEM_ACPI_RECLAIM);
	fake_owner_add(MIB(17), MIB(1), OWNER_FIRMWARE, BOOT_MEM_RESERVED);
	fake_owner_add(MIB(18), MIB(2), OWNER_FREE, BOOT_MEM_CONVENTIONAL);
	assert_int_equal(create(), 0);
	/* Neighbours that are alike to the guest are one slot */
	assert_int_equal(vm.slot_count, 3);
	for (u32 i = 0; i < vm.slot_count; i++)
		assert_int_equal(vm.slots[i].gpa, vm.slots[i].hpa);
	assert_true(vm_translate(&vm, GPA(MIB(16)), &hpa, &left));
	assert_false(vm_translate(&vm, GPA(MIB(1)), &hpa, &left));
	assert_false(vm_translate(&vm, GPA(MIB(17)), &hpa, &left));
	assert_int_equal(fake_owners[0].kind, OWNER_GUEST);
	assert_int_equal(fake_owners[1].kind, OWNER_HYPERVISOR);
	assert_int_equal(fake_owners[3].kind, OWNER_FIRMWARE);
	assert_true(vm_memory_release(&vm));
	assert_int_equal(fake_owners[0].kind, OWNER_FREE);
	assert_int_equal(fake_owners[5].kind, OWNER_FREE);
}

/* Holes wherever firmware likes them: each piece is a slot, and there is room
 * for all */
static void test_hundreds_of_holes(void **state)
{
	u64 left;
	hpa_t hpa;

	begin(0);
	be_privileged();
	for (u64 i = 0; i < 300; i++) {
		fake_owner_add(MIB(4) * i, MIB(3), OWNER_FREE,
			       BOOT_MEM_CONVENTIONAL);
		fake_owner_add(MIB(4) * i + MIB(3), PAGE_SIZE, OWNER_FIRMWARE,
			       BOOT_MEM_RESERVED);
	}
	make_room();
	assert_int_equal(create(), 0);
	assert_int_equal(vm.slot_count, 300);
	assert_int_equal(mapped_bytes, 300 * MIB(3));
	assert_true(vm_translate(&vm, GPA(299 * MIB(4)), &hpa, &left));
	assert_int_equal(left, MIB(3));
	assert_false(
		vm_translate(&vm, GPA(299 * MIB(4) + MIB(3)), &hpa, &left));
}

/* Its drivers find both as memory, and the owner stays */
static void test_special_and_persistent_memory(void **state)
{
	u64 left;
	hpa_t hpa;

	begin(0);
	be_privileged();
	fake_owner_add(MIB(1), MIB(1), OWNER_FREE, BOOT_MEM_CONVENTIONAL);
	fake_owner_add(GIB(4), GIB(2), OWNER_FIRMWARE, BOOT_MEM_SPECIAL);
	fake_owner_add(GIB(8), GIB(1), OWNER_FIRMWARE, BOOT_MEM_PERSISTENT);
	make_room();
	assert_int_equal(create(), 0);
	assert_true(vm_translate(&vm, GPA(GIB(4)), &hpa, &left));
	assert_true(vm_translate(&vm, GPA(GIB(8)), &hpa, &left));
	assert_int_equal(fake_owners[1].kind, OWNER_FIRMWARE);
	assert_int_equal(fake_owners[2].kind, OWNER_FIRMWARE);
	assert_true(vm_memory_release(&vm));
	assert_int_equal(fake_owners[1].kind, OWNER_FIRMWARE);
}

static void test_no_memory_for_tables(void **state)
{
	begin(MIB(16));
	map_result = -ENOMEM;
	assert_int_equal(create(), -ENOMEM);
	assert_int_equal(fake_log_errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_guest_is_one_piece),
		cmocka_unit_test(test_room_for_devices_below_4g),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_rom_ends_at_4g),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_privileged_takes_what_is_left),
		cmocka_unit_test(test_hundreds_of_holes),
		cmocka_unit_test(test_special_and_persistent_memory),
		cmocka_unit_test(test_no_memory_for_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
