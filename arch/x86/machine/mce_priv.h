/* SPDX-License-Identifier: BSD-2-Clause */
/* A core's own machine-check banks, for mce.c and mce_poll.c */
#ifndef ARCH_X86_MACHINE_MCE_PRIV_H
#define ARCH_X86_MACHINE_MCE_PRIV_H

#include "arch/x86/machine/mce.h"

/* In the order of the MSRs of a bank; those from MC_CONFIG on are SMCA's */
enum mce_reg {
	MC_CTL,
	MC_STATUS,
	MC_ADDR,
	MC_MISC,
	MC_CONFIG,
	MC_IPID,
	MC_SYND,
	MC_DESTAT = 8,
	MC_DEADDR,
};

/* Banks of this core; at most 64 */
u32 mce_banks(void);
/* 0 where the core has no such register */
u64 mce_read(u32 bank, enum mce_reg reg);
void mce_clear(u32 bank, enum mce_reg reg);
/* Was a #MC sent for an error of this status, which leaves it to its handler?
 */
bool mce_sends_mc(u64 status);
void mce_log(u32 bank, u64 status, u64 addr);
/* Logs and clears what is in the bank */
void mce_take(u32 bank, u64 status);

#endif
