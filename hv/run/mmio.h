/* SPDX-License-Identifier: BSD-2-Clause */
/* EXIT_MMIO: an address that the guest's EPT/NPT does not map */
#ifndef HV_RUN_MMIO_H
#define HV_RUN_MMIO_H

#include "hv/core/exit.h"

/* Map the device that is there, emulate the access, or find nothing there. Home
 * core, attached. */
enum verdict exit_mmio(struct vcpu *v, const struct vcpu_exit *e);
/* The same where exits are counted: it is noted (hv/core/last_exit.h), unless
 * the short way to the LAPIC page does it */
enum verdict exit_mmio_noting(struct vcpu *v, const struct vcpu_exit *e);

#endif
