/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device: a PCI function of the privileged guest by which its
 * programs make, watch and end other guests. Part of the public ABI: they may
 * include this.
 *
 * The function lies behind a remapping unit (VT-d) of its own, so that a stock
 * Linux gives it to a program by vfio-pci. All addresses that it is handed are
 * device addresses (IOVA). They are looked up in that unit's tables at each
 * use: the device reaches what the driver has mapped for it, and nothing else.
 * It obeys the command register's bus master bit.
 *
 * Who uses the device? One driver for each function. It writes BH_CTL_OPEN,
 * puts commands into a ring in its memory, writes BH_CTL_SUBMIT, and finds
 * answers in a second ring. A command is copied, checked whole and then done.
 * A short one is answered before the write of BH_CTL_SUBMIT is over, so that it
 * costs one exit. A long one is done in pieces, and its answer comes with MSI-X
 * vector 0. What makes no sense as a ring closes the device, and never more.
 * The device is closed also by a function reset, by the bus master bit or
 * MSI-X going off, and by the guest's restart. No other guest notices.
 *
 * All numbers are little-endian. Reserved fields and bits are written as 0 and
 * not looked at when read, so that a later version can use them. FEATURES says
 * what this one has. Over 400 lines: all that a client includes.
 */
#ifndef BULKHEAD_CONTROL_H
#define BULKHEAD_CONTROL_H

#include "lib/types.h"

#define BH_CTL_VERSION 1

/* Type 0 header, its own slot, class 08h 80h 00h (other system peripheral) */
#define BH_CTL_PCI_VENDOR 0x4248u
#define BH_CTL_PCI_DEVICE 0x0001u

/* BAR 0, I/O: registers of four bytes, accessed whole */
#define BH_CTL_BAR_REGS   0
#define BH_CTL_REGS_BYTES 64

enum bh_ctl_reg {
	BH_CTL_MAGIC = 0x00,    /* r: BH_CTL_MAGIC_VALUE */
	BH_CTL_REVISION = 0x04, /* r: BH_CTL_VERSION */
	BH_CTL_FEATURES = 0x08, /* r: BH_CTL_FEATURE_... */
	BH_CTL_STATUS = 0x0c,   /* r: enum bh_ctl_status */
	/* w: the page number of struct bh_ctl_area's IOVA; 0 closes. While it
	 * is open, another number closes it, with BH_CTL_AGAIN. */
	BH_CTL_OPEN = 0x10,
	BH_CTL_SUBMIT = 0x14, /* w: anything; the commands up to the tail */
	/* w: a number that BH_CTL_OP_QUEUE_BIND has given to a queue: its
	 * buffers have been used. Any other changes nothing. */
	BH_CTL_DOORBELL = 0x18,
};
#define BH_CTL_MAGIC_VALUE 0x4c544342u /* "BCTL" */

#define BH_CTL_FEATURE_GUESTS  (1u << 0) /* dynamic guests: there is a pool */
#define BH_CTL_FEATURE_CONSOLE (1u << 1)
#define BH_CTL_FEATURE_DEVICES (1u << 2) /* virtio devices that are served */

/* Closed, and why; or open */
enum bh_ctl_status {
	BH_CTL_CLOSED,      /* nobody has opened it, or somebody closed it */
	BH_CTL_IS_OPEN,     /* commands are taken */
	BH_CTL_AGAIN,       /* it was opened while it was open */
	BH_CTL_BAD_ADDRESS, /* the area, or some of it, is not mapped */
	BH_CTL_BAD_TAIL,    /* more commands than the ring has */
	BH_CTL_BAD_HEAD,    /* more events taken than there are */
	BH_CTL_OVERRUN,     /* an answer had no room in the event ring */
};

/* BAR 2, memory, 64 bits: the MSI-X table at 0, its pending bits behind it */
#define BH_CTL_BAR_MSIX      2
#define BH_CTL_MSIX_BYTES    0x10000
#define BH_CTL_MSIX_PBA      0x8000
#define BH_CTL_VECTORS       2048
#define BH_CTL_VECTOR_EVENTS 0    /* an event came outside of BH_CTL_SUBMIT */
#define BH_CTL_DOORBELLS     1000 /* from 1 on; as many ioeventfds as VFIO has */

/*
 * The area: three pages in a row of the driver's, by IOVA. A tail counts what
 * was ever put into a ring, a head what was ever taken, both modulo 2^32; the
 * entry of count n is n modulo the ring's size. The driver writes
 * command_tail and event_head, the device the other two and the events.
 */
#define BH_CTL_COMMANDS 64
#define BH_CTL_EVENTS   128

struct bh_ctl_indexes {
	u32 command_tail;
	u32 event_head;
	u32 reserved0[14];
	u32 command_head;
	u32 event_tail;
	u32 reserved1[1006];
};

struct bh_ctl_command {
	u16 op; /* enum bh_ctl_op */
	u16 reserved;
	u32 tag; /* comes back with the answer */
	u64 in;  /* IOVA of what the command is given */
	u32 in_bytes;
	u32 out_bytes; /* room for what comes back */
	u64 out;
	u64 arg[4];
};

struct bh_ctl_event {
	u16 type; /* enum bh_ctl_event_type */
	u16 reserved;
	u32 tag;    /* of the command; else the guest's id */
	s32 status; /* 0, or a negative enum bh_ctl_error */
	u32 bytes;  /* written to @out; with an error: a sentence, no NUL */
	u64 arg[2];
};

struct bh_ctl_area {
	struct bh_ctl_indexes index;
	struct bh_ctl_command commands[BH_CTL_COMMANDS];
	struct bh_ctl_event events[BH_CTL_EVENTS];
};
static_assert(sizeof(struct bh_ctl_area) == 3 * 4096, "a page each");

/* What a command takes and gives at most. Lists come in parts: an argument says
 * where the next begins. */
#define BH_CTL_IN_MAX  4096
#define BH_CTL_OUT_MAX 4096

/* As a status, negative. The sentence in @out says what and what to do. */
enum bh_ctl_error {
	BH_CTL_EINVAL = 1, /* a field or the definition makes no sense */
	BH_CTL_ENOENT,     /* no such guest (any more) */
	BH_CTL_EEXIST,     /* the name is taken */
	BH_CTL_ESTATE,     /* not in the state that the guest is in */
	BH_CTL_ENOMEM,     /* the hypervisor's own memory, or a limit */
	BH_CTL_EBUSY,   /* memory that is not free in the pool; do it later */
	BH_CTL_EFAULT,  /* @in or @out is not mapped, or too small */
	BH_CTL_ENOSYS,  /* no such command in this version */
	BH_CTL_EFILE,   /* a staged file cannot be used */
	BH_CTL_ESTATIC, /* not for a static guest, or the privileged one */
};

/*
 * A guest's id: never the same for two guests of a boot, so that an old one
 * names nothing. The log has id 0 where consoles are meant.
 */
enum bh_ctl_op {
	/* out: struct bh_ctl_info, as much of it as there is room */
	BH_CTL_OP_INFO,
	/* arg[0]: how many to pass over. out: struct bh_ctl_range[], the pool;
	 * event arg[0]: how many there are in all. */
	BH_CTL_OP_POOL,
	/* arg[0]: ids above this one. out: struct bh_ctl_guest[] by id, as many
	 * as there is room; event arg[0]: how many follow. */
	BH_CTL_OP_GUESTS,
	/* in: struct bh_ctl_create. The guest is BH_CTL_DEFINED, and its memory
	 * is granted. Event arg[0]: its id. */
	BH_CTL_OP_CREATE,
	/* arg[0]: id of a BH_CTL_DEFINED guest. in: struct bh_ctl_file[], where
	 * the files of its definition are. Its memory is not granted from now
	 * on; unless `share = memory`. Answered when its code runs. */
	BH_CTL_OP_START,
	/* arg[0]: id; arg[1]: enum bh_ctl_end. BUTTON is answered at once, the
	 * rest when it is done. */
	BH_CTL_OP_END,
	BH_CTL_OP_PAUSE,  /* arg[0]: id; answered when no vCPU runs */
	BH_CTL_OP_RESUME, /* arg[0]: id */
	/* arg[0]: id; arg[1]: position. As BH_CONSOLE_READ of console_port.h:
	 * out: bytes; event arg[0]: the position of the first; arg[1]: of the
	 * end. A read that reaches the end asks for one BH_CTL_EVENT_CONSOLE.
	 */
	BH_CTL_OP_CONSOLE_READ,
	/* arg[0]: id. in: what is typed. Event arg[0]: how many bytes were
	 * taken; try the rest later. */
	BH_CTL_OP_CONSOLE_TYPE,
	/* arg[0]: id; arg[1]: vCPUs to pass over. out: struct bh_ctl_vcpu[] */
	BH_CTL_OP_VCPUS,
	/* arg[0]: cores to pass over. out: struct bh_ctl_core[] */
	BH_CTL_OP_CORES,
	/* arg[0]: kinds to pass over. out: names of exit kinds, each with a
	 * NUL; event arg[0]: how many there are in all. */
	BH_CTL_OP_EXIT_NAMES,
	/* arg[0]: id; arg[1]: kinds to pass over. out: u64[], exits by kind,
	 * summed over the vCPUs */
	BH_CTL_OP_EXITS,
	/*
	 * A look into a guest that is BH_CTL_PAUSED or BH_CTL_CRASHED; never
	 * the privileged one, which is the caller. Elsewhere BH_CTL_ESTATE.
	 */
	/* arg[0]: id; arg[1]: vCPU. out: struct bh_ctl_registers */
	BH_CTL_OP_REGISTERS,
	/* arg[0]: id of a BH_CTL_PAUSED guest; arg[1]: vCPU. in: struct
	 * bh_ctl_registers, of which gpr, rip, the flags of a program in
	 * rflags, and the bases of FS and GS are taken */
	BH_CTL_OP_SET_REGISTERS,
	/* arg[0]: id; arg[1]: ranges to pass over. out: struct
	 * bh_ctl_memory[], by address; event arg[0]: how many there are */
	BH_CTL_OP_MEMORY,
	/* arg[0]: id; arg[1]: guest-physical address. out: bytes, up to the
	 * first that is neither RAM nor ROM */
	BH_CTL_OP_MEMORY_READ,
	/* arg[0]: id; arg[1]: guest-physical address. in: bytes. Event arg[0]:
	 * how many were written, up to the first that is no RAM */
	BH_CTL_OP_MEMORY_WRITE,
	/* arg[0]: id; arg[1]: vCPU; arg[2]: an address as its code uses it, its
	 * segment's base added. Event arg[0]: the guest-physical address,
	 * whatever the page's rights. BH_CTL_EFAULT: it is not mapped. */
	BH_CTL_OP_TRANSLATE,
	/* arg[0]: enum bh_ctl_announce. About the end of the privileged guest,
	 * whoever has it said; the last word counts, until that guest's next
	 * life. */
	BH_CTL_OP_ANNOUNCE,
	/* arg[0]: id; arg[1]: enum bh_ctl_debug. For GO, in: struct
	 * bh_ctl_breakpoint[], all that there are while it goes; arg[2]: 0, or
	 * 1 + the vCPU that does one instruction; arg[3]: 1: others go, too */
	BH_CTL_OP_DEBUG,
	/* arg[0]: enum bh_ctl_metering, or BH_CTL_METERING_ASK. Answered when
	 * all cores do so; event arg[0]: what is metered now. */
	BH_CTL_OP_METERING,
	/* arg[0]: id; arg[1]: vCPU, or BH_CTL_ALL_VCPUS for the sums; arg[2]:
	 * how many to pass over. out: struct bh_ctl_histogram[]; event arg[0]:
	 * how many there are in all. A vCPU has them from its first turn on
	 * while histograms are metered, and keeps them until its guest starts
	 * anew; else they are 0. */
	BH_CTL_OP_HISTOGRAMS,
	/* arg[0]: 1, trace from now on, or 0, trace no longer. arg[1]: records
	 * that a core keeps, a power of two from 256 to 65536. BH_CTL_ESTATE:
	 * somebody traces already. */
	BH_CTL_OP_TRACE,
	/* While something is traced. arg[0]: core; arg[1]: position. out:
	 * struct bh_ctl_trace[]; event arg[0]: the position of the first, which
	 * is further where records were lost; arg[1]: of the end. */
	BH_CTL_OP_TRACE_READ,
	/* arg[0]: enum bh_ctl_audit; arg[1]: id, where that lists a guest's;
	 * arg[2]: where to go on, 0 at first. out: struct bh_ctl_reach[]; event
	 * arg[0]: where to go on, 0: that was all; arg[1]: counts the changes
	 * of what is listed. With no room in @out it only tells arg[1]. */
	BH_CTL_OP_AUDIT,
	/* arg[0]: id. in: text, a KEY=VALUE a line, of the keys that can change
	 * while a guest is there (sched/keys.c): all of them, or none. */
	BH_CTL_OP_SET,
	/* arg[0]: id of a guest as for BH_CTL_OP_REGISTERS; arg[1]: vCPU. out:
	 * struct bh_ctl_last_exits */
	BH_CTL_OP_LAST_EXITS,
	/*
	 * Virtio devices of a guest whose queues are served by a back-end of
	 * the privileged guest's (docs/virtio.md). They are numbered in the
	 * order of the definition, from 0.
	 */
	/* arg[0]: id; arg[1]: devices to pass over. out: struct
	 * bh_ctl_device[]; event arg[0]: how many there are in all */
	BH_CTL_OP_DEVICES,
	/* arg[0]: id; arg[1]: device. in: struct bh_ctl_offer, what its
	 * back-end can do. While the guest is BH_CTL_DEFINED; one that has none
	 * when the guest starts is not on its bus. Later, too, with the same
	 * features: the configuration may be another, and the driver hears of
	 * it. */
	BH_CTL_OP_DEVICE_OFFER,
	/* arg[0]: id; arg[1]: device; arg[2]: queues to pass over. out: struct
	 * bh_ctl_queue[]; event arg[0]: how many there are in all */
	BH_CTL_OP_QUEUES,
	/* arg[0]: id; arg[1]: device, and the queue in bits 63:32. arg[2]: the
	 * vector by which its notifications come, arg[3]: its doorbell; 0 for
	 * each: none. Of a queue that is live; from then on a back-end may
	 * touch it. What was notified until then comes at once. Both end with
	 * the queue, and when the device closes. BH_CTL_EEXIST: the doorbell
	 * is another queue's. */
	BH_CTL_OP_QUEUE_BIND,
	/* arg[0]: id; arg[1]: device, and the queue in bits 63:32, or
	 * BH_CTL_ALL_QUEUES there. Of those that are to stop: the back-end
	 * touches neither ring nor buffers any more. */
	BH_CTL_OP_QUEUE_STOPPED,
	BH_CTL_OPS
};

enum bh_ctl_announce {
	/* Each reset of this guest that is meant to end the machine will be
	 * announced; one that was will not come. From now on one that is not
	 * is a failure, which starts this guest again, alone. */
	BH_CTL_WILL_ANNOUNCE,
	/* It shuts down in order, and its reset ends the machine */
	BH_CTL_SHUTS_DOWN,
	BH_CTL_ANNOUNCES
};

enum bh_ctl_event_type {
	BH_CTL_EVENT_ANSWER, /* of the command with that tag */
	/* tag: id's low 32 bits; arg[0]: id; arg[1]: enum bh_ctl_state */
	BH_CTL_EVENT_STATE,
	/* arg[0]: id; it has said something since its console was read */
	BH_CTL_EVENT_CONSOLE,
	/* Events were lost for want of room: look at everything again */
	BH_CTL_EVENT_LOST,
	/* arg[0]: id; a guest that a debugger let go stands, and is
	 * BH_CTL_PAUSED; or it has ended, and no debugger has it any more */
	BH_CTL_EVENT_DEBUG,
	/* arg[0]: id; arg[1]: device. Its driver or its guest has changed what
	 * BH_CTL_OP_DEVICES and BH_CTL_OP_QUEUES say of it, since one of them
	 * last did; or that was so when the control device was opened. */
	BH_CTL_EVENT_DEVICE,
};

/* Of a guest */
enum bh_ctl_state {
	BH_CTL_DEFINED,  /* memory granted, waits for BH_CTL_OP_START */
	BH_CTL_BUILDING, /* being loaded */
	BH_CTL_RUNNING,
	BH_CTL_PAUSED,
	BH_CTL_STOPPING, /* its end has begun; its memory is being scrubbed */
	BH_CTL_STOPPED,  /* it ended by itself; its memory is scrubbed */
	BH_CTL_CRASHED,  /* as it was, to be looked at */
	BH_CTL_GONE,     /* only in an event: the id names nothing any more */
};

enum bh_ctl_end {
	BH_CTL_END_BUTTON, /* its power button; it may or may not listen */
	BH_CTL_END_STOP,   /* it stops at once, as by its power supply */
	/* Back to BH_CTL_DEFINED, with its memory scrubbed; a static guest
	 * starts again */
	BH_CTL_END_RESET,
	BH_CTL_END_DESTROY, /* from any state; memory goes back to the pool */
};

struct bh_ctl_info {
	u32 version, features;
	u32 cores, nodes;
	u32 guests, guests_max; /* the privileged one counts */
	u64 tsc, tsc_khz;       /* now, as the CPU counts */
	u64 boot_tsc;           /* of the hypervisor's start */
	u64 ram_bytes, hypervisor_bytes;
	u64 pool_bytes, pool_free_bytes;
	char build[32]; /* "Bulkhead 0.1" */
	/* Of hypervisor_bytes, what is left for guests to come; beside their
	 * memory each takes some 100 KiB (bh_ctl_guest.overhead_bytes) */
	u64 hypervisor_free_bytes;
};

/* Host-physical, which is what the privileged guest calls physical. Whole
 * 2 MiB units. */
struct bh_ctl_range {
	u64 base, size;
	u32 node; /* told by BH_CTL_OP_POOL, and nothing to BH_CTL_OP_CREATE */
	u32 reserved;
};

/*
 * A new guest. @definition is one section of the manifest (docs/manifest.md),
 * [guest NAME] and its keys, @definition_bytes long, no NUL, behind the ranges.
 * The ranges, 64 at most, in order, are its memory from its address 0 on, and
 * hold what `memory =` says, rounded up to 2 MiB. They are free in the pool.
 */
struct bh_ctl_create {
	u32 definition_bytes;
	u32 range_count;
	struct bh_ctl_range ranges[];
};

/* A file of the definition, by its name there, lies in the guest's own memory
 * at @offset of it, counted over the ranges; a page's multiple. With a firmware
 * all of them, and else those of fw_cfg, stay there: from the 2 MiB that the
 * lowest of these is in, the guest has no RAM. No file lies on both sides. */
#define BH_CTL_FILE_NAME 64
struct bh_ctl_file {
	char name[BH_CTL_FILE_NAME];
	u64 offset, size;
};

#define BH_CTL_GUEST_PRIVILEGED (1u << 0)
#define BH_CTL_GUEST_STATIC     (1u << 1)
#define BH_CTL_GUEST_GRANTED    (1u << 2) /* some memory, to the caller */

struct bh_ctl_guest {
	u64 id;
	char name[32];
	u32 state; /* enum bh_ctl_state */
	u32 flags;
	u32 vcpus;
	s32 node; /* -1: any */
	u64 memory_bytes;
	u64 overhead_bytes; /* of the hypervisor's, for it */
	u64 start_tsc;      /* 0: it never ran */
	/* Both summed over the vCPUs, since the guest was made: its resets and
	 * restarts, and its ends, take nothing of them. Ticks of the TSC. */
	u64 run_ticks;
	u64 exits;
	/* Why it ended, NUL-terminated; or, while it runs, why it was started
	 * again by the hypervisor, alone */
	char reason[64];
	u32 weight; /* its vCPUs' share of their cores, beside others */
	u32 cap;    /* percent of its core that each may have; 100: all of it */
	/* How often the hypervisor started it again: the privileged guest, once
	 * it failed */
	u32 restarts;
	u32 reserved;
};

struct bh_ctl_vcpu {
	u32 id, core;
	u32 state; /* 0: runs or may, 1: halted, 2: not started, 3: parked */
	u32 reserved;
	u64 run_ticks, wait_ticks; /* on the core; runnable and not on it */
	u64 exits;
};

/* Of a served device. Its driver's reset, and the guest's end, are not over
 * before all queues that are to stop have. Those are the ones that were bound
 * since they are live, by whomever; but not before the privileged guest started
 * again. */
#define BH_CTL_DEVICE_OFFERED (1u << 0)
#define BH_CTL_DEVICE_READY   (1u << 1) /* DRIVER_OK */
#define BH_CTL_DEVICE_STOPS   (1u << 2) /* a queue of it is to stop */
#define BH_CTL_CONFIG_MAX     256
#define BH_CTL_ALL_QUEUES     0xffffffffu

struct bh_ctl_device {
	u32 type; /* virtio's device id, 2: block */
	u32 devfn;
	u32 queues, queue_size; /* how many, and their entries at most */
	u32 config_bytes;
	u32 flags;
	u64 features; /* offered, with the transport's */
	u64 accepted; /* by the driver */
};

struct bh_ctl_offer {
	u64 features; /* of the device, and of its rings */
	u32 config_bytes, reserved;
	u8 config[BH_CTL_CONFIG_MAX];
};

#define BH_CTL_QUEUE_LIVE  (1u << 0) /* to be served */
#define BH_CTL_QUEUE_STOPS (1u << 1) /* waits for BH_CTL_OP_QUEUE_STOPPED */

/* Addresses are the guest's */
struct bh_ctl_queue {
	u32 size, flags;
	u64 desc, driver, device;
	u32 vector, doorbell;
};

/* As the processor has it. @attributes: as the access rights of a VMCS have
 * them (SDM 3C 25.4.1); 10000h: no segment. */
struct bh_ctl_segment {
	u64 base;
	u32 limit, attributes;
	u16 selector;
	u16 reserved[3];
};

/* Segments in this order: ES, CS, SS, DS, FS, GS, LDTR, TR. GPRs: RAX, RCX,
 * RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. */
struct bh_ctl_registers {
	u64 gpr[16];
	u64 rip, rflags;
	u64 cr0, cr2, cr3, cr4, efer, xcr0;
	u64 dr[8];
	struct bh_ctl_segment segment[8], gdtr, idtr;
	u64 star, lstar, cstar, sfmask, kernel_gs_base, pat;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	/* Its last exit: the kind, whose name BH_CTL_OP_EXIT_NAMES has, and
	 * the processor's own code for it */
	u32 exit_kind;
	u32 state; /* as in struct bh_ctl_vcpu, before it stood */
	u64 exit_reason;
	/* Of a guest with a debugger: why this vCPU made it stand, enum
	 * bh_ctl_stop, and the address that was watched */
	u32 stop;
	u32 reserved;
	u64 stop_address;
};

/*
 * What a vCPU's last exits were. @kinds: of the last eight, all sorts, the
 * newest first; 0: none. @exit: those of the rarer sorts, by time, the newest
 * last. Not there are those that are hot: CPUID, HLT, RDMSR, WRMSR, hypercalls,
 * accesses to ports and to the LAPIC page, interrupts and their windows; unless
 * they ended in an exception or ended the guest, or cores were traced. With
 * BH_CTL_METERING_OFF only the exit that ended the guest is.
 */
#define BH_CTL_LAST_EXITS      16
#define BH_CTL_LAST_EXIT_KINDS 8

enum bh_ctl_last_what {
	BH_CTL_LAST_OTHER,     /* only @reason says more */
	BH_CTL_LAST_PORT,      /* @where: which; @size: bytes */
	BH_CTL_LAST_MEMORY,    /* @where: guest-physical; no @value */
	BH_CTL_LAST_MSR,       /* @where: which */
	BH_CTL_LAST_CR,        /* @where: which */
	BH_CTL_LAST_EXCEPTION, /* @where: vector; @value: error code */
	BH_CTL_LAST_CALL,      /* @where: RAX, @value: RCX */
};
#define BH_CTL_LAST_READS    (1u << 0) /* else it writes @value */
#define BH_CTL_LAST_FETCHES  (1u << 1)
#define BH_CTL_LAST_STRING   (1u << 2) /* INS or OUTS; no @value */
#define BH_CTL_LAST_NO_VALUE (1u << 3)

/* Exits of one kind at one RIP that come again soon are one record, with the
 * last of them in it */
struct bh_ctl_last_exit {
	u64 tsc;
	u64 rip;
	u64 reason; /* the processor's own code */
	u64 where, value;
	u32 times;
	u16 kind;   /* as BH_CTL_OP_EXIT_NAMES has them */
	u16 raised; /* 1 + the exception that the guest got for it; 0: none */
	u8 what;    /* enum bh_ctl_last_what */
	u8 size;
	u16 flags;
	u32 reserved;
};

struct bh_ctl_last_exits {
	u8 kinds[BH_CTL_LAST_EXIT_KINDS];
	u32 count;
	u32 reserved;
	struct bh_ctl_last_exit exit[BH_CTL_LAST_EXITS];
};

/*
 * A debugger has a guest from ATTACH, in BH_CTL_RUNNING, to DETACH; meanwhile
 * it is BH_CTL_PAUSED or BH_CTL_RUNNING, and PAUSE is refused. Closing the
 * device detaches all. ATTACH and STOP are answered at once; that the guest
 * stands is BH_CTL_EVENT_DEBUG.
 */
enum bh_ctl_debug {
	BH_CTL_DEBUG_ATTACH,
	BH_CTL_DEBUG_DETACH,
	BH_CTL_DEBUG_STOP,
	BH_CTL_DEBUG_GO,
};
#define BH_CTL_DEBUGGERS 4 /* guests at a time */

/* SOFTWARE: @address is guest-physical, and a byte of RAM. Others: an address
 * as the guest's code uses it, a multiple of @length, which is 1, 2, 4 or 8. */
enum bh_ctl_breakpoint_kind {
	BH_CTL_BREAK_SOFTWARE,
	BH_CTL_BREAK_HARDWARE,
	BH_CTL_BREAK_WRITE,
	BH_CTL_BREAK_ACCESS, /* reads and writes */
};
#define BH_CTL_SOFTWARE_BREAKPOINTS 32
#define BH_CTL_HARDWARE_BREAKPOINTS 4 /* all kinds but SOFTWARE */
struct bh_ctl_breakpoint {
	u64 address;
	u32 kind;
	u32 length;
};

enum bh_ctl_stop {
	BH_CTL_STOP_NONE, /* another vCPU did, or BH_CTL_DEBUG_STOP */
	BH_CTL_STOP_STEP,
	BH_CTL_STOP_SOFTWARE,
	BH_CTL_STOP_HARDWARE,
	BH_CTL_STOP_WATCH, /* WRITE or ACCESS */
};

#define BH_CTL_MEMORY_ROM (1u << 0)
struct bh_ctl_memory {
	u64 base, size; /* guest-physical */
	u32 flags;
	u32 reserved;
};

struct bh_ctl_core {
	u32 id, apic_id;
	u32 node, reserved;
	u64 idle_ticks;
	/* While histograms are metered. In the hypervisor for guests: from each
	 * exit to the next entry, or to the end of the vCPU's turn. Longest in
	 * a piece with interrupts off; how often for more than 100 us. */
	u64 host_ticks, longest_ticks, too_long;
	u64 smis; /* since reset; BH_CTL_NO_SMIS: the CPU does not count them */
};
#define BH_CTL_NO_SMIS (~0ull)

/*
 * What a core did, while it is traced. Records are written when what they tell
 * of is over, so that @tsc of one may be below that of the one before.
 */
enum bh_ctl_trace_event {
	/* @kind: of exit; @arg: ticks from @tsc until the next entry, or until
	 * the vCPU has left the core */
	BH_CTL_TRACE_EXIT,
	BH_CTL_TRACE_SWITCH, /* the vCPU has its core from now on */
	BH_CTL_TRACE_ENTRY,  /* its first of this turn */
	/* The next entry delivers interrupt @kind; @arg: ticks since it came */
	BH_CTL_TRACE_INJECT,
	BH_CTL_TRACE_WAKE,      /* the vCPU, by an event; @kind: 0 */
	BH_CTL_TRACE_IDLE,      /* @arg: ticks from @tsc on */
	BH_CTL_TRACE_INTERRUPT, /* the machine's, by vector @kind */
	BH_CTL_TRACE_KICK,      /* an IPI to core @arg */
	BH_CTL_TRACE_COMMAND,   /* of the control device, enum bh_ctl_op */
	BH_CTL_TRACE_EVENTS
};

struct bh_ctl_trace {
	u64 tsc;
	u64 guest; /* id, and @vcpu of it; 0: none */
	u64 arg;
	u32 vcpu;
	u16 event; /* enum bh_ctl_trace_event */
	u16 kind;
};
static_assert(sizeof(struct bh_ctl_trace) == 32, "a power of two");
#define BH_CTL_TRACE_MIN 256u
#define BH_CTL_TRACE_MAX 65536u

/* What is counted while guests run */
enum bh_ctl_metering {
	BH_CTL_METERING_OFF,      /* nothing */
	BH_CTL_METERING_COUNTERS, /* exits by kind */
	/* and how long they take, struct bh_ctl_histogram */
	BH_CTL_METERING_HISTOGRAMS,
	BH_CTL_METERINGS
};
#define BH_CTL_METERING_ASK (~0ull)
#define BH_CTL_ALL_VCPUS    (~0ull)

/*
 * Times by their binary logarithm, in ticks of the TSC: @count[0] of less than
 * 64, @count[i] of less than 64 << i and not less than half of that; the last
 * one of all that took longer. @ticks: their sum. Of a vCPU there is one for
 * each member of enum bh_ctl_histogram_of, and from EXITS on one by kind of
 * exit, as BH_CTL_OP_EXIT_NAMES has them.
 */
#define BH_CTL_BUCKETS 25
struct bh_ctl_histogram {
	u64 ticks;
	u64 count[BH_CTL_BUCKETS];
};

enum bh_ctl_histogram_of {
	/* From an interrupt to the entry that delivers it: from when another
	 * core sent it, or it woke the vCPU; else from the exit during which it
	 * came. One that comes while others have the vCPU's core is not here:
	 * it waits as the vCPU does. */
	BH_CTL_HISTOGRAM_INTERRUPT,
	BH_CTL_HISTOGRAM_WAIT,  /* runnable, until it had its core; waits of 0
				   are left out */
	BH_CTL_HISTOGRAM_EXITS, /* from the exit to the next entry, or until the
				   vCPU has left its core */
};

/*
 * What BH_CTL_OP_AUDIT lists, as the hardware has it at that moment. The lists
 * that come in parts belong together only if arg[1] was the same all the time:
 * read all, then ask for each list's arg[1] once more.
 */
enum bh_ctl_audit {
	/* Of a guest: what its EPT or NPT maps. base, size: host-physical;
	 * where: the guest's address; kind: enum bh_ctl_reach_type; flags:
	 * BH_CTL_REACH_R, W, X. Neighbours may belong together. */
	BH_CTL_AUDIT_MEMORY,
	/* Of a guest: ports that it reaches without an exit. base, size; flags:
	 * BH_CTL_REACH_POLICY */
	BH_CTL_AUDIT_PORTS,
	/* Of a guest: MSRs that it reaches without an exit. base, size; flags:
	 * BH_CTL_REACH_R, W, and BH_CTL_REACH_POLICY */
	BH_CTL_AUDIT_MSRS,
	/* Who has which physical addresses. base, size; kind: enum
	 * bh_ctl_reach_owner; owner: of BH_CTL_OWNER_GUEST */
	BH_CTL_AUDIT_OWNERS,
	/* The same of the pool's memory: BH_CTL_OWNER_FREE, _GUEST, and of the
	 * frame that stands for what is not granted BH_CTL_OWNER_SCRATCH */
	BH_CTL_AUDIT_POOL,
	/* Host vectors. base: a GSI, or a function's segment (31:16), bus, and
	 * devfn (7:0); where: core (63:32) and vector; kind: enum
	 * bh_ctl_reach_source; owner */
	BH_CTL_AUDIT_INTERRUPTS,
	/* PCI functions: those that a guest has, and those that the hypervisor
	 * keeps from it. base: as above; kind: enum bh_ctl_reach_function;
	 * owner, 0: the hypervisor */
	BH_CTL_AUDIT_FUNCTIONS,
	/* Sums. kind: enum bh_ctl_reach_sum; size */
	BH_CTL_AUDIT_SUMS,
	BH_CTL_AUDITS
};

struct bh_ctl_reach {
	u64 base, size;
	u64 where;
	u64 owner; /* a guest's id; 0: none, or none that is listed */
	u32 kind, flags;
};

#define BH_CTL_REACH_R (1u << 0)
#define BH_CTL_REACH_W (1u << 1)
#define BH_CTL_REACH_X (1u << 2)
/* That is what the policy says: of an MSR, and of a port, that the guest is the
 * privileged one and no device of the hypervisor's is there */
#define BH_CTL_REACH_POLICY (1u << 3)
#define BH_CTL_REACH_ALL    (1u << 4) /* the vector is one of all cores */

enum bh_ctl_reach_type { BH_CTL_TYPE_WB, BH_CTL_TYPE_UC, BH_CTL_TYPE_WC };

enum bh_ctl_reach_owner {
	BH_CTL_OWNER_FREE,
	BH_CTL_OWNER_HYPERVISOR,
	BH_CTL_OWNER_GUEST,
	BH_CTL_OWNER_FIRMWARE,
	BH_CTL_OWNER_DEVICE, /* no RAM */
	BH_CTL_OWNER_KEPT,   /* no RAM; registers of the hypervisor's own */
	BH_CTL_OWNER_UNUSABLE,
	BH_CTL_OWNER_POOL, /* BH_CTL_AUDIT_POOL says whose */
	BH_CTL_OWNER_SCRATCH,
	/* What the privileged guest is started again from; no guest has it */
	BH_CTL_OWNER_FILES,
};

enum bh_ctl_reach_source {
	BH_CTL_SOURCE_OWN, /* the hypervisor's */
	BH_CTL_SOURCE_PIN,
	BH_CTL_SOURCE_MESSAGE,
};

enum bh_ctl_reach_function {
	BH_CTL_FUNCTION_WHOLE,
	BH_CTL_FUNCTION_FIXED,   /* its own registers cannot be written */
	BH_CTL_FUNCTION_KEPT,    /* none can: the hypervisor uses it */
	BH_CTL_FUNCTION_VIRTUAL, /* the hypervisor is it */
	/* The guest does not see it: IOMMUs, IOAPICs, and what else could
	 * remap the machine */
	BH_CTL_FUNCTION_HIDDEN,
};

enum bh_ctl_reach_sum {
	BH_CTL_SUM_FREE_PAGES, /* of the hypervisor's own memory */
	BH_CTL_SUM_OWN_PAGES,  /* in use, and charged to no guest */
	BH_CTL_SUM_POOL_FREE_BYTES,
	BH_CTL_SUM_GUESTS,
	BH_CTL_SUM_VECTORS, /* in use, each core's counted */
};

#endif
