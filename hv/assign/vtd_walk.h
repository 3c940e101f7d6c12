/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of a virtual IOMMU (vtd.h), walked for one access of its device.
 * They are the guest's and may hold anything. Pure: no state, no lock.
 */
#ifndef HV_ASSIGN_VTD_WALK_H
#define HV_ASSIGN_VTD_WALK_H

#include "lib/types.h"

struct vtd_tables {
	u64 root;      /* the root table pointer as the guest wrote it */
	u8 bus, devfn; /* of the device */
	u8 width;      /* of guest-physical addresses, in bits */
	/* Read 8 aligned bytes of guest memory; false: there is none */
	bool (*read)(void *arg, u64 gpa, u64 *value);
	void *arg;
};

/* The guest-physical address of @iova, for a write or else a read; *@left bytes
 * follow each other from there. -EFAULT: the tables do not permit it, or make
 * no sense (VT-d 4.1, 3.4 and 3.7). */
int __must_check vtd_walk(const struct vtd_tables *t, u64 iova, bool write,
			  u64 *gpa, u64 *left);

#endif
