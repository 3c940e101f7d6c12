/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Breakpoints on data and ports (SDM 3B 18.3.1.2; APM 2 13.1.1) that the CPU
 * does not meet itself, because the hypervisor makes the access, and what DR6
 * then says.
 */
#include "tests/guest/lib/guest.h"

#define TF        0x100ul
#define RF        0x10000ul
#define DR6_RESET 0xffff0ff0ul
#define DR6_BS    0x4000ul
#define DR6_BT    0x8000ul
#define DR7_RESET 0x400ul
#define CR4_DE    8ul
#define DB        1
#define PORT      0x80
#define HOLE      0x1008000ul /* past the RAM of list.toml */
#define TEXT(x)   TEXT_(x)
#define TEXT_(x)  #x

/* Of DR7, for breakpoint n: globally on, kind and length */
#define WATCH(n, kind, len)                                                    \
	(2ul << 2 * (n) | (u64)(kind) << (16 + 4 * (n)) |                      \
	 (u64)(len) << (18 + 4 * (n)))
enum { KIND_CODE, KIND_WRITE, KIND_PORT, KIND_ACCESS };
enum { LEN_1, LEN_2, LEN_8, LEN_4 };

/* Read and written by the assembly below */
u64 bp_after, bp_count, bp_bytes[2];
static volatile u64 rip, dr6, count;
static volatile u32 traps;

static void write_dr(u64 dr0, u64 dr1, u64 dr7)
{
	__asm__ volatile(
		"mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr7" ::"r"(dr0),
		"r"(dr1), "r"(DR7_RESET | dr7));
}

static void write_dr6(u64 v)
{
	__asm__ volatile("mov %0, %%dr6" ::"r"(v));
}

static void on_debug(struct trap_frame *f)
{
	if (!traps++) {
		rip = f->rip;
		count = f->rcx;
		__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	}
	f->rflags &= ~TF;
	if (!(dr6 & DR6_BS))
		f->rflags |= RF; /* a code breakpoint is a fault */
}

/* bp_NAME(): INSN; RDI is taken */
#define INSN(name, setup, insn)                                                \
	void bp_##name(void);                                                  \
	__asm__(".text\nbp_" #name ":\n"                                       \
		"push %rbx\n lea 1f(%rip), %rdi\n mov %rdi, bp_after\n" setup  \
		"\n" insn "\n1:	nop\n pop %rbx\n ret\n")
#define AT_PORT "mov $" TEXT(PORT) ", %edx"
#define AT_HOLE "movabs $0x1008000, %rdi"

INSN(out, AT_PORT, "outb %al, %dx");
INSN(in, AT_PORT, "inb %dx, %al");
INSN(in_wide, AT_PORT, "inl %dx, %eax");
INSN(read, AT_HOLE, "mov (%rdi), %eax");
INSN(write, AT_HOLE, "movl $1, (%rdi)");
INSN(modify, AT_HOLE, "addl $1, (%rdi)");
INSN(move, AT_HOLE "; mov $bp_bytes, %esi", "movsb");
INSN(rep_stos, AT_HOLE "; mov $3, %ecx", "rep stosb");
INSN(rep_outs, AT_PORT "; mov $3, %ecx; mov $bp_bytes, %esi", "rep outsb");
INSN(step_out, AT_PORT "; pushfq; orq $0x100, (%rsp); popfq", "outb %al, %dx");
INSN(code, "", "nop");

static void run(void (*fn)(void), u64 dr0, u64 dr1, u64 dr7)
{
	traps = 0;
	rip = dr6 = 0;
	write_dr6(DR6_RESET);
	write_dr(dr0, dr1, dr7);
	fn();
	write_dr(0, 0, 0);
}

/* One trap, behind the instruction, for @causes alone */
static void trapped(const char *name, u64 causes)
{
	check(traps == 1 && rip == bp_after && dr6 == (DR6_RESET | causes),
	      name, "%u traps, %llx for %llx, dr6 %llx", traps, rip, bp_after,
	      dr6);
}

static void silent(const char *name)
{
	check(traps == 0, name, "%u traps, dr6 %llx", traps, dr6);
}

static void ports(void)
{
	section("SDM 3B 18.3.1.2");
	run(bp_out, PORT, 0, WATCH(0, KIND_PORT, LEN_1));
	silent("breakpoints.port_without_de");
	write_cr4(read_cr4() | CR4_DE);
	run(bp_out, PORT, 0, WATCH(0, KIND_PORT, LEN_1));
	trapped("breakpoints.port_out", 1);
	run(bp_in, 0, PORT, WATCH(1, KIND_PORT, LEN_1));
	trapped("breakpoints.port_in", 2);
	run(bp_out, PORT, 0, 0);
	silent("breakpoints.port_off");
	run(bp_out, PORT, 0, 0);
	run(bp_out, PORT, 0, WATCH(0, KIND_PORT, LEN_1));
	trapped("breakpoints.port_on_again", 1);
	section("SDM 3B 18.2.5");
	run(bp_in_wide, PORT + 3, 0, WATCH(0, KIND_PORT, LEN_1));
	trapped("breakpoints.port_last_byte", 1);
	run(bp_in, PORT + 3, 0, WATCH(0, KIND_PORT, LEN_4));
	trapped("breakpoints.port_aligned", 1);
	run(bp_in, PORT + 1, 0, WATCH(0, KIND_PORT, LEN_1));
	silent("breakpoints.port_beside");
}

static void data(void)
{
	section("SDM 3B 18.3.1.2");
	run(bp_write, HOLE, 0, WATCH(0, KIND_WRITE, LEN_4));
	trapped("breakpoints.mmio_write", 1);
	run(bp_read, HOLE, 0, WATCH(0, KIND_WRITE, LEN_4));
	silent("breakpoints.mmio_read_is_no_write");
	run(bp_read, HOLE, 0, WATCH(0, KIND_ACCESS, LEN_4));
	trapped("breakpoints.mmio_read", 1);
	run(bp_modify, HOLE + 3, 0, WATCH(0, KIND_WRITE, LEN_1));
	trapped("breakpoints.mmio_modify", 1);
	run(bp_write, HOLE + 4, 0, WATCH(0, KIND_WRITE, LEN_4));
	silent("breakpoints.mmio_beside");
	run(bp_write, HOLE - 8, HOLE + 7,
	    WATCH(0, KIND_WRITE, LEN_8) | WATCH(1, KIND_ACCESS, LEN_8));
	trapped("breakpoints.mmio_eight", 2);
	run(bp_move, HOLE, (u64)bp_bytes,
	    WATCH(0, KIND_WRITE, LEN_1) | WATCH(1, KIND_ACCESS, LEN_1));
	trapped("breakpoints.both_operands", 3);
}

/* Behind the repeat that met it (SDM 2B, REP) */
static void in_repeat(const char *name, u64 left, u64 causes)
{
	check(traps == 1 && rip < bp_after && count == left &&
		      dr6 == (DR6_RESET | causes),
	      name, "%u traps, %llx of %llx, %llu left, dr6 %llx", traps, rip,
	      bp_after, count, dr6);
}

static void repeats(void)
{
	section("SDM 3B 18.3.1.2");
	run(bp_rep_stos, HOLE + 1, 0, WATCH(0, KIND_WRITE, LEN_1));
	in_repeat("breakpoints.rep_mmio", 1, 1);
	run(bp_rep_outs, (u64)bp_bytes, 0, WATCH(0, KIND_ACCESS, LEN_1));
	in_repeat("breakpoints.rep_outs_source", 2, 1);
	run(bp_rep_outs, PORT, 0, WATCH(0, KIND_PORT, LEN_1));
	check(traps == 3 && count == 2, "breakpoints.rep_outs_port",
	      "%u traps, first with %llu left", traps, count);
}

/* B0-3 are the last breakpoint's; the CPU clears nothing else */
static void causes(void)
{
	section("SDM 3B 18.2.3");
	run(bp_step_out, PORT, 0, WATCH(0, KIND_PORT, LEN_1));
	trapped("breakpoints.with_step", DR6_BS | 1);
	traps = 0;
	write_dr6(DR6_RESET | DR6_BT | 2);
	write_dr(PORT, 0, WATCH(0, KIND_PORT, LEN_1));
	bp_out();
	trapped("breakpoints.port_keeps_dr6", DR6_BT | 1);
	traps = 0;
	write_dr6(DR6_RESET | DR6_BT | 2);
	write_dr((u64)bp_code, 0, WATCH(0, KIND_CODE, LEN_1));
	bp_code();
	write_dr(0, 0, 0);
	check(traps == 1 && rip == (u64)bp_code &&
		      dr6 == (DR6_RESET | DR6_BT | 1),
	      "breakpoints.code_keeps_dr6", "%u traps at %llx, dr6 %llx", traps,
	      rip, dr6);
}

void guest_main(void)
{
	irq_handler[DB] = on_debug;
	ports();
	data();
	repeats();
	causes();
}
