/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine-check banks of the privileged guest: registers in memory, as many
 * as all cores have, up to 32. What the hypervisor takes out of a real bank is
 * put there, for the guest's own poll to find. It is sent no #MC and no CMCI
 * for it. Other guests have no bank. SDM 3B 16.3 *Machine-Check MSRs*; APM
 * 2 9.3 *Machine Check Architecture MSRs*.
 *
 * MCG_CAP tells the number of banks, and what the copies need to be read by;
 * not MCG_CTL, nor what more a core has. On AMD these are the banks of old:
 * CPUID tells of no SMCA. A bank keeps what it has over INIT and reset, as a
 * core's does over a warm reset: the next kernel finds what the last one did
 * not read.
 */
#ifndef HV_POLICY_MCA_H
#define HV_POLICY_MCA_H

#include "arch/x86/machine/mce.h"
#include "hv/core/vcpu.h"

/* The vCPU's banks, if its guest has some; once all cores are up. -ENOMEM. */
int __must_check mca_create(struct vcpu *v);
void mca_destroy(struct vcpu *v);
/* The mce_taken_hook: puts the error into the bank of that number of the first
 * vCPU whose home is this core, else of vCPU 0. It is lost to the guest where
 * that does not have the bank, or only a #MC could tell it of the error. Any
 * context, lock-free. */
void mca_put(const struct mce_error *e);

#endif
