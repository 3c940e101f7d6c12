/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID policy as a guest sees it (SDM 2A CPUID; APM 3 appendix E) */
#include "include/bulkhead/cpuid.h"
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
	      "leaf 1 says %u, the APIC %llu", r[1] >> 24, rdmsr(X2APIC_ID));
	check((r[1] >> 16 & 0xff) >= 1, "cpuid.logical_count", "zero");
	cpuid(0x80000001, 0, r);
	check(!(r[2] & FEATURE_SVM), "cpuid.svm_hidden", "SVM offered");
	check(r[3] & 1u << 29, "cpuid.long_mode", "bit clear");
	cpuid_if_any(0x8000000a, 0, r);
	check(!(r[0] | r[1] | r[3]), "cpuid.svm_leaf_zero", "eax %x", r[0]);
	cpuid(0xa, 0, r);
	check(!(r[0] & 0xff), "cpuid.perfmon_hidden", "version %u", r[0]);
	cpuid_if_any(0x12, 0, r);
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
	cpuid(BH_CPUID_CONSOLE, 0, r);
	check(!(r[0] | r[1] | r[2] | r[3]), "cpuid.no_console_port", "%x %x",
	      r[0], r[1]);
}

static bool answers_as_the_last(u32 leaf, u32 sub)
{
	u32 want[4] = { 0 }, r[4];

	if (cpu_is_intel()) {
		cpuid(0, 0, r);
		cpuid(r[0], sub, want);
	}
	cpuid(leaf, sub, r);
	for (u32 i = 0; i < ARRAY_SIZE(r); i++)
		if (r[i] != want[i])
			return false;
	return true;
}

/* Beyond the last leaf of a kind, or of no kind, Intel's CPUs answer with the
 * last basic leaf and its subleaves, AMD's with zeros (APM 3 E.2) */
static void beyond_the_last(void)
{
	static const u32 bases[] = { 0, 0x40000000, 0x40000100, 0x80000000 };
	static const u32 none[] = { 0x20000000, 0xc0000000, ~0u };
	u32 r[4], other = 0;

	section("SDM 2A CPUID");
	for (u32 sub = 0; sub < 4; sub++) {
		for (u32 i = 0; i < ARRAY_SIZE(bases); i++) {
			cpuid(bases[i], 0, r);
			other += !answers_as_the_last(r[0] + 1, sub);
			other += !answers_as_the_last(bases[i] + 0x3f, sub);
			other += !answers_as_the_last(bases[i] + 0x40, sub);
		}
		for (u32 i = 0; i < ARRAY_SIZE(none); i++)
			other += !answers_as_the_last(none[i], sub);
	}
	check(!other, "cpuid.beyond_the_last", "%u leaves do not", other);
}

static void limits(void)
{
	u32 r[4];

	section("SDM 2A CPUID");
	cpuid(0x80000000, 0, r);
	check(r[0] >= 0x80000008, "cpuid.extended_top", "%x", r[0]);
	cpuid(0x80000008, 0, r);
	check((r[0] & 0xff) >= 32 && (r[0] & 0xff) <= 52, "cpuid.phys_bits",
	      "%u", r[0] & 0xff);
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

/* Leaf 0Dh: what XCR0 has on, and what it could (SDM 1 13.2) */
static void xsave(void)
{
	u32 d0[4], d2[4], r[4];
	u64 cr4 = read_cr4();

	cpuid(1, 0, r);
	if (!(r[2] & 1u << 26))
		return;
	section("SDM 1 13.2");
	cpuid(0xd, 0, d0);
	check((d0[0] & 3) == 3, "cpuid.xsave_x87_sse", "%x", d0[0]);
	check(d0[2] >= 576 && d0[1] <= d0[2], "cpuid.xsave_sizes", "%u of %u",
	      d0[1], d0[2]);
	write_cr4(cr4 | CR4_OSXSAVE);
	__asm__ volatile("xsetbv" ::"c"(0), "a"(3), "d"(0));
	cpuid(0xd, 0, r);
	check(r[1] == 576, "cpuid.xsave_size_sse", "%u", r[1]);
	if (d0[0] & 4) {
		cpuid(0xd, 2, d2);
		__asm__ volatile("xsetbv" ::"c"(0), "a"(7), "d"(0));
		cpuid(0xd, 0, r);
		check(r[1] == d2[0] + d2[1], "cpuid.xsave_size_avx",
		      "%u, component at %u of %u", r[1], d2[1], d2[0]);
	}
	__asm__ volatile("xsetbv" ::"c"(0), "a"(1), "d"(0));
	cpuid(0xd, 62, r);
	check(!(r[0] | r[1] | r[2] | r[3]), "cpuid.xsave_no_component", "%x",
	      r[0]);
	write_cr4(cr4);
}

static void write_cr4_bit(void *arg)
{
	write_cr4((u64)arg);
}

static void do_xsetbv(void *arg)
{
	u64 v = (u64)arg;

	__asm__ volatile("xsetbv" ::"c"((u32)(v >> 32)), "a"((u32)v), "d"(0));
}

/* SDM 2C XSETBV; the intercept of XSETBV is not in QEMU's TCG, which lacks some
 * of the checks */
static void xcr0(void)
{
	u64 cr4 = read_cr4();
	u32 r[4];

	cpuid(1, 0, r);
	if (!(r[2] & 1u << 26))
		return;
	section("SDM 2D XSETBV");
	check(guest_try(do_xsetbv, (void *)1) == 6, "cpuid.xsetbv_ud",
	      "OSXSAVE is clear");
	write_cr4(cr4 | CR4_OSXSAVE);
	check(guest_try(do_xsetbv, (void *)2) == 13, "cpuid.xcr0_x87_gp",
	      "x87 could be cleared");
	check(guest_try(do_xsetbv, (void *)5) == 13, "cpuid.xcr0_avx_sse_gp",
	      "AVX without SSE");
	check(guest_try(do_xsetbv, (void *)(1ul << 32 | 1)) == 13,
	      "cpuid.xcr1_gp", "no #GP");
	check(guest_try(do_xsetbv, (void *)0x80000001) == 13,
	      "cpuid.xcr0_reserved_gp", "no #GP");
	write_cr4(cr4);
}

/* A feature that is not offered cannot be switched on, one that is can */
static void cr4_gates(void)
{
	static const struct {
		const char *name;
		u32 leaf, reg, bit, cr4;
	} gates[] = {
		{ "cpuid.gate_umip", 7, 2, 2, 11 },
		{ "cpuid.gate_la57", 7, 2, 16, 12 },
		{ "cpuid.gate_fsgsbase", 7, 1, 0, 16 },
		{ "cpuid.gate_pcid", 1, 2, 17, 17 },
		{ "cpuid.gate_smep", 7, 1, 7, 20 },
		{ "cpuid.gate_smap", 7, 1, 20, 21 },
		{ "cpuid.gate_pke", 7, 2, 3, 22 },
		{ "cpuid.gate_cet", 7, 2, 7, 23 },
		{ "cpuid.gate_pks", 7, 2, 31, 24 },
	};
	u64 cr4 = read_cr4();
	u32 r[4];

	section("SDM 3A 2.5");
	for (u32 i = 0; i < ARRAY_SIZE(gates); i++) {
		bool offered;
		u8 v;

		cpuid(gates[i].leaf, 0, r);
		offered = r[gates[i].reg] >> gates[i].bit & 1;
		v = guest_try(write_cr4_bit,
			      (void *)(cr4 | 1ul << gates[i].cr4));
		check(v == (offered ? NO_TRAP : 13), gates[i].name,
		      "offered %u, vector %u", offered, v);
		write_cr4(cr4);
	}
}

static void more_topology(void)
{
	u32 r[4], a[4];

	section("SDM 2A CPUID leaf 04H");
	cpuid(1, 0, r);
	check((r[1] >> 16 & 0xff) == 1 && !(r[3] & 1u << 28),
	      "cpuid.one_processor_no_htt", "%x %x", r[1], r[3]);
	cpuid(4, 0, a);
	check(!(a[0] & 0x1f) || a[0] >> 26 == 0, "cpuid.cache_one_core", "%x",
	      a[0]);
	check(!(a[0] & 0x1f) || (a[0] >> 14 & 0xfff) == 0,
	      "cpuid.cache_not_shared", "%x", a[0]);
	section("SDM 2A CPUID leaf 0BH");
	cpuid(0xb, 0, r);
	check((r[2] >> 8 & 0xff) == 1 && (r[1] & 0xffff) == 1,
	      "cpuid.smt_level", "%x %x", r[1], r[2]);
	cpuid(0xb, 1, r);
	check((r[2] & 0xff) == 1 && (r[2] >> 8 & 0xff) == 2, "cpuid.core_level",
	      "%x", r[2]);
	cpuid(0xb, 2, r);
	check(!(r[2] >> 8 & 0xff) && !(r[1] & 0xffff), "cpuid.levels_end", "%x",
	      r[2]);
	cpuid(0xb, 0x107, r);
	check(!r[0] && !r[1] && r[2] == 7 && r[3] == rdmsr(X2APIC_ID),
	      "cpuid.no_such_level", "%x %x %x %x", r[0], r[1], r[2], r[3]);
	section("SDM 2A CPUID leaf 1FH");
	cpuid(0x1f, 0, r);
	cpuid(0, 0, a);
	check(a[0] < 0x1f || r[1] == 1, "cpuid.leaf_1f", "%x", r[1]);
}

/* Bits whose MSRs and instructions are not there */
static void hidden_features(void)
{
	u32 r[4];

	section("SDM 2A CPUID");
	cpuid(6, 0, r);
	check(!(r[2] & 1), "cpuid.aperf_hidden", "%x", r[2]);
	check(r[0] & 4, "cpuid.arat", "%x", r[0]);
	cpuid(1, 0, r);
	check(!(r[2] & 1u << 7) && !(r[2] & 1u << 15) && !(r[2] & 1u << 6),
	      "cpuid.est_pdcm_smx_hidden", "%x", r[2]);
	check(!(r[3] & 1u << 22) && !(r[3] & 1u << 29) && !(r[3] & 1u << 21),
	      "cpuid.thermal_ds_hidden", "%x", r[3]);
	cpuid(0xd, 1, r);
	check(!(r[0] & 8), "cpuid.xsaves_hidden", "%x", r[0]);
	cpuid(0x80000007, 0, r);
	check(r[3] & 1u << 8, "cpuid.invariant_tsc", "%x", r[3]);
	cpuid(0x80000001, 0, r);
	check(!(r[2] & (1u << 10 | 1u << 12 | 1u << 15)),
	      "cpuid.ibs_skinit_lwp_hidden", "%x", r[2]);
}

void guest_main(void)
{
	apic_enable();
	features();
	osxsave();
	hypervisor_leaves();
	limits();
	beyond_the_last();
	topology();
	more_topology();
	hidden_features();
	xcr0();
	xsave();
	cr4_gates();
}
