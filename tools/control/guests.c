/* SPDX-License-Identifier: BSD-2-Clause */
/* See guests.h */
#include "tools/control/guests.h"

#include <stdlib.h>
#include <string.h>

/* More than any machine has: a device that never ends its lists is broken */
#define LIST_MAX 1000000u

int control_info(struct ring *r, struct bh_ctl_info *info, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_INFO,
				  .out_bytes = sizeof(*info) };

	memset(info, 0, sizeof(*info));
	if (ring_call(r, &call, info, NULL, f))
		return -1;
	info->build[sizeof(info->build) - 1] = 0;
	text_clean(info->build);
	return 0;
}

int control_announce(struct ring *r, enum bh_ctl_announce what,
		     struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_ANNOUNCE, .arg = { what } };

	return ring_call(r, &call, NULL, NULL, f);
}

/* Adds the @bytes of @part, entries of @size, to @l; what is less than an entry
 * is left out */
static int list_add(struct list *l, const void *part, u32 bytes, u32 size,
		    struct failure *f)
{
	u32 n = bytes / size;
	void *grown;

	if (!n)
		return 0;
	grown = l->count < LIST_MAX
			? realloc(l->items, (size_t)(l->count + n) * size)
			: NULL;
	if (!grown)
		return failed(f, FAIL_NO_ROOM, "no memory for the list");
	l->items = grown;
	memcpy((u8 *)grown + (size_t)l->count * size, part, (size_t)n * size);
	l->count += n;
	return 0;
}

static void list_drop(struct list *l)
{
	free(l->items);
	l->items = NULL;
	l->count = 0;
}

int control_list(struct ring *r, struct ring_call *call, u32 skip, u32 size,
		 struct list *l, struct failure *f)
{
	u8 part[BH_CTL_OUT_MAX];
	struct ring_answer a;

	*l = (struct list){ 0 };
	call->out_bytes = BH_CTL_OUT_MAX;
	do {
		call->arg[skip] = l->count;
		if (ring_call(r, call, part, &a, f) ||
		    list_add(l, part, a.bytes, size, f)) {
			list_drop(l);
			return -1;
		}
	} while (a.bytes >= size);
	return 0;
}

int control_pool(struct ring *r, struct list *l, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_POOL };

	return control_list(r, &call, 0, sizeof(struct bh_ctl_range), l, f);
}

int control_cores(struct ring *r, struct list *l, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_CORES };

	return control_list(r, &call, 0, sizeof(struct bh_ctl_core), l, f);
}

int control_vcpus(struct ring *r, u64 id, struct list *l, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_VCPUS, .arg = { id } };

	return control_list(r, &call, 1, sizeof(struct bh_ctl_vcpu), l, f);
}

int control_exits(struct ring *r, u64 id, struct list *l, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_EXITS, .arg = { id } };

	return control_list(r, &call, 1, sizeof(u64), l, f);
}

static u32 strings_in(const char *text, u32 bytes)
{
	u32 n = 0;

	for (u32 i = 0; i < bytes; i++)
		n += !text[i];
	return n;
}

int control_exit_names(struct ring *r, struct list *l, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_EXIT_NAMES,
				  .out_bytes = BH_CTL_OUT_MAX };
	char part[BH_CTL_OUT_MAX];
	struct ring_answer a;
	u32 n;

	*l = (struct list){ 0 };
	do {
		if (ring_call(r, &call, part, &a, f) ||
		    list_add(l, part, a.bytes, 1, f)) {
			list_drop(l);
			return -1;
		}
		n = strings_in(part, a.bytes);
		call.arg[0] += n;
	} while (n && call.arg[0] < a.arg[0]);
	return 0;
}

static void guest_terminate(struct bh_ctl_guest *g)
{
	g->name[sizeof(g->name) - 1] = 0;
	g->reason[sizeof(g->reason) - 1] = 0;
	text_clean(g->name);
	text_clean(g->reason);
}

int control_guests(struct ring *r, struct list *l, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_GUESTS,
				  .out_bytes = BH_CTL_OUT_MAX };
	struct bh_ctl_guest part[BH_CTL_OUT_MAX / sizeof(struct bh_ctl_guest)];
	struct ring_answer a;
	u32 n;

	*l = (struct list){ 0 };
	call.out_bytes = sizeof(part);
	do {
		if (ring_call(r, &call, part, &a, f))
			goto out_drop;
		n = a.bytes / (u32)sizeof(part[0]);
		for (u32 i = 0; i < n; i++) {
			if (part[i].id <= call.arg[0] && call.arg[0]) {
				failed(f, FAIL_OTHER,
				       "the device's list of guests goes back");
				goto out_drop;
			}
			call.arg[0] = part[i].id;
			guest_terminate(&part[i]);
		}
		if (list_add(l, part, a.bytes, sizeof(part[0]), f))
			goto out_drop;
	} while (n && a.arg[0]);
	return 0;
out_drop:
	list_drop(l);
	return -1;
}

int control_guest(struct ring *r, u64 id, struct bh_ctl_guest *g,
		  struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_GUESTS,
				  .arg = { id - 1 },
				  .out_bytes = sizeof(*g) };
	struct ring_answer a;

	if (!id)
		return failed(f, FAIL_NO_GUEST, "no guest has the id 0");
	if (ring_call(r, &call, g, &a, f))
		return -1;
	if (a.bytes < sizeof(*g) || g->id != id)
		return failed(f, FAIL_NO_GUEST,
			      "there is no such guest (any more)");
	guest_terminate(g);
	return 0;
}

int control_find(struct ring *r, const char *name, struct bh_ctl_guest *g,
		 struct failure *f)
{
	const struct bh_ctl_guest *all;
	struct list l;
	int err = -1;

	if (control_guests(r, &l, f))
		return -1;
	all = l.items;
	for (u32 i = 0; err && i < l.count; i++) {
		if (strcmp(all[i].name, name))
			continue;
		*g = all[i];
		err = 0;
	}
	free(l.items);
	if (!err)
		return 0;
	return failed(
		f, FAIL_NO_GUEST,
		"there is no guest %.40s; bhctl list shows those there are",
		name);
}

int control_console_read(struct ring *r, u64 id, u64 position,
			 struct console_part *part, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_CONSOLE_READ,
				  .arg = { id, position },
				  .out_bytes = sizeof(part->text) };
	struct ring_answer a;

	if (ring_call(r, &call, part->text, &a, f))
		return -1;
	part->bytes = a.bytes;
	part->first = a.arg[0];
	part->end = a.arg[1];
	if (part->first + part->bytes > part->end)
		return failed(f, FAIL_OTHER,
			      "the device says more than a console has");
	return 0;
}

int control_console_type(struct ring *r, u64 id, const u8 *text, u32 *taken,
			 struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_CONSOLE_TYPE,
				  .arg = { id },
				  .in = text,
				  .in_bytes = MIN(*taken, (u32)BH_CTL_IN_MAX) };
	struct ring_answer a;

	if (ring_call(r, &call, NULL, &a, f))
		return -1;
	*taken = (u32)MIN(a.arg[0], (u64)call.in_bytes);
	return 0;
}

const char *state_name(u32 state)
{
	static const char *const names[] = {
		[BH_CTL_DEFINED] = "defined",   [BH_CTL_BUILDING] = "building",
		[BH_CTL_RUNNING] = "running",   [BH_CTL_PAUSED] = "paused",
		[BH_CTL_STOPPING] = "stopping", [BH_CTL_STOPPED] = "stopped",
		[BH_CTL_CRASHED] = "crashed",   [BH_CTL_GONE] = "gone",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}
