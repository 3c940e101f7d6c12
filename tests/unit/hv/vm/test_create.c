/* SOURCES: hv/vm/create.c hv/vm/ids.c hv/vm/memory.c drivers/acpi/nodes.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest is made, and taken apart, in steps: none is long, however large the
 * guest is, others work in between, and nobody knows it before it is whole.
 * Whatever fails, and wherever its maker stops, all is given back.
 *
 * Over 400 lines: all parts of a guest are made up.
 */
#include "hv/vm/create.h"

#include "drivers/acpi/acpi.h"
#include "hv/core/piece.h"
#include "hv/core/split.h"
#include "hv/emulate/emulate.h"
#include "hv/load/load.h"
#include "hv/policy/cpuid.h"
#include "hv/vm/devices.h"
#include "hv/vm/dynamic.h"
#include "hv/vm/grant.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/memory.h"
#include "hv/vm/numa.h"
#include "hv/vm/pool.h"
#include "hv/vm/shape.h"
#include "hv/vm/traps.h"
#include "hv/vm/vcpu.h"
#include "lib/errno.h"
#include "mm/owner.h"
#include "sched/placement.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/ratelimit.h"

#define VCPUS   128u
#define PARTS   1024u /* steps in which its memory is taken */
#define DEVICES 14u
#define STEPS   (PARTS + 1024 + VCPUS + DEVICES + 20)

/* Some instructions of what a step does, in an emulator */
#define COST_MAX    PIECE_TICKS_MIN
#define COST_PART   5000u
#define COST_LEAF   35u
#define COST_TABLE  3000u
#define COST_VCPU   20000u
#define COST_DEVICE 8000u
#define COST_OTHER  10000u

u32 vm_npt_max_level = 2; /* no leaves of 1 GiB */
struct vm *vms[VM_MAX], *vm_privileged;
u32 vm_count;

static struct bh_ctl_range range = { .base = GIB(64), .size = 1024 * GIB(1) };
static struct guest_config config;
static const struct vm_order order = { &config, &range, 1 };
static struct vm_making m;
static struct vcpu vcpus[VCPUS];
static u32 cost, vcpus_made, placed, parts, tables, devices, others, guests;
static u32 splits;         /* books of split pages */
static u32 calls, failing; /* of what may fail; the one that does */
static u64 mapped;

/* Of each part that is made: does it fail? */
static int made(u32 instructions)
{
	cost += instructions;
	return ++calls == failing ? -ENOMEM : 0;
}

/* --- parts --- */

static int node_of_pool;
int pool_node(u64 hpa)
{
	assert_int_equal(hpa, range.base);
	return node_of_pool;
}

int dynamic_attach(struct vm *vm, const struct vm_order *o)
{
	int err = made(COST_OTHER);

	vm->config = o->config;
	vm->dynamic = err ? NULL : (struct dynamic *)vm;
	return err;
}

void dynamic_detach(struct vm *vm)
{
	vm->dynamic = NULL;
}

u32 dynamic_ranges(const struct vm *vm, const struct bh_ctl_range **ranges)
{
	*ranges = &range;
	return 1;
}

int dynamic_take_memory(struct vm *vm)
{
	int err = made(COST_PART);

	parts += !err;
	return err || parts == PARTS ? err : VM_GOES_ON;
}

bool dynamic_give_memory_back(struct vm *vm)
{
	cost += COST_PART;
	assert_int_equal(tables, 0);
	parts -= parts != 0;
	return !parts;
}

u32 shape_slots(const struct guest_config *c, u32 ranges)
{
	assert_int_equal(ranges, 1);
	return 2;
}

u64 shape_pages(const struct guest_config *c)
{
	return 0;
}

void shape_plain(struct vm *vm)
{
	assert_int_equal(vm->slot_max, 2);
	vm->slot_count = 2;
	vm->slots[0] = (struct vm_slot){ .hpa = range.base, .size = GIB(2) };
	vm->slots[1] = (struct vm_slot){ .gpa = GIB(4),
					 .hpa = range.base + GIB(2),
					 .size = range.size - GIB(2) };
}

int pt_init(struct page_table *pt, const struct pt_format *fmt,
	    struct budget *b, u32 max_level)
{
	int err = made(COST_TABLE);

	pt->root = err ? NULL : pt;
	tables += !err;
	return err;
}

/* Inside of one table */
int pt_map(struct page_table *pt, u64 addr, hpa_t hpa, u64 size, u32 attrs)
{
	int err = made(COST_TABLE + (u32)(size / PAGE_2M) * COST_LEAF);

	assert_int_equal(hpa.v - range.base,
			 addr < GIB(4) ? addr : addr - GIB(2));
	mapped += err ? 0 : size;
	tables += !err;
	return err;
}

bool pt_destroy_some(struct page_table *pt, u32 max)
{
	assert_int_equal(vcpus_made, 0);
	cost += MIN(max, tables) * COST_TABLE;
	tables -= MIN(max, tables);
	if (!tables)
		pt->root = NULL;
	return !tables;
}

static int other(void)
{
	int err = made(COST_OTHER);

	others += !err;
	return err;
}

int cpuid_build(struct vm *vm)
{
	return other();
}

void cpuid_destroy(struct vm *vm)
{
	cost += COST_OTHER / 4;
	others = 0;
}

int traps_create_bitmaps(struct vm *vm)
{
	return other();
}

int traps_create_buses(struct vm *vm)
{
	return other();
}

void traps_devices_made(struct vm *vm)
{
	assert_int_equal(devices, DEVICES);
}

void traps_destroy(struct vm *vm)
{
	cost += COST_OTHER / 4;
}

int emulate_create(struct vm *vm)
{
	return other();
}

void emulate_destroy(struct vm *vm)
{
}

int vcpu_create(struct vm *vm, u32 id, struct pcpu *home)
{
	int err = made(COST_VCPU);

	assert_int_equal(id, vcpus_made);
	assert_int_equal(mapped, range.size);
	if (err)
		return err;
	vcpus[id] = (struct vcpu){ .vm = vm, .id = id };
	vcpus[id].entity.cpu = home;
	vm->vcpus[id] = &vcpus[id];
	vcpus_made++;
	return 0;
}

void vcpu_destroy(struct vcpu *v)
{
	assert_int_equal(v->id, --vcpus_made);
	v->vm->vcpus[v->id] = NULL;
	cost += COST_VCPU / 4;
}

struct pcpu *placement_choose(const struct placement *p)
{
	/* As many as it has been given there */
	assert_int_equal(p->group[0] + p->group[1], vcpus_made);
	return &fake_pcpus[vcpus_made % 2];
}

void placement_add(const struct pcpu *cpu)
{
	placed++;
}

void placement_remove(const struct pcpu *cpu)
{
	placed--;
}

int devices_create(struct vm *vm, u32 *done)
{
	int err = made(COST_DEVICE);

	assert_int_equal(vcpus_made, VCPUS);
	assert_int_equal(*done, devices);
	if (err)
		return err;
	*done = ++devices;
	return devices < DEVICES ? VM_GOES_ON : 0;
}

void devices_destroy(struct vm *vm)
{
	assert_int_equal(vcpus_made, 0);
	assert_true(tables > 0);
	devices = 0;
}

u32 load_pages(const struct guest_config *c)
{
	return 1;
}

int pmm_reserve(struct budget *b, u64 pages)
{
	return made(COST_OTHER);
}

void pmm_unreserve(struct budget *b)
{
}

/* As on a CPU that splits large pages */
int split_create(struct vm *vm)
{
	int err = made(COST_OTHER);

	splits += !err;
	return err;
}

u64 split_pages(const struct vm *vm)
{
	return 7;
}

void split_destroy(struct vm *vm)
{
	assert_int_equal(tables, 0);
	splits = 0;
}

void machine_guest_made(void)
{
	fail(); /* it does not count yet */
}

/* --- of static guests --- */

u64 pmm_spare_pages(void)
{
	return 0;
}

int grant_prepare(struct vm *vm)
{
	fail();
	return 0;
}

int numa_choose(const struct guest_config *g)
{
	fail();
	return 0;
}

bool numa_cores(u32 node, const u64 *allowed, u64 *out)
{
	fail();
	return false;
}

int owner_take(u64 size, u64 align, u64 min, u64 max, enum owner_kind to,
	       u16 vm, hpa_t *base)
{
	fail();
	return 0;
}

bool firmware_rom(const struct vm *vm, struct image *out)
{
	fail();
	return false;
}

/* --- a large guest --- */

static int setup(void **state)
{
	memset(&config, 0, sizeof(config));
	strcpy(config.name, "large");
	config.vcpus = VCPUS;
	config.memory_bytes = range.size;
	calls = failing = 0;
	mapped = 0;
	fake_log_reset();
	return 0;
}

static void expect_nothing(void)
{
	assert_int_equal(vcpus_made + placed + parts + tables, 0);
	assert_int_equal(devices + others + splits, 0);
	assert_int_equal(fake_pool_live, guests);
}

/* Neither a making nor its end keeps whoever else makes or frees one */
static void expect_free_lock(void)
{
	static struct vm_making small;
	const struct vm_order wrong = { &config, &range, 1 };
	u32 was = calls, fails = failing;

	failing = was + 1;
	assert_int_equal(vm_make_begin(&small, &wrong), -ENOMEM);
	assert_null(small.vm);
	calls = was;
	failing = fails;
}

static int step(void)
{
	int err;

	cost = 0;
	err = vm_make_step(&m);
	assert_in_range(cost, 0, COST_MAX);
	return err;
}

/* How often there was more; *@err: what came then */
static u32 steps_until(u32 max, int *err)
{
	u32 steps = 0;

	for (*err = VM_GOES_ON; *err == VM_GOES_ON && steps < max; steps++) {
		assert_null(vm_at(m.vm->id));
		*err = step();
		assert_true(steps < STEPS);
	}
	return steps;
}

static void take_apart(struct vm *vm)
{
	bool done = false;

	for (u32 i = 0; !done; i++) {
		cost = 0;
		done = vm_free_step(vm);
		assert_in_range(cost, 0, COST_MAX);
		assert_true(i < STEPS);
	}
	expect_nothing();
}

static void test_large(void **state)
{
	u32 steps;
	int err;

	assert_int_equal(vm_make_begin(&m, &order), 0);
	assert_int_equal(parts, 0);
	steps = steps_until(100, &err);
	expect_free_lock();
	assert_int_equal(err, VM_GOES_ON);
	steps += steps_until(STEPS, &err);
	assert_int_equal(err, 0);
	assert_in_range(steps, PARTS + VCPUS, STEPS);
	assert_ptr_equal(vm_at(m.vm->id), m.vm);
	assert_int_equal(vcpus_made, VCPUS);
	assert_int_equal(placed, VCPUS);
	assert_int_equal(mapped, range.size);
	assert_int_equal(fake_log_lines, 0);
	vm_unlist(m.vm);
	take_apart(m.vm);
}

/* Its node is that of its memory, whatever the order says of it */
static void test_node(void **state)
{
	static const int nodes[] = { 0, 1, -EINVAL };

	range.node = 77;
	acpi.numa.node_count = 2;
	for (u32 i = 0; i < ARRAY_SIZE(nodes); i++) {
		setup(state);
		node_of_pool = nodes[i];
		assert_int_equal(vm_make_begin(&m, &order), 0);
		assert_int_equal(m.vm->node, MAX(nodes[i], VM_NODE_ANY));
		take_apart(m.vm);
	}
	acpi.numa.node_count = 0;
	range.node = 0;
}

/* Guests that cannot be made are not each worth a line */
static void test_log_has_a_limit(void **state)
{
	u32 lines = 0;
	int err;

	fake_ratelimit_left = 1;
	for (u32 i = 0; i < 10; i++) {
		setup(state);
		failing = PARTS + 3; /* its tables */
		assert_int_equal(vm_make_begin(&m, &order), 0);
		(void)steps_until(STEPS, &err);
		assert_true(err < 0);
		lines += fake_log_errors;
		take_apart(m.vm);
	}
	assert_int_equal(lines, 1);
	fake_ratelimit_left = ~0u;
}

/* Each part fails once. All but the pool's refusals have a sentence. */
static void test_each_fails(void **state)
{
	u32 fails = 1, last, id;
	int err;

	assert_int_equal(vm_make_begin(&m, &order), 0);
	id = m.vm->id;
	(void)steps_until(STEPS, &err);
	assert_int_equal(err, 0);
	last = calls;
	vm_unlist(m.vm);
	take_apart(m.vm);
	for (; fails <= last; fails += fails < 5 || fails + 40 > last ? 1 : 7) {
		setup(state);
		failing = fails;
		err = vm_make_begin(&m, &order);
		if (err) {
			assert_int_equal(fails, 1);
			assert_null(m.vm);
			expect_nothing();
			continue;
		}
		assert_int_equal(m.vm->id, id);
		(void)steps_until(STEPS, &err);
		assert_int_equal(err, -ENOMEM);
		assert_null(vm_at(id));
		assert_int_equal(!fake_log_errors, fails <= 1 + PARTS);
		take_apart(m.vm);
	}
}

/* Its maker goes after any step */
static void test_left(void **state)
{
	int err;

	for (u32 after = 0; after < STEPS - 20; after += 1 + after / 9) {
		setup(state);
		assert_int_equal(vm_make_begin(&m, &order), 0);
		assert_int_equal(steps_until(after, &err), after);
		assert_int_equal(err, VM_GOES_ON);
		take_apart(m.vm);
	}
}

/* Two of them at a time, with ids of their own; and another one's id */
static void test_ids(void **state)
{
	static struct vm_making other_making;

	assert_int_equal(vm_make_begin(&m, &order), 0);
	assert_int_equal(vm_make_begin(&other_making, &order), 0);
	assert_int_not_equal(m.vm->id, other_making.vm->id);
	guests = 1;
	take_apart(other_making.vm);
	guests = 0;
	take_apart(m.vm);
}

/* As many as there are ids; one more is told so, until one of them goes */
static void test_all_ids(void **state)
{
	static struct vm_making all[VM_MAX], more;
	u32 id;

	for (u32 i = 0; i < VM_MAX; i++)
		assert_int_equal(vm_make_begin(&all[i], &order), 0);
	assert_int_equal(vm_make_begin(&more, &order), -ENOSPC);
	assert_null(more.vm);
	id = all[500].vm->id;
	while (!vm_free_step(all[500].vm))
		;
	assert_int_equal(vm_make_begin(&more, &order), 0);
	assert_int_equal(more.vm->id, id);
	all[500] = more;
	for (u32 i = 0; i < VM_MAX; i++)
		while (!vm_free_step(all[i].vm))
			;
	guests = 0;
	expect_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_large, setup),
		cmocka_unit_test_setup(test_node, setup),
		cmocka_unit_test_setup(test_log_has_a_limit, setup),
		cmocka_unit_test_setup(test_each_fails, setup),
		cmocka_unit_test_setup(test_left, setup),
		cmocka_unit_test_setup(test_ids, setup),
		cmocka_unit_test_setup(test_all_ids, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
