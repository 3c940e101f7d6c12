/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See idt.h. Called by cpu.c and, on exceptions, by idt.asm. The boot CPU
 * writes the table once and all cores share it; no lock.
 *
 * A message may carry an exception's vector: 16 to 31 are legal (SDM 3A 11.5.2
 * *Valid Interrupt Vectors*), and a device that does DMA can write any. Only
 * the LAPIC can tell the two apart.
 */
#include "arch/x86/machine/idt.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cpu_area.h"
#include "arch/x86/cpu/gdt.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/log_env.h"
#include "arch/x86/machine/mce.h"
#include "arch/x86/machine/nmi.h"
#include "arch/x86/machine/stub.h"
#include "include/hw/cpu.h"
#include "include/hw/descriptor.h"
#include "lib/printf.h"

static_assert(sizeof(struct trap_frame) == 22 * 8, "idt.asm pushes it");
static_assert(TRAP_FIXED == 2, "idt.asm");
static_assert(offsetof(struct trap_frame, rip) == 136, "FRAME_RIP");
static_assert(offsetof(struct trap_frame, rflags) == 152, "FRAME_RFLAGS");
static_assert(offsetof(struct trap_frame, rsp) == 160, "FRAME_RSP");
static_assert(EXC_HAS_ERROR_MASK == 0x60227d00, "idt.asm ERROR_MASK");

#define STUB_SIZE 16

extern const u8 idt_stubs[]; /* idt.asm */

static struct idt_gate idt[IDT_ENTRIES] __aligned(16);

static const u8 vector_ist[EXC_COUNT] = {
	[EXC_NMI] = IST_NMI,
	[EXC_DF] = IST_DF,
	[EXC_MC] = IST_MC,
};

/* Instructions whose #GP is no bug, and where they go on after it */
struct fixup {
	const u8 *insn;
	const u8 *resume;
};
extern const u8 rdmsr_safe_insn[], wrmsr_safe_insn[], xsetbv_safe_insn[];
extern const u8 msr_safe_failed[];

static const struct fixup fixups[] = {
	{ rdmsr_safe_insn, msr_safe_failed },
	{ wrmsr_safe_insn, msr_safe_failed },
	{ xsetbv_safe_insn, msr_safe_failed },
};

void idt_init(void)
{
	for (u32 v = 0; v < IDT_ENTRIES; v++) {
		u64 stub = (u64)idt_stubs + v * STUB_SIZE;

		idt[v] = (struct idt_gate){
			.offset_low = (u16)stub,
			.offset_mid = (u16)(stub >> 16),
			.offset_high = (u32)(stub >> 32),
			.selector = SEL_CODE,
			.ist = v < EXC_COUNT ? vector_ist[v] : (u8)IST_NONE,
			.type = GATE_INTERRUPT,
		};
	}
}

void idt_load(void)
{
	struct desc_ptr idtr = { sizeof(idt) - 1, (u64)idt };

	lidt(&idtr);
}

u64 idt_base(void)
{
	return (u64)idt;
}

bool (*nmi_hook)(u64 rip);
bool (*debug_hook)(u64 rip);

/* The core that panics stops the others by one. What comes to it itself is the
 * board's, perhaps for the same fault: it goes on to the end. */
static void handle_nmi(u64 rip)
{
	bool asked = nmi_hook && nmi_hook(rip);

	if (panic_active()) {
		if (!panic_is_here())
			cpu_halt_forever();
		return;
	}
	if (!asked)
		nmi_note();
}

static bool apply_fixup(struct trap_frame *frame)
{
	for (u32 i = 0; i < ARRAY_SIZE(fixups); i++) {
		if (frame->rip != (u64)fixups[i].insn)
			continue;
		frame->rip = (u64)fixups[i].resume;
		return true;
	}
	return false;
}

static const char *const exception_names[EXC_COUNT] = {
	[EXC_DE] = "#DE divide error",
	[EXC_DB] = "#DB debug",
	[EXC_NMI] = "NMI",
	[EXC_BP] = "#BP breakpoint",
	[EXC_OF] = "#OF overflow",
	[EXC_BR] = "#BR bound range",
	[EXC_UD] = "#UD invalid opcode",
	[EXC_NM] = "#NM no FPU",
	[EXC_DF] = "#DF double fault",
	[EXC_TS] = "#TS invalid TSS",
	[EXC_NP] = "#NP segment not present",
	[EXC_SS] = "#SS stack",
	[EXC_GP] = "#GP general protection",
	[EXC_PF] = "#PF page fault",
	[EXC_MF] = "#MF x87",
	[EXC_AC] = "#AC alignment",
	[EXC_MC] = "#MC machine check",
	[EXC_XM] = "#XM SIMD",
	[EXC_VE] = "#VE virtualization",
	[EXC_CP] = "#CP control protection",
};

/* Which stack it ran out of; the length of that. CR2 may be a guest's. */
static size_t name_stack(const struct trap_frame *frame, u64 cr2, char *buf,
			 size_t size)
{
	const struct pcpu *cpu = this_cpu();
	const char *stack =
		cpu_area_overflow(cpu, frame->vector, frame->rsp, cr2);

	if (!stack)
		return 0;
	return (size_t)bh_snprintf(buf, size, ": %s of core %u overflowed",
				   stack, cpu->id);
}

/* Whose exit may have led here */
static void name_guest(char *buf, size_t size)
{
	const struct vcpu *v = this_cpu()->current;
	size_t len;

	if (!v || !log_guest_hook)
		return;
	len = (size_t)bh_snprintf(buf, size, ", in the service of guest ");
	if (len < size)
		log_guest_hook(v, buf + len, size - len);
}

static __noreturn void die(const struct trap_frame *frame, u64 cr2)
{
	const char *name = NULL;
	char reason[192];
	size_t len;

	if (frame->vector < EXC_COUNT)
		name = exception_names[frame->vector];
	len = (size_t)bh_snprintf(
		reason, sizeof(reason), "exception %llu (%s), error %#llx",
		frame->vector, name ? name : "reserved", frame->error);
	len += name_stack(frame, cr2, reason + len, sizeof(reason) - len);
	name_guest(reason + len, sizeof(reason) - len);
	panic_frame(frame, reason);
}

static enum trap_end handle_exception(struct trap_frame *frame, u64 cr2)
{
	if ((frame->vector == EXC_GP && apply_fixup(frame)) ||
	    stub_fixup(frame))
		return TRAP_FIXED;
	if (frame->vector == EXC_DB && debug_hook && debug_hook(frame->rip))
		return TRAP_RETURN;
	if (frame->vector == EXC_NMI) {
		handle_nmi(frame->rip);
	} else if (frame->vector != EXC_MC || mce_handle(NULL) != MCE_NONE) {
		die(frame, cr2);
	}
	return TRAP_RETURN;
}

enum trap_end exception_handle(struct trap_frame *frame, u64 cr2)
{
	u8 vector = (u8)frame->vector;

	if (!lapic_ready() || !lapic_in_service(vector))
		return handle_exception(frame, cr2);
	irq_dispatch(vector);
	return EXC_HAS_ERROR_MASK >> vector & 1 ? TRAP_NO_ERROR_CODE
						: TRAP_RETURN;
}
