/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to arch/x86/svm. Between exits the guest's FS, GS, TR, LDTR and
 * syscall MSRs stay in the core and GIF stays clear: svm_cpu.loaded says whose
 * they are. svm_unload() gives the core back its own and sets GIF; it runs
 * before anything opens interrupts (pcpu.unload_guest), because an NMI with the
 * guest's TR loaded would take its IST stack from the guest's TSS.
 */
#ifndef ARCH_X86_SVM_INTERNAL_H
#define ARCH_X86_SVM_INTERNAL_H

#include "arch/x86/machine/fpu.h"
#include "arch/x86/svm/insn.h"
#include "arch/x86/svm/regs.h"
#include "hv/core/backend.h"
#include "include/hw/cpu.h"

struct vcpu_arch {
	struct vmcb *vmcb;
	hpa_t vmcb_hpa;
	struct fpu_state fpu;
	struct pcpu *cpu; /* ASID and clean bits are of this core */
	u64 asid_generation;
	u64 xcr0;        /* in the core while attached */
	bool loaded;     /* FS .. SYSENTER are in the core, GIF is clear */
	u32 nmi_shadow;  /* SHADOW_NMI from an NMI's injection to the end of its
			    IRET */
	bool nmi_window; /* asked for */
	bool nmi_step;   /* the IRET is being stepped over */
	bool step_tf;    /* ... and the guest has set TF itself */
	u64 step_dr6;
};

/* #DB and #AC: a guest could make the CPU deliver them without end; #MC is the
 * host's; #UD: the other vendor's hypercall instruction (hv/run/hypercall.h) */
#define SVM_INTERCEPTS_EXCEPTION                                               \
	((u32)(BIT(EXC_DB) | BIT(EXC_UD) | BIT(EXC_AC) | BIT(EXC_MC)))

/* pcpu.backend */
struct backend_cpu {
	struct vcpu_arch *loaded; /* whose state is in the core, or NULL */
	void *hsave;              /* VM_HSAVE_PA */
	void *host_vmcb;          /* VMSAVE area of the core's own state */
	u64 generation;           /* of ASIDs; a new one starts with a flush */
	u32 next_asid;
	bool flush_owed; /* the generation's first entry has not been seen */
};

/* What the machine has, read by probe */
extern bool svm_has_nrips, svm_has_decode, svm_has_flush_asid;
extern u32 svm_asid_count;
/* Bits vmcb_clean starts from after an exit: 0 without the feature */
extern u32 svm_clean_kept;

/* svm_entry.asm: its VMRUN instruction */
extern const u8 svm_enter_vmrun[];

/* svm_run.c */
void svm_run(struct vcpu_hw *v);

/* svm_state.c */
void svm_store_dirty(struct vcpu_hw *v);
void svm_read(struct vcpu_hw *v, u32 groups);
void svm_reset_regs(struct vcpu_regs *r, bool init);

/* svm_exit.c: what an exit code is; fill completes @exit, of which it finds
 * raw_reason, info1 and info2 set, and returns false to enter again with
 * nothing for the core */
struct svm_exit_row {
	u8 kind;   /* enum exit_kind */
	bool insn; /* nRIP says where the next instruction is */
	bool (*fill)(struct vcpu_hw *v, struct vcpu_exit *exit); /* or NULL */
};
extern const struct svm_exit_row svm_exit_rows[VMEXIT_TABLE_SIZE];
/* Codes past the table */
bool svm_exit_rare(struct vcpu_hw *v, struct vcpu_exit *exit);
/* Make regs.xcr0 what the core has; attached, before the FPU is saved */
void svm_xcr0_sync(struct vcpu_hw *v);

/* svm_event.c */
void svm_inject(struct vcpu_hw *v, const struct vcpu_event *event);
void svm_request_window(struct vcpu_hw *v, enum window which, u8 vector);
struct vcpu_event svm_event_decode(u64 info);
/* It opened, or the guest wrote CR8: the core looks again */
void svm_close_window(struct vcpu_hw *v);
bool svm_nmi_window_open(const struct vcpu_arch *a);
/* IRET intercept: begins a step */
void svm_iret_exit(struct vcpu_hw *v);
/* #DB intercept: true if it was the step, which is now over, and no more */
bool svm_step_exit(struct vcpu_hw *v);
/* The IRET has not run: the guest is as it was before, and its IRET is
 * intercepted again */
void svm_step_undo(struct vcpu_hw *v);
/* An IRET that was done in software has unblocked NMIs */
void svm_nmi_unblock(struct vcpu_arch *a);

/* svm_maps.c */
void svm_intercept_msr(const struct vm_intercepts *i, u32 msr,
		       enum intercept read, enum intercept write);
void svm_intercept_port(const struct vm_intercepts *i, u16 port,
			enum intercept on);

/* svm_cpu.c */
int svm_probe(u32 *max_level);
int svm_cpu_enable(struct pcpu *cpu);
void svm_cpu_disable(void);
void svm_load(struct vcpu_arch *a, struct pcpu *cpu);
void svm_unload(struct pcpu *cpu);

/* vcpu.c */
int __must_check svm_vcpu_create(struct vcpu_hw *v);
void svm_vcpu_destroy(struct vcpu_hw *v);
void svm_vcpu_reset(struct vcpu_hw *v, bool init);
void svm_attach(struct vcpu_hw *v);
void svm_put(struct vcpu_hw *v);

/* tag.c */
void svm_assign_asid(struct vcpu_arch *a, struct pcpu *cpu);
void svm_flush(struct vcpu_hw *v);

/* svm_dump.c */
void svm_dump(struct vcpu_hw *v);

/* Any exit that may come in the place of a step's */
static inline void svm_step_abort(struct vcpu_hw *v)
{
	if (unlikely(v->arch->nmi_step))
		svm_step_undo(v);
}

static inline void svm_unclean(struct vcpu_arch *a, u32 bits)
{
	a->vmcb->control.vmcb_clean &= ~(u64)bits;
}

static inline u32 svm_seg_attr(u16 attrib)
{
	return (attrib & 0xffu) | (attrib & 0xf00u) << 4;
}

static inline void svm_seg_read(struct segment *to,
				const struct vmcb_segment *from)
{
	to->sel = from->selector;
	to->limit = from->limit;
	to->base = from->base;
	to->attr = svm_seg_attr(from->attrib);
	if (unlikely(!(from->attrib & VMCB_ATTR_P)))
		to->attr |= SEG_ATTR_UNUSABLE;
}

static inline void svm_crs_read(struct vcpu_regs *r, const struct vmcb_save *s)
{
	r->cr0 = s->cr0;
	r->cr3 = s->cr3;
	r->cr4 = s->cr4;
	r->efer = s->efer & ~EFER_SVME;
}

#endif
