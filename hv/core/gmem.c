/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory by guest-physical address, and the instruction bytes at CS:RIP.
 * Called by exit handlers, devices and loaders. Every page is looked up in the
 * VM's slots, which do not change while it runs: no lock.
 *
 * gmem_fetch() is on the path of every intercepted instruction where the CPU
 * does not save the next RIP, so 64-bit code has a walk of its own. The CPU has
 * just run that code: being present is all that is asked of its page tables,
 * and what a hostile guest changes meanwhile can only harm itself.
 */
#include "hv/core/gmem.h"

#include "hv/core/slots.h"
#include "hv/core/walk.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/window.h"

#define LEVELS_4 4u
#define LEVELS_5 5u

void *gmem_map(struct vm *vm, gpa_t gpa)
{
	hpa_t hpa;
	u64 left;

	return vm_translate(vm, gpa, &hpa, &left) ? window_map(hpa) : NULL;
}

/* RAM or ROM */
static void *map_any(struct vm *vm, gpa_t gpa)
{
	const struct vm_slot *s = vm_slot_at(vm, gpa);

	return s ? window_map(HPA(s->hpa + (gpa.v - s->gpa))) : NULL;
}

const void *gmem_map_read(struct vm *vm, gpa_t gpa)
{
	return map_any(vm, gpa);
}

int gmem_read(struct vm *vm, gpa_t gpa, void *buf, size_t len)
{
	u8 *to = buf;

	while (len) {
		size_t n = MIN(len, PAGE_SIZE - (gpa.v & PAGE_MASK));
		const void *from = gmem_map_read(vm, gpa);

		if (!from)
			return -EFAULT;
		memcpy(to, from, n);
		to += n;
		gpa.v += n;
		len -= n;
	}
	return 0;
}

/* @map: the pages that may be written */
static int write_by(void *(*map)(struct vm *vm, gpa_t gpa), struct vm *vm,
		    gpa_t gpa, const void *buf, size_t len)
{
	const u8 *from = buf;

	while (len) {
		size_t n = MIN(len, PAGE_SIZE - (gpa.v & PAGE_MASK));
		void *to = map(vm, gpa);

		if (!to)
			return -EFAULT;
		memcpy(to, from, n);
		from += n;
		gpa.v += n;
		len -= n;
	}
	return 0;
}

int gmem_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	return write_by(gmem_map, vm, gpa, buf, len);
}

int gmem_write_rom(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	return write_by(map_any, vm, gpa, buf, len);
}

int gmem_zero(struct vm *vm, gpa_t gpa, u64 len)
{
	while (len) {
		size_t n = MIN(len, PAGE_SIZE - (gpa.v & PAGE_MASK));
		void *to = gmem_map(vm, gpa);

		if (!to)
			return -EFAULT;
		memset(to, 0, n);
		gpa.v += n;
		len -= n;
	}
	return 0;
}

/* 4- and 5-level walk for a fetch; false: not present, or not in RAM */
static bool fetch_walk(struct vcpu *v, u64 lin, gpa_t *gpa)
{
	const struct vcpu_regs *r = vcpu_regs(v);
	u64 table = r->cr3 & PTE_ADDR;
	u32 level = unlikely(r->cr4 & CR4_LA57) ? LEVELS_5 : LEVELS_4;
	u32 shift = PAGE_SHIFT + 9 * (level - 1);

	for (;;) {
		const u64 *page = walk_map(v, GPA(table));
		u64 entry;

		if (unlikely(!page))
			return false;
		entry = READ_ONCE(page[lin >> shift & 511]);
		if (unlikely(!(entry & PTE_P)))
			return false;
		table = entry & PTE_ADDR;
		if (shift == PAGE_SHIFT)
			break;
		if ((entry & PTE_PS) && shift <= PAGE_SHIFT + 18)
			break;
		shift -= 9;
	}
	gpa->v = (table & ~(BIT(shift) - 1)) | (lin & (BIT(shift) - 1));
	return true;
}

/* Where @lin of the code is; false if it cannot be fetched */
static bool code_find(struct vcpu *v, u64 lin, gpa_t *gpa)
{
	u32 error;

	if (likely(vcpu_regs(v)->efer & EFER_LMA))
		return fetch_walk(v, lin, gpa);
	return !gva_translate(v, GVA(lin), ACCESS_X | ACCESS_PROBE, gpa,
			      &error);
}

static const u8 *code_map(struct vcpu *v, u64 lin)
{
	gpa_t gpa;

	return code_find(v, lin, &gpa) ? walk_map(v, gpa) : NULL;
}

static inline u64 code_linear(struct vcpu *v)
{
	const struct vcpu_regs *r = vcpu_regs(v);

	vcpu_need(v, RG_RIP | RG_CR);
	if (unlikely(!(r->valid & (RG_SEG | RG_CS))))
		vcpu_need(v, RG_SEG);
	if (likely(vcpu_hw_long_mode(r)))
		return r->rip;
	return (u32)(r->rip + r->seg[SEG_CS].base);
}

/* For gmem_code_again() */
static void code_remember(struct vcpu *v, u64 lin, gpa_t gpa, const u8 *code)
{
	hpa_t hpa;
	u64 left;

	v->code.page = ~0ull;
	if (!vcpu_hw_long_mode(vcpu_regs(v)) ||
	    !vm_translate(v->vm, gpa, &hpa, &left))
		return;
	v->code.page = lin >> PAGE_SHIFT;
	v->code.cr3 = vcpu_regs(v)->cr3;
	v->code.va = code - (lin & PAGE_MASK);
	v->code.tag = window_tag(hpa);
	v->code.tag_value = *v->code.tag;
}

const u8 *gmem_code(struct vcpu *v, u64 *left)
{
	u64 lin = code_linear(v);
	const u8 *code;
	gpa_t gpa;

	*left = PAGE_SIZE - (lin & PAGE_MASK);
	if (!code_find(v, lin, &gpa))
		return NULL;
	code = walk_map(v, gpa);
	if (code)
		code_remember(v, lin, gpa, code);
	return code;
}

size_t gmem_fetch(struct vcpu *v, u8 *buf, size_t len)
{
	u64 lin = code_linear(v);
	size_t done = 0;

	while (done < len) {
		size_t n = MIN(len - done, PAGE_SIZE - (lin & PAGE_MASK));
		const u8 *from = code_map(v, lin);

		if (!from)
			break;
		memcpy(buf + done, from, n);
		done += n;
		lin += n;
	}
	return done;
}
