/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's RAM and ROM: pages taken from mm/owner.h, slots, and the EPT/NPT.
 * Called by create.c under its lock, one guest at a time; the slots are
 * constant once the guest is whole, so that hv/core/slots.h needs no lock.
 */
#include "hv/vm/memory.h"

#include "arch/x86/cpu/speculation.h"
#include "drivers/acpi/acpi.h"
#include "hv/core/backend.h"
#include "hv/core/pc_map.h"
#include "hv/load/load.h"
#include "hv/vm/create.h"
#include "hv/vm/dynamic.h"
#include "hv/vm/shape.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/owner.h"

#define ADDRESS_END    BIT(52)
#define ISOLATED_SLOTS 128u

static int slot_add(struct vm *vm, u64 gpa, u64 hpa, u64 size)
{
	struct vm_slot *last = NULL;

	if (vm->slot_count)
		last = &vm->slots[vm->slot_count - 1];
	if (last && !last->rom && last->gpa + last->size == gpa &&
	    last->hpa + last->size == hpa) {
		last->size += size;
		return 0;
	}
	if (vm->slot_count == vm->slot_max)
		return -ENOSPC;
	vm->slots[vm->slot_count++] =
		(struct vm_slot){ .gpa = gpa, .hpa = hpa, .size = size };
	return 0;
}

/* From the guest's node, or (VM_NODE_ANY) from the machine; the highest there
 * is */
static int take(const struct vm *vm, int node, u64 size, u64 align, hpa_t *hpa)
{
	int err = -ENOMEM;

	if (node == VM_NODE_ANY)
		return owner_take(size, align, 0, ADDRESS_END, OWNER_GUEST,
				  vm->id, hpa);
	for (u32 i = acpi.numa.range_count; i-- && err == -ENOMEM;) {
		const struct acpi_node_range *r = &acpi.numa.ranges[i];

		if (acpi_node_of_range(r) == node)
			err = owner_take(size, align, r->base,
					 r->base + r->size, OWNER_GUEST, vm->id,
					 hpa);
	}
	return err;
}

/* Its node was a preference, and has too little after all */
static bool may_leave_node(const struct vm *vm)
{
	return vm->node != VM_NODE_ANY && vm->config->numa != NUMA_NODE;
}

/* [gpa, gpa + size) from the machine's top, in few pieces; each as large as
 * there is, down to 2 MiB */
static int take_range(struct vm *vm, u64 gpa, u64 size)
{
	u64 chunk = size;
	int err;

	while (size) {
		u64 align = chunk >= PAGE_1G ? PAGE_1G : PAGE_2M;
		hpa_t hpa;

		err = take(vm, vm->node, chunk, align, &hpa);
		if (err == -ENOMEM && align == PAGE_1G)
			err = take(vm, vm->node, chunk, PAGE_2M, &hpa);
		if (err == -ENOMEM && chunk > PAGE_2M) {
			chunk = ALIGN_UP(chunk / 2, PAGE_2M);
			continue;
		}
		if (err == -ENOMEM && may_leave_node(vm)) {
			vm->node = VM_NODE_ANY;
			chunk = size;
			continue;
		}
		if (!err)
			err = slot_add(vm, gpa, hpa.v, chunk);
		if (err)
			return err;
		gpa += chunk;
		size -= chunk;
		chunk = MIN(chunk, size);
	}
	return 0;
}

/* The firmware's flash memory, which ends at 4 GiB */
static int take_rom(struct vm *vm)
{
	struct image file;
	hpa_t hpa;
	u64 size;
	int err;

	if (!firmware_rom(vm, &file))
		return 0;
	size = file.size;
	err = take(vm, vm->node, size, PAGE_SIZE, &hpa);
	if (err == -ENOMEM && may_leave_node(vm))
		err = take(vm, VM_NODE_ANY, size, PAGE_SIZE, &hpa);
	if (err)
		return err;
	if (vm->slot_count == vm->slot_max)
		return -ENOSPC;
	vm->slots[vm->slot_count++] = (struct vm_slot){
		.gpa = PC_ROM_END - size,
		.hpa = hpa.v,
		.size = size,
		.rom = true,
	};
	return 0;
}

static int take_isolated(struct vm *vm)
{
	u64 size = ALIGN_UP(vm->config->memory_bytes, PAGE_2M);
	u64 low = MIN(size, PC_LOW_RAM_END);
	int err = take_range(vm, 0, low);

	if (!err)
		err = take_rom(vm);
	if (!err && size > low)
		err = take_range(vm, PC_HIGH_RAM_BASE, size - low);
	return err;
}

/* Memory of the firmware's that the guest's kernel uses as RAM, or its drivers
 * do: cached */
static bool firmware_ram(const struct extent *e)
{
	const u32 types = 1u << BOOT_MEM_RT_CODE | 1u << BOOT_MEM_RT_DATA |
			  1u << BOOT_MEM_ACPI_RECLAIM |
			  1u << BOOT_MEM_ACPI_NVS | 1u << BOOT_MEM_PERSISTENT |
			  1u << BOOT_MEM_SPECIAL;

	return e->kind == OWNER_FIRMWARE && e->firmware_type < 32 &&
	       (types >> e->firmware_type & 1);
}

/* All that is free, 1:1, and what it needs of the firmware's */
static int take_rest(struct vm *vm)
{
	struct extent e;
	u64 at;
	int err = 0;

	for (at = 0; at < ADDRESS_END && !err; at = e.base + e.size) {
		e = owner_find(HPA(at));
		if (e.kind == OWNER_FREE)
			err = owner_change(e.base, e.size, OWNER_FREE,
					   OWNER_GUEST, vm->id);
		else if (!firmware_ram(&e))
			continue;
		if (!err)
			err = slot_add(vm, e.base, e.base, e.size);
	}
	return err;
}

static int make_root(struct vm *vm)
{
	int err = pt_init(&vm->npt, vcpu_ops->pt_format, &vm->budget,
			  vm_npt_max_level);

	vm->npt.split_exec = speculation.actions & SPEC_SPLIT;
	return err;
}

/* From byte *@at of a slot on */
static int map_some(struct vm *vm, const struct vm_slot *s, u64 *at)
{
	u64 gpa = s->gpa + *at;
	u64 size = vm_map_span(gpa);
	int err;

	size = MIN(size, s->size - *at);
	err = pt_map(&vm->npt, gpa, HPA(s->hpa + *at), size,
		     s->rom ? VM_ROM_ATTRS : VM_RAM_ATTRS);
	*at += size;
	return err;
}

u32 vm_memory_slots(const struct guest_config *config)
{
	return config->privileged ? MIN(owner_count(), (u32)VM_MAX_SLOTS)
				  : ISOLATED_SLOTS;
}

static void report(const struct vm *vm, int err)
{
	if (err == -ENOSPC)
		log_error("vm",
			  "guest %s: the machine's memory is in too many "
			  "pieces",
			  vm->name);
	else if (vm->node != VM_NODE_ANY)
		log_error("vm",
			  "guest %s: memory = %lluM is more than is free on "
			  "NUMA node %d; give it less, or write numa = auto",
			  vm->name, (vm->config->memory_bytes >> 20), vm->node);
	else
		log_error("vm",
			  "guest %s: memory = %lluM is more than is free; give "
			  "it less, or give other guests less",
			  vm->name, (vm->config->memory_bytes >> 20));
}

int vm_memory_take(struct vm *vm)
{
	int err;

	if (vm->dynamic) {
		err = dynamic_take_memory(vm);
		if (!err)
			shape_plain(vm);
		return err;
	}
	err = vm->privileged ? take_rest(vm) : take_isolated(vm);
	if (err)
		report(vm, err);
	return err;
}

int vm_memory_map(struct vm *vm, u32 *slot, u64 *at)
{
	int err = vm->npt.root ? 0 : make_root(vm);

	if (!err && *slot < vm->slot_count)
		err = map_some(vm, &vm->slots[*slot], at);
	if (err && vm_making_may_log(vm))
		log_error("vm", "guest %s: no memory for its page tables",
			  vm->name);
	if (err)
		return err;
	if (*slot < vm->slot_count && *at == vm->slots[*slot].size) {
		++*slot;
		*at = 0;
	}
	return *slot < vm->slot_count ? VM_GOES_ON : 0;
}

bool vm_memory_release(struct vm *vm)
{
	struct extent e;
	u64 at;

	vm->slot_count = vm->kept_count = 0;
	if (vm->dynamic)
		return dynamic_give_memory_back(vm);
	for (at = 0; at < ADDRESS_END; at = e.base + e.size) {
		e = owner_find(HPA(at));
		if (e.kind == OWNER_GUEST && e.vm == vm->id &&
		    owner_change(e.base, e.size, OWNER_GUEST, OWNER_FREE,
				 vm->id))
			log_warn("vm", "guest %s: memory at %llx is lost",
				 vm->name, e.base);
	}
	return true;
}
