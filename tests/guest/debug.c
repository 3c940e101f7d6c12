/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug exceptions (SDM 3B 18 *Debug*; APM 2 13.1): single-step over what the
 * hypervisor intercepts, breakpoints, RF, GD, INT1. QUIRK(tcg-7.2): what it
 * does not do by itself, with no exit, is asked on VMX alone. Over 400 lines:
 * the shadows, flags and breakpoints of one exception.
 */
#include "tests/guest/lib/guest.h"

#define TF          0x100ul
#define RF          0x10000ul
#define DR6_RESET   0xffff0ff0ul
#define DR6_BS      0x4000ul
#define DR6_BD      0x2000ul
#define DR7_RESET   0x400ul
#define DR7_GD      0x2000ul
#define CR4_DE      8ul
#define CR4_OSXSAVE (1ul << 18)
#define HOLE        "0x1008000" /* past the RAM of list.toml */
#define MAX_STEPS   16
#define DB          1
#define UD          6
#define GP          13

/* Read by the assembly below */
u64 step_after, step_end, watched[2];
static volatile u64 rips[MAX_STEPS], dr6s[MAX_STEPS];
static volatile u32 steps;

static u64 read_dr6(void)
{
	u64 v;

	__asm__ volatile("mov %%dr6, %0" : "=r"(v));
	return v;
}
static void write_dr6(u64 v)
{
	__asm__ volatile("mov %0, %%dr6" ::"r"(v));
}
static u64 read_dr7(void)
{
	u64 v;

	__asm__ volatile("mov %%dr7, %0" : "=r"(v));
	return v;
}
static void write_dr7(u64 v)
{
	__asm__ volatile("mov %0, %%dr7" ::"r"(v));
}
static void write_dr0(u64 v)
{
	__asm__ volatile("mov %0, %%dr0" ::"r"(v));
}

/* Note each trap; stop stepping at the end */
static void on_debug(struct trap_frame *f)
{
	if (steps < MAX_STEPS) {
		rips[steps] = f->rip;
		dr6s[steps] = read_dr6();
		steps++;
	}
	write_dr6(DR6_RESET);
	if (f->rip == step_end || steps == MAX_STEPS)
		f->rflags &= ~TF;
}

/* step_NAME(): TF is set right before INSN; RDI is taken */
#define STEPPED(name, setup, insn)                                             \
	void step_##name(void);                                                \
	__asm__(".text\nstep_" #name ":\n"                                     \
		"push %rbx\n lea 1f(%rip), %rdi\n mov %rdi, step_after\n"      \
		"lea 2f(%rip), %rdi\n mov %rdi, step_end\n" setup              \
		"\n pushfq\n orq $0x100, (%rsp)\n popfq\n" insn                \
		"\n1:	nop\n2:	nop\n pop %rbx\n ret\n")

STEPPED(nop, "", "nop");
STEPPED(cpuid, "xor %eax, %eax", "cpuid");
STEPPED(rdmsr, "mov $0x1b, %ecx", "rdmsr");
STEPPED(wrmsr, "mov $0x8b, %ecx; xor %eax, %eax; xor %edx, %edx", "wrmsr");
STEPPED(in, "mov $0x3fd, %edx", "inb %dx, %al");
STEPPED(out, "mov $0x80, %edx", "outb %al, %dx");
STEPPED(mmio_read, "", "mov " HOLE ", %eax");
STEPPED(mmio_write, "", "movl $1, " HOLE);
STEPPED(mmio_rmw, "", "addl $1, " HOLE);
STEPPED(wbinvd, "", "wbinvd");
STEPPED(hlt, "", "hlt");
STEPPED(cr4_write, "mov %cr4, %rax", "mov %rax, %cr4");
STEPPED(cr8_write, "xor %eax, %eax", "mov %rax, %cr8");
STEPPED(dr7_read, "", "mov %dr7, %rax");
STEPPED(hypercall, "mov $1000, %eax", "vmcall");
STEPPED(cr0_write, "mov %cr0, %rax", "mov %rax, %cr0");
STEPPED(cr3_write, "mov %cr3, %rax", "mov %rax, %cr3");
STEPPED(clts, "", "clts");
STEPPED(invlpg, "", "invlpg (%rdi)");
STEPPED(xsetbv, "xor %ecx, %ecx; mov $1, %eax; xor %edx, %edx", "xsetbv");
STEPPED(mmio_xchg, "mov $1, %eax", "xchg %eax, " HOLE);
STEPPED(mmio_push, "", "push " HOLE "; pop %rax");
STEPPED(rep_mmio, "mov $" HOLE ", %edi; mov $3, %ecx", "3: rep stosb");
STEPPED(rep_none, "xor %ecx, %ecx; mov $0x80, %edx", "rep outsb");
STEPPED(prefixed, "xor %eax, %eax", ".byte 0x66, 0x48, 0x0f, 0xa2");
STEPPED(mov_ss, "mov %ss, %edx", "mov %edx, %ss; cpuid");
STEPPED(mov_ss_nop, "mov %ss, %edx", "mov %edx, %ss; nop");
STEPPED(mov_ss_rdmsr, "mov %ss, %edx; mov $0x1b, %ecx", "mov %edx, %ss; rdmsr");
STEPPED(mov_ss_int1, "mov %ss, %edx", "mov %edx, %ss; .byte 0xf1");
STEPPED(rep_out, "mov $0x80, %edx; mov $3, %ecx; mov $watched, %esi",
	"3: rep outsb");

static const struct {
	const char *name;
	void (*fn)(void);
} stepped[] = {
	{ "debug.step_nop", step_nop },
	{ "debug.step_cpuid", step_cpuid },
	{ "debug.step_rdmsr", step_rdmsr },
	{ "debug.step_wrmsr", step_wrmsr },
	{ "debug.step_in", step_in },
	{ "debug.step_out", step_out },
	{ "debug.step_mmio_read", step_mmio_read },
	{ "debug.step_mmio_write", step_mmio_write },
	{ "debug.step_mmio_rmw", step_mmio_rmw },
	{ "debug.step_wbinvd", step_wbinvd },
	{ "debug.step_hlt", step_hlt },
	{ "debug.step_cr4_write", step_cr4_write },
	{ "debug.step_cr8_write", step_cr8_write },
	{ "debug.step_dr7_read", step_dr7_read },
	{ "debug.step_hypercall", step_hypercall },
	{ "debug.step_prefixed", step_prefixed },
	{ "debug.step_cr0_write", step_cr0_write },
	{ "debug.step_cr3_write", step_cr3_write },
	{ "debug.step_clts", step_clts },
	{ "debug.step_invlpg", step_invlpg },
	{ "debug.step_mmio_xchg", step_mmio_xchg },
	{ "debug.step_rep_none", step_rep_none },
};

static void run_steps(void (*fn)(void))
{
	steps = 0;
	write_dr6(DR6_RESET);
	fn();
}

/* One trap behind the instruction, one behind the NOP */
static bool stepped_once(void)
{
	return steps == 2 && rips[0] == step_after && rips[1] == step_end &&
	       (dr6s[0] & DR6_BS) && !(dr6s[0] & 0xf);
}

/* Three repeats: a trap behind each, and one behind the NOP */
static void each_repeat(const char *name, void (*fn)(void))
{
	run_steps(fn);
	check(steps == 4 && rips[2] == step_after && rips[0] == rips[1] &&
		      rips[0] < step_after,
	      name, "%u traps", steps);
}

static void step_xsetbv_on(void)
{
	u64 cr4 = read_cr4();
	u32 r[4];

	cpuid(1, 0, r);
	if (!(r[2] & 1u << 26))
		return;
	write_cr4(cr4 | CR4_OSXSAVE);
	run_steps(step_xsetbv);
	write_cr4(cr4);
	check(stepped_once(), "debug.step_xsetbv", "%u traps", steps);
}

static void single_steps(void)
{
	section("SDM 3B 18.3.1.4");
	for (u32 i = 0; i < ARRAY_SIZE(stepped); i++) {
		run_steps(stepped[i].fn);
		check(stepped_once(), stepped[i].name,
		      "%u traps, %llx for %llx, dr6 %llx", steps, rips[0],
		      step_after, dr6s[0]);
	}
	each_repeat("debug.step_rep_each", step_rep_out);
	each_repeat("debug.step_rep_mmio", step_rep_mmio);
	run_steps(step_mmio_push);
	check(steps == 3 && rips[1] == step_after, "debug.step_mmio_push",
	      "%u traps", steps);
	step_xsetbv_on();
}

static void move_ss(void)
{
	if (!cpu_is_intel())
		return;
	section("SDM 3A 6.8.3");
	run_steps(step_mov_ss_nop);
	check(stepped_once(), "debug.mov_ss_holds_step", "%u traps", steps);
	run_steps(step_mov_ss);
	check(stepped_once(), "debug.mov_ss_cpuid", "%u traps, %llx", steps,
	      rips[0]);
	run_steps(step_mov_ss_rdmsr);
	check(stepped_once(), "debug.mov_ss_rdmsr", "%u traps, %llx", steps,
	      rips[0]);
	run_steps(step_mov_ss_int1);
	check(steps == 2 && rips[0] == step_after && rips[1] == step_end &&
		      dr6s[0] == DR6_RESET && (dr6s[1] & DR6_BS),
	      "debug.mov_ss_int1_is_no_step", "%u traps, %llx, dr6 %llx", steps,
	      rips[0], dr6s[0]);
}

/* A data breakpoint that MOV SS holds back comes behind the next instruction,
 * be it one that exits */
void watched_mov_ss(void);
__asm__(".text\nwatched_mov_ss:\n push %rbx\n lea 1f(%rip), %rdi\n"
	"mov %rdi, step_after\n mov %rdi, step_end\n mov %ss, watched\n"
	"mov $watched, %rdi\n mov %rdi, %dr0\n mov $0x70402, %edi\n"
	"mov %rdi, %dr7\n xor %eax, %eax\n"
	"mov watched, %ss\n cpuid\n1: nop\n"
	"mov $0x400, %edi\n mov %rdi, %dr7\n pop %rbx\n ret\n");

static void pending_breakpoint(void)
{
	if (!cpu_is_intel())
		return;
	section("SDM 3A 6.8.3");
	run_steps(watched_mov_ss);
	check(steps == 1 && rips[0] == step_after && (dr6s[0] & 1),
	      "debug.mov_ss_holds_breakpoint", "%u traps at %llx dr6 %llx",
	      steps, rips[0], dr6s[0]);
}

/* An instruction breakpoint is a fault; RF lets the instruction run */
static void on_code(struct trap_frame *f)
{
	steps++;
	rips[0] = f->rip;
	dr6s[0] = read_dr6();
	write_dr6(DR6_RESET);
	f->rflags |= RF;
}

void code_target(void);
__asm__(".text\ncode_target:\n push %rbx\n xor %eax, %eax\n"
	"code_insn: cpuid\n pop %rbx\n ret\n");
extern char code_insn[];

static void code_breakpoint(void)
{
	irq_handler[DB] = on_code;
	steps = 0;
	section("SDM 3B 18.3.1.1");
	write_dr0((u64)code_insn);
	write_dr7(DR7_RESET | 2);
	code_target();
	check(steps == 1 && rips[0] == (u64)code_insn && (dr6s[0] & 1),
	      "debug.code_breakpoint", "%u at %llx dr6 %llx", steps, rips[0],
	      dr6s[0]);
	code_target();
	code_target();
	write_dr7(DR7_RESET);
	check(steps == 3, "debug.rf_lasts_one_instruction", "%u", steps);
}

static void data_breakpoints(void)
{
	irq_handler[DB] = on_debug;
	section("SDM 3B 18.3.1.2");
	write_dr0((u64)watched);
	write_dr7(DR7_RESET | 2 | 0x90000); /* 8 bytes, written */
	steps = 0;
	watched[0] = 5;
	__asm__ volatile("" ::: "memory");
	check(steps == 1 && (dr6s[0] & 1) && !(dr6s[0] & DR6_BS),
	      "debug.write_breakpoint", "%u dr6 %llx", steps, dr6s[0]);
	steps = 0;
	(void)*(volatile u64 *)watched;
	check(steps == 0, "debug.write_breakpoint_not_read", "%u", steps);
	write_dr7(DR7_RESET | 2 | 0xb0000); /* read or written */
	(void)*(volatile u64 *)watched;
	check(steps == 1, "debug.access_breakpoint", "%u", steps);
	write_dr7(DR7_RESET);
	*(volatile u64 *)watched = 6;
	check(steps == 1, "debug.breakpoint_off", "%u", steps);
}

static void on_detect(struct trap_frame *f)
{
	steps++;
	dr6s[0] = read_dr6();
	rips[0] = f->rip;
	dr6s[1] = read_dr7();
	write_dr6(DR6_RESET);
}

static void general_detect(void)
{
	u64 at, v;

	if (!cpu_is_intel())
		return;
	irq_handler[DB] = on_detect;
	steps = 0;
	section("SDM 3B 18.3.1.3");
	write_dr7(DR7_RESET | DR7_GD);
	__asm__ volatile("lea 1f(%%rip), %0\n1: mov %%dr0, %1"
			 : "=&r"(at), "=r"(v));
	check(steps == 1 && rips[0] == at && (dr6s[0] & DR6_BD),
	      "debug.general_detect", "%u at %llx dr6 %llx", steps, rips[0],
	      dr6s[0]);
	check(!(dr6s[1] & DR7_GD), "debug.general_detect_off", "dr7 %llx",
	      dr6s[1]);
	write_dr7(DR7_RESET);
}

static void int1(void)
{
	u64 after;

	if (!cpu_is_intel())
		return; /* QUIRK(tcg-7.2): it has no INT1 */
	irq_handler[DB] = on_detect;
	steps = 0;
	write_dr6(DR6_RESET);
	section("SDM 2A INT n");
	__asm__ volatile("lea 1f(%%rip), %0\n .byte 0xf1\n1:" : "=r"(after));
	check(steps == 1 && rips[0] == after, "debug.int1_returns_behind",
	      "%u at %llx for %llx", steps, rips[0], after);
	section("SDM 3B 18.2.3");
	check(!(dr6s[0] & (DR6_BS | DR6_BD | 0xf)), "debug.int1_no_cause",
	      "dr6 %llx", dr6s[0]);
}

static void step_bad_rdmsr(void *arg)
{
	__asm__ volatile(
		"pushfq; orq $0x100, (%%rsp); popfq; rdmsr" ::"c"(0xdeadbeef)
		: "eax", "edx");
}

/* A fault of the stepped instruction: it has not run, there is no trap */
static void fault_while_stepping(void)
{
	u8 v;

	irq_handler[DB] = on_debug;
	steps = 0;
	step_end = 0;
	section("SDM 3A 6.9");
	v = guest_try(step_bad_rdmsr, NULL);
	check(v == GP && steps == 0, "debug.fault_is_no_step",
	      "vector %u, %u traps", v, steps);
}

static void do_dr4(void *arg)
{
	u64 v;

	__asm__ volatile("mov %%dr4, %0" : "=r"(v));
	*(u64 *)arg = v;
}
static void do_dr7_high(void *arg)
{
	write_dr7((u64)arg);
}
static void do_dr6_high(void *arg)
{
	write_dr6((u64)arg);
}

static void registers(void)
{
	u64 v = 0;

	section("SDM 3B 18.2.2");
	write_dr6(DR6_RESET | 5);
	check(guest_try(do_dr4, &v) == NO_TRAP && v == (DR6_RESET | 5),
	      "debug.dr4_is_dr6", "%llx", v);
	write_cr4(read_cr4() | CR4_DE);
	check(guest_try(do_dr4, &v) == UD, "debug.dr4_ud_with_de", "no #UD");
	write_cr4(read_cr4() & ~CR4_DE);
	write_dr6(DR6_RESET);
	section("SDM 3B 18.2.6");
	check(guest_try(do_dr7_high, (void *)(1ul << 32 | DR7_RESET)) == GP,
	      "debug.dr7_high_gp", "no #GP");
	check(guest_try(do_dr6_high, (void *)(1ul << 40)) == GP,
	      "debug.dr6_high_gp", "no #GP");
	section("SDM 3B 18.2.3");
	check(read_dr6() == DR6_RESET, "debug.dr6_fixed_bits", "%llx",
	      read_dr6());
	section("SDM 3B 18.2.4");
	check(read_dr7() == DR7_RESET, "debug.dr7_fixed_bits", "%llx",
	      read_dr7());
}

void guest_main(void)
{
	apic_enable();
	irq_handler[DB] = on_debug;
	single_steps();
	move_ss();
	pending_breakpoint();
	code_breakpoint();
	data_breakpoints();
	general_detect();
	int1();
	fault_while_stepping();
	registers();
}
