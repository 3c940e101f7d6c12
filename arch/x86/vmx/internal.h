/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the VMX back-end: what a core and a vCPU keep, and the functions
 * the files of this folder share. All of it runs with interrupts off on the
 * core that runs the vCPU, unless it says otherwise; there is no lock.
 */
#ifndef ARCH_X86_VMX_INTERNAL_H
#define ARCH_X86_VMX_INTERNAL_H

#include "arch/x86/machine/fpu.h"
#include "arch/x86/vmx/caps.h"
#include "arch/x86/vmx/insn.h"
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

/* Bits a guest changes without an exit; all others are host-owned */
#define CR0_GUEST_OWNED                                                        \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_WP | CR0_AM | CR0_PG)
#define CR4_GUEST_OWNED                                                        \
	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE |  \
	 CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_PCIDE |    \
	 CR4_OSXSAVE | CR4_SMEP | CR4_SMAP)

/* pcpu.backend */
struct backend_cpu {
	void *vmxon;            /* VMXON region, one page */
	struct vcpu_hw *loaded; /* whose VMCS is current, or NULL */
};

/* Work before an entry that no dirty group stands for; 0 on the hot path. The
 * bits lie beside enum reg_group's, so that one test covers both. */
enum vmx_attention {
	ATT_LAUNCH = 1 << 16,        /* VMLAUNCH, not VMRESUME */
	ATT_TPR_THRESHOLD = 1 << 17, /* a threshold is set: keep it legal */
};

struct vcpu_arch {
	u64 host_rsp;  /* first: in the VMCS; the entry assembly updates it */
	u32 attention; /* enum vmx_attention */
	u32 cpu_controls;     /* value in the VMCS */
	u32 tpr_class;        /* wanted TPR threshold; with ATT_TPR_THRESHOLD */
	u16 vpid;             /* 0: none left, runs without */
	bool configured;      /* controls written; survives VMCLEAR */
	bool flush;           /* drop translations at the next attach */
	bool stale_events;    /* reset while not attached: see attach */
	u64 tsc_offset, xcr0; /* as last given to the hardware */
	struct pcpu *cpu;     /* whose host state the VMCS holds */
	u64 timer_start;      /* of the VMX-preemption timer: host TSC */
	u32 timer_ticks;      /* its period, in its own ticks */
	u8 exit_count;        /* wraps: every 256th exit polls, see run.c */
	void *vmcs;           /* one page */
	struct fpu_state fpu;
};

extern struct vmx_caps vmx_caps; /* constant after vmx_probe() */

static inline bool vmx_loaded(const struct vcpu_hw *v)
{
	return this_cpu()->backend && this_cpu()->backend->loaded == v;
}

/*
 * enter.asm: struct vcpu_ops.run. It loads the GPRs and enters. After the exit
 * it stores them and goes on to vmx_exited(). When the CPU refused, it goes on
 * to vmx_refused(). Both have the caller's stack: all are one call of vmx_run.
 */
extern const struct vcpu_entry vmx_run;
void vmx_exit_point(void); /* HOST_RIP */

/* sites.c: where enter.asm can have detours */
#define VMX_SITES 5
extern const struct spec_site vmx_sites[VMX_SITES];

/* run.c */
/* Store more than RIP before the entry. True: the VMCS's first, VMLAUNCH */
bool vmx_prepare(struct vcpu_hw *v);
/* After an exit; RIP and RFLAGS are read. @a: v->arch; @reason: the exit
 * reason, 32 bits */
void vmx_exited(struct vcpu_hw *v, struct vcpu_arch *a, u64 reason);
/* @error_known: the VMCS has a VM-instruction error */
void vmx_refused(struct vcpu_hw *v, bool error_known);
/* The bound on guest time: at attach, and when it is up */
void vmx_timer_start(struct vcpu_arch *a);
void vmx_timer_expired(struct vcpu_arch *a);

/* cpu.c */
int __must_check vmx_probe(u32 *max_level);
bool vmx_can_run(enum optional_insn insn);
int __must_check vmx_cpu_enable(struct pcpu *cpu);
void vmx_cpu_disable(void);

/* vcpu.c */
int __must_check vmx_vcpu_create(struct vcpu_hw *v);
void vmx_vcpu_destroy(struct vcpu_hw *v);
void vmx_vcpu_reset(struct vcpu_hw *v, bool init);
void vmx_attach(struct vcpu_hw *v);
void vmx_put(struct vcpu_hw *v);

/* tag.c. Any core, lock-free */
u16 vmx_vpid_alloc(void); /* 0: none left */
void vmx_vpid_free(u16 vpid);
/* Attached: what is cached for the vCPU; for its VPID alone, EPT's is kept */
void vmx_flush(struct vcpu_hw *v);
void vmx_flush_vpid(const struct vcpu_arch *a);
u64 vmx_eptp(const struct vcpu_hw *v);

/* state.c: make register groups valid (not attached: they are); store them in
 * the VMCS. Attached */
void vmx_load_groups(struct vcpu_hw *v, u32 groups);
void vmx_store_groups(struct vcpu_hw *v, u32 groups);
/* The interruptibility state made fit for a VM entry */
u32 vmx_interruptibility(const struct vcpu_regs *r);
/* A segment's access rights made fit for a VM entry */
u32 vmx_segment_access(enum seg seg, const struct segment *s);

/* event.c */
void vmx_inject(struct vcpu_hw *v, const struct vcpu_event *event);
void vmx_request_window(struct vcpu_hw *v, enum window which, u8 vector);
void vmx_set_cpu_controls(struct vcpu_arch *a, u32 value);
/* Before an entry with ATT_TPR_THRESHOLD */
void vmx_tpr_threshold_update(struct vcpu_hw *v);
/* As after a reset: nothing to inject, no window asked for */
void vmx_reset_events(struct vcpu_arch *a);
/* Interruption information of an exit or of IDT vectoring to an event */
void vmx_event_from_info(struct vcpu_event *event, u32 info, u32 error,
			 u8 insn_len);

/* exit.c: a row for each exit reason */
struct vmx_exit_row {
	u8 kind;     /* enum exit_kind */
	u8 len_mask; /* ff: the instruction length means something */
	/* Completes @exit, whose kind and insn_len are the row's. Or NULL */
	void (*decode)(struct vcpu_hw *v, struct vcpu_exit *exit);
};
#define VMX_EXIT_ROWS 80
extern const struct vmx_exit_row vmx_exit_rows[VMX_EXIT_ROWS];

/* bitmap.c */
void vmx_intercept_msr(const struct vm_intercepts *i, u32 msr,
		       enum intercept read, enum intercept write);
void vmx_intercept_port(const struct vm_intercepts *i, u16 port,
			enum intercept on);
u32 vmx_msr_passes(const struct vm_intercepts *i, u32 msr);
u8 vmx_ports_pass(const struct vm_intercepts *i, u16 first);

/* dump.c */
void vmx_dump(struct vcpu_hw *v, void (*rest)(void));

#endif
