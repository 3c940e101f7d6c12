/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of a core's memory block (cpu_area.h). Pure; no lock. */
#include "arch/x86/cpu/cpu_area.h"

#include "include/hw/cpu.h"

/* What the CPU pushes for a #PF: SS, RSP, RFLAGS, CS, RIP and the error code,
 * from a multiple of 16 on (SDM 3A 6.14.2 *64-Bit Mode Stack Frame*) */
#define FAULT_FRAME_BYTES (6 * 8 + 15)

void *cpu_area_guard(const struct pcpu *cpu, enum ist which)
{
	return (u8 *)cpu->self + which * STACK_SIZE + GUARD_OFFSET;
}

static struct cpu_area *area_of(const struct pcpu *cpu)
{
	return (struct cpu_area *)(u64)cpu->self;
}

u64 cpu_area_shadow_token(const struct pcpu *cpu, enum ist which)
{
	return (u64)cpu_area_guard(cpu, which) + PAGE_SIZE - sizeof(u64);
}

u64 cpu_area_shadow_table(const struct pcpu *cpu)
{
	return (u64)area_of(cpu)->shadow_table;
}

/* A token is its own address; the CPU sets bit 0 while the stack is in use */
void cpu_area_shadow_init(struct pcpu *cpu)
{
	for (u32 i = IST_NONE; i < IST_COUNT; i++) {
		u64 token = cpu_area_shadow_token(cpu, i);

		*(u64 *)token = token;
		area_of(cpu)->shadow_table[i] = token;
	}
}

/* The stack in whose guard @va lies; IST_COUNT: of none */
static u64 guarded_stack(const struct pcpu *cpu, u64 va)
{
	u64 offset = va - (u64)cpu->self;

	if (offset >= CPU_AREA_SIZE ||
	    offset % STACK_SIZE - GUARD_OFFSET >= PAGE_SIZE)
		return IST_COUNT;
	return offset / STACK_SIZE;
}

const char *cpu_area_overflow(const struct pcpu *cpu, u64 vector, u64 rsp,
			      u64 cr2)
{
	static const char *const names[IST_COUNT + 1] = {
		[IST_NONE] = "the stack",
		[IST_NMI] = "the NMI stack",
		[IST_DF] = "the #DF stack",
		[IST_MC] = "the #MC stack",
	};
	u64 which;

	if (vector == EXC_PF)
		return names[guarded_stack(cpu, cr2)];
	if (vector != EXC_DF)
		return NULL;
	/* No room for a #PF's frame. CR2 may be a guest's: it proves nothing */
	which = guarded_stack(cpu, rsp);
	if (which == IST_COUNT)
		which = guarded_stack(cpu, rsp - FAULT_FRAME_BYTES);
	return names[which];
}

u64 stack_bottom(u64 sp)
{
	return ALIGN_DOWN(sp, STACK_SIZE) + GUARD_OFFSET + PAGE_SIZE;
}
