/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's way to its first instruction, by enum phase: it is created, or
 * reset where it is there, its memory gets devices, the loader fills it, and it
 * starts. Each step is an answer or a message of the loop; a failure anywhere
 * ends in launch_failed(). Called by life.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bhd/life_priv.h"

/* Placing again where the device knows better what is free */
#define PLACE_TRIES 64

void guest_drop_memory(struct guest *g)
{
	for (u32 i = 0; i < g->dax_count; i++)
		dax_release(g->dax[i]);
	place_unuse(&g->bhd->life->used, g->place.ranges, g->place.count);
	g->dax_count = g->place.count = 0;
}

/* A device of each range that has none yet */
static int memory_carve(struct guest *g, struct failure *f)
{
	for (u32 i = g->dax_count; i < g->place.count; i++) {
		if (dax_carve(&g->place.ranges[i], g->dax[i], f))
			return -1;
		g->dax_count = i + 1;
	}
	return 0;
}

void guest_share_again(struct guest *g)
{
	struct failure f;

	if (!g->definition.config.shares_memory ||
	    g->dax_count == g->place.count)
		return;
	if (memory_carve(g, &f))
		fprintf(stderr,
			"bhd: guest %s runs on, but its memory has no device: "
			"%s\n",
			g->definition.config.name, f.text);
	store_save(g);
}

int guest_take_place(struct guest *g)
{
	if (!place_use(&g->bhd->life->used, g->place.ranges, g->place.count))
		return 0;
	g->place.count = 0;
	return -1;
}

/* --- its end --- */

static void nobody_waits(void *context, const struct ring_answer *answer)
{
}

/* What this launch made goes; the definition stays if it was there before */
static void launch_failed(struct guest *g, const struct failure *f)
{
	struct client *c = g->client;
	struct ring_call call = { .op = BH_CTL_OP_END,
				  .arg = { g->id, BH_CTL_END_DESTROY } };

	g->client = NULL;
	g->phase = PHASE_IDLE;
	devices_end(g);
	if (g->id && ring_send(&g->bhd->ring, &call, nobody_waits, NULL, NULL))
		bhd_note(g->bhd, g->id);
	g->id = 0;
	guest_drop_memory(g);
	if (c)
		client_fail(c, f);
	else
		fprintf(stderr, "bhd: guest %s: %s\n",
			g->definition.config.name, f->text);
	if (g->fresh) {
		guest_remove(g);
		return;
	}
	store_save(g);
	if (!c && g->wanted)
		guest_again(g);
}

static void launch_done(struct guest *g)
{
	struct json_object *o = json_object_new_object();
	struct client *c = g->client;

	g->client = NULL;
	g->phase = PHASE_IDLE;
	g->fresh = false;
	g->state = BH_CTL_RUNNING;
	g->ran_since = ev_now(g->bhd->loop);
	store_save(g);
	wire_add_string(o, "name", g->definition.config.name);
	wire_add_number(o, "id", g->id);
	if (g->devices.count) {
		struct json_object *a = json_object_new_array();

		devices_warnings(g, a);
		wire_add(o, "warnings", a);
		devices_note(g->bhd, g->id);
	}
	if (c)
		client_reply(c, o);
	else
		json_object_put(o);
}

/* --- its steps, the last one first --- */

static void on_started(void *context, const struct ring_answer *answer)
{
	struct guest *g = context;
	struct failure f;

	if (!answer->status) {
		launch_done(g);
		return;
	}
	ring_failure(answer, &f);
	launch_failed(g, &f);
}

static void on_progress(struct loader *l, u64 done, u64 total)
{
	const struct guest *g = l->context;

	if (g->client)
		client_progress(g->client, "loading", done, total);
}

static void on_loaded(struct loader *l, const struct failure *f,
		      const struct bh_ctl_file *files, u32 count)
{
	struct guest *g = l->context;
	struct ring_call call = { .op = BH_CTL_OP_START,
				  .arg = { g->id },
				  .in = files,
				  .in_bytes = count * (u32)sizeof(*files),
				  .out_bytes = FAIL_TEXT_BYTES };
	struct failure why;

	if (f->kind != FAIL_NONE) {
		launch_failed(g, f);
		return;
	}
	g->phase = PHASE_STARTING;
	if (ring_send(&g->bhd->ring, &call, on_started, g, &why))
		launch_failed(g, &why);
}

/* With what its devices are, or are not */
static void load_files(struct guest *g)
{
	struct failure f;

	g->loader = (struct loader){ .definition = &g->definition,
				     .place = &g->place,
				     .dax = g->dax,
				     .uid = g->uid,
				     .gid = g->gid,
				     .rights = g->bhd->rights,
				     .progress = on_progress,
				     .done = on_loaded,
				     .context = g };
	if (loader_start(&g->loader, g->bhd->loop, &f))
		launch_failed(g, &f);
}

static void load(struct guest *g)
{
	struct failure f;

	g->phase = PHASE_LOADING;
	if (memory_carve(g, &f)) {
		launch_failed(g, &f);
		return;
	}
	store_save(g);
	if (g->devices.count)
		devices_begin(g, load_files);
	else
		load_files(g);
}

/* The device knows of guests that this bhd does not */
static bool place_avoid(struct guest *g)
{
	struct bh_ctl_range *grown;

	if (g->avoid.count > PLACE_TRIES)
		return false;
	grown = realloc(g->avoid.items,
			(g->avoid.count + g->place.count) * sizeof(*grown));
	if (!grown)
		return false;
	memcpy(grown + g->avoid.count, g->place.ranges,
	       g->place.count * sizeof(*grown));
	g->avoid.items = grown;
	g->avoid.count += g->place.count;
	return true;
}

static void create(struct guest *g);

static void on_created(void *context, const struct ring_answer *answer)
{
	struct guest *g = context;
	struct failure f;

	if (answer->status == -BH_CTL_EBUSY && place_avoid(g)) {
		create(g);
		return;
	}
	g->avoid.count = 0;
	if (!answer->status) {
		g->id = answer->arg[0];
		load(g);
		return;
	}
	ring_failure(answer, &f);
	if (answer->status == -BH_CTL_EBUSY)
		f.kind = FAIL_NO_ROOM;
	launch_failed(g, &f);
}

static int plan(struct guest *g, const struct list *pool,
		const struct list *used, struct failure *f)
{
	const struct guest_config *config = &g->definition.config;
	int node = config->numa == NUMA_NODE ? (int)config->numa_node : -1;

	if (!place_find(pool, used, config->memory_bytes, node, &g->place, f))
		return 0;
	g->place.count = 0;
	return -1;
}

/* Beside what bhd's guests have and what is to be avoided */
static int plan_avoiding(struct guest *g, const struct list *pool,
			 struct failure *f)
{
	const struct list *used = &g->bhd->life->used;
	struct list all = { 0 };
	int err;

	if (!g->avoid.count)
		return plan(g, pool, used, f);
	if (place_use(&all, used->items, used->count) ||
	    place_use(&all, g->avoid.items, g->avoid.count))
		err = failed(f, FAIL_NO_ROOM, "no memory for the plan");
	else
		err = plan(g, pool, &all, f);
	free(all.items);
	return err;
}

static int place(struct guest *g, struct failure *f)
{
	struct list pool;
	int err;

	guest_drop_memory(g);
	if (control_pool(&g->bhd->ring, &pool, f))
		return -1;
	err = plan_avoiding(g, &pool, f);
	free(pool.items);
	if (!err && guest_take_place(g))
		err = failed(f, FAIL_NO_ROOM, "no memory for the plan");
	return err;
}

static void create(struct guest *g)
{
	u8 in[BH_CTL_IN_MAX] = { 0 };
	struct bh_ctl_create *c = (struct bh_ctl_create *)in;
	struct ring_call call = { .op = BH_CTL_OP_CREATE,
				  .in = in,
				  .out_bytes = FAIL_TEXT_BYTES };
	size_t ranges_bytes;
	struct failure f;

	static_assert(sizeof(*c) + PLACE_MAX * sizeof(struct bh_ctl_range) +
				      DEFINITION_TEXT_MAX <=
			      BH_CTL_IN_MAX,
		      "a definition fits");
	g->phase = PHASE_CREATING;
	if (place(g, &f)) {
		launch_failed(g, &f);
		return;
	}
	ranges_bytes = g->place.count * sizeof(c->ranges[0]);
	c->definition_bytes = (u32)strlen(g->definition.text);
	c->range_count = g->place.count;
	memcpy(in + sizeof(*c), g->place.ranges, ranges_bytes);
	memcpy(in + sizeof(*c) + ranges_bytes, g->definition.text,
	       c->definition_bytes);
	call.in_bytes = (u32)(sizeof(*c) + ranges_bytes + c->definition_bytes);
	if (ring_send(&g->bhd->ring, &call, on_created, g, &f))
		launch_failed(g, &f);
}

static void on_reset(void *context, const struct ring_answer *answer)
{
	struct guest *g = context;
	struct client *c;
	struct failure f;

	if (!answer->status) {
		load(g);
		return;
	}
	/* It is as it was */
	ring_failure(answer, &f);
	c = g->client;
	g->client = NULL;
	g->phase = PHASE_IDLE;
	if (c)
		client_fail(c, &f);
}

/* Its memory waits for files: after its own reset, or a bhd that died */
static bool is_defined(struct guest *g)
{
	struct bh_ctl_guest now;
	struct failure f;

	return !control_guest(&g->bhd->ring, g->id, &now, &f) &&
	       now.state == BH_CTL_DEFINED;
}

void guest_launch(struct guest *g)
{
	struct ring_call call = { .op = BH_CTL_OP_END,
				  .arg = { g->id, BH_CTL_END_RESET },
				  .out_bytes = FAIL_TEXT_BYTES };
	struct failure f;

	ev_timer_stop(g->bhd->loop, &g->again);
	if (!g->id) {
		create(g);
		return;
	}
	if (is_defined(g)) {
		load(g);
		return;
	}
	g->phase = PHASE_RESETTING;
	if (ring_send(&g->bhd->ring, &call, on_reset, g, &f))
		launch_failed(g, &f);
}
