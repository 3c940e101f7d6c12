/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the end of the privileged guest means: it starts again, alone, or the
 * machine ends with it (docs/lifecycle.md has the rule). A failure starts it
 * again: a panic, a triple fault, its watchdog. So does a reset that was not
 * announced, once somebody in that guest has said that he will announce each.
 */
#ifndef HV_VM_PRIVILEGED_H
#define HV_VM_PRIVILEGED_H

#include "hv/core/vm.h"

#define PRIVILEGED_RESTARTS 3u /* in PRIVILEGED_PERIOD_S, at most */
#define PRIVILEGED_PERIOD_S 600u

/* What a program of that guest says of the ends to come; the last one counts,
 * until the guest's next life */
enum privileged_word {
	PRIVILEGED_SILENT, /* nobody has said anything */
	/* Each reset will be announced; or one that was will not come */
	PRIVILEGED_TELLS,
	PRIVILEGED_ANNOUNCED, /* what comes now is meant to end the machine */
};

/* Any core, no lock */
void privileged_say(enum privileged_word word);
/* @vm, whose vCPUs are parked, has ended as vm->end says: true, if it is to
 * start again. Counts it, and logs what comes. One core, once for each end. */
bool __must_check privileged_starts_again(struct vm *vm);
/* It does not start again: does the machine end, and how? False: it goes on
 * with the other guests. */
bool __must_check privileged_ends_machine(enum vm_end how, bool *reset);

#endif
