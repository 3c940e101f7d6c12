/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a virtual machine from its manifest entry, and taking it apart, both
 * in steps. Called by hv/init.c on the boot CPU, and by dynamic.c and reap.c on
 * any. Its life in between is in hv/vm/life.c.
 *
 * A step takes some microseconds: interrupts are off, and others wait for the
 * lock. Until the last one nobody else knows the guest, as vms[] does not have
 * it.
 *
 * Locks: making_lock, for a step; mm/'s, owners', the console's and that of
 * ids.c come inside it. The ids in use are a bitmap that is changed atomically.
 */
#include "hv/vm/create.h"

#include "arch/x86/machine/tsc.h"
#include "drivers/acpi/acpi.h"
#include "hv/core/split.h"
#include "hv/core/vcpu.h"
#include "hv/emulate/emulate.h"
#include "hv/load/load.h"
#include "hv/policy/cpuid.h"
#include "hv/vm/devices.h"
#include "hv/vm/dynamic.h"
#include "hv/vm/grant.h"
#include "hv/vm/ids.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/memory.h"
#include "hv/vm/numa.h"
#include "hv/vm/pool.h"
#include "hv/vm/shape.h"
#include "hv/vm/traps.h"
#include "hv/vm/vcpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "sched/placement.h"

#define ISOLATED_BUDGET_PAGES 2048
#define FREE_VCPUS            4u /* in a step, */
#define FREE_TABLES           8u /* and of tables */
/* Of the pool that is left when all guests are made, three quarters are for the
 * devices that the privileged guest maps and the functions that it finds */
#define PRIVILEGED_SHARE(pages) ((pages) / 4 * 3)
/* Lines about dynamic guests that cannot be made */
#define LOG_NS    NS_PER_S
#define LOG_BURST 3u

static struct ratelimit log_limit;
static struct spinlock making_lock;
static u64 ids_used[VM_MAX / 64];
static u32 made_with_id[VM_MAX]; /* guests ever */

/* The lowest id that nobody has; VM_MAX: none is left */
static u32 id_take(void)
{
	for (u32 i = 0; i < VM_MAX; i++) {
		u64 bit = BIT(i % 64);

		if (!(__atomic_fetch_or(&ids_used[i / 64], bit,
					__ATOMIC_ACQUIRE) &
		      bit))
			return i;
	}
	return VM_MAX;
}

static void id_give_back(u32 id)
{
	__atomic_fetch_and(&ids_used[id / 64], ~BIT(id % 64), __ATOMIC_RELEASE);
}

/* The last @max that are there */
static void destroy_vcpus(struct vm *vm, u32 max)
{
	for (u32 i = vm->vcpu_count; i-- && max;) {
		if (!vm->vcpus[i])
			continue;
		placement_remove(vm->vcpus[i]->entity.cpu);
		vcpu_destroy(vm->vcpus[i]);
		max--;
	}
}

static bool may_log(void)
{
	return ratelimit_pass(&log_limit, rdtsc(), ns_to_tsc(LOG_NS),
			      LOG_BURST);
}

bool vm_making_may_log(const struct vm *vm)
{
	return !vm->dynamic || may_log();
}

/* The privileged guest prefers low cores, so that its boot vCPU is on the boot
 * CPU, the others high ones */
static int create_vcpu(struct vm_making *m, const u64 *near)
{
	struct vm *vm = m->vm;
	const struct placement wish = {
		.cores = near && vm->config->numa == NUMA_NODE
				 ? near
				 : vm->config->cores,
		.group = m->group,
		.near = near,
		.order = vm->privileged ? PLACE_LOW_FIRST : PLACE_HIGH_FIRST,
	};
	struct pcpu *home = placement_choose(&wish);
	int err = home ? vcpu_create(vm, m->done, home) : -ENODEV;

	if (err && vm_making_may_log(vm))
		log_error("vm", "guest %s: vCPU %u: %s", vm->name, m->done,
			  home ? "no memory for it"
			       : "no core it may run on is online");
	if (err)
		return err;
	m->group[home->id]++;
	placement_add(home);
	return 0;
}

/* Its vCPUs, devices, tables and memory are gone */
static void free_rest(struct vm *vm)
{
	emulate_destroy(vm);
	traps_destroy(vm);
	cpuid_destroy(vm);
	if (vm->dynamic)
		dynamic_detach(vm);
	split_destroy(vm);
	pmm_unreserve(&vm->budget);
	if (vm->budget.used_pages)
		log_warn("vm", "guest %s: %llu pages of the pool are lost",
			 vm->name, vm->budget.used_pages);
	id_give_back(vm->id);
	pmm_free_bytes(&pmm_self, vm, vm_bytes(vm->slot_max));
}

/* Lock held. The first vCPU goes last; with it go the devices, which are never
 * there without. Then no part of it knows its memory. */
static bool free_step(struct vm *vm)
{
	if (vm->vcpus[0]) {
		destroy_vcpus(vm, FREE_VCPUS);
		if (!vm->vcpus[0])
			devices_destroy(vm);
	} else if (vm->npt.root) {
		(void)pt_destroy_some(&vm->npt, FREE_TABLES);
	} else if (vm_memory_release(vm)) {
		free_rest(vm);
		return true;
	}
	return false;
}

bool vm_free_step(struct vm *vm)
{
	bool done;

	spin_lock(&making_lock);
	done = free_step(vm);
	spin_unlock(&making_lock);
	return done;
}

static void vm_list(struct vm *vm)
{
	__atomic_store_n(&vms[vm->id], vm, __ATOMIC_RELEASE);
	vm_count = MAX(vm_count, vm->id + 1u);
	ids_add(vm_number(vm));
}

void vm_unlist(struct vm *vm)
{
	ids_remove(vm_number(vm));
	__atomic_store_n(&vms[vm->id], NULL, __ATOMIC_SEQ_CST);
}

/* -ENOSPC: there are as many as can be; -ENOMEM */
static int vm_alloc(const struct guest_config *config, u32 slots,
		    struct vm **out)
{
	u32 id = id_take();
	struct vm *vm;

	if (id == VM_MAX) {
		if (may_log())
			log_error("vm",
				  "guest %s is one too many: there are %u",
				  config->name, VM_MAX);
		return -ENOSPC;
	}
	vm = pmm_alloc_bytes(&pmm_self, vm_bytes(slots));
	if (!vm) {
		id_give_back(id);
		return -ENOMEM;
	}
	*out = vm;
	vm->slot_max = slots;
	vm->id = (u16)id;
	vm->number = made_with_id[id]++;
	vm->config = config;
	vm->clock_stops = config->clock == CLOCK_STOP;
	vm->privileged = config->privileged;
	vm->state = VM_BUILDING;
	vm->vcpu_count = MIN(config->vcpus, (u32)VM_MAX_VCPUS);
	str_copy(vm->name, config->name, sizeof(vm->name));
	if (!vm->privileged)
		vm->budget.max_pages = ISOLATED_BUDGET_PAGES;
	return 0;
}

/* What a static guest takes at each reset is there, whatever others have
 * taken meanwhile, and what splits and shapes take. The privileged guest is
 * made last and resets never. */
static int set_aside(struct vm *vm)
{
	u64 shape = vm->dynamic ? shape_pages(vm->config) : 0;
	u64 split = split_pages(vm);
	int err = split_create(vm);

	if (!err)
		err = pmm_reserve(&vm->budget, split + shape);
	if (err)
		return err;
	if (!vm->privileged) {
		vm->budget.max_pages += split;
		/* A dynamic one gets it for each load: hv/load/staged.c */
		return vm->dynamic ? 0
				   : pmm_reserve(&vm->budget,
						 load_pages(vm->config));
	}
	vm->budget.max_pages = vm->budget.used_pages + split +
			       PRIVILEGED_SHARE(pmm_spare_pages());
	return 0;
}

static int take_memory(struct vm_making *m)
{
	return vm_memory_take(m->vm);
}

static int map_memory(struct vm_making *m)
{
	return vm_memory_map(m->vm, &m->done, &m->mapped);
}

static int prepare_grants(struct vm_making *m)
{
	return m->vm->privileged ? grant_prepare(m->vm) : 0;
}

static int create_cpuid(struct vm_making *m)
{
	return cpuid_build(m->vm);
}

static int create_bitmaps(struct vm_making *m)
{
	return traps_create_bitmaps(m->vm);
}

static int create_buses(struct vm_making *m)
{
	int err = traps_create_buses(m->vm);

	return err ? err : emulate_create(m->vm);
}

/* One a step */
static int create_vcpus(struct vm_making *m)
{
	const struct vm *vm = m->vm;
	bool has_node = vm->node != VM_NODE_ANY;
	int err;

	if (!m->done && has_node)
		(void)numa_cores((u32)vm->node, vm->config->cores, m->near);
	err = create_vcpu(m, has_node ? m->near : NULL);
	if (err)
		return err;
	return ++m->done < vm->vcpu_count ? VM_GOES_ON : 0;
}

static int create_devices(struct vm_making *m)
{
	return devices_create(m->vm, &m->done);
}

/* All is there: from now on others know it */
static int finish(struct vm_making *m)
{
	struct vm *vm = m->vm;
	int err = set_aside(vm);

	if (err)
		return err;
	traps_devices_made(vm);
	if (vm->privileged)
		vm_privileged = vm;
	vm_list(vm);
	return 0;
}

/* In the order of what needs what. Each is called until it returns 0. */
static const struct {
	int (*step)(struct vm_making *m);
	bool says_why; /* if it fails */
} stages[] = {
	{ take_memory, true },     { map_memory, true },
	{ prepare_grants, false }, { create_cpuid, false },
	{ create_bitmaps, false }, { create_buses, false },
	{ create_vcpus, false },   { create_devices, false },
	{ finish, false },
};

/* What @order has of its own. The node of a dynamic guest is that of its first
 * memory, whatever the order says of it. */
static int take_order(struct vm *vm, const struct vm_order *order)
{
	if (!order->ranges) {
		vm->node = numa_choose(order->config);
		return 0;
	}
	vm->node = VM_NODE_ANY;
	if (acpi.numa.node_count)
		vm->node = MAX(pool_node(order->ranges[0].base), VM_NODE_ANY);
	return dynamic_attach(vm, order);
}

/* Lock held */
static int begin(struct vm_making *m, const struct vm_order *order)
{
	u32 slots = order->ranges
			    ? shape_slots(order->config, order->range_count)
			    : vm_memory_slots(order->config);
	struct vm *vm = NULL;
	int err = vm_alloc(order->config, slots, &vm);

	if (!err)
		err = take_order(vm, order);
	if (err && vm)
		while (!free_step(vm))
			;
	memset(m, 0, sizeof(*m));
	m->vm = err ? NULL : vm;
	return err;
}

int vm_make_begin(struct vm_making *m, const struct vm_order *order)
{
	int err;

	spin_lock(&making_lock);
	err = begin(m, order);
	spin_unlock(&making_lock);
	return err;
}

int vm_make_step(struct vm_making *m)
{
	u32 stage = m->stage;
	int err;

	spin_lock(&making_lock);
	err = stages[stage].step(m);
	spin_unlock(&making_lock);
	if (err < 0 && !stages[stage].says_why && vm_making_may_log(m->vm))
		log_error("vm", "guest %s cannot be built (error %d)",
			  m->vm->name, -err);
	if (err)
		return err;
	m->done = 0;
	m->stage++;
	return m->stage < ARRAY_SIZE(stages) ? VM_GOES_ON : 0;
}

int vm_create(const struct guest_config *config, struct vm **out)
{
	static struct vm_making m; /* large; the boot CPU alone */
	const struct vm_order order = { .config = config };
	int err = vm_make_begin(&m, &order);

	if (err)
		return err;
	do
		err = vm_make_step(&m);
	while (err > 0);
	if (err) {
		while (!vm_free_step(m.vm))
			;
		return err;
	}
	*out = m.vm;
	machine_guest_made();
	return 0;
}
