/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine: memory slots, buses, policies, devices, vCPUs. Built by
 * hv/vm/create.c from a manifest entry; everything in it is charged to its
 * budget.
 */
#ifndef HV_CORE_VM_H
#define HV_CORE_VM_H

#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/timer.h"
#include "hv/core/backend.h"
#include "hv/core/bus.h"
#include "hv/core/quiesce.h"
#include "hv/core/vdev.h"
#include "hv/manifest/manifest.h"
#include "lib/log.h"
#include "lib/types.h"
#include "mm/pmm.h"
#include "mm/pt.h"

#define VM_MAX_VCPUS          1024
#define VM_MAX_ISOLATED_VCPUS 128  /* its budget and tables have room */
#define VM_MAX_SLOTS          2048 /* as many as extents can be (mm/owner.c) */
#define VM_MAX                1024

struct vcpu;
struct cpuid_table;
struct vtimer;
struct line_listener;
struct load_fill;
struct staged;
struct dynamic;
struct vlapic_late;
struct emu_stage;
struct virtio;

enum vm_state { VM_BUILDING, VM_RUNNING, VM_STOPPED };
enum vm_end {
	VM_END_NONE,
	VM_END_POWER_OFF,
	VM_END_RESET,
	VM_END_CRASH,
	VM_END_DEBUG_EXIT,
	VM_END_NOT_LOADED,
	/* The privileged guest: as a reset, but nobody wanted it */
	VM_END_FAILURE
};

/* What the boot vCPU does for its guest while it is VCPU_WORKING: hv/vm/work.h.
 * In this order from a start to the first instruction (REVOKE, SHARE: of a
 * dynamic guest; QUIET: of the privileged one); SCRUB is behind the last, and
 * so is GRANT of a dynamic guest. */
enum vm_work {
	VM_REVOKE,
	VM_QUIET,
	VM_RESET,
	VM_ZERO,
	VM_LOAD,
	VM_FILL,
	VM_SHARE,
	VM_SCRUB,
	VM_GRANT
};

/* Guest RAM: sorted by gpa, disjoint; lookups by binary search */
struct vm_slot {
	u64 gpa, hpa, size;
	bool rom; /* mapped read-only; writes are dropped */
};

#define VM_NODE_ANY (-1)
#define VM_GOES_ON  1 /* a step of its making is done, and there are more */

/* Whose end it was, and which command waits for it. Once that can be answered
 * the guest is no more, and its id may be another's. */
struct vm_farewell {
	u64 number; /* vm_number() */
	u32 tag;
	bool waits;
};

/* Of a guest that is taken apart: hv/vm/reap.c */
struct vm_reap {
	struct quiesce quiet;
	void (*freed)(const struct vm_farewell *f);
	struct vm_farewell farewell;
};

/* Its virtual IOMMU (hv/assign/vtd.h): where its registers are, and the one
 * function behind it, on bus 0 */
struct vm_remap {
	u64 base; /* 0: it has none */
	u8 devfn;
};

/* A debugger's hold on it: hv/vm/debug.c */
#define VM_SOFT_BREAKPOINTS 32u
enum vm_debug_mode {
	VM_NOT_DEBUGGED,
	VM_DEBUG_GOES,
	VM_DEBUG_STOPPING,
	VM_DEBUG_STANDS
};
struct vm_debug {
	enum vm_debug_mode mode;
	bool leaves;  /* the debugger, as soon as the guest stands */
	bool others;  /* go, too, while one steps */
	u32 stepper;  /* the vCPU that steps, and 1; 0: none does */
	u32 hardware; /* breakpoints in dr[] */
	u64 dr[4], dr7;
	/* Frames in which a step that was cut short may have left TF; atomic */
	u32 strays;
	u32 planted;
	struct {
		u64 gpa;
		u8 byte; /* that was there */
	} soft[VM_SOFT_BREAKPOINTS];
};

/* Of a guest whose large pages are split: hv/core/split.c, under npt_lock */
#define VM_SPLIT_BATCH 8u
struct vm_split {
	u32 most;                  /* tables at a time */
	u32 *ring, oldest, used;   /* which 2 MiB have one, by age */
	u32 out_count;             /* taken back, and not free yet: */
	void *out[VM_SPLIT_BATCH]; /* CPUs may have them cached */
	u32 told, let_go;          /* vCPUs that were told, that have let go */
};

/* Of a guest whose clock stands with it: hv/vm/pause.c. @since and @ticks do
 * not change while a vCPU of it runs. In host TSC ticks, of its present life.
 */
struct vm_stood {
	u64 since;         /* all vCPUs stand since; 0: they do not */
	u64 ticks;         /* how long they stood, before that */
	u64 before_change; /* as long as the TSC's first rate was in force */
};

/* A static guest's pause: hv/vm/still.c */
struct vm_still {
	bool stands; /* it is PAUSED */
	bool waits;  /* a command, for that */
	u32 tag;
};

/* Its RAM on the way to zero: hv/vm/zero.c */
struct vm_zeroing {
	u64 claimed; /* bytes that somebody zeroes, or has; atomic */
	u64 at, end; /* the boot vCPU's part of them that is left */
	u32 helpers; /* cores that are at it; atomic */
	bool shared; /* they may be; atomic */
};

struct vm {
	u64 number; /* counts the guests of its id: no other has both */
	u16 id;     /* index in vms[]; owner id of its pages; another's later */
	char name[MANIFEST_NAME_LEN];
	bool privileged;
	bool restarts;         /* the privileged one: hv/vm/privileged.h */
	u64 no_restart_before; /* host TSC; all its restarts are used up */
	u32 lives;           /* of the privileged one: those before this one */
	enum vm_state state; /* changes under lock */
	enum vm_end end;
	const char *end_reason; /* what vm_end() was given with it */
	u8 told_state;          /* hv/control/events.c: the last it told of */
	const struct guest_config *config;
	int node; /* whose memory it gets (hv/vm/numa.h), or VM_NODE_ANY */
	struct spinlock lock; /* state, end; below no other lock */

	struct budget budget;
	struct page_table npt;
	struct spinlock npt_lock; /* changes of @npt while it runs; a leaf */
	struct vm_intercepts intercepts;
	u64 intercept_changes; /* of ports, while all cores stand still */
	struct bus ports, mmio;
	struct cpuid_table *cpuid;

	u32 vcpu_count;
	struct vcpu *vcpus[VM_MAX_VCPUS];
	u32 vcpus_live;     /* atomic: not yet parked after a stop */
	u32 pauses;         /* hv/vm/pause.h: counts them and their ends */
	u32 vcpus_to_pause; /* atomic */
	struct vm_still still;
	struct vm_debug debug;
	/* By vCPU, what messages its vLAPIC takes (hv/irq/vlapic_priv.h): all
	 * in 4 KiB, so that a look at everybody is short */
	u32 apic_dests[VM_MAX_VCPUS];
	/* Devices' messages to many, which vCPU 0 sends; atomic, a stack */
	struct vlapic_late *late;
	/* Lines that no exit looks at but a fetch that fails */
	struct vm_split split __aligned(64);
	/* How many are in devices (hv/core/crowd.h); a line of its own */
	u32 crowd __aligned(64);

	u64 xcr0_mask __aligned(64); /* XCR0 bits its CPUID offers */
	u8 phys_bits;                /* MAXPHYADDR its CPUID tells */
	u16 console_port;            /* of hv/assign/console_port.c; 0: none */
	u32 console;                 /* console_of(), atomic; 0: none */

	void *devices[VDEV_COUNT]; /* by enum vdev_id; NULL: it has none */
	struct vtimer *vtimers;    /* all of them, a list */
	bool vtimers_rest; /* some expired out of turn; boot vCPU's home core */
	struct line_listener *line_listeners; /* hv/irq/lines.h */
	struct virtio *virtio;                /* its virtio devices, a list */
	struct emu_stage *stage;              /* hv/emulate/stage.c */
	u64 tsc_start;    /* host TSC that is the guest's TSC 0 */
	u64 tsc_first;    /* the first of them: counters count from there */
	bool clock_stops; /* while the guest stands; then how long that was: */
	struct vm_stood stood;
	u64 acpi_rsdp; /* gpa of its RSDP; 0: none */
	struct vm_remap remap;
	enum vm_work work;
	bool runs; /* that has come to its first instruction; not its end */
	struct vm_zeroing zeroing;  /* by VM_ZERO, VM_SCRUB, VM_GRANT */
	struct load_fill *fill;     /* hv/load/fill.h; NULL: none */
	struct staged *staged;      /* hv/load/staged.h; NULL: static */
	struct dynamic *dynamic;    /* hv/vm/dynamic.h; NULL: static */
	struct timer restart_timer; /* after a reset; hv/vm/reap.c */
	struct vm_reap reap;
	struct ratelimit log_limit;

	/* Behind the slots are those of memory that it holds and cannot reach,
	 * where it would have it as RAM: hv/vm/shape.h */
	u32 slot_count, kept_count, slot_max;
	struct vm_slot slots[VM_MAX_SLOTS]; /* last: only slot_max are there */
};
/* What a guest of @slots slots takes */
static inline size_t vm_bytes(u32 slots)
{
	return offsetof(struct vm, slots) + slots * sizeof(struct vm_slot);
}

extern u32 vm_npt_max_level; /* largest EPT/NPT leaf of this machine */
/*
 * By id, below vm_count; NULL: there is none now. An entry is written whole and
 * is read without a lock, by vm_at(). Guests come and go at run time: what was
 * read is good until this core is back at the head of its run loop, or its
 * interrupt is over. Nothing is freed before each core has been there
 * (hv/core/quiesce.h). Who needs a guest for longer keeps its id and looks
 * again, or is told of its end: its own vCPUs, timers and devices.
 */
extern struct vm *vms[VM_MAX];
extern u32 vm_count; /* grows only */
static inline struct vm *vm_at(u32 id)
{
	return __atomic_load_n(&vms[id], __ATOMIC_ACQUIRE);
}
/* A guest's id (include/bulkhead/control.h), which is never another's */
u64 vm_number(const struct vm *vm);
extern struct vm *vm_privileged; /* NULL: none in the manifest */
/* A guest has begun, ended, or is about to. Set by hv/control before guests
 * run, or NULL; called on any core with no lock of a VM held. */
extern void (*vm_changed_hook)(void);
static inline void vm_changed(void)
{
	if (vm_changed_hook)
		vm_changed_hook();
}

/*
 * Any core, any context: the guest is to end, as @how says. Its vCPUs stop at
 * their next look at their events; what follows is hv/vm/life.c's. A reset
 * builds and starts it again, a second after its last start at the earliest.
 * Power-off and crash leave it stopped. What the privileged guest's end means
 * for the machine: hv/vm/privileged.h. The first request counts;
 * @reason completes "guest NAME crashed: " and stays. Takes vm->lock.
 */
void vm_end(struct vm *vm, enum vm_end how, const char *reason);
/*
 * Post to all vCPUs, VM_FAN of them here. Each vCPU passes it on to its own
 * VM_FAN when it takes it, by vm_pass_on(): none sends to more, however many
 * there are, and the last hears of it from the second. For what all of them
 * take and nothing waits for, which is VE_STOP. Any core; home core.
 */
#define VM_FAN 32u
void vm_post_all(struct vm *vm, u32 event_bits);
void vm_pass_on(struct vcpu *v, u32 event_bits);

#endif
