/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between dynamic.c, which has the commands, and dynamic_life.c, which has what
 * follows from them. Lock: vm->lock protects state, asked, waits and tag. What
 * the boot vCPU's work touches is its own.
 */
#ifndef HV_VM_DYNAMIC_PRIV_H
#define HV_VM_DYNAMIC_PRIV_H

#include "hv/core/quiesce.h"
#include "hv/load/staged.h"
#include "hv/vm/dynamic.h"

/* What a command has asked for, and so what comes when its memory is scrubbed.
 * Without one, how it has ended decides. */
enum asked { ASKED_NOTHING, ASKED_STOP, ASKED_RESET, ASKED_DESTROY };

/* Slots and table (hv/vm/shape.h): of an earlier start; its ROM goes, then its
 * RAM is changed, then the slots are this start's and its ROM comes */
enum shape { SHAPE_OLD, SHAPE_NO_ROM, SHAPE_BETWEEN, SHAPE_ROM, SHAPE_NEW };

struct dynamic {
	enum bh_ctl_state state;
	enum asked asked;
	bool waits;   /* a command, for its answer */
	bool pausing; /* that is dynamic_pause() */
	u32 tag;
	bool counted;     /* by machine_guest_made() */
	bool granted;     /* some of it is, or may be in TLBs */
	u64 taken, given; /* bytes of its ranges, from the pool and back */
	bool clean;       /* its memory is zero */
	/* Of a grant or its end: bytes done, and a pass of all cores */
	u64 done;
	bool passing, touched;
	struct quiesce quiet;
	enum shape shape;
	u64 ram_end; /* the table has RAM up to there, at least */
	u64 at;      /* it, or the ROM, is being changed from there on */
	struct guest_config config;
	struct staged staged;
	u32 range_count;
	struct bh_ctl_range ranges[DYNAMIC_RANGES];
};

/* It is in another state, which news has in the order of the changes. Lock
 * held; news_tell() follows, without it. */
void dynamic_enter(struct vm *vm, enum bh_ctl_state state);
/* The boot vCPU alone works, from @first on; the others stay parked. It is
 * parked, or has never run. */
void dynamic_work(struct vm *vm, enum vm_work first);

#endif
