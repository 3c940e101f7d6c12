/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's commands that look into a guest which stands still. Each returns
 * 0, or -1: @f says why. Called by bhd; one thread.
 */
#ifndef TOOLS_CONTROL_INSPECT_H
#define TOOLS_CONTROL_INSPECT_H

#include "tools/control/guests.h"

int control_registers(struct ring *r, u64 id, u32 vcpu,
		      struct bh_ctl_registers *regs, struct failure *f);
int control_last_exits(struct ring *r, u64 id, u32 vcpu,
		       struct bh_ctl_last_exits *exits, struct failure *f);
int control_registers_set(struct ring *r, u64 id, u32 vcpu,
			  const struct bh_ctl_registers *regs,
			  struct failure *f);
/* struct bh_ctl_memory[], which the caller frees */
int control_memory(struct ring *r, u64 id, struct list *l, struct failure *f);
/* *@bytes from guest-physical @gpa on; *@bytes: how many there are */
int control_memory_read(struct ring *r, u64 id, u64 gpa, void *to, u32 *bytes,
			struct failure *f);
int control_memory_write(struct ring *r, u64 id, u64 gpa, const void *from,
			 u32 bytes, struct failure *f);
int control_translate(struct ring *r, u64 id, u32 vcpu, u64 gva, u64 *gpa,
		      struct failure *f);
/* A debugger's command; for GO @list of @count, @stepper as in the device's */
struct control_go {
	const struct bh_ctl_breakpoint *list;
	u32 count, stepper;
	bool others;
};
int control_debug(struct ring *r, u64 id, enum bh_ctl_debug what,
		  const struct control_go *go, struct failure *f);

#endif
