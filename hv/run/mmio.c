/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EXIT_MMIO: the guest touched an address its EPT/NPT does not map. A trapped
 * region is emulated. The privileged guest's first touch of a device maps the
 * device 1:1, with the memory type of the machine's MTRRs, in the largest piece
 * that holds nothing else. Its touch of the pool (hv/vm/grant.h) finds a page
 * of nobody's. For all other addresses there is nothing: reads are
 * ones, writes are lost.
 *
 * Lock: vm->npt_lock serializes changes of a guest's table by its vCPUs and
 * by others. Adding a mapping needs no TLB flush: absent entries are not cached
 * (SDM 3C 28.4.2; APM 2 15.25.5).
 */
#include "hv/run/mmio.h"

#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/mtrr.h"
#include "hv/core/crowd.h"
#include "hv/core/last_exit.h"
#include "hv/core/slots.h"
#include "hv/core/split.h"
#include "hv/emulate/emulate.h"
#include "hv/irq/vlapic.h"
#include "hv/vm/grant.h"
#include "hv/vm/pool.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/owner.h"

/* Shrink the window [*base, *end) so that it keeps @addr and loses @r */
static void window_avoid(u64 addr, u64 base, u64 size, u64 *lo, u64 *hi)
{
	if (base > addr)
		*hi = MIN(*hi, ALIGN_DOWN(base, PAGE_SIZE));
	else if (base + size <= addr)
		*lo = MAX(*lo, ALIGN_UP(base + size, PAGE_SIZE));
}

/* The bounds of what may be mapped around @addr; false: nothing may */
static bool device_window(const struct vm *vm, u64 addr, u64 *lo, u64 *hi)
{
	struct extent e = owner_find(HPA(addr));
	u32 i;

	if (e.kind != OWNER_DEVICE && e.kind != OWNER_FIRMWARE)
		return false;
	*lo = e.base;
	*hi = e.base + e.size;
	for (i = 0; i < vm->mmio.count; i++)
		window_avoid(addr, vm->mmio.regions[i].base,
			     vm->mmio.regions[i].size, lo, hi);
	for (i = 0; i < vm->slot_count; i++)
		window_avoid(addr, vm->slots[i].gpa, vm->slots[i].size, lo, hi);
	return addr >= *lo && addr < *hi;
}

/* Largest aligned page around @addr within [lo, hi) that is of one type */
static u64 piece_size(const struct vm *vm, u64 addr, u64 lo, u64 hi)
{
	static const u64 sizes[] = { PAGE_1G, PAGE_2M };
	u32 first = vm->npt.max_level >= 3 ? 0 : 1;
	u32 i;
	u8 type;

	if (vm->npt.max_level < 2)
		return PAGE_SIZE;
	for (i = first; i < ARRAY_SIZE(sizes); i++) {
		u64 base = ALIGN_DOWN(addr, sizes[i]);

		if (base >= lo && base + sizes[i] <= hi &&
		    mtrr_type(base, sizes[i], &type))
			return sizes[i];
	}
	return PAGE_SIZE;
}

/* Device memory that firmware made WB or WC, such as persistent memory, is that
 * for the guest, below its PAT. WT and WP are UC, which is always right. */
static u32 type_attrs(const struct vm *vm, u64 addr)
{
	u8 type = MEM_UC;

	if (pt_mtrrs_apply(&vm->npt))
		return PT_WB;
	mtrr_type(ALIGN_DOWN(addr, PAGE_SIZE), PAGE_SIZE, &type);
	if (type == MEM_WB)
		return PT_WB;
	return type == MEM_WC ? PT_WC : PT_UC;
}

/* With split_exec, 2 MiB that are executed take a table (hv/core/split.h): no
 * device takes one away from RAM, as nothing of it is code */
static u32 window_attrs(const struct vm *vm, u64 addr)
{
	u32 attrs = PT_R | PT_W | type_attrs(vm, addr);

	if (vm->npt.split_exec && owner_find(HPA(addr)).kind == OWNER_DEVICE)
		return attrs;
	return attrs | PT_X;
}

/* Where there is a table already, some of it may be mapped, and no core fills a
 * large one entry by entry: @hole, of pt_hole(), is the most */
static int map_piece(struct vm *vm, u64 addr, u64 hole)
{
	u64 base = ALIGN_DOWN(addr, hole), lo, hi, size;

	if (!device_window(vm, addr, &lo, &hi))
		return -EFAULT;
	size = piece_size(vm, addr, MAX(lo, base), MIN(hi, base + hole));
	base = ALIGN_DOWN(addr, size);
	return pt_map(&vm->npt, base, HPA(base), size, window_attrs(vm, addr));
}

/* 0: mapped (or another vCPU did it), enter again */
static int device_map(struct vm *vm, u64 addr)
{
	u64 lo, hi, hole;
	int err = 0;

	if (addr >= BIT(vm->phys_bits) || !device_window(vm, addr, &lo, &hi))
		return -EFAULT;
	spin_lock(&vm->npt_lock);
	hole = pt_hole(&vm->npt, addr);
	if (hole)
		err = map_piece(vm, addr, hole);
	spin_unlock(&vm->npt_lock);
	return err;
}

/* The address belongs to no trapped region. 0: enter again */
static int unclaimed(struct vm *vm, gpa_t gpa)
{
	u64 left;
	hpa_t hpa;

	if (vm_translate(vm, gpa, &hpa, &left))
		return 0; /* mapped while we came here */
	if (!vm->privileged)
		return -EFAULT;
	return pool_has(gpa.v) ? grant_touched(vm, gpa.v)
			       : device_map(vm, gpa.v);
}

static bool is_fetch(const struct vcpu_exit *e)
{
	return (e->mmio.access & ACCESS_X) && !e->mmio.walk;
}

/* A write to ROM that no instruction asked for */
static bool rom_accessed(struct vcpu *v, const struct vcpu_exit *e)
{
	const struct vm_slot *s;

	if (!(e->mmio.access & ACCESS_W) || e->mmio.walk)
		return false;
	s = vm_slot_at(v->vm, e->mmio.gpa);
	return s && s->rom && emulate_rom_accessed(v, e->mmio.gpa);
}

static enum verdict mmio_in_full(struct vcpu *v, const struct vcpu_exit *e)
{
	int fetch = -ENOENT;

	if (is_fetch(e))
		fetch = split_fetch(v->vm, e->mmio.gpa);
	if (!fetch)
		return VERDICT_RESUME;
	if (fetch == -ENOMEM)
		return exit_cannot(v, EXC_GP,
				   "no memory left to split a large page");
	if (fetch != -EPERM &&
	    !bus_find(&v->vm->mmio, vlapic_bus_gpa(v, e->mmio.gpa.v))) {
		int err = unclaimed(v->vm, e->mmio.gpa);

		if (!err)
			return VERDICT_RESUME;
		if (err == -ENOMEM)
			return exit_cannot(v, EXC_GP,
					   "no memory left to map a device");
	}
	if (rom_accessed(v, e))
		return VERDICT_RESUME;
	/* Of the gate or the stack; it joins what is being delivered in a
	 * double fault */
	if (e->vectoring.type != EVENT_NONE)
		return exit_cannot(v, EXC_GP,
				   "its interrupt tables are not in RAM");
	/* No #PF: a kernel that finds the page mapped and executable would
	 * return to it for ever */
	if (is_fetch(e))
		return exit_cannot(v, EXC_GP,
				   "it executes where there is no RAM");
	return emulate_mmio(v, e);
}

/* Not inlined: its frame would be the LAPIC page's, too */
static __attribute__((noinline)) enum verdict
in_crowd(struct vcpu *v, const struct vcpu_exit *e)
{
	enum verdict verdict;

	if (!crowd_enter(v->vm))
		return VERDICT_RESUME;
	verdict = mmio_in_full(v, e);
	crowd_leave(v->vm);
	return verdict;
}

enum verdict exit_mmio(struct vcpu *v, const struct vcpu_exit *e)
{
	return emulate_lapic_page(v, e) ? VERDICT_ADVANCE : in_crowd(v, e);
}

enum verdict exit_mmio_noting(struct vcpu *v, const struct vcpu_exit *e)
{
	if (emulate_lapic_page(v, e))
		return VERDICT_ADVANCE;
	last_exit_note(v);
	return in_crowd(v, e);
}
