/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID policy as a guest sees it (SDM 2A CPUID; APM 3 appendix E) */
#include "tests/guest/lib/guest.h"

#define FEATURE_VMX          (1u << 5) /* 1.ECX */
#define FEATURE_X2APIC       (1u << 21)
#define FEATURE_TSC_DEADLINE (1u << 24)
#define FEATURE_OSXSAVE      (1u << 27)
#define FEATURE_HYPERVISOR   (1u << 31)
#define FEATURE_MONITOR      (1u << 3)
#define FEATURE_SVM          (1u << 2) /* 80000001.ECX */
#define CR4_OSXSAVE          (1ul << 18)

static bool text_is(const u32 r[4], const char *want)
{
	u32 text[3] = { r[1], r[2], r[3] };

	for (u32 i = 0; i < 12; i++)
		if (((char *)text)[i] != want[i])
			return false;
	return true;
}

static void features(void)
{
	u32 r[4];

	section("SDM 2A CPUID");
	cpuid(1, 0, r);
	check(r[2] & FEATURE_HYPERVISOR, "cpuid.hypervisor", "bit clear");
	check(!(r[2] & FEATURE_VMX), "cpuid.vmx_hidden", "VMX offered");
	check(!(r[2] & FEATURE_MONITOR), "cpuid.monitor_hidden", "offered");
	check(r[2] & FEATURE_X2APIC, "cpuid.x2apic", "bit clear");
	check(r[2] & FEATURE_TSC_DEADLINE, "cpuid.tsc_deadline", "bit clear");
	check(r[1] >> 24 == rdmsr(X2APIC_ID), "cpuid.apic_id",
	      "leaf 1 says %u, the APIC %lu", r[1] >> 24, rdmsr(X2APIC_ID));
	check((r[1] >> 16 & 0xff) >= 1, "cpuid.logical_count", "zero");
	cpuid(0x80000001, 0, r);
	check(!(r[2] & FEATURE_SVM), "cpuid.svm_hidden", "SVM offered");
	check(r[3] & 1u << 29, "cpuid.long_mode", "bit clear");
	cpuid(0x8000000a, 0, r);
	check(!(r[0] | r[1] | r[3]), "cpuid.svm_leaf_zero", "eax %x", r[0]);
	cpuid(0xa, 0, r);
	check(!(r[0] & 0xff), "cpuid.perfmon_hidden", "version %u", r[0]);
	cpuid(0x12, 0, r);
	check(!(r[0] | r[1] | r[2] | r[3]), "cpuid.sgx_hidden", "eax %x", r[0]);
}

static void osxsave(void)
{
	u32 r[4];

	section("SDM 2A CPUID");
	cpuid(1, 0, r);
	if (!(r[2] & 1u << 26))
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	cpuid(1, 0, r);
	check(r[2] & FEATURE_OSXSAVE, "cpuid.osxsave_set", "follows CR4 not");
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	cpuid(1, 0, r);
	check(!(r[2] & FEATURE_OSXSAVE), "cpuid.osxsave_clear", "still set");
}

static void hypervisor_leaves(void)
{
	u32 r[4];

	section("KVM x86/cpuid.rst");
	cpuid(0x40000000, 0, r);
	check(text_is(r, "KVMKVMKVM\0\0\0"), "cpuid.kvm_signature", "%x %x %x",
	      r[1], r[2], r[3]);
	cpuid(0x40000001, 0, r);
	check(r[0] & 1u << 3, "cpuid.kvmclock", "features %x", r[0]);
	check(r[0] & 1u << 24, "cpuid.kvmclock_stable", "features %x", r[0]);
	cpuid(0x40000100, 0, r);
	check(r[0] >= 0x40000100 && r[0] < 0x40000200, "cpuid.own_leaves",
	      "eax %x", r[0]);
}

static void limits(void)
{
	u32 r[4], top[4];

	section("SDM 2A CPUID");
	cpuid(0, 0, top);
	cpuid(top[0] + 0x100, 0, r);
	check(true, "cpuid.beyond_top_survives", "");
	cpuid(0x80000000, 0, r);
	check(r[0] >= 0x80000008, "cpuid.extended_top", "%x", r[0]);
	cpuid(0x80000008, 0, r);
	check((r[0] & 0xff) >= 32 && (r[0] & 0xff) <= 52, "cpuid.phys_bits",
	      "%u", r[0] & 0xff);
	cpuid(0x20000000, 0, r);
	check(true, "cpuid.unknown_range_survives", "");
}

static void topology(void)
{
	u32 r[4];

	section("SDM 3A 9.9");
	cpuid(0xb, 0, r);
	check(r[3] == rdmsr(X2APIC_ID), "cpuid.topology_id", "leaf 0Bh says %u",
	      r[3]);
	cpuid(0xb, 1, r);
	check((r[1] & 0xffff) == 1, "cpuid.topology_count",
	      "%u logical processors for one vCPU", r[1] & 0xffff);
}

void guest_main(void)
{
	apic_enable();
	features();
	osxsave();
	hypervisor_leaves();
	limits();
	topology();
}
