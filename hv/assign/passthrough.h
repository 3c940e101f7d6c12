/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest's PCI: real functions, with the interrupt parts held
 * back. Config accesses come through CF8/CFC and ECAM (both trapped) and pass
 * to the device, except MSI address/data and MSI-X tables, which are virtual:
 * the guest's values say which vLAPIC vector it wants, the hardware gets a host
 * vector from irq_route.
 */
#ifndef HV_ASSIGN_PASSTHROUGH_H
#define HV_ASSIGN_PASSTHROUGH_H

#include "hv/core/vm.h"

int __must_check passthrough_create(struct vm *vm);
void passthrough_destroy(struct vm *vm);

#endif
