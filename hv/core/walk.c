/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation of guest-virtual addresses as the CPU would do it (SDM 3A 4
 * *Paging*; APM 2 5 *Page Translation and Protection*). Every mode is a row of
 * levels, entry size and index width. Called by the emulator and, for code that
 * is not 64-bit, by gmem_fetch(). Home core; no lock.
 *
 *	mode	levels	entry	index	large pages
 *	32-bit	2	4	10	4M (CR4.PSE)
 *	PAE	3	8	9 (2)	2M
 *	4-level	4	8	9	2M 1G
 *	5-level	5	8	9	2M 1G
 */
#include "hv/core/walk.h"

#include "arch/x86/machine/fpu.h"
#include "hv/core/gmem.h"
#include "hv/core/regs.h"
#include "hv/core/slots.h"
#include "include/hw/cpu.h"
#include "lib/bytes.h"
#include "lib/errno.h"

#define PSE36_SHIFT 13 /* PDE bits 20:13 are address bits 39:32 */
#define PSE36_BITS  BITS(20, 13)
#define WALK_TRIES  8u

/* The key of a leaf; its two bits in PKRU (SDM 3A 4.6.2 *Protection Keys*) */
#define PTE_KEY(entry)       ((u32)((entry) >> 59) & 0xf)
#define PKRU_BITS(pkru, key) ((pkru) >> (2 * (key)) & 3)
#define PKRU_AD              1u
#define PKRU_WD              2u

struct walk {
	const struct vcpu_regs *regs;
	u32 levels, entry_bytes, index_bits;
	u64 cr3_mask;
	bool pae;
};

/* Rights gathered on the way down, and the entries used, top first */
struct rights {
	bool writable, user, nx;
	u32 key;
	u32 count;
	u64 entries[5], gpas[5];
};

static void walk_mode(const struct vcpu_regs *r, struct walk *w)
{
	*w = (struct walk){ .regs = r, .entry_bytes = 8, .index_bits = 9 };
	if (r->efer & EFER_LMA) {
		w->levels = r->cr4 & CR4_LA57 ? 5 : 4;
		w->cr3_mask = PTE_ADDR;
	} else if (r->cr4 & CR4_PAE) {
		w->levels = 3;
		w->cr3_mask = BITS(31, 5);
		w->pae = true;
	} else {
		w->levels = 2;
		w->entry_bytes = 4;
		w->index_bits = 10;
		w->cr3_mask = BITS(31, 12);
	}
}

void *walk_map_slow(struct vcpu *v, gpa_t gpa)
{
	const struct vm_slot *s = vm_slot_at(v->vm, gpa);

	if (!s)
		return NULL;
	v->slot_hint = (u32)(s - v->vm->slots);
	return window_map(HPA(s->hpa + (gpa.v - s->gpa)));
}

/* Where there is no RAM nobody answers the walker: all ones, which nearly
 * always is an entry with reserved bits */
static u64 entry_read(struct vcpu *v, const struct walk *w, u64 gpa)
{
	const void *p = walk_map(v, GPA(gpa));

	if (!p)
		return ones_of((u8)w->entry_bytes);
	return w->entry_bytes == 8 ? READ_ONCE(*(const u64 *)p)
				   : READ_ONCE(*(const u32 *)p);
}

static bool entry_is_large(const struct walk *w, u32 level, u64 entry)
{
	if (!(entry & PTE_PS))
		return false;
	if (w->entry_bytes == 4)
		return level == 2 && (w->regs->cr4 & CR4_PSE);
	return level == 2 || (level == 3 && !w->pae);
}

/* Bits that must be zero (SDM 3A 4.3 to 4.5) */
static bool entry_reserved(struct vcpu *v, const struct walk *w, u32 level,
			   u64 entry, bool large)
{
	u32 shift = PAGE_SHIFT + w->index_bits * (level - 1);

	if (w->entry_bytes == 4)
		return large && (entry & BIT(21));
	if (w->pae && level == 3)
		return false; /* looked at when it is loaded: hv/policy/cr.c */
	if (entry & PTE_ADDR & ~(BIT(v->vm->phys_bits) - 1))
		return true;
	if ((entry & PTE_NX) && !(w->regs->efer & EFER_NXE))
		return true;
	if (w->pae && (entry & BITS(62, 52)))
		return true;
	if (level >= 4)
		return entry & PTE_PS;
	return large && (entry & BITS(shift - 1, 13));
}

static u64 leaf_base(const struct walk *w, u64 entry, u32 shift)
{
	if (w->entry_bytes == 4 && shift > PAGE_SHIFT)
		return (entry & BITS(31, 22)) |
		       (entry & PSE36_BITS) >> PSE36_SHIFT << 32;
	return entry & PTE_ADDR & ~(BIT(shift) - 1);
}

/* SDM 3A 4.6.1 *Determination of Access Rights* */
static bool access_ok(const struct vcpu_regs *r, const struct rights *rights,
		      u8 access, bool user)
{
	if (user && !rights->user)
		return false;
	if (access & ACCESS_X) {
		if (!user && rights->user && (r->cr4 & CR4_SMEP))
			return false;
		return !rights->nx;
	}
	if (!user && rights->user && (r->cr4 & CR4_SMAP) &&
	    ((access & ACCESS_SYSTEM) || !(r->rflags & RFLAGS_AC)))
		return false;
	if ((access & ACCESS_W) && !rights->writable)
		return !user && !(r->cr0 & CR0_WP);
	return true;
}

/* Data of user pages in long mode, behind all other rights */
static bool key_ok(const struct vcpu_regs *r, const struct rights *rights,
		   u8 access, bool user)
{
	u32 denied;

	if (likely(!(r->cr4 & CR4_PKE)) || !(r->efer & EFER_LMA) ||
	    !rights->user || (access & ACCESS_X))
		return true;
	denied = PKRU_BITS(fpu_pkru(), rights->key);
	if (denied & PKRU_AD)
		return false;
	return !(access & ACCESS_W) || !(denied & PKRU_WD) ||
	       (!user && !(r->cr0 & CR0_WP));
}

/* -EAGAIN: the guest has changed the entry since it was read */
static int entry_mark(struct vcpu *v, const struct walk *w, u64 gpa, u64 entry,
		      u64 bits)
{
	u32 entry32 = (u32)entry;
	void *p;

	if ((entry & bits) == bits)
		return 0;
	p = gmem_map(v->vm, GPA(gpa));
	if (!p)
		return 0; /* tables in ROM stay as they are */
	if (w->entry_bytes == 8)
		return __atomic_compare_exchange_n(
			       (u64 *)p, &entry, entry | bits, false,
			       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
			       ? 0
			       : -EAGAIN;
	return __atomic_compare_exchange_n((u32 *)p, &entry32,
					   entry32 | (u32)bits, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
		       ? 0
		       : -EAGAIN;
}

/* SDM 3A 4.8 *Accessed and Dirty Flags* */
static int walk_mark(struct vcpu *v, const struct walk *w,
		     const struct rights *rights, u8 access)
{
	u32 i = w->pae ? 1 : 0; /* PDPTEs of PAE paging have none */
	int err = 0;

	for (; i < rights->count && !err; i++) {
		u64 bits = PTE_A;

		if (i == rights->count - 1 && (access & ACCESS_W))
			bits |= PTE_D;
		err = entry_mark(v, w, rights->gpas[i], rights->entries[i],
				 bits);
	}
	return err;
}

static u32 access_error(const struct vcpu_regs *r, u8 access, bool user)
{
	u32 error = user ? PF_U : 0;

	if (access & ACCESS_W)
		error |= PF_W;
	if ((access & ACCESS_X) &&
	    ((r->efer & EFER_NXE) || (r->cr4 & CR4_SMEP)))
		error |= PF_I;
	return error;
}

static void rights_gather(struct rights *rights, const struct walk *w,
			  u32 level, u64 entry)
{
	if (w->entry_bytes == 8 && (entry & PTE_NX))
		rights->nx = true;
	if (w->pae && level == 3)
		return; /* PDPTEs of PAE paging carry none */
	rights->writable = rights->writable && (entry & PTE_W);
	rights->user = rights->user && (entry & PTE_U);
}

/* 0, or -EFAULT with the bits of *error that the walk found */
static int walk_tables(struct vcpu *v, const struct walk *w, u64 lin,
		       gpa_t *gpa, struct rights *rights, u32 *error)
{
	u64 table = w->regs->cr3 & w->cr3_mask;
	u64 entry, at, index;
	u32 level, shift;
	bool large;

	for (level = w->levels;; level--) {
		shift = PAGE_SHIFT + w->index_bits * (level - 1);
		index = lin >> shift & (BIT(w->index_bits) - 1);
		at = table + index * w->entry_bytes;
		entry = entry_read(v, w, at);
		if (!(entry & PTE_P))
			return -EFAULT;
		large = entry_is_large(w, level, entry);
		if (entry_reserved(v, w, level, entry, large)) {
			*error |= PF_P | PF_RSVD;
			return -EFAULT;
		}
		rights_gather(rights, w, level, entry);
		rights->gpas[rights->count] = at;
		rights->entries[rights->count++] = entry;
		if (level == 1 || large)
			break;
		table = entry & PTE_ADDR;
	}
	rights->key = PTE_KEY(entry);
	gpa->v = leaf_base(w, entry, shift) | (lin & (BIT(shift) - 1));
	return 0;
}

/* One walk; -EAGAIN: the guest has changed its tables meanwhile */
static int translate_once(struct vcpu *v, u64 lin, u8 access, gpa_t *gpa,
			  u32 *pf_error)
{
	const struct vcpu_regs *r = vcpu_regs(v);
	struct rights rights = { .writable = true, .user = true };
	bool user = vcpu_cpl(r) == CPL_USER && !(access & ACCESS_SYSTEM);
	struct walk w;
	int err;

	walk_mode(r, &w);
	*pf_error = access_error(r, access, user);
	err = walk_tables(v, &w, lin, gpa, &rights, pf_error);
	if (err)
		return err;
	if (!access_ok(r, &rights, access, user)) {
		*pf_error |= PF_P;
		return -EFAULT;
	}
	if (!key_ok(r, &rights, access, user)) {
		*pf_error |= PF_P | PF_PK;
		return -EFAULT;
	}
	return access & ACCESS_PROBE ? 0 : walk_mark(v, &w, &rights, access);
}

int gva_translate(struct vcpu *v, gva_t gva, u8 access, gpa_t *gpa,
		  u32 *pf_error)
{
	const struct vcpu_regs *r = vcpu_regs(v);
	u64 lin = gva.v;
	u32 tries = WALK_TRIES;
	int err;

	vcpu_need(v, RG_RIP | RG_CR | RG_SEG);
	if (!(r->efer & EFER_LMA))
		lin = (u32)lin;
	*gpa = GPA(lin);
	*pf_error = 0;
	if (!(r->cr0 & CR0_PG))
		return 0;
	do
		err = translate_once(v, lin, access, gpa, pf_error);
	while (err == -EAGAIN && --tries);
	/* Another vCPU writes the entry all the time: without its marks then */
	if (err == -EAGAIN)
		err = translate_once(v, lin, access | ACCESS_PROBE, gpa,
				     pf_error);
	return err;
}

int gva_find(struct vcpu *v, const struct vcpu_regs *r, gva_t gva, gpa_t *gpa)
{
	struct rights rights = { .count = 0 };
	u64 lin = r->efer & EFER_LMA ? gva.v : (u32)gva.v;
	u32 error = 0;
	struct walk w;

	*gpa = GPA(lin);
	if (!(r->cr0 & CR0_PG))
		return 0;
	if ((r->efer & EFER_LMA) && !is_canonical(lin, vcpu_linear_bits(r)))
		return -EFAULT;
	walk_mode(r, &w);
	return walk_tables(v, &w, lin, gpa, &rights, &error);
}
