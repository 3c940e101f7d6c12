/* SPDX-License-Identifier: BSD-2-Clause */
/* MSR policy: default #GP, what is there behaves (SDM 4; APM 2 appendix A) */
#include "tests/guest/lib/guest.h"

static const struct {
	const char *name;
	u32 msr;
} hidden[] = {
	{ "msr.hidden_1", 0x1 },
	{ "msr.hidden_feature_control", 0x3a },
	{ "msr.hidden_vmx_basic", 0x480 },
	{ "msr.hidden_pmc0", 0xc1 },
	{ "msr.hidden_smm", 0x9e },
	{ "msr.hidden_evtsel0", 0x186 },
	{ "msr.hidden_perf_global", 0x38f },
	{ "msr.hidden_aperf", 0xe8 },
	{ "msr.hidden_xss", 0xda0 },
	{ "msr.hidden_ept_vpid", 0x48c },
	{ "msr.hidden_power_limit", 0x610 },
	{ "msr.hidden_hsave", 0xc0010117 },
	{ "msr.hidden_x", 0xdeadbeef },
	{ "msr.hidden_high", 0xffffffff },
	{ "msr.hidden_x2apic_hole", 0x80e },
};

static void hidden_ones(void)
{
	u64 v;

	section("SDM 4 2.1");
	for (u32 i = 0; i < ARRAY_SIZE(hidden); i++) {
		u8 rd = try_rdmsr(hidden[i].msr, &v);
		u8 wr = try_wrmsr(hidden[i].msr, 0);

		check(rd == 13 && wr == 13 && trap_error == 0, hidden[i].name,
		      "read trap %u, write trap %u", rd, wr);
	}
}

static const struct {
	const char *name;
	u32 msr;
	u64 value;
} kept[] = {
	{ "msr.star", 0xc0000081, 0x0023001000000000 },
	{ "msr.lstar", 0xc0000082, 0xffff800000001000 },
	{ "msr.cstar", 0xc0000083, 0xffff800000002000 },
	{ "msr.sfmask", 0xc0000084, 0x47700 },
	{ "msr.kernel_gs_base", 0xc0000102, 0xffff888000000000 },
	{ "msr.fs_base", 0xc0000100, 0x12345000 },
	{ "msr.gs_base", 0xc0000101, 0x7fff12345000 },
	{ "msr.sysenter_cs", 0x174, 0x10 },
	{ "msr.sysenter_esp", 0x175, 0xffff800000003000 },
	{ "msr.sysenter_eip", 0x176, 0xffff800000004000 },
	{ "msr.pat", 0x277, 0x0007040600070406 },
};

static void kept_ones(void)
{
	section("SDM 4 2.1");
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++) {
		u64 old, now = 0;
		u8 trap = try_rdmsr(kept[i].msr, &old);

		trap = trap == NO_TRAP ? try_wrmsr(kept[i].msr, kept[i].value)
				       : trap;
		if (trap == NO_TRAP)
			trap = try_rdmsr(kept[i].msr, &now);
		check(trap == NO_TRAP && now == kept[i].value, kept[i].name,
		      "trap %u, value %llx", trap, now);
		if (trap == NO_TRAP)
			wrmsr(kept[i].msr, old);
	}
}

static void bad_values(void)
{
	u64 efer = rdmsr(0xc0000080);

	section("SDM 2B WRMSR");
	/* The guest's own WRMSR, no exit: QEMU's TCG lacks the check */
	if (cpu_is_intel())
		check(try_wrmsr(0xc0000082, 0x8000000000000000) == 13,
		      "msr.lstar_noncanonical", "no #GP");
	check(try_wrmsr(0x277, 0x0202020202020202) == 13,
	      "msr.pat_reserved_type", "no #GP");
	check(try_wrmsr(0xc0000080, efer | 1ull << 12) == 13,
	      "msr.efer_svme_refused", "SVME could be set");
	check(!(rdmsr(0xc0000080) & 1ull << 12), "msr.efer_svme_hidden",
	      "EFER %llx", rdmsr(0xc0000080));
	check(try_wrmsr(0xc0000080, efer & ~0x100ull) == 13,
	      "msr.efer_lme_while_paging", "no #GP");
	check(try_wrmsr(0xc0000080, efer | 1ull << 63) == 13,
	      "msr.efer_reserved", "no #GP");
	check(rdmsr(0xc0000080) == efer, "msr.efer_unchanged", "%llx",
	      rdmsr(0xc0000080));
	check(try_wrmsr(0x1b, 0xfee00c00ull | 1ull << 60) == 13,
	      "msr.apic_base_reserved", "no #GP");
}

static void tsc(void)
{
	u64 a = rdmsr(0x10), b = rdtsc(), c = rdmsr(0x10);

	section("SDM 3B 18.17.3");
	check(a <= b && b <= c, "msr.tsc_reads_tsc", "%llu %llu %llu", a, b, c);
	wrmsr(0x3b, 1ull << 40);
	check(rdtsc() >= 1ull << 40, "msr.tsc_adjust_moves_tsc", "%llu",
	      rdtsc());
	check(rdmsr(0x3b) == 1ull << 40, "msr.tsc_adjust_reads_back", "%llx",
	      rdmsr(0x3b));
	wrmsr(0x3b, 0);
	check(rdtsc() < 1ull << 40, "msr.tsc_adjust_back", "%llu", rdtsc());
}

#define MTRRCAP      0xfe
#define MTRR_BASE(n) (0x200 + 2 * (n))
#define MTRR_MASK(n) (0x201 + 2 * (n))
#define MTRR_DEF     0x2ff

static void mtrrs(void)
{
	u64 cap = rdmsr(MTRRCAP), def = rdmsr(MTRR_DEF);

	section("SDM 3A 12.11.1");
	check((cap & 0xff) == 8 && (cap & 0x500) == 0x500, "msr.mtrrcap",
	      "%llx", cap);
	check(try_wrmsr(MTRRCAP, cap) == 13, "msr.mtrrcap_read_only", "no #GP");
	section("SDM 3A 12.11.2.1");
	check((def & 0xcff) == 0x806 || (def & 0xcff) == 0xc06,
	      "msr.mtrr_default_wb", "%llx", def);
	check(try_wrmsr(MTRR_DEF, 0x802) == 13, "msr.mtrr_def_type_gp",
	      "no #GP");
	section("SDM 3A 12.11.2.3");
	wrmsr(MTRR_BASE(7), 0xc0000000);
	wrmsr(MTRR_MASK(7), 0xfc0000800);
	check(rdmsr(MTRR_BASE(7)) == 0xc0000000 &&
		      rdmsr(MTRR_MASK(7)) == 0xfc0000800,
	      "msr.mtrr_variable", "%llx %llx", rdmsr(MTRR_BASE(7)),
	      rdmsr(MTRR_MASK(7)));
	wrmsr(MTRR_MASK(7), 0);
	wrmsr(MTRR_BASE(7), 0);
	check(try_wrmsr(MTRR_BASE(0), 3) == 13, "msr.mtrr_base_type_gp",
	      "no #GP");
	check(try_wrmsr(MTRR_MASK(0), 1ull << 60) == 13,
	      "msr.mtrr_mask_reserved_gp", "no #GP");
	check(try_wrmsr(MTRR_BASE(8), 0) == 13, "msr.mtrr_ninth_gp", "no #GP");
	section("SDM 3A 12.11.2.2");
	wrmsr(0x26f, 0x0506040100060605);
	check(rdmsr(0x26f) == 0x0506040100060605, "msr.mtrr_fixed", "%llx",
	      rdmsr(0x26f));
	wrmsr(0x26f, 0);
	check(try_wrmsr(0x250, 0x0606060606060607) == 13,
	      "msr.mtrr_fixed_type_gp", "no #GP");
}

/* HWCR's TscFreqSel: the TSC has the rate of P-state 0, which must be there.
 * Family 0Fh has FID and VID instead. */
static void amd_rate(void)
{
	u64 hwcr = 0, p = 0;
	u8 trap;
	u32 r[4];

	cpuid(1, 0, r);
	check(try_rdmsr(0xc0010015, &hwcr) == NO_TRAP, "msr.hwcr", "trap");
	trap = try_rdmsr(0xc0010064, &p);
	check(hwcr & 1u << 24 ? trap == NO_TRAP && p >> 63 && p & 0xff
			      : trap == 13,
	      "msr.pstate_0", "HWCR %llx, trap %u, %llx", hwcr, trap, p);
	trap = try_rdmsr(0xc0010042, &p);
	if ((r[0] & 0x0ff00f00) == 0xf00)
		check(trap == NO_TRAP && (p & 0x3f) == (p >> 16 & 0x3f),
		      "msr.fidvid_status", "trap %u, %llx", trap, p);
	else
		check(trap == 13, "msr.no_fidvid_status", "trap %u", trap);
}

/* Harmless where software goes by the model and not by CPUID */
static void harmless(void)
{
	static const struct {
		const char *name;
		u32 msr;
	} rows[] = {
		{ "msr.harmless_therm_status", 0x19c },
		{ "msr.harmless_perf_ctl", 0x199 },
		{ "msr.harmless_temperature_target", 0x1a2 },
		{ "msr.harmless_energy_unit", 0x606 },
		{ "msr.harmless_energy", 0x611 },
	};
	u64 v;

	section("SDM 4 2.1");
	check(try_rdmsr(0x8b, &v) == NO_TRAP, "msr.microcode_revision", "trap");
	check(try_wrmsr(0x8b, 0) == NO_TRAP, "msr.microcode_clear", "trap");
	check(try_rdmsr(0x179, &v) == NO_TRAP && !(v & 0xff),
	      "msr.no_machine_check_banks", "%llx", v);
	check(try_rdmsr(0x401, &v) == 13, "msr.no_bank_0_gp", "no #GP");
	check(try_rdmsr(0x1d9, &v) == NO_TRAP && !v, "msr.debugctl", "%llx", v);
	if (!cpu_is_intel()) {
		amd_rate();
		return;
	}
	/* The highest ratio without turbo is the most efficient one, too */
	check(try_rdmsr(0xce, &v) == NO_TRAP && (v & 0xff00) &&
		      v == ((v & 0xff00) | (v & 0xff00) << 32),
	      "msr.platform_info_ratio", "%llx", v);
	check(rdmsr(0x198) == (v & 0xff00), "msr.perf_status_ratio", "%llx",
	      rdmsr(0x198));
	check(try_rdmsr(0x35, &v) == NO_TRAP && v == 0x10001,
	      "msr.core_thread_count", "%llx", v);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		check(try_rdmsr(rows[i].msr, &v) == NO_TRAP && !v, rows[i].name,
		      "%llx", v);
	check(try_rdmsr(0x1a0, &v) == NO_TRAP && (v & 0x1800) == 0x1800,
	      "msr.misc_enable_no_bts_pebs", "%llx", v);
	check(try_wrmsr(0x79, 0x1000) == NO_TRAP, "msr.microcode_update",
	      "trap");
}

static u32 rdtscp_aux(void)
{
	u32 lo, hi, aux;

	__asm__ volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(aux));
	return aux;
}

static void more_tsc(void)
{
	u64 adjust = rdmsr(0x3b), now;
	u32 r[4];

	section("SDM 3B 18.17.3");
	wrmsr(0x10, 1ull << 45);
	now = rdtsc();
	check(now >= 1ull << 45 && now < (1ull << 45) + (1ull << 40),
	      "msr.tsc_written", "%llx", now);
	check((s64)rdmsr(0x3b) > 0, "msr.tsc_write_adjusts", "%llx",
	      rdmsr(0x3b));
	wrmsr(0x3b, adjust);
	check(rdtsc() < 1ull << 45, "msr.tsc_adjust_undoes", "%llx", rdtsc());
	cpuid(0x80000001, 0, r);
	if (!(r[3] & 1u << 27))
		return;
	section("SDM 3B 18.17.2");
	wrmsr(0xc0000103, 0x1234567);
	check(rdtscp_aux() == 0x1234567, "msr.tsc_aux", "%x", rdtscp_aux());
	check(try_wrmsr(0xc0000103, 1ull << 32) == 13, "msr.tsc_aux_high_gp",
	      "no #GP");
	cpuid(7, 0, r);
	if (r[2] & 1u << 22) {
		u64 v;

		section("SDM 2B RDPID");
		__asm__ volatile(".byte 0xf3, 0x0f, 0xc7, 0xf8" : "=a"(v));
		check(v == 0x1234567, "msr.rdpid", "%llx", v);
	}
}

void guest_main(void)
{
	apic_enable();
	hidden_ones();
	kept_ones();
	bad_values();
	tsc();
	mtrrs();
	harmless();
	more_tsc();
}
