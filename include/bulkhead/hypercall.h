/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulkhead's hypercalls: VMCALL on Intel, VMMCALL on AMD. The number is in RAX,
 * arguments are in RBX, RCX, RDX and RSI. The result comes back in RAX, and no
 * other register changes. Any privilege level may call, because none of these
 * touches memory. Part of the public ABI: guests may include this.
 */
#ifndef BULKHEAD_HYPERCALL_H
#define BULKHEAD_HYPERCALL_H

/* Numbers start past those of KVM's interface, which share the instruction */
#define BH_HYPERCALL_BASE 0x42480000ull

enum bh_hypercall {
	BH_HYPERCALL_VERSION, /* returns BH_ABI_VERSION */
	BH_HYPERCALL_YIELD,   /* another vCPU of this core may run; returns 0 */
};
#define BH_HYPERCALL(name) (BH_HYPERCALL_BASE + BH_HYPERCALL_##name)

#define BH_ABI_VERSION 1
/* No such hypercall: -KVM_ENOSYS of KVM's interface */
#define BH_ENOSYS (-1000)

#endif
