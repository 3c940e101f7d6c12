/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a virtual machine */
#ifndef HV_VM_CREATE_H
#define HV_VM_CREATE_H

#include "hv/core/vm.h"

/*
 * Build a guest from its manifest entry: memory, EPT/NPT, buses, vCPUs,
 * devices. Boot CPU, one at a time, before vm_start(); @config stays in use.
 * -ENOMEM, -ENOSPC or what a part of it said: one sentence is logged and
 * nothing is left behind.
 */
int __must_check vm_create(const struct guest_config *config, struct vm **vm);

#endif
