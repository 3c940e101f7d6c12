/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine by our own fault (panic.h). Called by ASSERT, by
 * whoever finds the machine unusable, and by arch/x86/machine/idt.c. The first
 * core takes panic_owner and never gives it back; every other core halts.
 *
 * Lock: the log's alone, and no wait for it is without an end
 * (arch/x86/machine/log_env.c).
 */
#include "arch/x86/cpu/panic.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cpu_area.h"
#include "arch/x86/cpu/percpu.h"
#include "include/hw/cpu.h"
#include "lib/log.h"
#include "lib/log_ring.h"
#include "lib/printf.h"

void (*panic_stop_hook)(void);
void (*panic_console_hook)(void);
void (*panic_dump_hook)(void);
void (*panic_end_hook)(void);

#define NOBODY UINT32_MAX

static u32 panic_owner = NOBODY;
static u32 panic_depth; /* owner only */

bool panic_active(void)
{
	return __atomic_load_n(&panic_owner, __ATOMIC_ACQUIRE) != NOBODY;
}

bool panic_is_here(void)
{
	return __atomic_load_n(&panic_owner, __ATOMIC_ACQUIRE) ==
	       this_cpu()->id;
}

/* Faults inside the panic: the first may end it as is meant, the next halts */
#define DEPTH_TO_END 2

__noreturn static void end(void)
{
	/* A reset drops what is only in the caches: the ring must reach RAM */
	wbinvd();
	if (panic_depth <= DEPTH_TO_END && panic_end_hook)
		panic_end_hook();
	cpu_halt_forever();
}

/* Returns on the first core, the first time; halts all others */
static void claim(void)
{
	struct pcpu *cpu = this_cpu();
	u32 expected = NOBODY;

	irq_disable();
	if (!__atomic_compare_exchange_n(&panic_owner, &expected, cpu->id,
					 false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE) &&
	    expected != cpu->id)
		cpu_halt_forever();
	if (panic_depth++ == 0) {
		log_ring_end(LOG_END_PANIC);
		if (panic_stop_hook)
			panic_stop_hook();
		if (panic_console_hook)
			panic_console_hook();
		return;
	}
	if (panic_depth == DEPTH_TO_END)
		log_write(LOG_PANIC, "panic",
			  "a second fault inside the panic, at %p",
			  __builtin_return_address(0));
	end();
}

static void print_u64_row(const char *const *names, const u64 *values, u32 n)
{
	char line[128];
	int len = 0;

	for (u32 i = 0; i < n; i++)
		len += bh_snprintf(line + len, sizeof(line) - (size_t)len,
				   "%s%-3s %016llx", i ? "  " : "", names[i],
				   values[i]);
	log_write(LOG_PANIC, "panic", "%s", line);
}

#define REGS_IN_ROW 4

static void print_frame(const struct trap_frame *f)
{
	static const char *const names[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp",
		"rsp", "r8",  "r9",  "r10", "r11", "r12", "r13",
		"r14", "r15", "rip", "fl",  "cs",  "ss",
	};
	const u64 values[] = {
		f->rax, f->rbx, f->rcx, f->rdx,    f->rsi, f->rdi, f->rbp,
		f->rsp, f->r8,  f->r9,  f->r10,    f->r11, f->r12, f->r13,
		f->r14, f->r15, f->rip, f->rflags, f->cs,  f->ss,
	};

	static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(values), "rows");
	for (u32 i = 0; i < ARRAY_SIZE(names); i += REGS_IN_ROW)
		print_u64_row(names + i, values + i, REGS_IN_ROW);
}

static void print_control(void)
{
	static const char *const names[] = { "cr0", "cr2", "cr3", "cr4" };
	const u64 values[] = { read_cr0(), read_cr2(), read_cr3(), read_cr4() };

	print_u64_row(names, values, REGS_IN_ROW);
}

extern const u8 __text_start[], __text_end[]; /* linker.ld */
#define CALLERS_MAX 12

/* Log the words above @rsp that may be return addresses, innermost first. Only
 * of the stack in use, or of this core's one stack: others may be anything. */
static void print_callers(u64 rsp)
{
	u64 end = ALIGN_DOWN(rsp, STACK_SIZE) + STACK_SIZE;
	u32 found = 0;

	if (ALIGN_DOWN(rsp, STACK_SIZE) != ALIGN_DOWN(read_rsp(), STACK_SIZE) &&
	    end != this_cpu()->stack_top)
		return;
	rsp = ALIGN_UP(MAX(rsp, stack_bottom(rsp)), 8);
	for (; rsp < end && found < CALLERS_MAX; rsp += 8) {
		u64 word = *(const u64 *)rsp;

		if (word <= (u64)__text_start || word >= (u64)__text_end)
			continue;
		log_write(LOG_PANIC, "panic", "  from %016llx", word);
		found++;
	}
}

__noreturn static void finish(u64 rsp)
{
	print_control();
	print_callers(rsp);
	if (panic_dump_hook)
		panic_dump_hook();
	end();
}

void panic_frame(const struct trap_frame *frame, const char *reason)
{
	claim();
	log_write(LOG_PANIC, "panic", "%s at %016llx", reason, frame->rip);
	print_frame(frame);
	finish(frame->rsp);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	claim();
	va_start(ap, fmt);
	log_vwrite(LOG_PANIC, "panic", fmt, ap);
	va_end(ap);
	finish((u64)__builtin_frame_address(0));
}
