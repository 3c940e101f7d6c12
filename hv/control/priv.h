/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of the control device: device.c (the PCI function), ring.c (the area
 * and what is open), dispatch.c (a command from its copy to its answer),
 * events.c (what guests do meanwhile), and what the commands do: machine.c,
 * guests.c, dynamic.c, consoles.c, inspect.c, debug.c, meter.c, trace.c,
 * audit.c, set.c, devices.c. Doorbells are doorbell.c's, and need no lock.
 *
 * Lock: control.lock protects all that is not constant. It is held while one
 * command is done, guest memory included: that is bounded by a page each way.
 * Locks of the console, the guests, the owners, the IOMMU and MSI-X come after
 * it; no other is held before it. So what happens elsewhere (a guest has said
 * something) is a flag and VE_CONTROL, and the event is made by
 * control_go_on().
 */
#ifndef HV_CONTROL_PRIV_H
#define HV_CONTROL_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/timer.h"
#include "hv/assign/vtd.h"
#include "hv/control/control.h"
#include "hv/device/pci/pci_fn.h"
#include "hv/device/pci/pci_msix.h"
#include "hv/vm/dynamic.h"
#include "include/bulkhead/control.h"

/* What a command's handler works on. It fills control.out, bytes and result[],
 * and returns 0 or a negative enum bh_ctl_error. CONTROL_GOES_ON, after some
 * microseconds of work: it is called again, with the lock free meanwhile.
 * CONTROL_LATER: the answer comes when the guest is in a certain state
 * (control_await()). */
struct control_call {
	struct bh_ctl_command command;
	bool begun;
	u32 in_bytes;  /* in control.in */
	u32 out_bytes; /* room in control.out */
	u32 bytes;     /* how many are in control.out */
	u64 result[2];
	/* How far it is, for the handler; 0 at first */
	u64 at;
	u32 vcpu;
};
#define CONTROL_GOES_ON 1
#define CONTROL_LATER   2

/* Commands whose answer comes later. Of a static guest, when it is in one of
 * @states (a bit for each enum bh_ctl_state); of a dynamic one, when
 * dynamic_news() has it, by @number. */
#define CONTROL_WAITS 64u
struct control_wait {
	u32 number; /* 0: none. Never another's: its place and a count. */
	u32 tag;
	u64 out; /* for a sentence */
	u32 out_bytes;
	u32 states; /* 0: a dynamic guest */
	u64 id;
	u64 start_tsc; /* of its life then: in that it ran already */
};

/*
 * A walk over all guests' places in pieces, as no core can look at a thousand
 * in one go. What is asked for while one is on has another follow it: so what
 * changes behind @at is seen, too. The next one begins at the earliest
 * CONTROL_ROUND_GAP_NS behind the last one's end: guests that change all the
 * time do not keep the vCPU that walks from its own guest.
 */
#define CONTROL_ROUND_GAP_NS 1000000u
struct control_round {
	bool asked, on;
	u32 at;
	u64 next_tsc; /* none begins before */
};

struct control {
	struct vm *vm;
	struct pci_fn fn;
	struct pci_msix msix;
	struct vtd *iommu;
	/* What INFO says, and BH_CTL_FEATURES */
	const char *build;
	u64 ram_bytes;
	u32 features;
	struct spinlock lock;

	enum bh_ctl_status status;
	bool was_msix; /* on, at the last look */
	u64 area;      /* IOVA */
	/* As struct bh_ctl_indexes has them: ours, never read back, and the
	 * driver's as last read and found good */
	u32 command_head, event_tail;
	u32 command_tail, event_head;
	bool lost;   /* events, for want of room */
	bool unsaid; /* an event waits for its message, vector 0 */

	/* A bit for each vCPU whose write of BH_CTL_SUBMIT is not over; its own
	 * to change, atomic */
	u64 submitters[VM_MAX_VCPUS / 64];
	bool changed; /* some guest has, atomic */
	struct control_round guests, consoles, devices;
	bool devices_again; /* in this round, or the next if none is on: also
			     * what the last client was told */
	struct timer timer; /* for the next round; vCPU 0's core arms it */
	struct control_wait waits[CONTROL_WAITS];
	u32 waiting; /* how many of them */
	u32 awaited; /* ever */
	struct dynamic_why why;
	struct control_call call;
	u8 in[BH_CTL_IN_MAX] __aligned(8), out[BH_CTL_OUT_MAX] __aligned(8);
};

/* --- ring.c: under the lock, unless it says not --- */

/* The function may do DMA, and its driver wants messages? Then it may go on. */
bool control_may_dma(const struct control *c);
void control_open(struct control *c, u32 page);
void control_close(struct control *c, enum bh_ctl_status why);
/* Reads the driver's indexes. False: they make no sense, or there is nothing
 * to do; it is closed in the first case. */
bool control_look(struct control *c);
/* The next command is copied, done and answered, or a step of it is; true:
 * there is more */
bool control_step(struct control *c);
/* Tells the driver how far it is */
void control_publish(struct control *c);
/* Outside of a write of BH_CTL_SUBMIT, so that a message goes with it: the
 * answer of a command that had to wait, which closes the device if there is no
 * room, and an event that is no answer, which may be lost */
void control_answer(struct control *c, const struct bh_ctl_event *e);
void control_event(struct control *c, const struct bh_ctl_event *e);
/* Some event was lost elsewhere */
void control_lose(struct control *c);

/* --- dispatch.c, and what a command is given --- */

/* A step of control.call, whose command is a private copy. CONTROL_GOES_ON,
 * CONTROL_LATER, or 0: *@event is its answer. */
s32 control_dispatch(struct control *c, struct bh_ctl_event *event);
/* Leaves a sentence where the output would be, and returns -@error */
s32 control_error(struct control *c, struct control_call *call,
		  enum bh_ctl_error error, const char *sentence);
/* Room for the next element of @size bytes of a list, or NULL: it is full */
void *control_next(struct control *c, struct control_call *call, u32 size);

/* RAM that is neither a device's nor the firmware's. While guests are made. */
u64 control_ram_bytes(void);
/* Handlers */
s32 control_info(struct control *c, struct control_call *call);
s32 control_pool(struct control *c, struct control_call *call);
s32 control_cores(struct control *c, struct control_call *call);
s32 control_exit_names(struct control *c, struct control_call *call);
s32 control_metering(struct control *c, struct control_call *call);
s32 control_histograms(struct control *c, struct control_call *call);
s32 control_trace(struct control *c, struct control_call *call);
s32 control_trace_read(struct control *c, struct control_call *call);
/* trace.c: nobody reads the trace any more; true: there is one, and
 * control_trace_look() ends it by and by. It returns true if there is more that
 * it can do now. */
bool control_trace_end(void);
bool control_trace_look(void);
s32 control_guests(struct control *c, struct control_call *call);
s32 control_vcpus(struct control *c, struct control_call *call);
s32 control_exits(struct control *c, struct control_call *call);
s32 control_create_guest(struct control *c, struct control_call *call);
s32 control_start(struct control *c, struct control_call *call);
s32 control_end(struct control *c, struct control_call *call);
s32 control_end_dynamic(struct control *c, struct control_call *call);
s32 control_pause(struct control *c, struct control_call *call);
s32 control_resume(struct control *c, struct control_call *call);
s32 control_console_read(struct control *c, struct control_call *call);
s32 control_console_type(struct control *c, struct control_call *call);
s32 control_announce(struct control *c, struct control_call *call);
s32 control_audit(struct control *c, struct control_call *call);
s32 control_set(struct control *c, struct control_call *call);

s32 control_devices(struct control *c, struct control_call *call);
s32 control_device_offer(struct control *c, struct control_call *call);
s32 control_queues(struct control *c, struct control_call *call);
s32 control_queue_bind(struct control *c, struct control_call *call);
s32 control_queue_stopped(struct control *c, struct control_call *call);

/* inspect.c */
s32 control_registers(struct control *c, struct control_call *call);
s32 control_last_exits(struct control *c, struct control_call *call);
s32 control_set_registers(struct control *c, struct control_call *call);
s32 control_memory(struct control *c, struct control_call *call);
s32 control_memory_read(struct control *c, struct control_call *call);
s32 control_memory_write(struct control *c, struct control_call *call);
s32 control_translate(struct control *c, struct control_call *call);

/* debug.c; and the driver has gone: nobody has a guest any more */
s32 control_debug(struct control *c, struct control_call *call);
void control_debug_end(void);

/* events.c: the command that is done has its answer once @vm is in one of
 * @states, a bit for each enum bh_ctl_state; RUNNING is that of a later life.
 * CONTROL_LATER, or an error. */
s32 control_await(struct control *c, struct control_call *call,
		  const struct vm *vm, u32 states);
/* A wait for a dynamic guest's answer; NULL: too many wait. And its end, where
 * there is nothing to wait for. */
struct control_wait *control_wait_take(struct control *c,
				       const struct control_call *call);
void control_wait_end(struct control *c, struct control_wait *w);
extern const char control_too_many[];
/* Events of guests that are in another state than was told, and the answers
 * that wait for it. True: there is more. */
bool control_guests_look(struct control *c);
/* The driver has just come: what is known by now needs not be told. Of a static
 * guest that has changed and was not looked at yet it is. */
void control_guests_forget(struct control *c);
enum bh_ctl_state control_state_of(const struct vm *vm);
/* Is @r on? @ask: another one is to be, from now on or behind this one. */
bool control_round_on(struct control_round *r, bool ask);
/* One is to be, and not yet */
bool control_round_waits(const struct control_round *r);
/* The places up to this one are @r's next piece, of @most */
u32 control_round_end(const struct control_round *r, u32 most);
/* @r has come to its end, or there is more of it: true */
bool control_round_goes_on(struct control_round *r);
/* consoles.c: events for the consoles that have been read to their end and said
 * something since. True: there is more. */
bool control_consoles_look(struct control *c);
/* devices.c: the same for served devices that have changed since they were last
 * listed. While the device is closed they wait. */
bool control_devices_look(struct control *c);
/* The driver has just come: it is to be told what the last one was, too, as far
 * as that one did not look */
void control_devices_again(struct control *c);

/* doorbell.c */
struct control_binding {
	u32 device, queue;
	u32 vector, doorbell; /* 0: none */
};
/* As served_bind(), and so is what it returns; -EEXIST: the doorbell is another
 * queue's */
int __must_check control_bind(const struct vm *vm,
			      const struct control_binding *b);
/* A write of BH_CTL_DOORBELL. Any core, no lock. Hot. */
void control_ring(u32 number);

/* What struct bh_ctl_vcpu calls the state */
u32 control_shown_state(enum vcpu_activity activity);

#endif
