/* SPDX-License-Identifier: BSD-2-Clause */
/* Control registers as a guest may set them. Home core, attached. */
#ifndef HV_POLICY_CR_H
#define HV_POLICY_CR_H

#include "hv/core/exit.h"

/* EXIT_CR and EXIT_XSETBV: #GP and #UD as the CPU would (SDM 2 MOV, XSETBV) */
enum verdict exit_cr(struct vcpu *v, const struct vcpu_exit *e);
enum verdict exit_xsetbv(struct vcpu *v, const struct vcpu_exit *e);
/* CR3 as a MOV or a task switch loads it, PDPTEs checked (SDM 3A 4.4.1).
 * -EINVAL: #GP, and nothing has changed. */
int __must_check cr3_load(struct vcpu *v, u64 cr3);
/* LMSW (SDM 2A). -EINVAL: #GP, and nothing has changed. */
int __must_check msw_load(struct vcpu *v, u16 value);

#endif
