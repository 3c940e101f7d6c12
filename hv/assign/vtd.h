/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual IOMMU (VT-d 4.1) of the privileged guest, for one virtual function
 * alone: with it, a stock Linux gives that function to a program by vfio-pci.
 * The machine's own devices are outside of it. Its registers are a page of the
 * hypervisor's RAM, which no guest has, so that they collide with nothing.
 *
 * Each access of the device is looked up in the guest's tables: nothing is
 * cached, and an invalidation has nothing to do. Faults are not recorded.
 */
#ifndef HV_ASSIGN_VTD_H
#define HV_ASSIGN_VTD_H

#include "hv/core/vm.h"

struct vtd;

/* Makes the unit whose scope is function @devfn of bus 0, and sets vm->remap,
 * for the guest's ACPI tables. While the VM is built, once it has its buses;
 * one a VM. -ENOMEM, -ENOSPC. */
int __must_check vtd_create(struct vm *vm, u8 devfn, struct vtd **out);
void vtd_destroy(struct vtd *u);
/* As at power on: translation is off. No vCPU of the VM runs. */
void vtd_reset(struct vtd *u);
/*
 * The device reads or writes @len bytes at @iova. -EFAULT: they are not mapped
 * so, or no RAM; some of it may have been copied. Any core; no lock of the
 * unit's is held meanwhile.
 */
int __must_check vtd_dma_read(struct vtd *u, u64 iova, void *buf, size_t len);
int __must_check vtd_dma_write(struct vtd *u, u64 iova, const void *buf,
			       size_t len);

#endif
