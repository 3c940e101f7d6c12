/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual CPU: its state, the events that wait for it, and what anybody may
 * ask of it. Its making is in hv/vm/vcpu.h, its run loop in hv/run/.
 */
#ifndef HV_CORE_VCPU_H
#define HV_CORE_VCPU_H

#include "arch/x86/machine/mtrr.h"
#include "hv/core/backend.h"
#include "hv/core/vm.h"
#include "include/bulkhead/control.h"
#include "sched/sched.h"

/* Bits of vcpu.events: set by any core (atomic), taken by the home core.
 * Zero is the hot path: nothing to look at before the entry. */
enum vcpu_event_bit {
	VE_IRQ = 1 << 0, /* the vLAPIC may have something */
	VE_NMI = 1 << 1,
	VE_NMI_AGAIN = 1 << 2, /* a second one while VE_NMI was set */
	VE_INIT = 1 << 3,
	VE_SIPI = 1 << 4,   /* vector in sipi_vector */
	VE_STOP = 1 << 5,   /* its VM ends */
	VE_INSN = 1 << 12,  /* an instruction is done in part: the rest first */
	VE_LATE = 1 << 13,  /* vCPU 0: devices' messages to many wait */
	VE_VTIMER = 1 << 6, /* boot vCPU: hv/time/vtimer.h */
	VE_KICK = 1 << 7,   /* it goes on from HLT, now or at the next one */
	VE_REPORT = 1 << 8, /* hv/vm/stats.h: say what it does */
	VE_START = 1 << 9,  /* hv/vm/life.h: it is parked no longer */
	VE_ASSIGN = 1 << 10,  /* hv/assign/passthrough.h: there is more to do */
	VE_CLOCK = 1 << 11,   /* hv/pv/pvclock.h: the rate is another */
	VE_CONTROL = 1 << 14, /* hv/control/control.h: there is more to do */
	VE_PAUSE = 1 << 15,   /* hv/vm/pause.h: it stands, or goes on */
	VE_DEBUG = 1 << 16,   /* hv/vm/debug.h: a debugger is to look at it */
	VE_FLUSH = 1 << 17,   /* hv/core/split.h: drop what the TLB has of it */
	VE_VIRTIO = 1 << 18,  /* vCPU 0: hv/device/virtio/virtio.h */
};

enum vcpu_activity {
	VCPU_RUNNING, /* 0: the hot path tests for anything else */
	VCPU_HALTED,
	VCPU_WAIT_SIPI,
	VCPU_WORKING, /* boot vCPU: vm_work_step() of hv/vm/work.h */
	VCPU_PARKED,  /* its VM has ended */
	VCPU_SLEEPS,  /* as HALTED, until an interrupt waits, whatever IF */
	VCPU_PAUSED,  /* hv/vm/pause.h: it was vcpu.held */
};

struct vlapic;
struct pvclock;
struct kvm_pv;
struct vcpu_meter;
struct mca_bank;

/* Where the last intercepted instruction was: see gmem_code_again() */
struct vcpu_code {
	u64 page;       /* linear page number */
	u64 cr3;        /* the CR3 it was found with */
	const u8 *va;   /* a window on it, */
	const u64 *tag; /* open while *tag is tag_value */
	u64 tag_value;
};

/* Of a vCPU that a debugger has let go: hv/vm/debug_vcpu.c. Home core. */
struct vcpu_debug {
	bool on;
	bool stepping; /* one instruction, with RFLAGS.TF */
	bool guest_tf; /* and the guest has set TF itself */
	bool swapped;  /* the debug registers are the debugger's, */
	u8 stop;       /* enum bh_ctl_stop: why it stopped last */
	u64 address;   /* where that was */
	u64 rip, dr6;  /* when the step began */
	u64 dr[8];     /* and the guest's are these, */
	bool breakpoints;
	struct timer timer; /* interrupts wait for a step */
};

/* hv/core/last_exit.h */
struct vcpu_last {
	u64 kinds;  /* of the last exits, a byte each, the newest lowest */
	u32 count;  /* records ever begun; the next one is this modulo them */
	u32 newest; /* the record of the last note, counted alike */
	struct bh_ctl_last_exit exit[BH_CTL_LAST_EXITS];
};

struct vcpu {
	struct vcpu_hw hw; /* first */
	struct vm *vm;
	u32 id; /* index in vm->vcpus; also its APIC id */
	union {
		struct {
			u32 events; /* atomic, enum vcpu_event_bit */
			enum vcpu_activity activity; /* home core */
		};
		u64 busy; /* both, for one look before each entry */
	};
	u8 sipi_vector;
	bool kicked;    /* VE_KICK was taken: the next HLT is none */
	u8 nmi_waiting; /* taken from events, not delivered yet; at most 2 */
	bool injected;  /* the next entry delivers an event: no second one */
	/* For the next entry: an exception, an event whose delivery an exit
	 * interrupted, or EVENT_SHUTDOWN */
	struct vcpu_event pending;
	const char *kill_reason; /* of the last VERDICT_KILL */
	struct sched_entity entity;
	struct vlapic *vlapic;
	struct pvclock *pvclock;
	struct kvm_pv *kvm_pv;
	struct vcpu_meter *meter; /* hv/core/meter.h; NULL: none yet */
	/* The interrupt that was injected last, for hv/core/meter.c, which
	 * takes it back */
	struct vcpu_event delivered;
	u64 exits[EXIT_KINDS]; /* home core only; unless metering is off */
	u64 exits_reported;    /* their sum at the last VE_REPORT */
	struct vcpu_code code;
	u64 tsc_adjust;
	u64 stood;               /* vm->stood.ticks that are in tsc_offset */
	enum vcpu_activity held; /* while it is paused; home core */
	u32 pauses;              /* vm->pauses as it last took it */
	u32 slot_hint; /* hv/core/walk.h: the memory slot it found last */
	u64 apic_base_msr, misc_enable;
	struct mtrrs mtrrs; /* hv/policy/mtrr.c */
	u64 tsc_aux; /* in the core while it is current: the host has no use */
	/* While it stands, or since it crashed: hv/vm/kept.h */
	struct vcpu_regs kept;
	struct vcpu_debug debug;
	bool is_kept;     /* atomic */
	u32 kept_changed; /* enum reg_group */
	struct vcpu_last last;
	struct mca_bank *mca; /* hv/policy/mca.h; NULL: it has no banks */
};

static inline struct vcpu_regs *vcpu_regs(struct vcpu *v)
{
	return &v->hw.regs;
}

/* Make register groups valid before reading regs; set dirty after writing.
 * Home core (or vCPU not running). */
static inline void vcpu_need(struct vcpu *v, u32 groups)
{
	if (unlikely((v->hw.regs.valid & groups) != groups))
		vcpu_ops->read(&v->hw, groups);
}
static inline void vcpu_dirty(struct vcpu *v, u32 groups)
{
	v->hw.regs.dirty |= groups;
}

/* Any core, lock-free: set bits of enum vcpu_event_bit, wake it, make it look
 * (an IPI if it runs on another core) */
void vcpu_post(struct vcpu *v, u32 event_bits);
/* The same on its home core, which is not in the guest while this runs */
void vcpu_post_here(struct vcpu *v, u32 event_bits);
/* Home core: it waits for an event, unless one is there already */
void vcpu_block(struct vcpu *v);

/* Queue an exception for the next entry, merging as SDM 3A 6.15 says (#DF,
 * triple fault). Home core, attached. */
void vcpu_raise_exception(struct vcpu *v, u8 vector, bool has_error, u32 error);
void vcpu_raise_gp(struct vcpu *v); /* #GP(0) */
void vcpu_raise_ud(struct vcpu *v);
void vcpu_raise_pf(struct vcpu *v, gva_t addr, u32 error); /* sets CR2 */

/* Drop its cached guest-physical translations. Home core. */
void vcpu_flush(struct vcpu *v);
/* A mapping was taken away: drop what the vCPUs of this core have cached of the
 * guest's translations. Every core on which it has vCPUs does so. */
void vm_flush_here(const struct vm *vm);
/* Host TSC to this vCPU's TSC, and back */
static inline u64 vcpu_guest_tsc(const struct vcpu *v, u64 host_tsc)
{
	return host_tsc + v->hw.tsc_offset;
}
static inline u64 vcpu_host_tsc(const struct vcpu *v, u64 guest_tsc)
{
	return guest_tsc - v->hw.tsc_offset;
}

#endif
