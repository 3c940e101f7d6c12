/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to life.c, launch.c and store.c: what bhd knows of a guest that it
 * made */
#ifndef TOOLS_BHD_LIFE_PRIV_H
#define TOOLS_BHD_LIFE_PRIV_H

#include "tools/bhd/devices.h"
#include "tools/bhd/index.h"
#include "tools/bhd/life.h"
#include "tools/bhd/loader.h"
#include "tools/control/definition.h"
#include "tools/control/place.h"

enum phase {
	PHASE_IDLE,
	PHASE_CREATING, /* BH_CTL_OP_CREATE is on its way */
	PHASE_RESETTING,
	PHASE_LOADING,
	PHASE_STARTING,
};

struct guest {
	struct guest *next;
	struct index_entry named; /* in struct life */
	struct bhd *bhd;
	struct definition definition;
	struct json_object *given; /* as the request had it */
	bool stays;                /* bhctl create, not bhctl run */
	bool wanted;               /* nobody stopped it */
	bool going; /* not wanted only as it is being destroyed */
	bool forget;
	uid_t uid;
	gid_t gid;
	u64 id; /* 0: it has no guest now */
	u32 state;
	enum phase phase;
	bool fresh; /* made by this launch: a failure unmakes it */
	struct place place;
	struct list avoid; /* that the device found not free */
	char dax[PLACE_MAX][DAX_NAME_BYTES];
	u32 dax_count;
	struct loader loader;
	struct devices devices;
	struct client *client;
	u32 tries;
	ev_tstamp ran_since;
	ev_timer again;
};

struct life {
	struct guest *guests;
	struct guest *to_look; /* life_refresh() comes to it next */
	struct index names;
	struct list used; /* of the pool; in order (place_use()) */
};

/* One more, that has its name */
void life_add(struct bhd *b, struct guest *g);

/* launch.c: starts it, anew where it is there; it is PHASE_IDLE. Its client is
 * answered at the end. */
void guest_launch(struct guest *g);
/* Its devices go, and its place in the pool is free */
void guest_drop_memory(struct guest *g);
/* The devices of a guest that shares its memory and was found by this bhd:
 * where the privileged guest was started again meanwhile, they are gone */
void guest_share_again(struct guest *g);
/* @g->place is its own from now on; -1: no memory, and it has none */
int guest_take_place(struct guest *g);

/* life.c: it is launched after a while, longer each time */
void guest_again(struct guest *g);
/* Forgets and frees it */
void guest_remove(struct guest *g);

/* Writes what must not be lost with bhd; a disk that fails is said once */
void store_save(const struct guest *g);
void store_remove(const struct guest *g);
/* A guest of @o, a request or a stored one; NULL: @f says why */
struct guest *store_guest(struct bhd *b, struct json_object *o,
			  struct failure *f);
/* All stored ones into @b->life */
int store_load(struct bhd *b, struct failure *f);
void guest_free(struct guest *g);

#endif
