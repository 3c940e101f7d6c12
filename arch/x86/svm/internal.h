/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the SVM back-end: what a core and a vCPU keep, and the functions
 * the files of this folder share. All of it runs with interrupts off on the
 * core that runs the vCPU, unless it says otherwise; there is no lock.
 *
 * Between exits the guest's FS, GS, TR, LDTR and syscall MSRs stay in the core
 * and GIF stays clear: backend_cpu.loaded says whose they are. svm_unload()
 * gives the core back its own and sets GIF. It runs before anything opens
 * interrupts (pcpu.unload_guest), because an NMI with the guest's TR loaded
 * would take its IST stack from the guest's TSS.
 */
#ifndef ARCH_X86_SVM_INTERNAL_H
#define ARCH_X86_SVM_INTERNAL_H

#include "arch/x86/machine/fpu.h"
#include "arch/x86/svm/caps.h"
#include "arch/x86/svm/insn.h"
#include "arch/x86/svm/regs.h"
#include "hv/core/backend.h"
#include "include/hw/cpu.h"

/*
 * Intercepted exceptions. #MC is the host's. #DB and #AC are taken and
 * reflected: a guest whose IDT or stack raises one during its own delivery
 * would keep the core in microcode for ever. #UD may be the other vendor's
 * hypercall instruction.
 */
#define EXCEPTIONS                                                             \
	((u32)(BIT(EXC_DB) | BIT(EXC_UD) | BIT(EXC_AC) | BIT(EXC_MC)))

/* Bus locks a vCPU may take from one VMEXIT_BUSLOCK to the next */
#define BUS_LOCKS 1

/* pcpu.backend */
struct backend_cpu {
	struct vcpu_arch *loaded; /* whose state is in the core, or NULL */
	void *hsave;              /* VM_HSAVE_PA */
	void *host_vmcb;          /* VMSAVE area of the core's own state */
	hpa_t host_vmcb_hpa;
	u64 generation; /* of ASIDs; a new one starts with a flush */
	u32 next_asid;
	bool flush_owed; /* the generation's first entry has not been seen */
};

/* Work before an entry that no dirty group stands for; 0 on the hot path. The
 * bits lie beside enum reg_group's, so that one test covers both. */
enum svm_attention {
	ATT_LOAD = 1 << 16,   /* FS .. SYSENTER are not in the core */
	ATT_WINDOW = 1 << 17, /* V_IRQ is set: the window may be open already */
	ATT_IRQS = 1 << 18,   /* see svm_guest_polls() */
};

struct vcpu_arch {
	struct vmcb *vmcb; /* first: the entry assembly reads these three */
	hpa_t vmcb_hpa;
	u32 attention; /* enum svm_attention; ATT_LOAD clear: GIF is, too */
	/* The low half of the VMCB's vintr at an exit that needs no look: the
	 * guest has not written CR8, no NMI handler runs, and the entry was
	 * asked for no window and no flush. Else VINTR_LOOK. */
	u32 plain_vintr;
	struct fpu_state fpu;
	struct pcpu *cpu; /* ASID and clean bits are of this core */
	u64 asid_generation;
	u64 xcr0;       /* in the core while attached */
	u64 cr0_hidden; /* CD and NW: set for the guest, never in the VMCB */
	/* SHADOW_NMI from an NMI's injection to the end of its IRET */
	u32 nmi_shadow;
	bool nmi_window; /* asked for */
	bool nmi_step;   /* the IRET is being stepped over */
	bool step_tf;    /* ... and the guest has set TF itself */
	u64 step_dr6;    /* DR6 when the step began */
	u32 polls;       /* calls of svm_guest_polls() */
};

extern struct svm_caps svm_caps; /* constant after svm_probe() */

/* sites.c: where enter.asm can have detours */
#define SVM_SITES 3
extern const struct spec_site svm_sites[SVM_SITES];

/* enter.asm: struct vcpu_ops.run, and its VMRUN instruction */
extern const struct vcpu_entry svm_run;
extern const u8 svm_enter_vmrun[];

/* run.c, called by enter.asm: something is dirty or wants attention. False:
 * there is no entry, v->exit is filled in */
bool svm_prepare(struct vcpu_hw *v);
/* And behind #VMEXIT: fills v->exit */
void svm_exited(struct vcpu_hw *v, const struct vcpu_arch *a,
		struct vmcb *vmcb);
/* Fill v->exit as for the exit @code, which has a row; no event's delivery was
 * interrupted */
void svm_exit_fill(struct vcpu_hw *v, u64 code);

/* cpu.c */
int __must_check svm_probe(u32 *max_level);
int __must_check svm_cpu_enable(struct pcpu *cpu);
void svm_cpu_disable(void);
/* Put the vCPU's FS .. SYSENTER into the core, with GIF clear from here on
 * except inside the guest; nobody else's are there */
void svm_load(struct vcpu_arch *a, struct pcpu *cpu);
/* With the vCPU's state in the core: take the interrupts that wait, as the
 * host. It is there again afterwards. */
void svm_take_interrupts(struct vcpu_arch *a);
/* Save them, give the core back its own and set GIF; nothing loaded: no-op */
void svm_unload(struct pcpu *cpu);

/* vcpu.c */
int __must_check svm_vcpu_create(struct vcpu_hw *v);
void svm_vcpu_destroy(struct vcpu_hw *v);
void svm_vcpu_reset(struct vcpu_hw *v, bool init);
void svm_attach(struct vcpu_hw *v);
void svm_put(struct vcpu_hw *v);
/* Make regs.xcr0 what the core has; attached, before the FPU is saved */
void svm_xcr0_sync(struct vcpu_hw *v);

/* tag.c: a new ASID on @cpu, with a flush of all if it needs one */
void svm_assign_asid(struct vcpu_arch *a, struct pcpu *cpu);
void svm_flush(struct vcpu_hw *v);

/* state.c: make register groups valid; store them in the VMCB. On the vCPU's
 * core, or, to load, after put */
void svm_load_groups(struct vcpu_hw *v, u32 groups);
void svm_store_groups(struct vcpu_hw *v, u32 groups);

/* event.c */
/* The guest's CR2, in regs and in the VMCB */
void svm_set_cr2(struct vcpu_hw *v, u64 cr2);
void svm_inject(struct vcpu_hw *v, const struct vcpu_event *event);
void svm_request_window(struct vcpu_hw *v, enum window which, u8 vector);
/* An exit with this in the VMCB: the guest may have written CR8, or the window
 * is open still */
void svm_exit_vintr(struct vcpu_hw *v, u32 vintr);
/* Close the interrupt window: it opened, or the guest wrote CR8 */
void svm_close_window(struct vcpu_hw *v);
/* An NMI was asked for, and neither a handler nor a shadow is in its way */
bool svm_nmi_window_open(const struct vcpu_arch *a);
/* An exit at the IRET that ends an NMI handler: begin to step over it */
void svm_step_begin(struct vcpu_hw *v);
/* #DB exit. True: it was the step's alone, and the step is over */
bool svm_step_exit(struct vcpu_hw *v);
/* The IRET has not run: the guest is as it was before, and its IRET is
 * intercepted again */
void svm_step_undo(struct vcpu_hw *v);
/* An IRET that was done in software has unblocked NMIs */
void svm_nmi_unblock(struct vcpu_arch *a);
/* EXITINTINFO to an event */
void svm_event_from_info(struct vcpu_event *event, u64 info);

/* exit.c: a row for each exit code */
struct svm_exit_row {
	u8 kind;     /* enum exit_kind */
	u8 len_mask; /* 0xff: nRIP says where the next instruction is */
	/* Completes v->exit. May be NULL. */
	void (*decode)(struct vcpu_hw *v, const struct vmcb *vmcb);
};
#define SVM_EXIT_ROWS 0xa6
/* A power of two, so that index_nospec() is one instruction. From SVM_EXIT_ROWS
 * on they are empty. */
extern const struct svm_exit_row svm_exit_rows[256];
/* Without NRIP save: what the dispatcher needs to find the length of the
 * instruction */
void svm_load_insn(struct vcpu_hw *v);
/*
 * The exit is one of a guest that looks at a device, perhaps again and again.
 * QUIRK(bochs-2.7): VMRUN of a guest with IF clear holds back the host's
 * interrupts, too, until the guest sets IF. What such a guest waits for may be
 * one of them. So now and then the next entry is none, and the exit INTR comes
 * in its place. Where the CPU is another, nobody calls it.
 */
void svm_guest_polls(struct vcpu_hw *v);
/* The decode function of codes past the table */
void svm_decode_rare(struct vcpu_hw *v, const struct vmcb *vmcb);

/* bitmap.c */
void svm_intercept_msr(const struct vm_intercepts *i, u32 msr,
		       enum intercept read, enum intercept write);
void svm_intercept_port(const struct vm_intercepts *i, u16 port,
			enum intercept on);
u32 svm_msr_passes(const struct vm_intercepts *i, u32 msr);
u8 svm_ports_pass(const struct vm_intercepts *i, u16 first);

/* dump.c */
void svm_dump(struct vcpu_hw *v, void (*rest)(void));

/* For every exit that may come in the place of a step's */
static inline void svm_step_abort(struct vcpu_hw *v)
{
	if (unlikely(v->arch->nmi_step))
		svm_step_undo(v);
}

/* What comes at the next exit may be more than every exit brings: see there */
#define VINTR_LOOK ~0u
static inline void svm_look(struct vcpu_arch *a)
{
	a->plain_vintr = VINTR_LOOK;
}

/* Or does the VMCB, as it stands, ask for no more? */
static inline void svm_set_plain(struct vcpu_arch *a)
{
	const struct vmcb_control *c = &a->vmcb->control;
	bool more = c->tlb_control || a->nmi_shadow || (c->vintr & VINTR_IRQ);

	a->plain_vintr = more ? VINTR_LOOK : (u32)c->vintr;
}

/* The VMCB has changed where the CPU may have cached it (enum svm_clean) */
static inline void svm_unclean(struct vcpu_arch *a, u32 bits)
{
	a->vmcb->control.vmcb_clean &= ~(u64)bits;
}

static inline u32 svm_seg_attr(u16 attrib)
{
	return (attrib & 0xffu) | (attrib & 0xf00u) << 4;
}

static inline void svm_load_cr(struct vcpu_hw *v)
{
	const struct vmcb_save *s = &v->arch->vmcb->save;
	struct vcpu_regs *r = &v->regs;

	r->cr0 = s->cr0 | v->arch->cr0_hidden;
	r->cr2 = s->cr2;
	r->cr3 = s->cr3;
	r->cr4 = s->cr4;
	r->efer = s->efer & ~EFER_SVME;
}

/* At an exit: what finding and decoding an instruction takes */
static inline void svm_load_code(struct vcpu_hw *v)
{
	const struct vmcb_save *s = &v->arch->vmcb->save;
	struct vcpu_regs *r = &v->regs;

	svm_load_cr(v);
	r->seg[SEG_CS].base = s->cs.base;
	r->seg[SEG_CS].attr = svm_seg_attr(s->cs.attrib);
	r->valid = RG_RIP | RG_CR | RG_CS;
}

#endif
