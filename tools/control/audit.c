/* SPDX-License-Identifier: BSD-2-Clause */
/* See audit.h */
#include "tools/control/audit.h"

#include <stdlib.h>
#include <string.h>

/* A list may go on for so long; behind that the device is broken */
#define ITEMS_MAX 4000000u

static int items_add(struct list *l, const void *part, u32 bytes,
		     struct failure *f)
{
	const u32 size = sizeof(struct bh_ctl_reach);
	u32 n = bytes / size;
	void *grown =
		l->count < ITEMS_MAX
			? realloc(l->items, ((size_t)l->count + n + 1) * size)
			: NULL;

	if (!grown)
		return failed(f, FAIL_NO_ROOM, "no memory for the audit");
	l->items = grown;
	memcpy((u8 *)grown + (size_t)l->count * size, part, (size_t)n * size);
	l->count += n;
	return 0;
}

/* *@changed: it has, between its first part and its last */
static int list_read(struct ring *r, enum bh_ctl_audit which, u64 id,
		     struct audit_list *to, bool *changed, struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_AUDIT,
				  .arg = { which, id },
				  .out_bytes = BH_CTL_OUT_MAX };
	u8 part[BH_CTL_OUT_MAX];
	struct ring_answer a;
	bool first = true;

	do {
		if (ring_call(r, &call, part, &a, f) ||
		    items_add(&to->l, part, a.bytes, f))
			return -1;
		if (first)
			to->changes = a.arg[1];
		first = false;
		*changed |= a.arg[1] != to->changes;
		if (a.arg[0] && a.arg[0] <= call.arg[2])
			return failed(f, FAIL_OTHER,
				      "the device's list goes back");
		call.arg[2] = a.arg[0];
	} while (a.arg[0]);
	return 0;
}

static int list_check(struct ring *r, enum bh_ctl_audit which, u64 id,
		      const struct audit_list *l, bool *changed,
		      struct failure *f)
{
	struct ring_call call = { .op = BH_CTL_OP_AUDIT, .arg = { which, id } };
	struct ring_answer a;

	if (ring_call(r, &call, NULL, &a, f))
		return -1;
	*changed |= a.arg[1] != l->changes;
	return 0;
}

/* What of struct audit and struct audit_guest is which list */
static const struct {
	enum bh_ctl_audit which;
	size_t at;
} machine_lists[] = {
	{ BH_CTL_AUDIT_OWNERS, offsetof(struct audit, owners) },
	{ BH_CTL_AUDIT_POOL, offsetof(struct audit, pool) },
	{ BH_CTL_AUDIT_INTERRUPTS, offsetof(struct audit, interrupts) },
	{ BH_CTL_AUDIT_FUNCTIONS, offsetof(struct audit, functions) },
	{ BH_CTL_AUDIT_SUMS, offsetof(struct audit, sums) },
}, guest_lists[] = {
	{ BH_CTL_AUDIT_MEMORY, offsetof(struct audit_guest, memory) },
	{ BH_CTL_AUDIT_PORTS, offsetof(struct audit_guest, ports) },
	{ BH_CTL_AUDIT_MSRS, offsetof(struct audit_guest, msrs) },
};

typedef int (*list_fn)(struct ring *r, enum bh_ctl_audit which, u64 id,
		       struct audit_list *l, bool *changed, struct failure *f);

static int check_one(struct ring *r, enum bh_ctl_audit which, u64 id,
		     struct audit_list *l, bool *changed, struct failure *f)
{
	return list_check(r, which, id, l, changed, f);
}

static int each_list(struct ring *r, struct audit *a, list_fn fn, bool *changed,
		     struct failure *f)
{
	for (u32 i = 0; i < ARRAY_SIZE(machine_lists); i++)
		if (fn(r, machine_lists[i].which, 0,
		       (void *)((u8 *)a + machine_lists[i].at), changed, f))
			return -1;
	for (u32 g = 0; g < a->guest_count; g++)
		for (u32 i = 0; i < ARRAY_SIZE(guest_lists); i++)
			if (fn(r, guest_lists[i].which, a->guests[g].about.id,
			       (void *)((u8 *)&a->guests[g] +
					guest_lists[i].at),
			       changed, f))
				return -1;
	return 0;
}

static int guests_read(struct ring *r, struct audit *a, struct failure *f)
{
	struct list l;

	if (control_guests(r, &l, f))
		return -1;
	a->guests = calloc(l.count + 1, sizeof(a->guests[0]));
	a->guest_count = a->guests ? l.count : 0;
	for (u32 i = 0; i < a->guest_count; i++)
		a->guests[i].about = ((const struct bh_ctl_guest *)l.items)[i];
	free(l.items);
	return a->guests ? 0
			 : failed(f, FAIL_NO_ROOM, "no memory for the audit");
}

/* Are they the same guests, in states that grant the same? */
static int guests_check(struct ring *r, const struct audit *a, bool *changed,
			struct failure *f)
{
	const struct bh_ctl_guest *now;
	struct list l;

	if (control_guests(r, &l, f))
		return -1;
	now = l.items;
	*changed |= l.count != a->guest_count;
	for (u32 i = 0; i < l.count && !*changed; i++)
		*changed = now[i].id != a->guests[i].about.id ||
			   now[i].flags != a->guests[i].about.flags;
	free(l.items);
	return 0;
}

/* Once. A guest that has gone meanwhile is a change, too. */
static int read_once(struct ring *r, struct audit *a, struct failure *f)
{
	bool changed = false;
	int err = guests_read(r, a, f);

	if (!err)
		err = each_list(r, a, list_read, &changed, f);
	if (!err)
		err = each_list(r, a, check_one, &changed, f);
	if (!err)
		err = guests_check(r, a, &changed, f);
	if (err && f->kind == FAIL_NO_GUEST) {
		changed = true;
		err = 0;
	}
	a->whole = !changed;
	return err;
}

int audit_read(struct ring *r, struct audit *a, struct failure *f)
{
	u32 tries = 0;
	int err;

	memset(a, 0, sizeof(*a));
	do {
		audit_free(a);
		err = read_once(r, a, f);
		a->tries = ++tries;
	} while (!err && !a->whole && tries < AUDIT_TRIES);
	if (err)
		audit_free(a);
	return err;
}

void audit_free(struct audit *a)
{
	for (u32 i = 0; i < ARRAY_SIZE(machine_lists); i++)
		free(((struct audit_list *)((u8 *)a + machine_lists[i].at))
			     ->l.items);
	for (u32 g = 0; g < a->guest_count; g++) {
		free(a->guests[g].memory.l.items);
		free(a->guests[g].ports.l.items);
		free(a->guests[g].msrs.l.items);
	}
	free(a->guests);
	memset(a, 0, sizeof(*a));
}
