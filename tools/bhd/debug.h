/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that debugs a guest: requests to attach, to let it go, to change it;
 * an {"event": {"debug": "stands" or "gone"}} when it stands again, or has
 * ended. A client that hangs up is detached.
 */
#ifndef TOOLS_BHD_DEBUG_H
#define TOOLS_BHD_DEBUG_H

#include "tools/bhd/client.h"

void debug_act(struct client *c, struct json_object *o);
/* Set a vCPU's registers, write memory, look an address up */
void debug_registers(struct client *c, struct json_object *o);
void debug_poke(struct client *c, struct json_object *o);
void debug_translate(struct client *c, struct json_object *o);

/* Some guest may stand, or have ended: clients are told */
void debug_look(struct bhd *b);
/* The client is gone */
void debug_left(struct client *c);

#endif
