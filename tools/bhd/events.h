/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happened to guests since bhd started, and the restart of the privileged
 * one that it was started by: the newest changes of state are
 * kept, and told to who wants to follow, as {"event": {...}}, a line each.
 */
#ifndef TOOLS_BHD_EVENTS_H
#define TOOLS_BHD_EVENTS_H

#include "tools/bhd/bhd.h"
#include "tools/bhd/client.h"

/* A guest has another state, or is new or gone */
void events_note(struct bhd *b, u64 id, const char *name, u32 state,
		 const char *reason);
/* The same, so many milliseconds ago: behind all that is noted already */
void events_note_past(struct bhd *b, u64 id, const char *name, u32 state,
		      const char *reason, u64 ago_ms);
/* Answers with those that are kept; "follow": and with what comes */
void events_show(struct client *c, struct json_object *o);
void events_free(struct bhd *b);

#endif
