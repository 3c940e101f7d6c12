/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPL 3 may not do, though the hypervisor intercepts it: the CPU's own
 * checks come first (SDM 3A 5.9 *Privileged Instructions*, 3C 26.1.1 *Relative
 * Priority of Faults and VM Exits*; APM 2 15.7 *Intercept Operation*).
 */
#include "tests/guest/lib/guest.h"

#define GP       13
#define PF       14
#define AC       17
#define UD       6
#define DE       0
#define CR0_AM   (1ul << 18)
#define CR4_TSD  4ul
#define CR4_PCE  0x100ul
#define CR4_UMIP 0x800ul
#define PTE_U    4ul
#define GATE_GP  (0x80 * 8 + 2)
#define HOLE     0x1008000ul /* behind the RAM */

extern u64 boot_pml4[512];
extern void user_run(void (*fn)(void));
extern char user_return[];
extern u64 guest_gdt[];

static u64 where;

#define OP(name, text)                                                         \
	static void op_##name(void)                                            \
	{                                                                      \
		__asm__ volatile(text                                          \
				 :                                             \
				 :                                             \
				 : "rax", "rcx", "rdx", "rbx", "memory");      \
	}

OP(rdmsr, "mov $0x10, %%ecx; rdmsr")
OP(wrmsr, "mov $0x10, %%ecx; wrmsr")
OP(hlt, "hlt")
OP(cli, "cli")
OP(in, "mov $0x3fd, %%edx; inb %%dx, %%al")
OP(out, "mov $0x80, %%edx; outb %%al, %%dx")
OP(wbinvd, "wbinvd")
OP(invd, "invd")
OP(cr0_read, "mov %%cr0, %%rax")
OP(cr4_write, "xor %%eax, %%eax; mov %%rax, %%cr4")
OP(cr8_read, "mov %%cr8, %%rax")
OP(dr7_read, "mov %%dr7, %%rax")
OP(clts, "clts")
OP(int80, "int $0x80")
OP(rdtsc, "rdtsc")
OP(rdpmc, "xor %%ecx, %%ecx; rdpmc")
OP(sgdt, "sub $16, %%rsp; sgdt (%%rsp); add $16, %%rsp")
OP(cpuid, "xor %%eax, %%eax; cpuid")
OP(ud, "ud2")
OP(div, "xor %%ecx, %%ecx; div %%ecx")

static void op_lidt(void)
{
	__asm__ volatile("lidt %0" ::"m"(where));
}
static void op_invlpg(void)
{
	__asm__ volatile("invlpg %0" ::"m"(where));
}
static void op_read_kernel(void)
{
	(void)*(volatile u64 *)0x40000000;
}
static void op_write_kernel(void)
{
	*(volatile u64 *)0x40000000 = 1;
}
static void op_read_hole(void)
{
	where = *(volatile u32 *)HOLE;
}
static void op_misaligned(void)
{
	__asm__ volatile("pushfq; orq $0x40000, (%%rsp); popfq\n"
			 "lea %0, %%rax; mov 1(%%rax), %%ecx\n"
			 "pushfq; andq $~0x40000, (%%rsp); popfq"
			 :
			 : "m"(where)
			 : "rax", "rcx", "memory");
}

static void enter(void *fn)
{
	user_run((void (*)(void))fn);
}

static u8 try_user(void (*fn)(void))
{
	u8 v = guest_try(enter, (void *)fn);

	return v;
}

static const struct {
	const char *name;
	void (*fn)(void);
	u8 vector;
	u64 error;
} rows[] = {
	{ "user.rdmsr_gp", op_rdmsr, GP, 0 },
	{ "user.wrmsr_gp", op_wrmsr, GP, 0 },
	{ "user.hlt_gp", op_hlt, GP, 0 },
	{ "user.cli_gp", op_cli, GP, 0 },
	{ "user.in_gp", op_in, GP, 0 },
	{ "user.out_gp", op_out, GP, 0 },
	{ "user.wbinvd_gp", op_wbinvd, GP, 0 },
	{ "user.invd_gp", op_invd, GP, 0 },
	{ "user.cr0_read_gp", op_cr0_read, GP, 0 },
	{ "user.cr4_write_gp", op_cr4_write, GP, 0 },
	{ "user.cr8_read_gp", op_cr8_read, GP, 0 },
	{ "user.dr7_read_gp", op_dr7_read, GP, 0 },
	{ "user.clts_gp", op_clts, GP, 0 },
	{ "user.lidt_gp", op_lidt, GP, 0 },
	{ "user.invlpg_gp", op_invlpg, GP, 0 },
	{ "user.rdpmc_gp", op_rdpmc, GP, 0 },
	{ "user.int_gate_dpl_gp", op_int80, GP, GATE_GP },
	{ "user.ud", op_ud, UD, 0 },
	{ "user.div", op_div, DE, 0 },
};

static void faults(void)
{
	section("SDM 3A 5.9");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 v = try_user(rows[i].fn);

		/* TCG scales the vector of a gate by its 16 bytes */
		if (rows[i].error && !cpu_is_intel())
			continue;
		check(v == rows[i].vector && trap_error == rows[i].error,
		      rows[i].name, "vector %u error %llx, wanted %u %llx", v,
		      trap_error, rows[i].vector, rows[i].error);
	}
}

static void op_run_hole(void)
{
	((void (*)(void))HOLE)();
}

/* A far return is nothing that the hypervisor does in the CPU's place */
static void op_return_from_hole(void)
{
	__asm__ volatile("mov %0, %%rsp; lretq" ::"r"(HOLE) : "memory");
}

/* It hurts itself alone, by a page without memory behind it that it has */
static void device_pages(void)
{
	u8 v;

	section("SDM 3A 6.15 #GP");
	v = try_user(op_run_hole);
	check(v == GP && trap_error == 0 && trap_rip == HOLE,
	      "user.run_device_gp", "vector %u error %llx at %llx", v,
	      trap_error, trap_rip);
	section("SDM 3A 6.15 #UD");
	v = try_user(op_return_from_hole);
	check(v == UD, "user.not_emulated_ud", "vector %u", v);
}

static void allowed(void)
{
	u8 v;

	section("SDM 2A CPUID");
	v = try_user(op_cpuid);
	check(v == NO_TRAP, "user.cpuid", "vector %u", v);
	section("SDM 2B RDTSC");
	v = try_user(op_rdtsc);
	check(v == NO_TRAP, "user.rdtsc", "vector %u", v);
	write_cr4(read_cr4() | CR4_TSD);
	v = try_user(op_rdtsc);
	write_cr4(read_cr4() & ~CR4_TSD);
	check(v == GP && trap_error == 0, "user.rdtsc_tsd_gp", "vector %u", v);
	section("SDM 3C 29.3.3");
	where = 0;
	v = try_user(op_read_hole);
	check(v == NO_TRAP && where == 0xffffffff, "user.mmio",
	      "vector %u, %llx", v, where);
}

static void pages(void)
{
	u8 v;

	section("SDM 3A 4.7");
	v = try_user(op_read_kernel);
	check(v == PF && trap_error == 5, "user.read_supervisor_pf",
	      "vector %u error %llx", v, trap_error);
	v = try_user(op_write_kernel);
	check(v == PF && trap_error == 7, "user.write_supervisor_pf",
	      "vector %u error %llx", v, trap_error);
	check(trap_cr2 == 0x40000000, "user.pf_address", "%llx", trap_cr2);
}

/* Intercepted, since its delivery could go on for ever */
static void alignment(void)
{
	u64 cr0 = read_cr0();
	u8 v;

	if (!cpu_is_intel())
		return; /* QUIRK(tcg-7.2): no alignment check */
	section("SDM 3A 6.15 #AC");
	v = try_user(op_misaligned);
	check(v == NO_TRAP, "user.ac_needs_am", "vector %u", v);
	__asm__ volatile("mov %0, %%cr0" ::"r"(cr0 | CR0_AM));
	v = try_user(op_misaligned);
	__asm__ volatile("mov %0, %%cr0" ::"r"(cr0));
	check(v == AC && trap_error == 0, "user.alignment_ac",
	      "vector %u error %llx", v, trap_error);
}

static void umip(void)
{
	u32 r[4];
	u8 v;

	section("SDM 3A 2.5");
	cpuid(7, 0, r);
	v = try_user(op_sgdt);
	check(v == NO_TRAP, "user.sgdt", "vector %u", v);
	if (!(r[2] & 4))
		return;
	write_cr4(read_cr4() | CR4_UMIP);
	v = try_user(op_sgdt);
	write_cr4(read_cr4() & ~CR4_UMIP);
	check(v == GP && trap_error == 0, "user.sgdt_umip_gp", "vector %u", v);
}

static void leave(struct trap_frame *f)
{
	f->rip = (u64)user_return;
	f->cs = 0x18;
	f->ss = 0x10;
}

/* User pages but for the second GiB, of which the first page is supervisor's */
static void open_pages(void)
{
	u64 *pdpt = (u64 *)(boot_pml4[0] & ~0xffful);

	boot_pml4[0] |= PTE_U;
	for (u32 i = 0; i < 4; i++) {
		u64 *pd = (u64 *)(pdpt[i] & ~0xffful);

		pdpt[i] |= i == 1 ? 0 : PTE_U;
		for (u32 j = 0; j < 512; j++)
			pd[j] |= PTE_U;
	}
	__asm__ volatile("mov %0, %%cr3" ::"r"(boot_pml4) : "memory");
}

void guest_main(void)
{
	open_pages();
	set_gate(0x81, 0, 3);
	irq_handler[0x81] = leave;
	faults();
	allowed();
	device_pages();
	pages();
	alignment();
	umip();
}
