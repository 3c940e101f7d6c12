/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest that debugger.c debugs: a loop of what can be stepped and watched,
 * until the debugger writes that it ends. It must not have noticed anything:
 * its code, its flags and its debug registers are its own.
 */
#include "tests/guest/lib/debugged.h"
#include "tests/guest/lib/guest.h"

#define DB       1
#define SOFT     "0x70"
#define DR3      "0x3333330"
#define CODE_MAX 128
#define TF       0x100ul

extern char loop[], loop_write[], loop_read[], loop_clear[], loop_exit[],
	loop_raise[], loop_after[], loop_end[];
static void on_soft(struct trap_frame *f);

static volatile struct debugged debugged = {
	.write = (u64)loop_write,
	.read = (u64)loop_read,
	.clear = (u64)loop_clear,
	.exit = (u64)loop_exit,
	.raise = (u64)loop_raise,
	.after = (u64)loop_after,
	.handler = (u64)on_soft,
};

/* R13: struct debugged; CPUID is why RBX is saved */
__asm__(".text\nloop:\n"
	"push %rbx\n push %r12\n push %r13\n"
	"mov %rsi, %r12\n mov %rdi, %r13\n"
	"1:\n"
	"loop_write: incq 0(%r13)\n"
	"loop_read: mov 0(%r13), %rax\n"
	"loop_clear: xor %eax, %eax\n"
	"loop_exit: cpuid\n"
	"loop_raise: int $" SOFT "\n nop\n"
	"loop_after: mov %dr3, %rax\n"
	"cmp $" DR3 ", %rax\n je 2f\n"
	"incq 8(%r13)\n"
	"2: cmpq $0, 16(%r13)\n je 1b\n"
	"pop %r13\n pop %r12\n pop %rbx\n ret\n"
	"loop_end:\n");
static_assert(offsetof(struct debugged, wrong) == 8, "the code above");
static_assert(offsetof(struct debugged, ends) == 16, "the code above");

static void on_soft(struct trap_frame *f)
{
	u32 r[4];

	cpuid(0, 0, r);
	debugged.handled++;
}

static void on_debug(struct trap_frame *f)
{
	debugged.traps++;
	f->rflags &= ~TF;
}

static u64 read_dr(u32 n)
{
	u64 v;

	switch (n) {
	case 0:
		__asm__ volatile("mov %%dr0, %0" : "=r"(v));
		return v;
	case 6:
		__asm__ volatile("mov %%dr6, %0" : "=r"(v));
		return v;
	default:
		__asm__ volatile("mov %%dr7, %0" : "=r"(v));
		return v;
	}
}

void guest_main(void)
{
	u8 before[CODE_MAX];
	u32 changed = 0;
	u64 dr7 = read_dr(7);

	for (u32 i = 0; loop + i < loop_end; i++)
		before[i] = (u8)loop[i];
	irq_handler[DB] = on_debug;
	irq_handler[0x70] = on_soft;
	__asm__ volatile("mov %0, %%dr3; mov %0, %%dr0" ::"r"(0x3333330ul));
	((void (*)(volatile struct debugged *, u64))(void *)loop)(
		&debugged, DEBUGGED_MAGIC);
	section("SDM 3B 18.2");
	for (u32 i = 0; loop + i < loop_end; i++)
		changed += before[i] != (u8)loop[i];
	check(!changed, "debugged.code", "%u bytes differ", changed);
	check(!debugged.traps, "debugged.no_trap", "%llu", debugged.traps);
	check(debugged.handled == debugged.watched, "debugged.turns",
	      "%llu of %llu", debugged.handled, debugged.watched);
	check(!debugged.wrong, "debugged.registers", "%llu turns",
	      debugged.wrong);
	check(read_dr(0) == 0x3333330 && read_dr(7) == dr7,
	      "debugged.registers_after", "%llx %llx", read_dr(0), read_dr(7));
	check(read_dr(6) == 0xffff0ff0, "debugged.dr6", "%llx", read_dr(6));
	check(!(rflags() & TF), "debugged.flags", "%llx", rflags());
}
