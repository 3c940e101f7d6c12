/* SPDX-License-Identifier: BSD-2-Clause */
/* NMIs of the machine: to the log and to the privileged guest */
#ifndef HV_RUN_NMI_H
#define HV_RUN_NMI_H

/* This core took NMIs that nobody of the hypervisor's sent (PCPU_NMI): says
 * why, and gives one to the privileged guest. The core itself, in its run loop.
 */
void nmi_serve(void);

#endif
