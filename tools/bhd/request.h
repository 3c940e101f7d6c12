/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests that bhd answers: one row each in request.c. Those that change
 * something are refused where bhd only looks.
 */
#ifndef TOOLS_BHD_REQUEST_H
#define TOOLS_BHD_REQUEST_H

#include "tools/bhd/bhd.h"
#include "tools/bhd/client.h"

/* Answers @o, now or later */
void request_take(struct client *c, struct json_object *o);

/* What is to be seen, as JSON; NULL: @f says why not */
struct json_object *look_list(struct bhd *b, struct json_object *o,
			      struct failure *f);
struct json_object *look_info(struct bhd *b, struct json_object *o,
			      struct failure *f);
struct json_object *look_top(struct bhd *b, struct json_object *o,
			     struct failure *f);
struct json_object *look_audit(struct bhd *b, struct json_object *o,
			       struct failure *f);

struct json_object *look_last_exits(struct bhd *b, struct json_object *o,
				    struct failure *f);
/* Of a guest with these registers; [] where nothing is known */
struct json_object *last_exits_array(struct bhd *b, u64 id,
				     const struct bh_ctl_registers *all,
				     u32 count);

/* inspect.c: the registers of all vCPUs of a guest that stands */
int inspect_registers(struct bhd *b, const struct bh_ctl_guest *g,
		      struct bh_ctl_registers *all, struct failure *f);
/* A guest's registers and what memory it has; some of the memory */
void inspect_show(struct client *c, struct json_object *o);
void inspect_memory(struct client *c, struct json_object *o);

/* What changes a guest: answers the client when it is done */
void act_pause(struct client *c, struct json_object *o);
void act_resume(struct client *c, struct json_object *o);
void act_stop(struct client *c, struct json_object *o);
void act_start(struct client *c, struct json_object *o);
void act_reset(struct client *c, struct json_object *o);
void act_destroy(struct client *c, struct json_object *o);
void act_set(struct client *c, struct json_object *o);

#endif
