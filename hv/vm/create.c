/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a virtual machine from its manifest entry, and taking it apart. Called
 * by hv/init.c on the boot CPU and by reap.c on any. Its life in between is in
 * hv/vm/life.c.
 *
 * Locks: making_lock, so that one is made or taken apart at a time; mm/'s,
 * owners' and the console's come inside it. The ids in use are a bitmap that
 * is changed atomically.
 */
#include "hv/vm/create.h"

#include "drivers/acpi/acpi.h"
#include "hv/core/vcpu.h"
#include "hv/emulate/emulate.h"
#include "hv/irq/vlapic.h"
#include "hv/load/load.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/msr.h"
#include "hv/vm/devices.h"
#include "hv/vm/dynamic.h"
#include "hv/vm/grant.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/memory.h"
#include "hv/vm/numa.h"
#include "hv/vm/vcpu.h"
#include "include/hw/lapic.h"
#include "include/hw/msi.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "sched/placement.h"

#define PORT_REGIONS          64
#define MMIO_REGIONS          64
#define HOST_MMIO_REGIONS     1024 /* network cards have 128 VFs */
#define ISOLATED_BUDGET_PAGES 2048
/* Of the pool that is left when all guests are made, three quarters are for the
 * devices that the privileged guest maps and the functions that it finds */
#define PRIVILEGED_SHARE(pages) ((pages) / 4 * 3)

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

/* The privileged guest prefers low cores, so that its boot vCPU is on the boot
 * CPU, the others high ones */
static int create_vcpu(struct vm *vm, u32 id, u32 *group, const u64 *near)
{
	const struct placement wish = {
		.cores = near && vm->config->numa == NUMA_NODE
				 ? near
				 : vm->config->cores,
		.group = group,
		.near = near,
		.order = vm->privileged ? PLACE_LOW_FIRST : PLACE_HIGH_FIRST,
	};
	struct pcpu *home = placement_choose(&wish);
	int err = home ? vcpu_create(vm, id, home) : -ENODEV;

	if (err) {
		log_error("vm", "guest %s: vCPU %u: %s", vm->name, id,
			  home ? "no memory for it"
			       : "no core it may run on is online");
		return err;
	}
	group[home->id]++;
	placement_add(home);
	return 0;
}

static int create_vcpus(struct vm *vm)
{
	static u32 group[MAX_CPUS]; /* of its vCPUs on each core */
	static u64 near[MANIFEST_MAX_CORES / 64];
	bool has_node = vm->node != VM_NODE_ANY;
	int err = 0;

	memset(group, 0, sizeof(group));
	if (has_node)
		(void)numa_cores((u32)vm->node, vm->config->cores, near);
	for (u32 i = 0; i < vm->vcpu_count && !err; i++)
		err = create_vcpu(vm, i, group, has_node ? near : NULL);
	return err;
}

/* A set bit intercepts, in the bitmaps of both vendors */
static int create_intercepts(struct vm *vm)
{
	u64 msr_bytes = vcpu_ops->msr_bitmap_pages * PAGE_SIZE;
	u64 port_bytes = vcpu_ops->port_bitmap_pages * PAGE_SIZE;
	struct vm_intercepts *in = &vm->intercepts;

	in->msr_bitmap = pmm_alloc_bytes(&vm->budget, msr_bytes);
	in->port_bitmap = pmm_alloc_bytes(&vm->budget, port_bytes);
	if (!in->msr_bitmap || !in->port_bitmap)
		return -ENOMEM;
	memset(in->msr_bitmap, 0xff, msr_bytes);
	memset(in->port_bitmap, vm->privileged ? 0 : 0xff, port_bytes);
	msr_build_bitmap(vm);
	return 0;
}

static void destroy_intercepts(struct vm *vm)
{
	struct vm_intercepts *in = &vm->intercepts;

	pmm_free_bytes(&vm->budget, in->msr_bitmap,
		       vcpu_ops->msr_bitmap_pages * PAGE_SIZE);
	pmm_free_bytes(&vm->budget, in->port_bitmap,
		       vcpu_ops->port_bitmap_pages * PAGE_SIZE);
}

/* The privileged guest has all ports but those of virtual devices */
static void intercept_ports(struct vm *vm)
{
	for (u32 i = 0; i < vm->ports.count; i++) {
		const struct bus_region *r = &vm->ports.regions[i];

		for (u64 port = r->base; port < r->base + r->size; port++)
			vcpu_ops->intercept_port(&vm->intercepts, (u16)port,
						 INTERCEPT_ON);
	}
}

/* A write here is an interrupt message on some chipsets (and QEMU's), whoever
 * makes it: the privileged guest must not reach it as a device (SDM 3A 11.11.1)
 */
static int hide_message_window(struct vm *vm)
{
	const struct bus_region window = {
		.base = MSI_ADDR_BASE + PAGE_SIZE,
		.size = MSI_ADDR_BYTES - PAGE_SIZE,
		.name = "messages",
	};

	return bus_add(&vm->mmio, &window);
}

/* A trap for each MSI-X table, and for what firmware lists of the board */
static u32 mmio_regions(const struct vm *vm)
{
	if (!vm->privileged)
		return MMIO_REGIONS;
	return HOST_MMIO_REGIONS + acpi.ecam_count + acpi.ioapic_count +
	       acpi.hpet_count;
}

static int create_buses(struct vm *vm)
{
	const struct bus_region lapic = {
		.base = APIC_DEFAULT_BASE,
		.size = PAGE_SIZE,
		.name = "vLAPIC",
		.read = vlapic_mmio_read,
		.write = vlapic_mmio_write,
	};
	int err = bus_init(&vm->ports, &vm->budget, PORT_REGIONS);

	if (!err)
		err = bus_make_index(&vm->ports, &vm->budget);
	if (!err)
		err = bus_init(&vm->mmio, &vm->budget, mmio_regions(vm));
	if (!err)
		err = bus_add(&vm->mmio, &lapic);
	return err ? err : hide_message_window(vm);
}

static void vm_destroy(struct vm *vm)
{
	destroy_vcpus(vm, vm->vcpu_count);
	emulate_destroy(vm);
	devices_destroy(vm);
	destroy_intercepts(vm);
	cpuid_destroy(vm);
	bus_destroy(&vm->ports, &vm->budget);
	bus_destroy(&vm->mmio, &vm->budget);
	vm_memory_release(vm);
	if (vm->dynamic)
		dynamic_detach(vm);
	pmm_unreserve(&vm->budget);
	if (vm->budget.used_pages)
		log_warn("vm", "guest %s: %llu pages of the pool are lost",
			 vm->name, vm->budget.used_pages);
	id_give_back(vm->id);
	pmm_free_bytes(&pmm_self, vm, vm_bytes(vm->slot_max));
}

bool vm_free_vcpus(struct vm *vm, u32 max)
{
	if (!spin_try(&making_lock))
		return false;
	destroy_vcpus(vm, max);
	spin_unlock(&making_lock);
	return !vm->vcpus[0];
}

bool vm_free_tables(struct vm *vm, u32 max)
{
	return pt_destroy_some(&vm->npt, max);
}

bool vm_free(struct vm *vm)
{
	if (!spin_try(&making_lock))
		return false;
	vm_destroy(vm);
	spin_unlock(&making_lock);
	return true;
}

static void vm_list(struct vm *vm)
{
	__atomic_store_n(&vms[vm->id], vm, __ATOMIC_RELEASE);
	vm_count = MAX(vm_count, vm->id + 1u);
}

void vm_unlist(struct vm *vm)
{
	__atomic_store_n(&vms[vm->id], NULL, __ATOMIC_SEQ_CST);
}

static struct vm *vm_alloc(const struct guest_config *config, u32 slots)
{
	u32 id = id_take();
	struct vm *vm = NULL;

	if (id == VM_MAX) {
		log_error("vm", "guest %s is one too many: there are %u",
			  config->name, VM_MAX);
		return NULL;
	}
	vm = pmm_alloc_bytes(&pmm_self, vm_bytes(slots));
	if (!vm) {
		id_give_back(id);
		return NULL;
	}
	vm->slot_max = slots;
	vm->id = (u16)id;
	vm->number = made_with_id[id]++;
	vm->config = config;
	vm->privileged = config->privileged;
	vm->state = VM_BUILDING;
	vm->vcpu_count = MIN(config->vcpus, (u32)VM_MAX_VCPUS);
	str_copy(vm->name, config->name, sizeof(vm->name));
	if (!vm->privileged)
		vm->budget.max_pages = ISOLATED_BUDGET_PAGES;
	return vm;
}

/* Tables for all of its memory in 4 KiB pages, where its large pages may come
 * to be split (struct page_table, split_exec) */
static u64 split_pages(const struct vm *vm)
{
	u64 pages = 0;

	for (u32 i = 0; vm->npt.split_exec && i < vm->slot_count; i++)
		pages += vm->slots[i].size / PAGE_2M +
			 vm->slots[i].size / PAGE_1G;
	return pages;
}

/* What an isolated guest takes at each reset is there, whatever others have
 * taken meanwhile, and what splits take. The privileged guest is made last and
 * resets never. */
static int set_aside(struct vm *vm)
{
	u64 split = split_pages(vm);
	int err = pmm_reserve(&vm->budget, split);

	if (err)
		return err;
	if (!vm->privileged) {
		vm->budget.max_pages += split;
		return pmm_reserve(&vm->budget, load_pages(vm->config));
	}
	vm->budget.max_pages = vm->budget.used_pages + split +
			       PRIVILEGED_SHARE(pmm_spare_pages());
	return 0;
}

/* In the order of what needs what */
static int vm_fill(struct vm *vm)
{
	int err = vm_memory_create(vm);

	if (err)
		return err; /* it has said why */
	if (vm->privileged)
		err = grant_prepare(vm);
	if (!err)
		err = cpuid_build(vm);
	if (!err)
		err = create_intercepts(vm);
	if (!err)
		err = create_buses(vm);
	if (!err)
		err = emulate_create(vm);
	if (!err)
		err = create_vcpus(vm);
	if (!err)
		err = devices_create(vm);
	if (!err)
		err = set_aside(vm);
	if (err)
		log_error("vm", "guest %s cannot be built (error %d)", vm->name,
			  -err);
	return err;
}

/* What @order has of its own */
static int take_order(struct vm *vm, const struct vm_order *order)
{
	if (!order->ranges) {
		vm->node = numa_choose(order->config);
		return 0;
	}
	vm->node =
		acpi.numa.node_count ? (int)order->ranges[0].node : VM_NODE_ANY;
	return dynamic_attach(vm, order);
}

/* Lock held */
static int make(const struct vm_order *order, struct vm **out)
{
	u32 slots = order->ranges ? order->range_count + 1
				  : vm_memory_slots(order->config);
	struct vm *vm = vm_alloc(order->config, slots);
	int err;

	if (!vm)
		return -ENOMEM;
	err = take_order(vm, order);
	if (!err)
		err = vm_fill(vm);
	if (err) {
		vm_destroy(vm);
		return err;
	}
	if (vm->privileged) {
		intercept_ports(vm);
		vm_privileged = vm;
	}
	vm_list(vm);
	*out = vm;
	return 0;
}

int vm_create_by(const struct vm_order *order, struct vm **out)
{
	int err;

	spin_lock(&making_lock);
	err = make(order, out);
	spin_unlock(&making_lock);
	return err;
}

int vm_create(const struct guest_config *config, struct vm **out)
{
	const struct vm_order order = { .config = config };
	int err = vm_create_by(&order, out);

	if (!err)
		machine_guest_made();
	return err;
}
