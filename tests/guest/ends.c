/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways a guest ends, one a run, chosen by the command line. The system sees
 * the result in the hypervisor's log; nothing else may notice.
 */
#include "tests/guest/lib/guest.h"

/* It may own the machine, and then it lies where the hypervisor does not */
__asm__(".globl guest_base\n.set guest_base, 0x800000");

#define RESET_PORT 0xcf9
#define RESET_HARD 6

static void triple_fault(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed idtr = { 0, 0 };

	__asm__ volatile("lidt %0; ud2" ::"m"(idtr));
}

static void endless_loop(void)
{
	for (;;)
		__asm__ volatile("");
}

static void endless_cpuid(void)
{
	u32 r[4];

	for (;;)
		cpuid(0, 0, r);
}

static void jump_to_nowhere(void)
{
	((void (*)(void))0xfed00000)();
}

/*
 * CVE-2015-8104: the frame of a #DB lies under a data breakpoint, so that each
 * delivery of one makes the next. Left to the CPU, no interrupt would come in
 * between.
 */
static u64 watched_stack[64] __aligned(64);

static void debug_loop(void)
{
	u64 top = (u64)(watched_stack + 64);

	if (!cpu_is_intel())
		endless_loop(); /* QUIRK(tcg-7.2): it aborts */
	__asm__ volatile("mov %0, %%dr0; mov %1, %%dr7" ::"r"(top - 24),
			 "r"(0x400ul | 2 | 0x90000));
	__asm__ volatile("lea -16(%0), %%rsp; mov %%rax, -8(%%rsp)\n"
			 "1: nop; jmp 1b" ::"r"(top));
	__builtin_unreachable();
}

static void debug_again(struct trap_frame *f)
{
	(void)f; /* its frame is watched; DR6 stays as it is */
}

static const struct {
	const char *word;
	void (*fn)(void);
} ends[] = {
	{ "triple", triple_fault },      { "loop", endless_loop },
	{ "cpuid_loop", endless_cpuid }, { "nowhere", jump_to_nowhere },
	{ "debug_loop", debug_loop },
};

static void debug_exit(void)
{
	section("docs/manifest.md debug_exit_port");
	outb(0xf4, 0x2a);
	check(false, "ends.debug_exit", "the guest still runs");
}

void guest_main(void)
{
	print("READY\n");
	irq_handler[1] = debug_again;
	for (u32 i = 0; i < ARRAY_SIZE(ends); i++)
		if (cmdline_has(ends[i].word))
			ends[i].fn();
	if (cmdline_has("reset"))
		outb(RESET_PORT, RESET_HARD);
	if (cmdline_has("debug_exit"))
		debug_exit();
}
