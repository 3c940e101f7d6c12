/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events into the guest and the windows they wait for (SDM 3C 25.8.3
 * *VM-Entry Controls for Event Injection*, 26.2 *Other Causes of VM Exits*).
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/vmx/internal.h"
#include "include/hw/cpu.h"
#include "include/hw/lapic.h"

#define APIC_TPR_CLASS(page) (((page)[APIC_TPR / 4] >> 4) & 0xf)

static const u8 type_to_hw[] = {
	[EVENT_EXTINT] = INTR_TYPE_EXTINT,
	[EVENT_NMI] = INTR_TYPE_NMI,
	[EVENT_EXCEPTION] = INTR_TYPE_EXCEPTION,
	[EVENT_SOFT_INT] = INTR_TYPE_SOFT_INT,
	[EVENT_SOFT_EXCEPTION] = INTR_TYPE_SOFT_EXCEPTION,
	[EVENT_PRIV_EXCEPTION] = INTR_TYPE_PRIV_EXCEPTION,
};

static const u8 type_from_hw[8] = {
	[INTR_TYPE_EXTINT] = EVENT_EXTINT,
	[INTR_TYPE_NMI] = EVENT_NMI,
	[INTR_TYPE_EXCEPTION] = EVENT_EXCEPTION,
	[INTR_TYPE_SOFT_INT] = EVENT_SOFT_INT,
	[INTR_TYPE_PRIV_EXCEPTION] = EVENT_PRIV_EXCEPTION,
	[INTR_TYPE_SOFT_EXCEPTION] = EVENT_SOFT_EXCEPTION,
	[INTR_TYPE_OTHER] = EVENT_NONE,
};

void vmx_event_from_info(struct vcpu_event *event, u32 info, u32 error,
			 u8 insn_len)
{
	event->type =
		info & INTR_VALID ? type_from_hw[INTR_TYPE(info)] : EVENT_NONE;
	event->vector = INTR_VECTOR(info);
	event->has_error = info & INTR_ERROR_VALID;
	event->error = event->has_error ? error : 0;
	event->insn_len = event->type >= EVENT_SOFT_INT ? insn_len : 0;
}

/* In real mode no exception pushes an error code (SDM 3C 27.2.1.3) */
static bool protected_mode(const struct vcpu_hw *v)
{
	u64 cr0 =
		v->regs.dirty & RG_CR ? v->regs.cr0 : vmreadnat(VMCS_GUEST_CR0);

	return cr0 & CR0_PE;
}

/* An NMI is injected only where nothing blocks it: an entry with one and with
 * blocking fails (SDM 3C 27.3.1.5) */
static void clear_blocking(struct vcpu_hw *v)
{
	const u32 blocking = SHADOW_NMI | SHADOW_MOV_SS | SHADOW_STI;

	if (v->regs.dirty & RG_RIP)
		v->regs.shadow &= (u8)~blocking;
	else
		vmwrite32(VMCS_GUEST_INTERRUPTIBILITY,
			  vmread32(VMCS_GUEST_INTERRUPTIBILITY) & ~blocking);
}

void vmx_inject(struct vcpu_hw *v, const struct vcpu_event *event)
{
	u32 info = event->vector | INTR_VALID;

	if (event->type == EVENT_NONE) {
		vmwrite32(VMCS_ENTRY_INTR_INFO, 0);
		return;
	}
	info |= (u32)type_to_hw[event->type] << INTR_TYPE_SHIFT;
	if (event->type == EVENT_NMI)
		clear_blocking(v);
	if (event->has_error && protected_mode(v)) {
		info |= INTR_ERROR_VALID;
		vmwrite32(VMCS_ENTRY_ERROR_CODE, event->error);
	}
	if (event->type >= EVENT_SOFT_INT)
		vmwrite32(VMCS_ENTRY_INSN_LENGTH, event->insn_len);
	if (event->type == EVENT_EXCEPTION && event->vector == EXC_PF)
		write_cr2(v->regs.cr2);
	vmwrite32(VMCS_ENTRY_INTR_INFO, info);
}

void vmx_set_cpu_controls(struct vcpu_arch *a, u32 value)
{
	if (a->cpu_controls == value)
		return;
	a->cpu_controls = value;
	vmwrite32(VMCS_CPU_CONTROLS, value);
}

static void open_irq_window(struct vcpu_hw *v, u8 vector)
{
	struct vcpu_arch *a = v->arch;
	u32 class = vector >> 4;

	if (class > APIC_TPR_CLASS(v->apic_page)) {
		vmx_set_cpu_controls(a, a->cpu_controls | CPU_INTR_WINDOW);
		return;
	}
	a->tpr_class = class;
	a->attention |= ATT_TPR_THRESHOLD;
	vmwrite32(VMCS_TPR_THRESHOLD, class);
}

void vmx_request_window(struct vcpu_hw *v, enum window which, u8 vector)
{
	struct vcpu_arch *a = v->arch;

	if (which == WINDOW_NMI)
		vmx_set_cpu_controls(a, a->cpu_controls | CPU_NMI_WINDOW);
	else
		open_irq_window(v, vector);
}

/* An MMIO write may have lowered the vLAPIC's TPR without TPR_BELOW. A
 * threshold above the TPR fails the entry, and the interrupt is no longer
 * blocked: so an interrupt window takes the threshold's place. */
void vmx_tpr_threshold_update(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	if (a->tpr_class <= APIC_TPR_CLASS(v->apic_page))
		return;
	a->attention &= ~(u32)ATT_TPR_THRESHOLD;
	vmwrite32(VMCS_TPR_THRESHOLD, 0);
	vmx_set_cpu_controls(a, a->cpu_controls | CPU_INTR_WINDOW);
}

void vmx_reset_events(struct vcpu_arch *a)
{
	const u32 windows = CPU_INTR_WINDOW | CPU_NMI_WINDOW;

	vmwrite32(VMCS_ENTRY_INTR_INFO, 0);
	vmwrite32(VMCS_TPR_THRESHOLD, 0);
	vmwritenat(VMCS_GUEST_PENDING_DEBUG, 0);
	a->attention &= ~(u32)ATT_TPR_THRESHOLD;
	vmx_set_cpu_controls(a, a->cpu_controls & ~windows);
}
