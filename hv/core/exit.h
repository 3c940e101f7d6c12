/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit table: { name, handler } by exit kind; the dispatcher alone moves
 * RIP. An empty slot or an unknown kind kills the guest, never the machine. */
#ifndef HV_CORE_EXIT_H
#define HV_CORE_EXIT_H

#include "hv/core/vcpu.h"

enum verdict {
	VERDICT_RESUME,  /* enter again at the same RIP */
	VERDICT_ADVANCE, /* the instruction is done: step over it */
	VERDICT_INJECT,  /* a fault was queued by the handler; RIP stays */
	VERDICT_BLOCK,   /* done, step over it, then wait for an event */
	VERDICT_YIELD,   /* done, step over it, let another run */
	VERDICT_KILL,    /* the guest cannot go on; reason logged */
};

struct exit_row {
	enum verdict (*handler)(struct vcpu *v, const struct vcpu_exit *e);
	char name[23];
	/* An instruction caused it: its length is found before the handler runs
	 * (an emulator of EXIT_MMIO sets v->hw.exit.insn_len itself instead) */
	bool insn;
};
static_assert(sizeof(struct exit_row) == 32, "an index is a shift");
extern const struct exit_row exit_table[EXIT_KINDS]; /* no slot is empty */

/* Handlers that live in files of their own: hv/policy/cr.c, hv/run/fault.c */
enum verdict exit_cr(struct vcpu *v, const struct vcpu_exit *e);
enum verdict exit_xsetbv(struct vcpu *v, const struct vcpu_exit *e);
enum verdict exit_mmio(struct vcpu *v, const struct vcpu_exit *e);
/* hv/emulate/task_switch.c */
enum verdict exit_task_switch(struct vcpu *v, const struct vcpu_exit *e);
/* hv/policy/cr.c: CR3 as a MOV or a task switch loads it, PDPTEs checked (SDM
 * 3A 4.4.1); -EINVAL: #GP, and nothing has changed */
int __must_check exit_load_cr3(struct vcpu *v, u64 cr3);

/* LMSW (SDM 2A); -EINVAL: #GP, and nothing has changed */
int __must_check exit_load_msw(struct vcpu *v, u16 value);

/* A fault was queued: #GP(0), #UD */
enum verdict exit_gp(struct vcpu *v);
enum verdict exit_ud(struct vcpu *v);
/* Log why, with the guest's registers; the dispatcher ends the guest */
enum verdict exit_kill(struct vcpu *v, const char *reason);

/* No row for it: the end of the guest */
enum verdict exit_unknown(struct vcpu *v, const struct vcpu_exit *e);
/* What exit_dispatch() has out of line: an event to deliver again, BLOCK and
 * YIELD, and the end of an instruction that is more than a step */
void exit_vectoring(struct vcpu *v);
void exit_give_way(struct vcpu *v, enum verdict verdict);
void exit_wrap_rip(struct vcpu *v);
/* Queue a #DB that is a trap; @causes as in DR6, whose B0-3 are this one's and
 * whose other bits stay (SDM 3B 18.2.3) */
void exit_debug_trap(struct vcpu *v, u64 causes);
void exit_finish_insn(struct vcpu *v);

#endif
