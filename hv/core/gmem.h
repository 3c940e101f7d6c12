/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory from the hypervisor: by guest-physical address, and by
 * guest-virtual through the guest's own page tables. Nothing is trusted: every
 * page is looked up in the VM's slots, and copies are private. On any core that
 * works for the VM, no lock; what takes a vCPU: home core, attached.
 */
#ifndef HV_CORE_GMEM_H
#define HV_CORE_GMEM_H

#include "hv/core/vcpu.h"

/*
 * Copy @len bytes from, to or within RAM of the VM. -EFAULT: some byte is not
 * RAM; what lies before it may have been copied. ROM can be read;
 * gmem_write_rom(), for its loader, writes it too. The guest may change its
 * memory meanwhile: check a copy, never the original.
 */
int __must_check gmem_read(struct vm *vm, gpa_t gpa, void *buf, size_t len);
int __must_check gmem_write(struct vm *vm, gpa_t gpa, const void *buf,
			    size_t len);
int __must_check gmem_zero(struct vm *vm, gpa_t gpa, u64 len);
int __must_check gmem_write_rom(struct vm *vm, gpa_t gpa, const void *buf,
				size_t len);
/* A window on the byte at @gpa, good to the end of its page and as long as
 * mm/window.h says. NULL: not RAM; to read: neither RAM nor ROM. */
void *gmem_map(struct vm *vm, gpa_t gpa);
const void *gmem_map_read(struct vm *vm, gpa_t gpa);

/*
 * Translate as the CPU would (SDM 3A 4 *Paging*; APM 2 5): all paging modes,
 * CPL, WP, SMEP, SMAP, NX, protection keys. @gva is linear, its segment's base
 * added. @access: enum access, plus ACCESS_SYSTEM for an implicit supervisor
 * access, ACCESS_PROBE to leave accessed and dirty bits alone.
 * 0: *@gpa is set, and so are the accessed and dirty bits. It need not be RAM.
 * -EFAULT: *@pf_error is the error code of the #PF, which is not queued. A
 * table outside RAM reads as ones.
 */
#define ACCESS_SYSTEM 8
#define ACCESS_PROBE  16
int __must_check gva_translate(struct vcpu *v, gva_t gva, u8 access, gpa_t *gpa,
			       u32 *pf_error);
/* Where @gva is by the paging of @r, whatever the rights; no bits are set. For
 * a look at a guest that stands still: any core, one caller at a time. -EFAULT:
 * it is not mapped. */
int __must_check gva_find(struct vcpu *v, const struct vcpu_regs *r, gva_t gva,
			  gpa_t *gpa);
/* Copy up to @len instruction bytes at CS:RIP. Returns how many: it stops at a
 * page that is not mapped, or not RAM. Makes RG_RIP and RG_CR valid, and RG_CS
 * or RG_SEG. */
size_t gmem_fetch(struct vcpu *v, u8 *buf, size_t len);
/* As gmem_fetch() without the copy: the bytes at CS:RIP up to the end of their
 * page, *@left of them, or NULL. Good as long as mm/window.h says; the guest
 * may change them at any time. */
const u8 *gmem_code(struct vcpu *v, u64 *left);

/*
 * The same for 64-bit code, with no walk: the page is the one of the last
 * gmem_code() if linear page and CR3 are the same. The guest may have mapped
 * another there since: the caller checks that the bytes are the instruction it
 * expects, and else walks. NULL: do so at once. Hot: cr3 is looked at without
 * RG_CR, since a back-end that needs this keeps it current (SVM).
 */
static inline const u8 *gmem_code_again(struct vcpu *v)
{
	const struct vcpu_regs *r = vcpu_regs(v);

	if (!(r->valid & RG_RIP) || r->rip >> PAGE_SHIFT != v->code.page ||
	    r->cr3 != v->code.cr3 || *v->code.tag != v->code.tag_value)
		return NULL;
	return v->code.va + (r->rip & PAGE_MASK);
}

#endif
