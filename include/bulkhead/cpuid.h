/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulkhead's own CPUID leaves, beside KVM's at 0x40000000 (kvm.h). Part of the
 * public ABI: guests may include this.
 *
 * 0x40000100: EAX the last of these leaves; EBX, ECX, EDX "BulkheadHype"
 * 0x40000101: EAX ABI version (include/bulkhead/hypercall.h), EBX flags below,
 *	       ECX TSC frequency in kHz, EDX number of vCPUs
 * 0x40000102: of the privileged guest: EAX the console port, EBX the version of
 *	       its protocol (include/bulkhead/console_port.h); else zero
 */
#ifndef BULKHEAD_CPUID_H
#define BULKHEAD_CPUID_H

#define BH_CPUID_BASE    0x40000100u
#define BH_CPUID_INFO    0x40000101u
#define BH_CPUID_CONSOLE 0x40000102u

#define BH_CPUID_SIGNATURE_EBX 0x6b6c7542u /* "Bulk" */
#define BH_CPUID_SIGNATURE_ECX 0x64616568u /* "head" */
#define BH_CPUID_SIGNATURE_EDX 0x65707948u /* "Hype" */

/* EBX of 0x40000101 */
#define BH_CPUID_PRIVILEGED (1u << 0) /* owns the machine's devices */

#endif
