/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device of this machine, by Linux's vfio-pci: docs/bhctl.md says
 * what the kernel must have. Needs root. One program at a time.
 */
#ifndef TOOLS_CONTROL_VFIO_H
#define TOOLS_CONTROL_VFIO_H

#include "tools/control/ring.h"

/* Does this system run under Bulkhead, as its privileged guest? By CPUID: no
 * privilege is needed. 0, or -1 with the sentence. */
int bulkhead_check(struct failure *f) __must_check;
/* Finds the function, gives it to vfio-pci and makes it ready; @queues: with
 * vectors for the queues of guests' devices. 0, or -1: @f says what is
 * missing. */
int vfio_open(struct device **d, bool queues, struct failure *f) __must_check;
/* Loads a module by modprobe; true where it ran */
bool module_load(const char *name);

#endif
