/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dispatcher: counts and notes the exit if that is wanted, runs the handler
 * of its row (exit.c), and alone moves RIP. Inline, because every exit of every
 * guest goes this way; the caller is the run loop (loop.c), with interrupts off
 * and no lock.
 */
#ifndef HV_RUN_DISPATCH_H
#define HV_RUN_DISPATCH_H

#include "hv/core/last_exit.h"
#include "hv/core/meter.h"
#include "hv/core/retire.h"
#include "hv/emulate/emulate.h"
#include "hv/run/exit.h"
#include "include/hw/cpu.h"

/* Step over an instruction of v->hw.exit.insn_len bytes, at most 15 */
static inline void exit_advance(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u16 len = v->hw.exit.insn_len;

	r->rip += len;
	r->dirty |= RG_IP;
	/* Past a multiple of 64 KiB: it may have to wrap */
	if (unlikely((u16)r->rip < len))
		retire_wrap_rip(v);
	if (unlikely(r->after & (AFTER_SHADOW | AFTER_BREAKPOINTS)) ||
	    unlikely(r->rflags & (RFLAGS_TF | RFLAGS_RF)))
		retire_insn(v);
}

/* Handle v->hw.exit: home core, attached, before anything of the guest's state
 * was read again. Afterwards the guest can be entered, waits, or has ended.
 * @form, a constant: METER_BARE has nothing of what is counted or noted. */
static inline __attribute__((always_inline)) void
exit_dispatch(struct vcpu *v, enum meter_form form)
{
	bool counted = form != METER_BARE, noted = form == METER_WATCHED;
	struct vcpu_exit *e = &v->hw.exit;
	const struct exit_row *row;
	enum verdict verdict;

	row = &exit_table[e->kind];
	if (counted) {
		v->exits[e->kind]++;
		last_exit_kind(v, e->kind);
	}
	if (noted)
		last_exit_note(v);
	if (!e->insn_len) {
		if (unlikely(e->vectoring.type != EVENT_NONE))
			exit_vectoring(v);
		if (row->insn)
			e->insn_len = insn_exit_length(v, e->kind);
		if (row->insn && unlikely(!e->insn_len))
			return; /* the bytes changed under us */
	}
	verdict = counted && !noted ? row->noting(v, e) : row->handler(v, e);
	if (likely(verdict == VERDICT_ADVANCE))
		exit_advance(v);
	else if (verdict >= VERDICT_BLOCK)
		exit_give_way(v, verdict);
	else if (counted && unlikely(verdict == VERDICT_INJECT))
		exit_injects(v, noted);
}

#endif
