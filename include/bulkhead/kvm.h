/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Bulkhead offers of KVM's paravirtual interface, with its numbers. The
 * meaning of each is in the Linux documentation: virt/kvm/x86/cpuid.rst,
 * msr.rst and hypercalls.rst. All of it is optional for the guest.
 *
 * CPUID 0x40000000: EAX 0x40000001; EBX, ECX, EDX "KVMKVMKVM"
 * CPUID 0x40000001: EAX the features below; EDX 0, so no hint: vCPUs may share
 *	a core (KVM_HINTS_REALTIME is not given)
 *
 * Not offered: asynchronous page faults (all guest memory is mapped at start),
 * poll control (the host does not poll), migration control.
 */
#ifndef BULKHEAD_KVM_H
#define BULKHEAD_KVM_H

#define BH_KVM_CPUID_BASE     0x40000000u
#define BH_KVM_CPUID_FEATURES 0x40000001u

/* EAX of 0x40000001 */
#define BH_KVM_CLOCKSOURCE  (1u << 0) /* MSRs 0x11, 0x12 */
#define BH_KVM_NOP_IO_DELAY (1u << 1) /* port 80h delays are not needed */
#define BH_KVM_CLOCKSOURCE2 (1u << 3) /* MSRs 0x4b564d00, 0x4b564d01 */
#define BH_KVM_STEAL_TIME   (1u << 5) /* MSR 0x4b564d03 */
#define BH_KVM_PV_EOI       (1u << 6) /* MSR 0x4b564d04 */
#define BH_KVM_PV_UNHALT    (1u << 7) /* hypercall KICK_CPU */
/* A vCPU marked preempted in its steal time area takes FLUSH_TLB there */
#define BH_KVM_PV_TLB_FLUSH   (1u << 9)
#define BH_KVM_PV_SEND_IPI    (1u << 11)
#define BH_KVM_PV_SCHED_YIELD (1u << 13)
/* Messages and RTEs have bits 14:8 of the destination in bits 11:5 of the
 * address and 55:49 of the entry */
#define BH_KVM_MSI_EXT_DEST_ID (1u << 15)
/* One clock, the same on all vCPUs, never backwards */
#define BH_KVM_CLOCK_STABLE (1u << 24)

#define BH_KVM_MSR_WALL_CLOCK_OLD  0x11u
#define BH_KVM_MSR_SYSTEM_TIME_OLD 0x12u
#define BH_KVM_MSR_WALL_CLOCK      0x4b564d00u
#define BH_KVM_MSR_SYSTEM_TIME     0x4b564d01u
/* Bit 0 on, 63:6 address of 64 bytes, the rest zero (else #GP) */
#define BH_KVM_MSR_STEAL_TIME 0x4b564d03u
/* Bit 0 on, 63:2 address of 4 bytes, bit 1 zero (else #GP) */
#define BH_KVM_MSR_PV_EOI 0x4b564d04u

/* Hypercalls: number in RAX, arguments in RBX, RCX, RDX and RSI, of which
 * 32-bit code gives the low halves. The result is in RAX. Only CPL 0 may call;
 * others get -BH_KVM_EPERM, and an unknown number is -BH_KVM_ENOSYS. */
enum bh_kvm_hypercall {
	BH_KVM_VAPIC_POLL_IRQ = 1, /* nothing but an exit; returns 0 */
	/* RCX: APIC id of a halted vCPU, which goes on; returns 0 */
	BH_KVM_KICK_CPU = 5,
	/* RBX, RCX: a bit for each APIC id from RDX on, 128 of them, or 64 from
	 * 32-bit code. RSI: an ICR with vector and mode. Returns how many vCPUs
	 * it reached; -BH_KVM_EINVAL unless the mode is fixed or NMI and the
	 * destination field is 0. */
	BH_KVM_SEND_IPI = 10,
	/* RBX: APIC id of a vCPU that should run instead; returns 0 */
	BH_KVM_SCHED_YIELD = 11,
};

#define BH_KVM_EPERM  1
#define BH_KVM_EINVAL 22
#define BH_KVM_ENOSYS 1000

#endif
