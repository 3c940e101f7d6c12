/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that look into a guest which stands still, or has crashed: what it
 * is made of, then its memory in parts. What is large follows the reply's line
 * as it is: "bytes" of it.
 */
#include "tools/control/inspect.h"

#include <stdlib.h>

#include "tools/bhd/life.h"
#include "tools/bhd/request.h"

/* Of one request. The loop goes round between two of them. */
#define PART_MAX (256u << 10)

static struct json_object *memory_array(const struct list *l)
{
	struct json_object *a = json_object_new_array();
	const struct bh_ctl_memory *m = l->items;

	for (u32 i = 0; i < l->count; i++) {
		struct json_object *o = json_object_new_object();

		wire_add_number(o, "base", m[i].base);
		wire_add_number(o, "bytes", m[i].size);
		wire_add(o, "rom",
			 json_object_new_boolean(m[i].flags &
						 BH_CTL_MEMORY_ROM));
		json_object_array_add(a, o);
	}
	return a;
}

int inspect_registers(struct bhd *b, const struct bh_ctl_guest *g,
		      struct bh_ctl_registers *all, struct failure *f)
{
	for (u32 i = 0; i < g->vcpus; i++)
		if (control_registers(&b->ring, g->id, i, &all[i], f))
			return -1;
	return 0;
}

static int inspect(struct client *c, struct json_object *o, struct failure *f)
{
	struct bhd *b = c->bhd;
	const char *name = wire_string(o, "name");
	struct json_object *reply;
	struct bh_ctl_registers *all;
	struct bh_ctl_guest g;
	struct list memory;

	if (life_find(b, name ? name : "", &g, f))
		return -1;
	all = calloc(g.vcpus ? g.vcpus : 1, sizeof(*all));
	if (!all)
		return failed(f, FAIL_NO_ROOM, "no memory for the request");
	if (inspect_registers(b, &g, all, f) ||
	    control_memory(&b->ring, g.id, &memory, f)) {
		free(all);
		return -1;
	}
	reply = json_object_new_object();
	wire_add_number(reply, "id", g.id);
	wire_add_string(reply, "state", state_name(g.state));
	wire_add_string(reply, "reason", g.reason);
	wire_add_number(reply, "vcpus", g.vcpus);
	wire_add(reply, "last_exits", last_exits_array(b, g.id, all, g.vcpus));
	wire_add(reply, "memory", memory_array(&memory));
	wire_add_number(reply, "bytes", g.vcpus * sizeof(*all));
	free(memory.items);
	client_reply(c, reply);
	client_send(c, all, g.vcpus * sizeof(*all));
	free(all);
	return 0;
}

void inspect_show(struct client *c, struct json_object *o)
{
	struct failure f;

	if (inspect(c, o, &f))
		client_fail(c, &f);
}

void inspect_memory(struct client *c, struct json_object *o)
{
	u32 bytes = (u32)MIN(wire_number(o, "bytes", 0), (u64)PART_MAX);
	struct json_object *reply;
	struct failure f;
	u8 *part = malloc(PART_MAX);

	failed(&f, FAIL_NO_ROOM, "no memory for the request");
	if (!part || control_memory_read(&c->bhd->ring, wire_number(o, "id", 0),
					 wire_number(o, "address", 0), part,
					 &bytes, &f)) {
		free(part);
		client_fail(c, &f);
		return;
	}
	reply = json_object_new_object();
	wire_add_number(reply, "bytes", bytes);
	client_reply(c, reply);
	client_send(c, part, bytes);
	free(part);
}
