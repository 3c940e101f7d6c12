/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debugger's vCPU does while it goes: a step, traps, and debug registers
 * that are not the guest's; see debug.h. All on the home core, attached; no
 * lock, as the lists of vm->debug do not change meanwhile.
 *
 * A step is RFLAGS.TF. An exception that the instruction makes, or SYSCALL,
 * saves TF with the flags and clears it; so the handler runs as ever, and the
 * step ends where the guest comes back to the instruction. A step that is cut
 * short meanwhile leaves TF in a frame of the guest's, wherever that is: the
 * trap that nobody asked for is taken away when it comes (vm_debug.strays), and
 * the debugger may have gone by then.
 */
#include "hv/vm/debug.h"

#include "arch/x86/cpu/debug_regs.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/gmem.h"
#include "hv/core/regs.h"
#include "hv/core/retire.h"
#include "hv/emulate/insn.h"
#include "include/hw/cpu.h"

#define INSN_PUSHF  0x9c
#define WITHHELD_US 100u

bool debug_holds(const struct vcpu *v)
{
	const struct vm_debug *d = &v->vm->debug;

	return d->mode == VM_DEBUG_GOES && d->stepper && !d->others &&
	       d->stepper != v->id + 1;
}

/* --- debug registers --- */

static void swap_in(struct vcpu *v, const struct vm_debug *d)
{
	struct vcpu_debug *mine = &v->debug;
	struct vcpu_regs *r = vcpu_regs(v);

	debug_regs_save(r->dr);
	for (u32 i = 0; i < ARRAY_SIZE(mine->dr); i++)
		mine->dr[i] = r->dr[i];
	mine->breakpoints = r->breakpoints;
	for (u32 i = 0; i < ARRAY_SIZE(d->dr); i++)
		r->dr[i] = d->dr[i];
	debug_regs_load(r->dr);
	r->dr[6] = DR6_FIXED;
	r->dr[7] = d->dr7;
	r->breakpoints = true; /* of accesses that are emulated, too */
	r->dr_hidden = true;
	mine->swapped = true;
}

/* A task switch clears the local enables, which are the guest's to lose */
static void follow_task_switch(struct vcpu *v)
{
	u64 dr7 = v->vm->debug.dr7;
	struct vcpu_regs *r = vcpu_regs(v);

	if (!((r->dr[7] ^ dr7) & DR7_LOCAL))
		return;
	v->debug.dr[7] &= ~DR7_LOCAL;
	r->dr[7] = dr7;
	vcpu_dirty(v, RG_DR);
}

static void swap_out(struct vcpu *v)
{
	struct vcpu_debug *mine = &v->debug;
	struct vcpu_regs *r = vcpu_regs(v);

	follow_task_switch(v);
	for (u32 i = 0; i < ARRAY_SIZE(mine->dr); i++)
		r->dr[i] = mine->dr[i];
	debug_regs_load(r->dr);
	r->breakpoints = mine->breakpoints || (r->dr[7] & DR7_ENABLES);
	r->dr_hidden = false;
	mine->swapped = false;
}

/* --- its way --- */

static void step_begin(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);

	v->debug.stepping = true;
	v->debug.guest_tf = r->rflags & RFLAGS_TF;
	v->debug.rip = r->rip;
	v->debug.dr6 = r->dr[6];
	r->rflags |= RFLAGS_TF;
}

void debug_arm(struct vcpu *v)
{
	const struct vm_debug *d = &v->vm->debug;

	if (d->mode != VM_DEBUG_GOES)
		return;
	v->debug.on = true;
	v->debug.stop = BH_CTL_STOP_NONE;
	v->debug.address = 0;
	vcpu_need(v, RG_RIP | RG_DR);
	if (d->hardware)
		swap_in(v, d);
	if (d->stepper == v->id + 1)
		step_begin(v);
	vcpu_dirty(v, RG_RIP | RG_DR);
}

static void add_stray(struct vcpu *v)
{
	__atomic_fetch_add(&v->vm->debug.strays, 1, __ATOMIC_RELAXED);
}

/* PUSHF has put TF onto the stack, from where POPF would take it */
static void mend_pushf(struct vcpu *v)
{
	const struct vcpu_regs *r = vcpu_regs(v);
	u64 base = vcpu_hw_long_mode(r) ? 0 : r->seg[SEG_SS].base;
	u64 code = vcpu_hw_long_mode(r) ? 0 : r->seg[SEG_CS].base;
	u8 insn, flags;
	gpa_t gpa;

	if (r->rip != v->debug.rip + 1 ||
	    gva_find(v, r, GVA(code + v->debug.rip), &gpa) ||
	    gmem_read(v->vm, gpa, &insn, 1) || insn != INSN_PUSHF)
		return;
	if (gva_find(v, r, GVA(base + r->gpr[GPR_RSP] + 1), &gpa) ||
	    gmem_read(v->vm, gpa, &flags, 1))
		return;
	flags &= (u8) ~(RFLAGS_TF >> 8);
	if (gmem_write(v->vm, gpa, &flags, 1))
		add_stray(v);
}

static void step_end(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);

	v->debug.stepping = false;
	if (v->debug.guest_tf)
		return;
	if (v->debug.stop != BH_CTL_STOP_STEP && !(r->rflags & RFLAGS_TF))
		add_stray(v); /* it is in a handler */
	r->rflags &= ~RFLAGS_TF;
	r->dr[6] = (r->dr[6] & ~DR6_BS) | (v->debug.dr6 & DR6_BS);
	mend_pushf(v);
}

void debug_disarm(struct vcpu *v)
{
	if (!v->debug.on)
		return;
	timer_cancel(&v->debug.timer);
	vcpu_need(v, RG_RIP | RG_RSP | RG_DR | RG_CR | RG_SEG);
	if (v->debug.stepping)
		step_end(v);
	if (v->debug.swapped)
		swap_out(v);
	vcpu_dirty(v, RG_RIP | RG_DR);
	v->debug.on = false;
}

/* The step is over where the reset has led. The debugger's breakpoints stay,
 * and those of before the INIT are the guest's no more. */
void debug_init(struct vcpu *v)
{
	if (v->debug.stepping)
		retire_stops(v, BH_CTL_STOP_STEP, 0);
	v->debug.stepping = false;
	if (v->debug.swapped)
		swap_in(v, &v->vm->debug);
}

static void look_again(struct timer *t)
{
	vcpu_post(container_of(t, struct vcpu, debug.timer), VE_IRQ);
}

bool debug_withholds(struct vcpu *v)
{
	vcpu_need(v, RG_RIP);
	if (!(vcpu_regs(v)->rflags & RFLAGS_TF))
		return false;
	v->debug.timer.fn = look_again;
	timer_arm(&v->debug.timer,
		  rdtsc() + ns_to_tsc(WITHHELD_US * NS_PER_US));
	return true;
}

/* --- traps --- */

static bool stops(struct vcpu *v, enum bh_ctl_stop why, u64 address)
{
	retire_stops(v, why, address);
	return true;
}

/* INT1: one that the debugger has planted, or the guest's own */
static bool planted(struct vcpu *v)
{
	const struct vm_debug *d = &v->vm->debug;
	const struct vcpu_regs *r = vcpu_regs(v);
	gpa_t gpa;
	u64 lin;

	vcpu_need(v, RG_RIP | RG_CR | RG_SEG);
	lin = vcpu_hw_long_mode(r) ? r->rip
				   : (u32)(r->rip + r->seg[SEG_CS].base);
	if (gva_find(v, r, GVA(lin), &gpa))
		return false;
	for (u32 i = 0; i < d->planted; i++)
		if (d->soft[i].gpa == gpa.v)
			return stops(v, BH_CTL_STOP_SOFTWARE, lin);
	return false;
}

/* One of the debugger's registers was met: the lowest */
static void met(struct vcpu *v, u64 causes)
{
	u32 n = (u32)__builtin_ctzll(causes);
	bool code = !(v->vm->debug.dr7 >> (16 + 4 * n) & 3);

	stops(v, code ? BH_CTL_STOP_HARDWARE : BH_CTL_STOP_WATCH,
	      v->vm->debug.dr[n]);
}

/* Which causes of a #DB are the debugger's alone; its guest stands for them */
static u64 debuggers(struct vcpu *v, u64 causes)
{
	u64 step = causes & DR6_BS;
	u64 hits = v->debug.swapped ? causes & DR6_BREAKPOINTS : 0;

	if (step && v->debug.stepping)
		stops(v, BH_CTL_STOP_STEP, 0);
	if (hits)
		met(v, hits);
	if (step && (v->debug.stepping ? v->debug.guest_tf : !retire_stray(v)))
		step = 0;
	return step | hits;
}

/* True: nothing of it is the guest's. DR6 keeps what was the guest's before, so
 * its breakpoints are those that are new since the step began. */
static bool trap(struct vcpu *v)
{
	struct vcpu_debug *mine = &v->debug;
	struct vcpu_regs *r = vcpu_regs(v);
	u64 causes, own, guests;

	vcpu_need(v, RG_RIP | RG_DR);
	causes = r->dr[6] & DR6_CAUSES;
	own = debuggers(v, causes);
	guests = causes & ~own;
	if (mine->swapped) {
		r->dr[6] = DR6_FIXED;
		if (guests)
			mine->dr[6] = (mine->dr[6] & ~DR6_BREAKPOINTS) | guests;
	} else if (mine->stepping) {
		guests &= DR6_BREAKPOINTS & ~mine->dr6;
	} else {
		r->dr[6] &= ~own;
		guests = 0;
	}
	vcpu_dirty(v, RG_DR);
	return own && !guests;
}

bool debug_exception(struct vcpu *v, const struct vcpu_exit *e)
{
	bool int1 = e->exception.type == EVENT_PRIV_EXCEPTION;

	/* QUIRK(tcg-7.2): it has no INT1, which is #UD there */
	if (e->exception.vector == EXC_UD || int1)
		return v->debug.on && planted(v);
	return e->exception.vector == EXC_DB && trap(v);
}

/* --- the guest's debug registers, aside --- */

/* MOV to or from DR @n, which is @dr[@n] here */
static enum verdict move(struct vcpu *v, u32 n, u64 *gpr, bool write)
{
	u64 *dr = &v->debug.dr[n];

	if (!write) {
		*gpr = *dr;
		return VERDICT_ADVANCE;
	}
	if (n >= 6 && *gpr >> 32)
		return exit_gp(v);
	*dr = *gpr;
	if (n == 6)
		*dr = (*gpr & DR6_CAUSES) | DR6_FIXED;
	if (n == 7)
		*dr = (*gpr & ~DR7_GD) | DR7_FIXED;
	return VERDICT_ADVANCE;
}

/* SDM 2B *MOV: Move to/from Debug Registers*. Privileges were looked at before
 * the exit. */
enum verdict debug_dr_exit(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u8 bytes[INSN_MAX];
	size_t have = gmem_fetch(v, bytes, sizeof(bytes));
	bool bits64 = insn_mode(r) == INSN_64BIT;
	size_t at = insn_prefix_length(bytes, have, bits64);
	u8 rex = bits64 && at && (bytes[at - 1] & 0xf0) == 0x40 ? bytes[at - 1]
								: 0;
	u32 n, gpr;

	if (at + 3 > have || bytes[at] != 0x0f ||
	    (bytes[at + 1] & 0xfd) != 0x21)
		return VERDICT_RESUME; /* the bytes changed under us */
	n = bytes[at + 2] >> 3 & 7u;
	gpr = (bytes[at + 2] & 7u) | (rex & 1u) << 3;
	if ((rex & 4) || ((n == 4 || n == 5) && (r->cr4 & CR4_DE)))
		return exit_ud(v);
	if (n == 4 || n == 5)
		n += 2;
	v->hw.exit.insn_len = (u8)(at + 3);
	vcpu_need(v, RG_RSP | RG_DR);
	follow_task_switch(v);
	vcpu_dirty(v, RG_RSP);
	return move(v, n, &r->gpr[gpr], bytes[at + 1] == 0x23);
}
