/* SPDX-License-Identifier: BSD-2-Clause */
/* MSR policy: default #GP, what is there behaves (SDM 4; APM 2 appendix A) */
#include "tests/guest/lib/guest.h"

struct access {
	u32 msr;
	u64 value;
	bool write;
};

static void do_access(void *arg)
{
	struct access *a = arg;

	if (a->write)
		wrmsr(a->msr, a->value);
	else
		a->value = rdmsr(a->msr);
}

static u8 try_read(u32 msr, u64 *value)
{
	struct access a = { .msr = msr };
	u8 trap = guest_try(do_access, &a);

	*value = a.value;
	return trap;
}

static u8 try_write(u32 msr, u64 value)
{
	struct access a = { .msr = msr, .value = value, .write = true };

	return guest_try(do_access, &a);
}

static const struct {
	const char *name;
	u32 msr;
} hidden[] = {
	{ "msr.hidden_1", 0x1 },
	{ "msr.hidden_feature_control", 0x3a },
	{ "msr.hidden_vmx_basic", 0x480 },
	{ "msr.hidden_pmc0", 0xc1 },
	{ "msr.hidden_smm", 0x9e },
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
		u8 rd = try_read(hidden[i].msr, &v);
		u8 wr = try_write(hidden[i].msr, 0);

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
		u8 trap = try_read(kept[i].msr, &old);

		trap = trap == NO_TRAP ? try_write(kept[i].msr, kept[i].value)
				       : trap;
		if (trap == NO_TRAP)
			trap = try_read(kept[i].msr, &now);
		check(trap == NO_TRAP && now == kept[i].value, kept[i].name,
		      "trap %u, value %lx", trap, now);
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
		check(try_write(0xc0000082, 0x8000000000000000) == 13,
		      "msr.lstar_noncanonical", "no #GP");
	check(try_write(0x277, 0x0202020202020202) == 13,
	      "msr.pat_reserved_type", "no #GP");
	check(try_write(0xc0000080, efer | 1ull << 12) == 13,
	      "msr.efer_svme_refused", "SVME could be set");
	check(!(rdmsr(0xc0000080) & 1ull << 12), "msr.efer_svme_hidden",
	      "EFER %lx", rdmsr(0xc0000080));
	check(try_write(0xc0000080, efer & ~0x100ull) == 13,
	      "msr.efer_lme_while_paging", "no #GP");
	check(try_write(0xc0000080, efer | 1ull << 63) == 13,
	      "msr.efer_reserved", "no #GP");
	check(rdmsr(0xc0000080) == efer, "msr.efer_unchanged", "%lx",
	      rdmsr(0xc0000080));
	check(try_write(0x1b, 0xfee00c00ull | 1ull << 60) == 13,
	      "msr.apic_base_reserved", "no #GP");
}

static void tsc(void)
{
	u64 a = rdmsr(0x10), b = rdtsc(), c = rdmsr(0x10);

	section("SDM 3B 18.17.3");
	check(a <= b && b <= c, "msr.tsc_reads_tsc", "%lu %lu %lu", a, b, c);
	wrmsr(0x3b, 1ull << 40);
	check(rdtsc() >= 1ull << 40, "msr.tsc_adjust_moves_tsc", "%lu",
	      rdtsc());
	check(rdmsr(0x3b) == 1ull << 40, "msr.tsc_adjust_reads_back", "%lx",
	      rdmsr(0x3b));
	wrmsr(0x3b, 0);
	check(rdtsc() < 1ull << 40, "msr.tsc_adjust_back", "%lu", rdtsc());
}

void guest_main(void)
{
	apic_enable();
	hidden_ones();
	kept_ones();
	bad_values();
	tsc();
}
