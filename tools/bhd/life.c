/* SPDX-License-Identifier: BSD-2-Clause */
/* See life.h: what happens to guests that bhd made, and who asks for it. The
 * way to their first instruction is in launch.c. Over 400 lines: all that
 * becomes of one guest, and each request about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bhd/console.h"
#include "tools/bhd/life_priv.h"

#define BACKOFF_MAX_S  60.
#define WEIGHT_DEFAULT 100u /* docs/manifest.md */
#define CAP_DEFAULT    100u
/* One that ran so long begins anew with its waits */
#define GOOD_RUN_S  60.
#define SHORT_RUN_S 5.

double life_backoff(u32 tries)
{
	return tries < 6 ? (double)(1u << tries) : BACKOFF_MAX_S;
}

static struct guest *find(const struct bhd *b, const char *name)
{
	struct index_entry *e = index_first(&b->life->names, index_name(name));
	struct guest *g;

	for (; e; e = index_next(e)) {
		g = container_of(e, struct guest, named);
		if (!strcmp(g->definition.config.name, name))
			return g;
	}
	return NULL;
}

void life_add(struct bhd *b, struct guest *g)
{
	index_add(&b->life->names, &g->named,
		  index_name(g->definition.config.name));
	g->next = b->life->guests;
	b->life->guests = g;
}

void guest_remove(struct guest *g)
{
	struct life *l = g->bhd->life;
	struct guest **at = &l->guests;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	if (l->to_look == g)
		l->to_look = g->next;
	index_remove(&l->names, &g->named);
	store_remove(g);
	guest_free(g);
}

/* --- what happens to it --- */

void guest_again(struct guest *g)
{
	double wait = life_backoff(g->tries++);

	fprintf(stderr, "bhd: guest %s starts again in %.0f s\n",
		g->definition.config.name, wait);
	ev_timer_stop(g->bhd->loop, &g->again);
	ev_timer_set(&g->again, wait, 0.);
	ev_timer_start(g->bhd->loop, &g->again);
}

static void on_again(struct ev_loop *loop, ev_timer *w, int events)
{
	struct guest *g = w->data;

	if (g->wanted && g->phase == PHASE_IDLE)
		guest_launch(g);
}

static void guest_ended(struct guest *g, bool crashed)
{
	enum restart_way restart = g->definition.config.restart;

	if (!g->wanted || restart == RESTART_NEVER ||
	    (restart == RESTART_ON_CRASH && !crashed))
		return;
	if (ev_now(g->bhd->loop) - g->ran_since > GOOD_RUN_S)
		g->tries = 0;
	guest_again(g);
}

/* It reset itself, and its memory waits for its files. One that does nothing
 * else is slowed down. */
static void guest_reboots(struct guest *g)
{
	if (ev_now(g->bhd->loop) - g->ran_since > SHORT_RUN_S)
		guest_launch(g);
	else
		guest_again(g);
}

/* Its id names nothing any more; false: @g is freed */
static bool guest_gone(struct guest *g)
{
	g->id = 0;
	devices_end(g);
	guest_drop_memory(g);
	if (g->forget || !g->stays) {
		guest_remove(g);
		return false;
	}
	store_save(g);
	return true;
}

/* Is its memory granted, if it shares it? docs/lifecycle.md */
static bool state_shares(u32 state)
{
	return state == BH_CTL_RUNNING || state == BH_CTL_PAUSED ||
	       state == BH_CTL_CRASHED;
}

/* @now: what it is, or NULL: it is there no more */
static void guest_look(struct guest *g, const struct bh_ctl_guest *now)
{
	u32 before = g->state;

	if (!now) {
		(void)guest_gone(g);
		return;
	}
	g->state = now->state;
	if (now->state == before)
		return;
	if (before == BH_CTL_GONE && state_shares(now->state))
		guest_share_again(g);
	if (before == BH_CTL_GONE)
		devices_take_up(g);
	if (now->state == BH_CTL_STOPPED || now->state == BH_CTL_CRASHED) {
		devices_end(g);
		guest_ended(g, now->state == BH_CTL_CRASHED);
	} else if (now->state == BH_CTL_DEFINED && g->wanted)
		guest_reboots(g);
}

static int by_id(const void *key, const void *element)
{
	u64 id = *(const u64 *)key;
	const struct bh_ctl_guest *g = element;

	return id < g->id ? -1 : id > g->id;
}

/* A look may send a command, and so take answers that free other guests: the
 * next one is noted where guest_remove() sees it */
void life_refresh(struct bhd *b, const struct list *guests)
{
	struct guest *g = b->life->guests;

	for (; g; g = b->life->to_look) {
		b->life->to_look = g->next;
		if (g->id && g->phase == PHASE_IDLE)
			guest_look(
				g,
				guests->count
					? bsearch(&g->id, guests->items,
						  guests->count,
						  sizeof(struct bh_ctl_guest),
						  by_id)
					: NULL);
	}
}

void life_look(struct bhd *b, u64 id, const char *name,
	       const struct bh_ctl_guest *now)
{
	struct guest *g = find(b, name);

	if (g && g->id == id && g->phase == PHASE_IDLE)
		guest_look(g, now);
}

int life_open(struct bhd *b, struct failure *f)
{
	b->life = calloc(1, sizeof(*b->life));
	if (!b->life)
		return failed(f, FAIL_NO_ROOM, "no memory for guests");
	if (store_load(b, f)) {
		life_close(b);
		return -1;
	}
	for (struct guest *g = b->life->guests; g; g = g->next) {
		ev_timer_init(&g->again, on_again, 0., 0.);
		g->again.data = g;
	}
	return 0;
}

void life_autostart(struct bhd *b)
{
	for (struct guest *g = b->life->guests; g; g = g->next)
		if (!g->id && g->wanted && g->definition.config.autostart)
			guest_launch(g);
}

void life_close(struct bhd *b)
{
	struct guest *each = b->life ? b->life->guests : NULL;

	for (; each; each = each->next)
		devices_hurry(each);
	while (b->life && b->life->guests) {
		struct guest *g = b->life->guests;

		b->life->guests = g->next;
		ring_forget(&b->ring, g);
		guest_free(g);
	}
	if (b->life)
		free(b->life->used.items);
	free(b->life);
	b->life = NULL;
}

/* --- requests --- */

static void client_left(struct client *c, void *job)
{
	((struct guest *)job)->client = NULL;
}

/* Launches @g for @c, unless it is at it already */
static void launch_for(struct client *c, struct guest *g)
{
	struct failure f;

	if (g->phase != PHASE_IDLE) {
		failed(&f, FAIL_STATE, "guest %s is being started already",
		       g->definition.config.name);
		client_fail(c, &f);
		return;
	}
	g->client = c;
	g->wanted = true;
	g->going = false;
	g->tries = 0;
	client_wait(c, g, client_left);
	guest_launch(g);
}

void life_create(struct client *c, struct json_object *o)
{
	struct bhd *b = c->bhd;
	struct failure f;
	struct guest *g = store_guest(b, o, &f);

	if (g && find(b, g->definition.config.name)) {
		failed(&f, FAIL_STATE,
		       "there is a guest %s already; end it first (bhctl "
		       "destroy %s), or take another name",
		       g->definition.config.name, g->definition.config.name);
		guest_free(g);
		g = NULL;
	}
	if (!g) {
		client_fail(c, &f);
		return;
	}
	g->stays = wire_bool(o, "stays");
	g->uid = c->uid;
	g->gid = c->gid;
	g->fresh = true;
	ev_timer_init(&g->again, on_again, 0., 0.);
	g->again.data = g;
	life_add(b, g);
	launch_for(c, g);
}

bool life_start(struct client *c, const char *name)
{
	struct guest *g = c->bhd->life ? find(c->bhd, name) : NULL;
	struct failure f;

	if (!g)
		return false;
	if (g->id && g->state != BH_CTL_STOPPED && g->state != BH_CTL_CRASHED &&
	    g->phase == PHASE_IDLE) {
		failed(&f, FAIL_STATE, "guest %.40s is %s", name,
		       state_name(g->state));
		client_fail(c, &f);
		return true;
	}
	launch_for(c, g);
	return true;
}

bool life_reset(struct client *c, const char *name)
{
	struct guest *g = c->bhd->life ? find(c->bhd, name) : NULL;

	if (!g || !g->id)
		return false;
	launch_for(c, g);
	return true;
}

bool life_forget_off(struct client *c, const char *name)
{
	struct guest *g = c->bhd->life ? find(c->bhd, name) : NULL;

	if (!g || g->id || g->phase != PHASE_IDLE)
		return false;
	guest_remove(g);
	client_reply(c, json_object_new_object());
	return true;
}

void life_told_to_end(struct bhd *b, const char *name, bool forget)
{
	struct guest *g = b->life ? find(b, name) : NULL;

	if (!g)
		return;
	ev_timer_stop(b->loop, &g->again);
	g->wanted = false;
	g->going = false;
	g->forget |= forget;
	store_save(g);
	bhd_note(b, g->id);
}

void life_destroyed(struct bhd *b, u64 id, const char *name)
{
	struct guest *g = b->life ? find(b, name) : NULL;

	if (!g || (g->id && g->id != id))
		return;
	if (g->phase != PHASE_IDLE || g->devices.working) {
		life_told_to_end(b, name, true);
		return;
	}
	ev_timer_stop(b->loop, &g->again);
	g->forget = true;
	(void)guest_gone(g);
}

void life_told_to_go(struct bhd *b, const char *name)
{
	struct guest *g = b->life ? find(b, name) : NULL;

	if (!g)
		return;
	ev_timer_stop(b->loop, &g->again);
	g->going |= g->wanted;
	g->wanted = false;
}

void life_stays(struct bhd *b, const char *name)
{
	struct guest *g = b->life ? find(b, name) : NULL;

	if (!g || !g->going)
		return;
	g->going = false;
	g->wanted = true;
	store_save(g);
	if (!g->id || g->phase != PHASE_IDLE)
		return;
	if (g->state == BH_CTL_STOPPED || g->state == BH_CTL_CRASHED)
		guest_ended(g, g->state == BH_CTL_CRASHED);
	else if (g->state == BH_CTL_DEFINED)
		guest_again(g);
}

/* By the id that bhd knows the name by, or else among all */
static int find_there(struct bhd *b, const char *name, struct bh_ctl_guest *g,
		      struct failure *f)
{
	u64 id = console_id(b, name);

	if (id && !control_guest(&b->ring, id, g, f) && !strcmp(g->name, name))
		return 0;
	return control_find(&b->ring, name, g, f);
}

int life_find(struct bhd *b, const char *name, struct bh_ctl_guest *g,
	      struct failure *f)
{
	const struct guest *off;

	if (!find_there(b, name, g, f))
		return 0;
	off = b->life ? find(b, name) : NULL;
	if (!off || off->id)
		return -1;
	return failed(f, FAIL_STATE,
		      "guest %.40s is off; bhctl start %.40s starts it", name,
		      name);
}

/* @g NULL: it has none */
static void devices_add(const struct guest *g, struct json_object *o)
{
	struct json_object *a = json_object_new_array();
	char path[DAX_NAME_BYTES + 8];

	for (u32 i = 0; g && i < g->dax_count; i++) {
		snprintf(path, sizeof(path), "/dev/%s", g->dax[i]);
		json_object_array_add(a, json_object_new_string(path));
	}
	wire_add(o, "memory_devices", a);
}

void life_add_devices(const struct bhd *b, const struct bh_ctl_guest *guest,
		      struct json_object *o)
{
	const struct guest *g = b->life ? b->life->guests : NULL;

	while (g && g->id != guest->id)
		g = g->next;
	if (g && (!g->definition.config.shares_memory ||
		  !state_shares(guest->state)))
		g = NULL;
	devices_add(g, o);
}

void life_list_off(const struct bhd *b, struct json_object *array)
{
	for (struct guest *g = b->life ? b->life->guests : NULL; g;
	     g = g->next) {
		const struct guest_config *config = &g->definition.config;
		struct json_object *o;

		if (g->id)
			continue;
		o = json_object_new_object();
		wire_add_number(o, "id", 0);
		wire_add_string(o, "name", config->name);
		wire_add_string(o, "state", "off");
		wire_add_string(o, "kind", "dynamic");
		wire_add_number(o, "vcpus", config->vcpus);
		wire_add_number(o, "weight",
				config->weight ? config->weight
					       : WEIGHT_DEFAULT);
		wire_add_number(o, "cap_percent",
				config->cap ? config->cap : CAP_DEFAULT);
		wire_add(o, "node", NULL);
		wire_add_number(o, "memory_bytes", config->memory_bytes);
		wire_add_number(o, "overhead_bytes", 0);
		wire_add_seconds(o, "up_seconds", 0, 1);
		wire_add_seconds(o, "cpu_seconds", 0, 1);
		wire_add_number(o, "exits", 0);
		wire_add_string(o, "reason", "");
		wire_add_number(o, "restarts", 0);
		devices_add(NULL, o);
		json_object_array_add(array, o);
	}
}
