/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two vCPUs that share a core, each with a state of its own: every component
 * that XCR0 may have on (SDM 1 13.1 *XSAVE-Supported Features*), debug and
 * control registers, MSRs. In each round both load theirs, wait for the other
 * (which cannot run before the hypervisor switches) and look.
 */
#include "tests/guest/lib/guest.h"

#define ROUNDS      24
#define CR4_OSXSAVE (1ul << 18)
#define DR6_RESET   0xffff0ff0ul
#define DR7_RESET   0x400ul
#define CR2_OF(id)  (0x123456000ul + (id))
#define TSC_FAR     (1ull << 44)

/* The legacy region (SDM 1 table 10-2) */
#define AT_FCW     0
#define AT_FTW     4
#define AT_MXCSR   24
#define AT_ST      32
#define AT_XMM     160
#define AT_BV      512
#define PKRU       9
#define FIRST_HIGH 2 /* components from here on lie where CPUID says */
#define AREA_BYTES 4096

static const struct {
	const char *name;
	u8 bit;
} components[] = {
	{ "state.x87", 0 },       { "state.sse", 1 },
	{ "state.avx", 2 },       { "state.opmask", 5 },
	{ "state.zmm_hi256", 6 }, { "state.hi16_zmm", 7 },
	{ "state.pkru", PKRU },
};

static const struct {
	const char *name;
	u32 msr;
	u64 value; /* of vCPU 0; vCPU 1's has @flip in it */
	u64 flip;
} msrs[] = {
	{ "state.star", 0xc0000081, 0x0023001000000000, 1ull << 50 },
	{ "state.lstar", 0xc0000082, 0xffff800000001000, 0x10000 },
	{ "state.sfmask", 0xc0000084, 0x100, 0x200 },
	{ "state.fs_base", 0xc0000100, 0x7000, 0x10000 },
	{ "state.kernel_gs_base", 0xc0000102, 0x9000, 0x10000 },
	{ "state.sysenter_esp", 0x175, 0x5000, 0x10000 },
	{ "state.pat", 0x277, 0x0007040600070406, 0x0000000200000000 },
	{ "state.tsc_aux", 0xc0000103, 0x11, 0x20 },
};

static u8 loaded[2][AREA_BYTES] __aligned(64);
static u8 saved[2][AREA_BYTES] __aligned(64);
static u32 offset_of[16], size_of[16];
static u64 all; /* XCR0 with every component above */
static volatile u32 reached[2];
static volatile u64 bad_components[2], bad_msrs[2];
static volatile bool bad_xcr0[2], bad_dr[2], bad_dr6[2], bad_cr2[2], bad_cr8[2];
static volatile u64 far_tsc[2];

static u64 xgetbv(void)
{
	u32 lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (u64)hi << 32 | lo;
}

static void xsetbv(u64 v)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((u32)v), "d"((u32)(v >> 32)));
}

static void xrstor(const void *area)
{
	__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(~0u), "d"(~0u)
			 : "memory");
}

static void xsave(void *area)
{
	__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(~0u), "d"(~0u)
			 : "memory");
}

static void fill(u8 *to, u32 bytes, u32 seed)
{
	for (u32 i = 0; i < bytes; i++) {
		seed = seed * 1664525 + 1013904223;
		to[i] = (u8)(seed >> 24);
	}
}

/* Values that no two loads share, and that every component may have */
static void make(u8 *area, u32 seed)
{
	*(u16 *)(area + AT_FCW) = (u16)(0x37f | (seed & 3) << 10);
	area[AT_FTW] = 0xff;
	*(u32 *)(area + AT_MXCSR) = 0x1f80 | (seed & 3) << 13;
	for (u32 i = 0; i < 8; i++) {
		u8 *st = area + AT_ST + 16ul * i;

		fill(st, 8, seed + i);
		st[7] |= 0x80; /* a normal number */
		*(u16 *)(st + 8) = (u16)(0x3fff + i);
	}
	fill(area + AT_XMM, 256, seed + 99);
	for (u32 i = FIRST_HIGH; i < ARRAY_SIZE(size_of); i++)
		fill(area + offset_of[i], size_of[i], seed + 100 * i);
	*(u64 *)(area + AT_BV) = all;
}

static bool same(const u8 *a, const u8 *b, u32 at, u32 bytes)
{
	for (u32 i = at; i < at + bytes; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static bool same_x87(const u8 *a, const u8 *b)
{
	bool ok = same(a, b, AT_FCW, 2);

	for (u32 i = 0; i < 8; i++)
		ok = ok && same(a, b, AT_ST + 16 * i, 10);
	return ok;
}

/* The components that are not what was loaded */
static u64 differ(const u8 *a, const u8 *b)
{
	u64 bad = 0;

	if (!same_x87(a, b))
		bad |= 1;
	if (!same(a, b, AT_MXCSR, 4) || !same(a, b, AT_XMM, 256))
		bad |= 2;
	for (u32 i = FIRST_HIGH; i < ARRAY_SIZE(size_of); i++)
		if (!same(a, b, offset_of[i], size_of[i]))
			bad |= 1ull << i;
	return bad;
}

/* Only vCPU 1 runs it, and vCPU 0 has a breakpoint on it.
 * QUIRK(tcg-7.2): VMRUN loads the register alone, and what the last MOV DR7
 * armed stays armed. */
__attribute__((noinline)) static void marked(void)
{
	__asm__ volatile("");
}

static u64 dr0_of(u32 id)
{
	return !id && cpu_is_intel() ? (u64)marked : 0x700000ul + id;
}

static void load_others(u32 id)
{
	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++)
		wrmsr(msrs[i].msr, msrs[i].value ^ (id ? msrs[i].flip : 0));
	__asm__ volatile("mov %0, %%dr0" ::"r"(dr0_of(id)));
	__asm__ volatile("mov %0, %%dr3" ::"r"(0x710000ul + id));
	__asm__ volatile("mov %0, %%dr6" ::"r"(DR6_RESET | (2ul << id)));
	__asm__ volatile("mov %0, %%dr7" ::"r"(DR7_RESET | (id ? 4ul : 1ul)));
	__asm__ volatile("mov %0, %%cr2" ::"r"(CR2_OF(id)));
	__asm__ volatile("mov %0, %%cr8" ::"r"(5ul + id));
}

static void look_at_debug(u32 id)
{
	u64 dr0, dr3, dr6, dr7;

	__asm__ volatile("mov %%dr0, %0" : "=r"(dr0));
	__asm__ volatile("mov %%dr3, %0" : "=r"(dr3));
	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	__asm__ volatile("mov %%dr7, %0" : "=r"(dr7));
	bad_dr[id] |= dr0 != dr0_of(id) || dr3 != 0x710000ul + id ||
		      dr7 != (DR7_RESET | (id ? 4ul : 1ul));
	bad_dr6[id] |= dr6 != (DR6_RESET | (2ul << id));
}

static void look_at_others(u32 id)
{
	u64 cr2, cr8;

	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++)
		if (rdmsr(msrs[i].msr) !=
		    (msrs[i].value ^ (id ? msrs[i].flip : 0)))
			bad_msrs[id] |= 1ull << i;
	look_at_debug(id);
	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	__asm__ volatile("mov %%cr8, %0" : "=r"(cr8));
	bad_cr2[id] |= cr2 != CR2_OF(id);
	bad_cr8[id] |= cr8 != 5ul + id;
}

/* The other vCPU has come as far */
static void meet(u32 id)
{
	u32 round = ++reached[id];

	while (reached[!id] < round)
		cpu_relax();
}

/* By turns with everything on, and with XCR0 narrowed meanwhile: what it has
 * off keeps its values (SDM 1 13.3 *Enabling the XSAVE Feature Set*) */
static void one_round(u32 id, u32 round)
{
	u64 meanwhile = round & 2 ? 1 : all;

	make(loaded[id], 2 * round + id);
	xrstor(loaded[id]);
	xsetbv(meanwhile);
	load_others(id);
	meet(id);
	look_at_others(id);
	bad_xcr0[id] |= xgetbv() != meanwhile;
	xsetbv(all);
	xsave(saved[id]);
	bad_components[id] |= differ(loaded[id], saved[id]);
	if (id)
		marked();
	meet(id);
}

/* Each vCPU's TSC is its own to move, and comes back to the others' */
static void tsc_of_its_own(u32 id)
{
	if (id)
		wrmsr(0x3b, rdmsr(0x3b) + TSC_FAR);
	meet(id);
	far_tsc[id] = rdtsc();
	meet(id);
	if (id)
		wrmsr(0x3b, rdmsr(0x3b) - TSC_FAR);
	meet(id);
}

static void all_rounds(u32 id)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	xsetbv(all);
	for (u32 i = 0; i < ROUNDS; i++)
		one_round(id, i);
	__asm__ volatile("mov %0, %%dr7" ::"r"(DR7_RESET));
	__asm__ volatile("mov %0, %%cr8" ::"r"(0ul));
	tsc_of_its_own(id);
}

static void ap_main(void)
{
	all_rounds(1);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static bool find_components(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	if (!(r[2] & 1u << 26))
		return false;
	cpuid(0xd, 0, r);
	for (u32 i = 0; i < ARRAY_SIZE(components); i++)
		all |= r[0] & 1ull << components[i].bit;
	for (u32 i = FIRST_HIGH; i < ARRAY_SIZE(size_of); i++) {
		if (!(all >> i & 1))
			continue;
		cpuid(0xd, i, r);
		size_of[i] = i == PKRU ? sizeof(u32) : r[0];
		offset_of[i] = r[1];
	}
	return true;
}

static void results(void)
{
	u64 bad = bad_components[0] | bad_components[1];

	section("SDM 1 13.1");
	for (u32 i = 0; i < ARRAY_SIZE(components); i++)
		if (all >> components[i].bit & 1)
			check(!(bad >> components[i].bit & 1),
			      components[i].name, "changed under a vCPU");
	section("SDM 1 13.3");
	check(!bad_xcr0[0] && !bad_xcr0[1], "state.xcr0", "of the other");
	section("SDM 4 2.1");
	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++)
		check(!((bad_msrs[0] | bad_msrs[1]) >> i & 1), msrs[i].name,
		      "of the other");
	section("SDM 3B 18.2");
	check(!bad_dr[0] && !bad_dr[1], "state.dr0_dr3_dr7", "of the other");
	check(!bad_dr6[0] && !bad_dr6[1], "state.dr6", "of the other");
	section("SDM 3A 2.5");
	check(!bad_cr2[0] && !bad_cr2[1], "state.cr2", "of the other");
	check(!bad_cr8[0] && !bad_cr8[1], "state.cr8", "of the other");
	section("SDM 3B 18.17.3");
	check(far_tsc[0] < TSC_FAR && far_tsc[1] >= TSC_FAR,
	      "state.tsc_adjust_is_ones_own", "%llx %llx", far_tsc[0],
	      far_tsc[1]);
}

void guest_main(void)
{
	apic_enable();
	if (!find_components())
		return;
	section("SDM 3A 9.4.4");
	check(ap_start(1, ap_main), "state.both_run", "no answer");
	all_rounds(0);
	results();
}
