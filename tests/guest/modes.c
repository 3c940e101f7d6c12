/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU's modes and the ways between them (SDM 3A 2.2, 4.1, 10.8, 10.9; APM 2
 * 1.2, 14.6): real mode, 16- and 32-bit protected mode without and with paging,
 * PAE, compatibility mode. QUIRK(tcg-7.2): what does not exit on SVM, and it
 * does not check by itself, is asked on VMX alone (strict()). Over 400 lines:
 * the modes share their tables and the ways into them.
 */
#include "tests/guest/lib/legacy.h"

#define PG           (1u << 31)
#define CD           (1ul << 30)
#define NW           (1ul << 29)
#define WP           (1u << 16)
#define TS           8u
#define PE           1u
#define CR4_PSE      0x10ul
#define CR4_PAE      0x20ul
#define CR4_MCE      0x40ul
#define CR4_LA57     (1ul << 12)
#define CR4_VMXE     (1ul << 13)
#define CR4_SMXE     (1ul << 14)
#define CR4_PCIDE    (1ul << 17)
#define PF           14
#define GP           13
#define REAL_BASE    0x9000ul
#define REAL_RESULTS ((volatile u8 *)0x9c00)
#define REAL_STACK   0x9bf0
#define HOLE         0x1008000u /* past the RAM of list.toml */
#define UNMAPPED     0x40000000u

extern volatile u32 mode_addr, mode_value[4];
extern void mode_read(void), mode_write(void), mode_cpuid(void);
extern void mode_load_cr3(void), mode_efer(void), mode_real(void);
extern void mode_cr0(void), mode_cr4(void), mode_ports(void);
extern void compat_call(legacy_function fn);
extern char real_code[], real_code_end[];

static u32 dir[1024] __aligned(4096);
static u64 pdpt[4] __aligned(32), bad_pdpt[4] __aligned(32);
static u64 pds[4][512] __aligned(4096);
static u32 vendor_ebx;

static u32 low(const volatile void *p)
{
	return (u32)(u64)p;
}

static bool strict(void)
{
	return cpu_is_intel();
}

static u32 result32(u32 n)
{
	return *(volatile u32 *)(REAL_RESULTS + n * 4);
}
static u16 result16(u32 offset)
{
	return *(volatile u16 *)(REAL_RESULTS + offset);
}

static void real_faults(void)
{
	section("SDM 3A 21.1.4");
	check(result16(44) == result16(60) && result16(46) == REAL_STACK - 6,
	      "modes.real_de_no_error_code", "ip %x for %x, sp %x",
	      result16(44), result16(60), result16(46));
	check(result16(48) == result16(62), "modes.real_ud", "ip %x for %x",
	      result16(48), result16(62));
	if (strict())
		check(result16(52) == result16(64) &&
			      result16(54) == REAL_STACK - 6,
		      "modes.real_gp_no_error_code", "ip %x for %x, sp %x",
		      result16(52), result16(64), result16(54));
	check(!(result16(56) & 1), "modes.real_pe_clear", "%x", result16(56));
}

/* A word of the BIOS data area, whose address the compiler must not know: it
 * takes what lies in the first page for a mistake */
static u16 bios_data(u64 offset)
{
	const volatile u8 *p = (const volatile u8 *)(0x400 + offset);

	__asm__("" : "+r"(p));
	return (u16)(p[0] | p[1] << 8);
}

/* The BIOS that a guest started at its kernel finds */
static void bios(void)
{
	section("BIOS data area");
	check(result16(68) == 639 && bios_data(0x13) == 639,
	      "modes.bios_memory", "%u KiB", result16(68));
	check(bios_data(0x0e) == 0x9fc0, "modes.bios_ebda", "%x",
	      bios_data(0x0e));
	check(bios_data(0x00) == 0x3f8, "modes.bios_com1", "%x",
	      bios_data(0x00));
	check(result16(70) == bios_data(0x10) && result16(70),
	      "modes.bios_equipment", "%x", result16(70));
	check((result16(72) & 1) && result16(74) >> 8 == 0x86,
	      "modes.bios_not_supported", "ax %x", result16(74));
	check(result16(76) & 0x40, "modes.bios_no_key", "flags %x",
	      result16(76));
	check(result32(20) == 0 && *(REAL_RESULTS + 78) == 1,
	      "modes.bios_midnight", "%x", result32(20));
	check(result16(84) == 254 && result16(86) == REAL_STACK - 2,
	      "modes.bios_vectors_return", "%u, sp %x", result16(84),
	      result16(86));
}

static void real_mode(void)
{
	u8 v;

	legacy_reset();
	for (u64 i = 0; i < (u64)(real_code_end - real_code); i++)
		((volatile u8 *)REAL_BASE)[i] = (u8)real_code[i];
	legacy_gdt[11] = legacy_descriptor(REAL_BASE, 0xffff, 0x9b);
	legacy_gdt[12] = legacy_descriptor(0, 0xffff, 0x93);
	v = legacy_try(mode_real);
	section("SDM 3A 10.9.2");
	check(v == NO_TRAP && result32(1) == 1, "modes.real_and_back",
	      "vector %u", v);
	section("SDM 3A 22.1");
	check(result32(0) == vendor_ebx, "modes.protected16_cpuid", "%x",
	      result32(0));
	section("SDM 3A 21.1.4");
	check(result16(8) == REAL_STACK - 6 && result16(12) == REAL_STACK,
	      "modes.real_int_frame", "sp %x, then %x", result16(8),
	      result16(12));
	section("SDM 3A 21.1");
	check(result32(4) == vendor_ebx, "modes.real_cpuid", "%x", result32(4));
	check((result32(5) & 0xfffff100) == 0xfee00100, "modes.real_rdmsr",
	      "%x", result32(5));
	check((*(REAL_RESULTS + 24) & 0x60) == 0x60, "modes.real_in", "%x",
	      *(REAL_RESULTS + 24));
	check(result16(28) == 0 && result16(30) == 0x9c03,
	      "modes.real_rep_outs", "cx %x si %x", result16(28), result16(30));
	section("SDM 3A 21.1.1");
	check(result32(8) == *(volatile u32 *)0x100000,
	      "modes.real_large_limit", "%x", result32(8));
	check(result32(9) == ~0u, "modes.real_mmio", "%x", result32(9));
	check(result32(10) == *(volatile u32 *)0x100000, "modes.real_above_1m",
	      "%x", result32(10));
	bios();
	real_faults();
}

static void protected_mode(void)
{
	u8 v;

	section("SDM 3A 2.2");
	legacy_reset();
	v = legacy_try(mode_cpuid);
	check(v == NO_TRAP && mode_value[0] == vendor_ebx,
	      "modes.protected_cpuid", "vector %u", v);
	v = legacy_try(mode_ports);
	check(v == NO_TRAP && (mode_value[0] & 0x60) == 0x60 &&
		      mode_value[1] == 0,
	      "modes.protected_ports", "vector %u, %x", v, mode_value[0]);
	mode_addr = HOLE;
	v = legacy_try(mode_read);
	check(v == NO_TRAP && mode_value[0] == ~0u, "modes.protected_mmio",
	      "vector %u, %x", v, mode_value[0]);
}

static void fault_is(const char *name, legacy_function fn, u8 vector, u32 error)
{
	u8 v = legacy_try(fn);

	check(v == vector && (v == NO_TRAP || legacy_trap.error == error), name,
	      "vector %u error %x, wanted %u %x", v, legacy_trap.error, vector,
	      error);
}

static void paging_32(void)
{
	legacy_reset();
	for (u32 i = 0; i < 1024; i++)
		dir[i] = i << 22 | 0x83;
	dir[UNMAPPED >> 22] = 0;
	dir[(UNMAPPED >> 22) + 1] = 0x81; /* read-only */
	legacy_cr3 = low(dir);
	legacy_cr4 = CR4_PSE;
	legacy_cr0 = LEGACY_CR0 | PG | WP;
	section("SDM 3A 4.3");
	mode_addr = HOLE;
	fault_is("modes.paging32_mmio", mode_read, NO_TRAP, 0);
	mode_addr = UNMAPPED + 0x123;
	section("SDM 3A 4.7");
	fault_is("modes.paging32_pf_read", mode_read, PF, 0);
	check(legacy_trap.cr2 == UNMAPPED + 0x123, "modes.paging32_cr2", "%x",
	      legacy_trap.cr2);
	fault_is("modes.paging32_pf_write", mode_write, PF, 2);
	section("SDM 3A 4.6.1");
	mode_addr = UNMAPPED + 0x409e00;
	fault_is("modes.paging32_write_protect", mode_write, PF, 3);
	legacy_cr0 = LEGACY_CR0 | PG;
	*(volatile u32 *)0x9e00 = 0;
	mode_addr = UNMAPPED + 0x409e00;
	fault_is("modes.paging32_no_wp", mode_write, NO_TRAP, 0);
	check(*(volatile u32 *)0x9e00 == 0x12345678, "modes.paging32_written",
	      "%x", *(volatile u32 *)0x9e00);
}

static void build_pae(void)
{
	for (u32 i = 0; i < 4; i++) {
		pdpt[i] = low(pds[i]) | 1;
		bad_pdpt[i] = pdpt[i];
		for (u32 j = 0; j < 512; j++)
			pds[i][j] = ((u64)i << 30 | (u64)j << 21) | 0x83;
	}
	pds[1][0] = 0;
	bad_pdpt[3] |= 1ul << 6; /* reserved */
	legacy_cr3 = low(pdpt);
	legacy_cr4 = CR4_PAE;
	legacy_cr0 = LEGACY_CR0 | PG | WP;
}

static void paging_pae(void)
{
	legacy_reset();
	build_pae();
	section("SDM 3A 4.4.2");
	mode_addr = low(&vendor_ebx);
	fault_is("modes.pae_read", mode_read, NO_TRAP, 0);
	check(mode_value[0] == vendor_ebx, "modes.pae_value", "%x",
	      mode_value[0]);
	mode_addr = HOLE;
	fault_is("modes.pae_mmio", mode_read, NO_TRAP, 0);
	mode_addr = UNMAPPED + 8;
	fault_is("modes.pae_pf", mode_read, PF, 0);
	section("SDM 3A 4.4.1");
	mode_addr = low(&vendor_ebx);
	fault_is("modes.pae_efer_write", mode_efer, NO_TRAP, 0);
	check(mode_value[0] == vendor_ebx, "modes.pae_after_exit", "%x",
	      mode_value[0]);
	mode_addr = low(pdpt);
	fault_is("modes.pae_load_cr3", mode_load_cr3, NO_TRAP, 0);
	if (!strict())
		return;
	mode_addr = low(bad_pdpt);
	fault_is("modes.pae_reserved_gp", mode_load_cr3, GP, 0);
	legacy_cr4 = CR4_PAE | CR4_PSE;
	pdpt[3] |= 1ul << 6; /* in memory only: it counts when it is loaded */
	legacy_cr0 = LEGACY_CR0;
	mode_addr = LEGACY_CR0 | PG;
	fault_is("modes.pae_enable_reserved_gp", mode_cr0, GP, 0);
}

static void compatibility(void)
{
	section("SDM 3A 2.2");
	compat_call(mode_cpuid);
	check(mode_value[0] == vendor_ebx, "modes.compat_cpuid", "%x",
	      mode_value[0]);
	mode_addr = HOLE;
	compat_call(mode_read);
	check(mode_value[0] == ~0u, "modes.compat_mmio", "%x", mode_value[0]);
	/* What was printed may still be on its way out */
	while ((inb(0x3fd) & 0x60) != 0x60)
		;
	compat_call(mode_ports);
	check((mode_value[0] & 0x60) == 0x60 && mode_value[1] == 0,
	      "modes.compat_ports", "%x", mode_value[0]);
}

static void do_cr0(void *arg)
{
	__asm__ volatile("mov %0, %%cr0" ::"r"(arg) : "memory");
}
static void do_cr3(void *arg)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(arg) : "memory");
}
static void do_cr4(void *arg)
{
	write_cr4((u64)arg);
}
static void do_cr8(void *arg)
{
	__asm__ volatile("mov %0, %%cr8" ::"r"(arg));
}

static void refused(const char *name, void (*fn)(void *), u64 value)
{
	u8 v = guest_try(fn, (void *)value);

	check(v == GP && trap_error == 0, name, "vector %u", v);
}

/* SDM 2B MOV--Move to/from Control Registers, 3A 4.1.2 */
static void long_mode_rules(void)
{
	u64 cr0 = read_cr0(), cr4 = read_cr4();
	u32 r[4];

	section("SDM 2B MOV to CR");
	refused("modes.cr4_pae_off_gp", do_cr4, cr4 & ~CR4_PAE);
	refused("modes.cr4_vmxe_gp", do_cr4, cr4 | CR4_VMXE);
	refused("modes.cr4_smxe_gp", do_cr4, cr4 | CR4_SMXE);
	refused("modes.cr4_high_gp", do_cr4, cr4 | 1ul << 40);
	refused("modes.cr4_bit15_gp", do_cr4, cr4 | 1ul << 15);
	check(read_cr4() == cr4, "modes.cr4_unchanged", "%llx", read_cr4());
	section("SDM 3A 4.1.1");
	cpuid(7, 0, r);
	check(!(r[2] & 1u << 16), "modes.la57_hidden", "%x", r[2]);
	refused("modes.cr4_la57_gp", do_cr4, cr4 | CR4_LA57);
	section("SDM 2B MOV to CR");
	refused("modes.cr0_nw_gp", do_cr0, cr0 | NW);
	refused("modes.cr0_pe_off_gp", do_cr0, cr0 & ~(u64)PE);
	refused("modes.cr0_pg_off_gp", do_cr0, cr0 & ~(u64)PG);
	if (!strict())
		return;
	refused("modes.cr8_16_gp", do_cr8, 16);
	refused("modes.cr0_high_gp", do_cr0, cr0 | 1ul << 40);
	refused("modes.cr3_reserved_gp", do_cr3, 1ul << 60);
}

/* The core's MCE stays on below; the guest's is its own */
static void machine_check_bit(void)
{
	u64 cr4 = read_cr4();

	section("SDM 3B 16.3");
	write_cr4(cr4 & ~CR4_MCE);
	check(!(read_cr4() & CR4_MCE), "modes.cr4_mce_clears", "%llx",
	      read_cr4());
	write_cr4(cr4 | CR4_MCE);
	check(read_cr4() & CR4_MCE, "modes.cr4_mce_sets", "%llx", read_cr4());
	write_cr4(cr4 & ~CR4_MCE);
	check(read_cr4() == (cr4 & ~CR4_MCE), "modes.cr4_rest_kept", "%llx",
	      read_cr4());
	write_cr4(cr4);
}

static u64 smsw(void)
{
	u64 value = ~0ull;

	__asm__ volatile("smsw %0" : "+r"(value));
	return value;
}

static void lmsw(u16 value)
{
	__asm__ volatile("lmsw %0" ::"m"(value) : "memory");
}

/* The caches stay on below; what the guest asked for is what it reads, by every
 * instruction that knows CR0 */
static void cache_bits(void)
{
	u64 cr0 = read_cr0(), off = cr0 | CD | NW;
	u16 word = 0;

	section("SDM 3A 12.5.1");
	do_cr0((void *)(cr0 | CD));
	check(read_cr0() == (cr0 | CD), "modes.cr0_cd_sets", "%llx",
	      read_cr0());
	do_cr0((void *)off);
	check(read_cr0() == off, "modes.cr0_nw_sets", "%llx", read_cr0());
	refused("modes.cr0_nw_alone_gp", do_cr0, cr0 | NW);
	section("SDM 2B SMSW");
	__asm__ volatile("smsw %0" : "=m"(word));
	check((u32)smsw() == (u32)off && word == (u16)off,
	      "modes.smsw_with_caches_off", "%llx, %x", smsw(), word);
	section("SDM 2A LMSW");
	lmsw((u16)(off | TS));
	check(read_cr0() == (off | TS), "modes.lmsw_with_caches_off", "%llx",
	      read_cr0());
	section("SDM 2A CLTS");
	__asm__ volatile("clts");
	check(read_cr0() == off, "modes.clts_with_caches_off", "%llx",
	      read_cr0());
	section("SDM 3A 12.5.1");
	do_cr0((void *)cr0);
	check(read_cr0() == cr0 && (u32)smsw() == (u32)cr0,
	      "modes.cr0_cd_clears", "%llx", read_cr0());
}

static void legacy_rules(void)
{
	legacy_reset();
	section("SDM 2B MOV to CR");
	mode_addr = LEGACY_CR0 & ~PE; /* with PG: no such mode */
	mode_addr |= PG;
	fault_is("modes.pg_without_pe_gp", mode_cr0, GP, 0);
	mode_addr = CR4_PCIDE;
	fault_is("modes.pcide_outside_long_gp", mode_cr4, GP, 0);
	mode_addr = CR4_VMXE;
	fault_is("modes.vmxe_protected_gp", mode_cr4, GP, 0);
}

void guest_main(void)
{
	u32 r[4];

	cpuid(0, 0, r);
	vendor_ebx = r[1];
	real_mode();
	protected_mode();
	paging_32();
	paging_pae();
	compatibility();
	long_mode_rules();
	machine_check_bit();
	cache_bits();
	legacy_rules();
}
