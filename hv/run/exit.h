/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit table: a handler by exit kind. An empty slot does not exist, and the
 * back-ends' tables have no other kind; EXIT_UNKNOWN ends the guest, never the
 * machine.
 */
#ifndef HV_RUN_EXIT_H
#define HV_RUN_EXIT_H

#include "hv/core/exit.h"

typedef enum verdict exit_handler(struct vcpu *v, const struct vcpu_exit *e);

struct exit_row {
	exit_handler *handler;
	/* The same where exits are counted. That of a rarer sort notes the exit
	 * (hv/core/last_exit.h) before it is handled; that of a hot one is
	 * @handler itself. */
	exit_handler *noting;
	/* An instruction caused it: its length is found before the handler runs
	 * (an emulator of EXIT_MMIO sets v->hw.exit.insn_len itself instead) */
	bool insn;
} __aligned(32);
static_assert(sizeof(struct exit_row) == 32, "an index is a shift");
extern const struct exit_row exit_table[EXIT_KINDS]; /* no slot is empty */

/* No row for it: the end of the guest */
enum verdict exit_unknown(struct vcpu *v, const struct vcpu_exit *e);

/* The one way a guest ends that cannot go on: why, then its registers, in the
 * log; its vCPUs stop. Home core, attached. */
void exit_end_guest(struct vcpu *v, const char *reason);
/* The CPU has shut down (SDM 3A 6.15, interrupt 8). A board resets then, and
 * the privileged guest's is the machine; an isolated guest ends, so that its
 * registers can be read. Home core, attached. */
void exit_shutdown(struct vcpu *v);
/* A port that some device may have. Not static: the handler of the others then
 * needs no frame. */
enum verdict exit_port_claimed(struct vcpu *v, const struct vcpu_exit *e);
/* Rare parts of exit_dispatch(), kept out of its inlined path: an event to
 * deliver again, an exit that is counted and ended in an exception (@noted: it
 * is noted already), and the verdicts from BLOCK on */
void exit_vectoring(struct vcpu *v);
void exit_injects(struct vcpu *v, bool noted);
void exit_give_way(struct vcpu *v, enum verdict verdict);

#endif
