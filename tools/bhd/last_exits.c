/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the last exits of a guest's vCPUs were, as JSON, of a guest that stands
 * or has crashed. The words are lib/last_exit_text.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/last_exit_text.h"
#include "tools/bhd/life.h"
#include "tools/bhd/request.h"
#include "tools/control/inspect.h"

/* What the kinds are called, and what a time is */
struct words {
	struct list names;
	struct bh_ctl_info info;
};

/* The name of exit kind @kind, of @names one behind the other */
static const char *name_of(const struct list *names, u32 kind)
{
	const char *text = names->items;
	u32 at = 0;

	while (at < names->count) {
		size_t len = strnlen(text + at, names->count - at);

		if (at + len >= names->count)
			break;
		if (!kind--)
			return text + at;
		at += (u32)len + 1;
	}
	return "unknown";
}

/* Seconds as the hypervisor's log has them */
static u64 ticks_of(const struct words *w, u64 tsc)
{
	return tsc > w->info.boot_tsc ? tsc - w->info.boot_tsc : 0;
}

static struct json_object *exit_object(const struct words *w,
				       const struct bh_ctl_last_exit *e)
{
	const char *kind = name_of(&w->names, e->kind);
	struct json_object *o = json_object_new_object();
	char text[LAST_EXIT_TEXT_BYTES], rip[32];

	last_exit_text(text, sizeof(text), e, kind);
	snprintf(rip, sizeof(rip), "0x%llx", e->rip);
	wire_add_seconds(o, "seconds", ticks_of(w, e->tsc), w->info.tsc_khz);
	wire_add_string(o, "kind", kind);
	wire_add_string(o, "rip", rip);
	wire_add_number(o, "times", e->times);
	wire_add_string(o, "text", text);
	return o;
}

static void lists_add(struct json_object *o, const struct words *w,
		      const struct bh_ctl_last_exits *l)
{
	struct json_object *kinds = json_object_new_array();
	struct json_object *exits = json_object_new_array();

	for (u32 i = 0; i < ARRAY_SIZE(l->kinds); i++)
		if (l->kinds[i])
			json_object_array_add(kinds,
					      json_object_new_string(name_of(
						      &w->names, l->kinds[i])));
	for (u32 i = 0; i < MIN(l->count, (u32)BH_CTL_LAST_EXITS); i++)
		json_object_array_add(exits, exit_object(w, &l->exit[i]));
	wire_add(o, "kinds", kinds);
	wire_add(o, "exits", exits);
}

/* A hypervisor that knows only the very last one has no more */
static struct json_object *vcpu_object(struct bhd *b, const struct words *w,
				       u64 id, u32 vcpu,
				       const struct bh_ctl_registers *r)
{
	struct json_object *o = json_object_new_object();
	struct bh_ctl_last_exits l;
	struct failure f;

	if (control_last_exits(&b->ring, id, vcpu, &l, &f))
		memset(&l, 0, sizeof(l));
	wire_add_number(o, "vcpu", vcpu);
	wire_add_string(o, "last", name_of(&w->names, r->exit_kind));
	lists_add(o, w, &l);
	return o;
}

struct json_object *last_exits_array(struct bhd *b, u64 id,
				     const struct bh_ctl_registers *all,
				     u32 count)
{
	struct json_object *a = json_object_new_array();
	struct words w = { 0 };
	struct failure f;

	if (!control_info(&b->ring, &w.info, &f) &&
	    !control_exit_names(&b->ring, &w.names, &f))
		for (u32 i = 0; i < count; i++)
			json_object_array_add(
				a, vcpu_object(b, &w, id, i, &all[i]));
	free(w.names.items);
	return a;
}

struct json_object *look_last_exits(struct bhd *b, struct json_object *o,
				    struct failure *f)
{
	const char *name = wire_string(o, "name");
	struct json_object *reply = NULL;
	struct bh_ctl_registers *all;
	struct bh_ctl_guest g;

	if (life_find(b, name ? name : "", &g, f))
		return NULL;
	all = calloc(g.vcpus ? g.vcpus : 1, sizeof(*all));
	if (!all) {
		failed(f, FAIL_NO_ROOM, "no memory for the request");
		return NULL;
	}
	if (!inspect_registers(b, &g, all, f)) {
		reply = json_object_new_object();
		wire_add(reply, "last_exits",
			 last_exits_array(b, g.id, all, g.vcpus));
	}
	free(all);
	return reply;
}
