/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vendor seam: vendor-neutral guest state and the operations a back-end
 * (arch/x86/vmx, arch/x86/svm) supplies. One is chosen once at boot.
 *
 * The operations are called by hv/vm, hv/run and the accessors of hv/core, and
 * two of them elsewhere: cpu_enable by hv/init.c, intercept_msr by hv/policy.
 * Back-ends include nothing else of hv/. No locks. Over 400 lines: all that the
 * two halves say to each other.
 */
#ifndef HV_CORE_BACKEND_H
#define HV_CORE_BACKEND_H

#include "arch/x86/cpu/percpu.h"
#include "arch/x86/cpu/spec_code.h"
#include "lib/types.h"
#include "mm/pt.h"

enum gpr {
	GPR_RAX,
	GPR_RCX,
	GPR_RDX,
	GPR_RBX,
	GPR_RSP,
	GPR_RBP,
	GPR_RSI,
	GPR_RDI,
	GPR_R8,
	GPR_R9,
	GPR_R10,
	GPR_R11,
	GPR_R12,
	GPR_R13,
	GPR_R14,
	GPR_R15,
	GPR_COUNT
};
enum seg {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_LDTR,
	SEG_TR,
	SEG_COUNT
};

/* attr as in the VMCS access-rights field (SDM 3C 25.4.1): bytes 5 and 6 of the
 * descriptor (SDM 3A 3.4.5), and whether there was one */
#define SEG_ATTR_TYPE       BITS(3, 0)
#define SEG_ATTR_ACCESSED   BIT(0) /* code and data */
#define SEG_ATTR_RW         BIT(1) /* code: readable; data: writable */
#define SEG_ATTR_BUSY       BIT(1) /* a TSS */
#define SEG_ATTR_CONFORMING BIT(2) /* code */
#define SEG_ATTR_DOWN       BIT(2) /* data: expand-down */
#define SEG_ATTR_CODE       BIT(3)
#define SEG_ATTR_WIDE       BIT(3) /* a TSS of 32 bits */
#define SEG_ATTR_S          BIT(4) /* code or data */
#define SEG_ATTR_DPL_SHIFT  5
#define SEG_ATTR_DPL_MASK   BITS(6, 5)
#define SEG_ATTR_DPL(attr)  (((attr) >> SEG_ATTR_DPL_SHIFT) & 3)
#define SEG_ATTR_P          BIT(7)
#define SEG_ATTR_L          BIT(13)
#define SEG_ATTR_DB         BIT(14)
#define SEG_ATTR_G          BIT(15)
#define SEG_ATTR_UNUSABLE   BIT(16)
/* What real mode has; a kernel's are these with D/B or L, and G */
#define SEG_ATTR_REAL_DATA                                                     \
	(SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_RW | SEG_ATTR_ACCESSED)
#define SEG_ATTR_REAL_CODE (SEG_ATTR_REAL_DATA | SEG_ATTR_CODE)
#define SEG_ATTR_LDT       (SEG_ATTR_P | 0x2)
#define SEG_ATTR_TSS_BUSY  (SEG_ATTR_P | SEG_ATTR_WIDE | SEG_ATTR_BUSY | 0x1)

struct segment {
	u16 sel;
	u32 attr;
	u32 limit;
	u64 base;
};

/* Parts of struct vcpu_regs a back-end loads and stores together. The 15 GPRs
 * other than RSP are always valid after an exit and always written back. */
enum reg_group {
	RG_RIP = 1 << 0, /* rip, rflags, shadow */
	RG_RSP = 1 << 1,
	RG_CR = 1 << 2,  /* cr0 cr3 cr4 efer */
	RG_SEG = 1 << 3, /* seg[] */
	RG_DT = 1 << 4,  /* gdtr idtr */
	RG_MSR = 1 << 5, /* star .. sysenter, pat, kernel_gs_base */
	/* dr6, dr7, breakpoints; pending_debug, which is only loaded. DR0-3
	 * stay in the core until put() */
	RG_DR = 1 << 6,
	RG_ALL = (1 << 7) - 1,
	/* seg[SEG_CS] base and attr alone. Only in `valid`, set by a back-end
	 * that has them at no cost; nobody asks for it, RG_SEG covers it */
	RG_CS = 1 << 7,
	/* rip alone. Only in `dirty`, set by the dispatcher when it steps over
	 * an instruction; RG_RIP covers it */
	RG_IP = 1 << 8,
	/* tsc_offset, xcr0, and the TPR in apic_page. Only in `dirty`: set by
	 * whoever changes one of them */
	RG_CONTROL = 1 << 9,
};

/* Bits of VMX interruptibility state (SDM 3C 25.4.2) */
enum intr_shadow { SHADOW_STI = 1, SHADOW_MOV_SS = 2, SHADOW_NMI = 8 };
/* In vcpu_regs.after: an instruction's end may be more than a step of RIP */
enum { AFTER_SHADOW = SHADOW_STI | SHADOW_MOV_SS, AFTER_BREAKPOINTS = 1 << 8 };

struct vcpu_regs {
	u64 gpr[GPR_COUNT]; /* first: the entry assembly indexes it */
	u64 rip, rflags;
	union {
		struct {
			u8 shadow;        /* enum intr_shadow */
			bool breakpoints; /* DR7 may hold one; else EXIT_DR */
			bool dr_hidden;   /* RG_DR: each access is EXIT_DR */
		};
		u32 after; /* both, for one test at the end of each exit */
	};
	u32 valid; /* groups that match the hardware's copy */
	u32 dirty; /* groups the next run must store */
	/* RG_DR: debug exceptions that wait for the end of a shadow, in DR6's
	 * form (VMX, SDM 3C 25.4.2); an emulated access adds its breakpoints */
	u16 pending_debug;
	bool load_pdptes; /* the next store of RG_CR reads PAE's from memory */
	bool mce_hidden;  /* CR4.MCE is set in the core, not for the guest */
	u64 cr0, cr2, cr3, cr4, efer; /* as the guest sees them */
	u64 dr[8];
	u64 xcr0;
	struct segment seg[SEG_COUNT];
	struct segment gdtr, idtr; /* base and limit only */
	u64 star, lstar, cstar, sfmask, kernel_gs_base, pat;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
};

enum event_type {
	EVENT_NONE,
	EVENT_EXTINT,
	EVENT_NMI,
	EVENT_EXCEPTION,
	EVENT_SOFT_INT,
	EVENT_SOFT_EXCEPTION,
	EVENT_PRIV_EXCEPTION,
	/* Never handed to a back-end: the shutdown of a triple fault, which
	 * ends the guest where the next entry would be */
	EVENT_SHUTDOWN
} __packed;

struct vcpu_event {
	enum event_type type;
	u8 vector;
	u8 insn_len; /* software events */
	bool has_error;
	u32 error;
};

/* One row each in hv/run/exit.c */
enum exit_kind {
	EXIT_UNKNOWN,
	EXIT_CPUID,
	EXIT_HLT,
	EXIT_RDMSR,
	EXIT_WRMSR,
	EXIT_PORT,
	EXIT_MMIO, /* EPT violation or nested page fault */
	EXIT_HYPERCALL,
	EXIT_IRQ,
	EXIT_NMI,
	EXIT_MACHINE_CHECK,
	EXIT_EXCEPTION,
	EXIT_IRQ_WINDOW,
	EXIT_NMI_WINDOW,
	EXIT_TPR,
	EXIT_CR,
	EXIT_CR0, /* CLTS, LMSW, SMSW or MOV: the back-end cannot tell */
	EXIT_DR,
	EXIT_XSETBV,
	EXIT_WBINVD,
	EXIT_INVD,
	EXIT_PAUSE,
	EXIT_MWAIT,
	EXIT_MONITOR,
	EXIT_RDPMC,
	EXIT_TASK_SWITCH,
	EXIT_UNDEFINED, /* VMX and SVM instructions, SKINIT: #UD */
	EXIT_INIT,
	EXIT_SIPI,
	EXIT_TRIPLE_FAULT,
	EXIT_ENTRY_FAILED,
	EXIT_SMI,
	EXIT_IO_FAULT,
	EXIT_BUS_LOCK, /* an access over two lines, or uncached, with LOCK */
	EXIT_STUCK,    /* no interrupt could be taken for too long */
	EXIT_BACKEND,  /* the back-end has done what there was to do */
	EXIT_KINDS
};

/* As in the exit qualification (SDM 3C table 28-2) */
enum task_source { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };
enum access { ACCESS_R = 1, ACCESS_W = 2, ACCESS_X = 4 };

struct vcpu_exit {
	enum exit_kind kind;
	/* Bytes of the instruction that made the exit. 0: there is none, or the
	 * back-end cannot tell (SVM without NRIP save), and the dispatcher
	 * decodes it */
	u8 insn_len;
	/* An event whose delivery the exit interrupted; to be injected again.
	 * Then no instruction ran: insn_len is 0 */
	struct vcpu_event vectoring;
	union {
		struct {
			u16 port;
			u8 size; /* 1 2 4 */
			bool in, string;
		} port;
		struct {
			gpa_t gpa;
			u8 access; /* enum access */
			bool walk; /* of a guest's page table, not its data */
		} mmio;
		struct {
			u8 vector;
			bool acked; /* dispatch it; else it was taken already */
		} irq;
		struct vcpu_event exception; /* + cr2 in info for #PF */
		struct {
			u8 cr;
			u8 gpr; /* GPR_COUNT: decode it (insn_len is 0) */
			bool write;
			bool lmsw, clts;
			u16 lmsw_value;
		} cr;
		struct {
			bool lost; /* the guest's state, too */
		} stuck;
		struct {
			u16 selector; /* of the new TSS; unless IRET */
			u8 source;    /* enum task_source */
			u8 insn_len;  /* of its instruction. 0: decode it */
		} task;
	};
	u64 raw_reason, info1, info2; /* for the log only */
};

enum window { WINDOW_IRQ, WINDOW_NMI };
enum intercept { INTERCEPT_OFF, INTERCEPT_ON };

struct vcpu_arch; /* private to the back-end */

/* The part of a vCPU that back-ends see; embedded first in struct vcpu */
struct vcpu_hw {
	struct vcpu_regs regs; /* first: see entry assembly */
	struct vcpu_arch *arch;
	u32 *apic_page; /* vLAPIC registers in hardware layout, 4 KiB page.
		       Back-ends keep the TPR (0x80) in step with CR8: VMX by
		       TPR shadow, SVM by V_TPR */
	hpa_t npt_root; /* root of the VM's EPT/NPT */
	const struct vm_intercepts *intercepts;
	struct budget *budget;
	u64 tsc_offset;
	u64 spec_ctrl; /* the guest's SPEC_CTRL, see speculation_ctrl() */
	struct vcpu_exit exit; /* the last one */
};

/* Instructions that CPUID has and the back-end may not give to a guest */
enum optional_insn { INSN_RDTSCP /* and RDPID */, INSN_INVPCID };

/* Shared by a VM's vCPUs; pages from pmm, layout of the back-end in use */
struct vm_intercepts {
	void *msr_bitmap;  /* VMX 4 KiB, SVM 8 KiB */
	void *port_bitmap; /* VMX 2 x 4 KiB (A, B contiguous), SVM 12 KiB */
};

/*
 * The type of a `run` operation: code that is no C function and is only ever
 * called by hw_run() (hv/run/loop.c), through vcpu_enter. It takes a struct
 * vcpu_hw in RDI and keeps RBX, RBP and RSP; the guest's take the place of all
 * its caller's other registers.
 */
struct vcpu_entry;
/* enter.asm: a jump to the `run` of the back-end in use, set at boot by
 * text_patch(): the hot path has no indirect call */
extern u8 vcpu_enter[];

/*
 * Context of every call, unless it says otherwise: on the core that runs the
 * vCPU, interrupts off (SVM: GIF clear while guest state is loaded). An
 * operation that returns void cannot fail: a hardware failure in it is our bug
 * and panics.
 */
struct vcpu_ops {
	const char *name; /* "VMX", "SVM" */
	const struct pt_format *pt_format;
	u32 msr_bitmap_pages, port_bitmap_pages;
	/* PAE's PDPTEs are registers, checked when they are loaded (SDM 3A
	 * 4.4.1). SVM's are read from memory as any entry (APM 2 15.25.10). */
	bool has_pdptes;

	/* Find out whether this machine has it, usable, and set *max_level to
	 * the largest EPT or NPT leaf (1 = 4K, 2 = 2M, 3 = 1G). Boot CPU, once.
	 * -ENODEV: it has not. -ENOTSUP: it has, but unusable; the log names
	 * the firmware switch. */
	int (*probe)(u32 *max_level);
	/* Does @insn run in a guest, where CPUID has it? NULL: each does. Any
	 * core, after probe. */
	bool (*can_run)(enum optional_insn insn);
	/* Switch VMX or SVM on, on @cpu itself. -ENOMEM; -ENOTSUP, -EIO: this
	 * core will not, and the log says why. */
	int (*cpu_enable)(struct pcpu *cpu);
	/* Take the guest's state off this core and switch VMX or SVM off; may
	 * be called where it is off */
	void (*cpu_disable)(void);

	/* Allocate v->arch from v->budget; to be reset before use. Any core.
	 * -ENOMEM. */
	int (*vcpu_create)(struct vcpu_hw *v);
	/* Free it. Any core, not attached. */
	void (*vcpu_destroy)(struct vcpu_hw *v);
	/* Put registers, FPU and events in power-on state, on any core if not
	 * attached; or, attached, in INIT's when @init (SDM 3A table 10-1) */
	void (*vcpu_reset)(struct vcpu_hw *v, bool init);

	/* Take this core: current VMCS or ASID, FPU and XCR0, DR0-3. No other
	 * vCPU is attached to the core. */
	void (*attach)(struct vcpu_hw *v);
	/* Give it up: all state is in memory, and the vCPU may be attached
	 * elsewhere */
	void (*put)(struct vcpu_hw *v);

	/* Store dirty groups, enter, fill v->exit. Attached. `valid` becomes
	 * RG_RIP and what else the back-end has at no cost. */
	const struct vcpu_entry *run;
	/* Where its code can have detours (arch/x86/cpu/spec_code.h) */
	const struct spec_site *sites;
	u32 site_count;
	/* Make @groups (enum reg_group) of regs valid. Attached or after put */
	void (*read)(struct vcpu_hw *v, u32 groups);

	/* Deliver @event at the next entry (SDM 3C 27.6 *Event Injection*; APM
	 * 2 15.20). Attached. The last call before the entry wins, and
	 * EVENT_NONE takes it back. */
	void (*inject)(struct vcpu_hw *v, const struct vcpu_event *event);
	/* Exit as soon as an event of kind @which can be taken; @vector: the
	 * interrupt that waits, whose class the TPR may mask. Attached. That
	 * exit ends the request. */
	void (*request_window)(struct vcpu_hw *v, enum window which, u8 vector);

	/* Set or clear bits of the shared bitmaps. Any core, while the VM does
	 * not run. An MSR that they do not cover always exits. */
	void (*intercept_msr)(const struct vm_intercepts *i, u32 msr,
			      enum intercept read, enum intercept write);
	void (*intercept_port)(const struct vm_intercepts *i, u16 port,
			       enum intercept on);
	/* What those bitmaps say. Of MSR @msr, ACCESS_R and ACCESS_W that do
	 * not exit; of the 8 ports from @first on, a multiple of 8, a bit for
	 * each that does not. Any core. */
	u32 (*msr_passes)(const struct vm_intercepts *i, u32 msr);
	u8 (*ports_pass)(const struct vm_intercepts *i, u16 first);
	/* Drop this vCPU's cached translations (VPID or ASID, and EPT's), and
	 * what is cached of the bitmaps. Attached (SVM: on its core). */
	void (*flush)(struct vcpu_hw *v);
	/* Log registers and controls for a person; after put, registers from
	 * memory. @rest() each ten lines or so, which may take interrupts. */
	void (*dump)(struct vcpu_hw *v, void (*rest)(void));
};

extern const struct vcpu_ops vmx_ops, svm_ops; /* named by hv/init.c alone */
extern const struct vcpu_ops *vcpu_ops;        /* the one in use */
/* NULL, or called at an access to a device's port. Set before guests run. */
extern void (*guest_polls_hook)(struct vcpu_hw *v);

/* Probe @candidates in turn and take the first that is usable. Boot CPU, once.
 * *@max_level: the largest leaf of EPT/NPT. -ENODEV, -ENOTSUP: none can be
 * used, and the log says which firmware switch to flip. */
int __must_check backend_select(const struct vcpu_ops *const *candidates,
				u32 count, u32 *max_level);

/*
 * For back-ends: all registers as power-on, or INIT when @init, leaves them.
 * The next entry stores them (SDM 3A table 10-1 *IA-32 and Intel 64 Processor
 * States Following Power-up, Reset, or INIT*; APM 2 table 14-1). For INIT,
 * RG_CR and RG_MSR are valid.
 */
void vcpu_regs_reset(struct vcpu_regs *r, bool init);
/* For back-ends: the registers for a person to read, by log_error under @tag,
 * and @rest() in between */
void vcpu_regs_dump(const char *tag, const struct vcpu_regs *r,
		    void (*rest)(void));

/* Groups to store, with what RG_IP stands for: where speed is no matter */
static inline u32 vcpu_hw_dirty(const struct vcpu_regs *r)
{
	if (r->dirty & RG_IP)
		return (r->dirty & ~(u32)RG_IP) | RG_RIP;
	return r->dirty;
}

/* The read side for code above the seam */
static inline bool vcpu_hw_long_mode(const struct vcpu_regs *r)
{
	return (r->efer & (1 << 10)) && (r->seg[SEG_CS].attr & SEG_ATTR_L);
}

#endif
