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

/* Whose errors that send no #MC are the firmware's, a bit each; constant once
 * cores poll */
extern u64 mce_firmware_banks;

/* Banks of this core; at most 64 */
u32 mce_banks(void);
/* 0 where the core has no such register */
u64 mce_read(u32 bank, enum mce_reg reg);
void mce_clear(u32 bank, enum mce_reg reg);
/* Is an error of this status one that a #MC is sent for? Its handler takes it.
 * Others are the poll's. */
bool mce_sends_mc(u64 status);
/* The error in the bank, of which @status was read */
struct mce_error mce_read_error(u32 bank, u64 status);
/* Clears @reg of the bank, which has the error, and logs that if @told */
void mce_take(const struct mce_error *e, enum mce_reg reg, bool told);

#endif
