/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's commands as functions: what the machine and its guests are, and
 * their consoles. Each returns 0, or -1: @f says why. Called by bhd's server;
 * one thread.
 */
#ifndef TOOLS_CONTROL_GUESTS_H
#define TOOLS_CONTROL_GUESTS_H

#include "tools/control/ring.h"

/* A list that grows: @count entries of @size bytes */
struct list {
	void *items;
	u32 count;
};

int control_info(struct ring *r, struct bh_ctl_info *info, struct failure *f);
/* What @call lists in parts, of elements of @size bytes; @skip: which argument
 * says how many to pass over */
int control_list(struct ring *r, struct ring_call *call, u32 skip, u32 size,
		 struct list *l, struct failure *f);
/* Lists: the caller frees @l->items; names and reasons are terminated */
int control_guests(struct ring *r, struct list *l, struct failure *f);
int control_pool(struct ring *r, struct list *l, struct failure *f);
int control_cores(struct ring *r, struct list *l, struct failure *f);
int control_vcpus(struct ring *r, u64 id, struct list *l, struct failure *f);
/* Any list in parts: @call's argument @skip says how many entries, of @size
 * bytes, to pass over */
int control_list(struct ring *r, struct ring_call *call, u32 skip, u32 size,
		 struct list *l, struct failure *f);
/* u64[], by kind */
int control_exits(struct ring *r, u64 id, struct list *l, struct failure *f);
/* char[], one name behind the other, each with its NUL; @l->count: bytes */
int control_exit_names(struct ring *r, struct list *l, struct failure *f);
/* By its id: one command; FAIL_NO_GUEST where there is none */
int control_guest(struct ring *r, u64 id, struct bh_ctl_guest *g,
		  struct failure *f);
/* By its name, which all are asked for; FAIL_NO_GUEST where there is none */
int control_find(struct ring *r, const char *name, struct bh_ctl_guest *g,
		 struct failure *f);

struct console_part {
	u64 first, end; /* positions of the first byte, of the console's end */
	u32 bytes;
	u8 text[BH_CTL_OUT_MAX];
};
/* What console @id has at @position */
int control_console_read(struct ring *r, u64 id, u64 position,
			 struct console_part *part, struct failure *f);
/* Types @bytes there; *@taken: how many had room */
int control_console_type(struct ring *r, u64 id, const u8 *text, u32 *taken,
			 struct failure *f);

/* How the privileged guest, this one, will end */
int control_announce(struct ring *r, enum bh_ctl_announce what,
		     struct failure *f);

/* "running", ... */
const char *state_name(u32 state);

#endif
