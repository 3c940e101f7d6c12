/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bhd shows: the machine, its guests, and where time goes. The form is
 * docs/bhctl.schema.json; a test holds this to it. Sizes are bytes, times
 * seconds. What the TSC counts becomes seconds here and nowhere else.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/bhd/life.h"
#include "tools/bhd/request.h"

static const char *guest_kind(const struct bh_ctl_guest *g)
{
	if (g->flags & BH_CTL_GUEST_PRIVILEGED)
		return "privileged";
	return g->flags & BH_CTL_GUEST_STATIC ? "static" : "dynamic";
}

static struct json_object *guest_object(const struct bh_ctl_info *info,
					const struct bh_ctl_guest *g)
{
	struct json_object *o = json_object_new_object();
	u64 up = g->start_tsc && info->tsc > g->start_tsc
			 ? info->tsc - g->start_tsc
			 : 0;

	wire_add_number(o, "id", g->id);
	wire_add_string(o, "name", g->name);
	wire_add_string(o, "state", state_name(g->state));
	wire_add_string(o, "kind", guest_kind(g));
	wire_add_number(o, "vcpus", g->vcpus);
	wire_add_number(o, "weight", g->weight);
	wire_add_number(o, "cap_percent", g->cap);
	wire_add(o, "node", g->node < 0 ? NULL : json_object_new_int(g->node));
	wire_add_number(o, "memory_bytes", g->memory_bytes);
	wire_add_number(o, "overhead_bytes", g->overhead_bytes);
	wire_add_seconds(o, "up_seconds", up, info->tsc_khz);
	wire_add_seconds(o, "cpu_seconds", g->run_ticks, info->tsc_khz);
	wire_add_number(o, "exits", g->exits);
	wire_add_string(o, "reason", g->reason);
	wire_add_number(o, "restarts", g->restarts);
	return o;
}

static int by_name(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;

	return strcmp(wire_string(*x, "name"), wire_string(*y, "name"));
}

/* By name: one that starts again has another id, one that is off has none */
struct json_object *look_list(struct bhd *b, struct json_object *o,
			      struct failure *f)
{
	struct json_object *reply, *guests;
	struct bh_ctl_info info;
	const struct bh_ctl_guest *g;
	struct list l;

	if (control_info(&b->ring, &info, f) || control_guests(&b->ring, &l, f))
		return NULL;
	guests = json_object_new_array();
	g = l.items;
	for (u32 i = 0; i < l.count; i++) {
		struct json_object *item = guest_object(&info, &g[i]);

		life_add_devices(b, &g[i], item);
		json_object_array_add(guests, item);
	}
	free(l.items);
	life_list_off(b, guests);
	json_object_array_sort(guests, by_name);
	reply = json_object_new_object();
	wire_add(reply, "guests", guests);
	return reply;
}

static struct json_object *pool_array(const struct list *l)
{
	struct json_object *a = json_object_new_array();
	const struct bh_ctl_range *r = l->items;

	for (u32 i = 0; i < l->count; i++) {
		struct json_object *o = json_object_new_object();

		wire_add_number(o, "base", r[i].base);
		wire_add_number(o, "bytes", r[i].size);
		wire_add_number(o, "node", r[i].node);
		json_object_array_add(a, o);
	}
	return a;
}

struct json_object *look_info(struct bhd *b, struct json_object *o,
			      struct failure *f)
{
	struct json_object *reply;
	struct bh_ctl_info i;
	struct list pool = { 0 };

	if (control_info(&b->ring, &i, f) ||
	    ((b->ring.features & BH_CTL_FEATURE_GUESTS) &&
	     control_pool(&b->ring, &pool, f)))
		return NULL;
	reply = json_object_new_object();
	wire_add_string(reply, "build", i.build);
	wire_add_number(reply, "version", i.version);
	wire_add_number(reply, "cores", i.cores);
	wire_add_number(reply, "nodes", i.nodes);
	wire_add_number(reply, "guests", i.guests);
	wire_add_number(reply, "guests_max", i.guests_max);
	wire_add_number(reply, "tsc_khz", i.tsc_khz);
	wire_add_seconds(reply, "up_seconds",
			 i.tsc > i.boot_tsc ? i.tsc - i.boot_tsc : 0,
			 i.tsc_khz);
	wire_add_number(reply, "ram_bytes", i.ram_bytes);
	wire_add_number(reply, "hypervisor_bytes", i.hypervisor_bytes);
	wire_add_number(reply, "hypervisor_free_bytes",
			i.hypervisor_free_bytes);
	wire_add_number(reply, "pool_bytes", i.pool_bytes);
	wire_add_number(reply, "pool_free_bytes", i.pool_free_bytes);
	wire_add(reply, "pool", pool_array(&pool));
	free(pool.items);
	return reply;
}

static struct json_object *cores_array(struct bhd *b, u64 khz,
				       struct failure *f)
{
	struct json_object *a;
	const struct bh_ctl_core *c;
	struct list l;

	if (control_cores(&b->ring, &l, f))
		return NULL;
	a = json_object_new_array();
	c = l.items;
	for (u32 i = 0; i < l.count; i++) {
		struct json_object *o = json_object_new_object();

		wire_add_number(o, "id", c[i].id);
		wire_add_number(o, "apic_id", c[i].apic_id);
		wire_add_number(o, "node", c[i].node);
		wire_add_seconds(o, "idle_seconds", c[i].idle_ticks, khz);
		wire_add_seconds(o, "host_seconds", c[i].host_ticks, khz);
		wire_add_seconds(o, "longest_seconds", c[i].longest_ticks, khz);
		wire_add_number(o, "too_long", c[i].too_long);
		wire_add(o, "smis",
			 c[i].smis == BH_CTL_NO_SMIS
				 ? NULL
				 : json_object_new_int64((s64)c[i].smis));
		json_object_array_add(a, o);
	}
	free(l.items);
	return a;
}

static struct json_object *vcpus_array(struct bhd *b, u64 id, u64 khz)
{
	static const char *const states[] = { "runs", "halted", "not started",
					      "parked" };
	struct json_object *a = json_object_new_array();
	const struct bh_ctl_vcpu *v;
	struct failure f;
	struct list l;

	/* The guest may have gone since it was listed */
	if (control_vcpus(&b->ring, id, &l, &f))
		return a;
	v = l.items;
	for (u32 i = 0; i < l.count; i++) {
		struct json_object *o = json_object_new_object();

		wire_add_number(o, "id", v[i].id);
		wire_add_number(o, "core", v[i].core);
		wire_add_string(o, "state",
				v[i].state < ARRAY_SIZE(states)
					? states[v[i].state]
					: "unknown");
		wire_add_seconds(o, "run_seconds", v[i].run_ticks, khz);
		wire_add_seconds(o, "wait_seconds", v[i].wait_ticks, khz);
		wire_add_number(o, "exits", v[i].exits);
		json_object_array_add(a, o);
	}
	free(l.items);
	return a;
}

/* {"cpuid": 12, ...} of the kinds that there were */
static struct json_object *exits_object(struct bhd *b, u64 id,
					const struct list *names)
{
	struct json_object *o = json_object_new_object();
	const char *name = names->items;
	struct list counts;
	struct failure f;
	u32 at = 0;

	if (control_exits(&b->ring, id, &counts, &f))
		return o;
	for (u32 i = 0; i < counts.count && at < names->count; i++) {
		size_t len = strnlen(name + at, names->count - at);

		if (at + len >= names->count)
			break;
		if (len && ((const u64 *)counts.items)[i])
			wire_add_number(o, name + at,
					((const u64 *)counts.items)[i]);
		at += (u32)len + 1;
	}
	free(counts.items);
	return o;
}

/* All that moves: the list, with each guest's vCPUs and exits, and the cores */
struct json_object *look_top(struct bhd *b, struct json_object *o,
			     struct failure *f)
{
	struct json_object *reply = look_list(b, o, f);
	struct json_object *cores = NULL, *guests;
	struct list names = { 0 };
	struct bh_ctl_info info;

	if (reply && !control_info(&b->ring, &info, f) &&
	    !control_exit_names(&b->ring, &names, f))
		cores = cores_array(b, info.tsc_khz, f);
	if (!cores) {
		free(names.items);
		if (reply)
			json_object_put(reply);
		return NULL;
	}
	wire_add(reply, "cores", cores);
	wire_add_seconds(reply, "now_seconds", info.tsc, info.tsc_khz);
	json_object_object_get_ex(reply, "guests", &guests);
	for (size_t i = 0; i < json_object_array_length(guests); i++) {
		struct json_object *g = json_object_array_get_idx(guests, i);
		u64 id = wire_number(g, "id", 0);

		wire_add(g, "vcpu", vcpus_array(b, id, info.tsc_khz));
		wire_add(g, "exit", exits_object(b, id, &names));
	}
	free(names.items);
	return reply;
}
