/* SPDX-License-Identifier: BSD-2-Clause */
/* See kept.h. The home core writes, and says so by is_kept; others read what is
 * kept only behind that. No lock. */
#include "hv/vm/kept.h"

#include "arch/x86/cpu/debug_regs.h"
#include "hv/core/regs.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"

/* What a debugger may change of RFLAGS: neither the mode nor the privileges */
#define FLAGS_CHANGED                                                          \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF |           \
	 RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_OF)

void kept_take(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);

	vcpu_need(v, RG_ALL);
	debug_regs_save(r->dr);
	v->kept = *r;
	v->kept_changed = 0;
	__atomic_store_n(&v->is_kept, true, __ATOMIC_RELEASE);
}

static void give_back(struct vcpu *v, const struct vcpu_regs *kept)
{
	struct vcpu_regs *r = vcpu_regs(v);

	vcpu_need(v, v->kept_changed);
	memcpy(r->gpr, kept->gpr, sizeof(r->gpr));
	r->rip = kept->rip;
	r->rflags = kept->rflags;
	r->seg[SEG_FS].base = kept->seg[SEG_FS].base;
	r->seg[SEG_GS].base = kept->seg[SEG_GS].base;
	vcpu_dirty(v, v->kept_changed);
}

void kept_give_back(struct vcpu *v)
{
	__atomic_store_n(&v->is_kept, false, __ATOMIC_RELAXED);
	if (v->kept_changed)
		give_back(v, &v->kept);
	v->kept_changed = 0;
}

void kept_forget(struct vcpu *v)
{
	__atomic_store_n(&v->is_kept, false, __ATOMIC_RELAXED);
}

const struct vcpu_regs *kept_of(const struct vcpu *v)
{
	return __atomic_load_n(&v->is_kept, __ATOMIC_ACQUIRE) ? &v->kept : NULL;
}

static bool addresses_fit(const struct vcpu_regs *now,
			  const struct vcpu_regs *r)
{
	enum linear_bits bits = vcpu_linear_bits(now);

	if (!vcpu_hw_long_mode(now) && r->rip >> 32)
		return false;
	return is_canonical(r->rip, bits) &&
	       is_canonical(r->seg[SEG_FS].base, bits) &&
	       is_canonical(r->seg[SEG_GS].base, bits);
}

/* An interrupt is on its way in: its delivery takes IF for granted, and without
 * it the entry fails (SDM 3C 27.3.1.4) */
static u64 flags_held(const struct vcpu *v)
{
	return v->injected || v->pending.type == EVENT_EXTINT ? RFLAGS_IF : 0;
}

int kept_change(struct vcpu *v, const struct vcpu_regs *r)
{
	u64 flags = FLAGS_CHANGED & ~flags_held(v);
	struct vcpu_regs *kept = &v->kept;

	if (!kept_of(v))
		return -ENOENT;
	if (!addresses_fit(kept, r))
		return -EINVAL;
	if (r->rip != kept->rip && (READ_ONCE(v->events) & VE_INSN))
		return -EBUSY;
	memcpy(kept->gpr, r->gpr, sizeof(kept->gpr));
	kept->rip = r->rip;
	kept->rflags &= ~flags;
	kept->rflags |= r->rflags & flags;
	kept->seg[SEG_FS].base = r->seg[SEG_FS].base;
	kept->seg[SEG_GS].base = r->seg[SEG_GS].base;
	v->kept_changed |= RG_RIP | RG_RSP | RG_SEG;
	return 0;
}
