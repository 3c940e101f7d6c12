/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest stands still: none of its vCPUs runs, and what comes for them waits.
 * Its end, by vm_end(), comes before all.
 *
 * Its clocks stand, too, unless it has clock = run: TSC, paravirtual clock,
 * LAPIC timer, PIT, HPET and PM timer. The RTC, which is the wall's, goes on.
 */
#ifndef HV_VM_PAUSE_H
#define HV_VM_PAUSE_H

#include "hv/core/vcpu.h"

/* @vm, whose code runs, is to stand; debug_stood(), dynamic_paused() or
 * still_stood() is called when it does.
 * If it ends before that, it is not. Any core, with vm->lock. */
void pause_begin(struct vm *vm);
/* It goes on. Any core, with vm->lock; all its vCPUs stand. Before they have
 * heard of it, it may be to stand again. */
void pause_end(struct vm *vm);
/* It has ended: the pause has, too. All its vCPUs are parked; vm->lock. */
void pause_forget(struct vm *vm);
/* Home core: @v has taken VE_PAUSE */
void pause_take(struct vcpu *v);
/* Home core: @v, which is paused, waits for VE_PAUSE or VE_STOP, whatever other
 * events it has */
void pause_wait(struct vcpu *v);

#endif
