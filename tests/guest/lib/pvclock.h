/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's paravirtual clock as a guest reads it (Linux virt/kvm/x86/msr.rst,
 * MSR_KVM_SYSTEM_TIME_NEW). The tests have a layout of their own. */
#ifndef TESTS_GUEST_LIB_PVCLOCK_H
#define TESTS_GUEST_LIB_PVCLOCK_H

#include "tests/guest/lib/guest.h"

struct pvclock {
	u32 version, pad;
	u64 tsc, system;
	u32 mul;
	s8 shift;
	u8 flags, pad2[2];
};

/* What it says at @tsc, of one version: nanoseconds */
static inline u64 pvclock_ns_at(const volatile struct pvclock *c, u64 tsc)
{
	u64 delta = tsc - c->tsc;

	delta = c->shift < 0 ? delta >> -c->shift : delta << c->shift;
	return c->system + (u64)((unsigned __int128)delta * c->mul >> 32);
}

#endif
