/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints on data and ports (SDM 3B 18.3.1.2; APM 2 13.1.1). The CPU meets
 * those of the instructions it executes. Here are those of the accesses that
 * the hypervisor makes for the guest. Home core, attached; no lock.
 */
#ifndef HV_CORE_BREAKPOINT_H
#define HV_CORE_BREAKPOINT_H

#include "hv/core/exit.h"

/* EXIT_DR: the guest is about to write a debug register. From here on it may
 * have breakpoints: regs.breakpoints */
enum verdict breakpoint_exit(struct vcpu *v, const struct vcpu_exit *e);

/* With regs.breakpoints set: the causes, as in DR6, that the instruction of
 * v->hw.exit has met by its port. Clears it when DR7 holds none any more. */
u64 breakpoint_port(struct vcpu *v);
/* With regs.breakpoints set: an access (enum access) to linear addresses; what
 * it meets becomes pending_debug */
void breakpoint_data(struct vcpu *v, u64 lin, u32 size, u8 access);

#endif
