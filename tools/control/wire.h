/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bhd and bhctl say to each other over the Unix socket: JSON objects, one
 * a line. A request has "protocol", "do" and what that wants. Any number of
 * {"progress": ...} may come back, then one {"reply": ...} or one
 * {"error": {"kind": ..., "text": ...}}; then the next request may go. After
 * the reply to "console" the line is the console's: bytes as they are. Behind
 * the line of a reply that says so come "bytes" bytes as they are.
 */
#ifndef TOOLS_CONTROL_WIRE_H
#define TOOLS_CONTROL_WIRE_H

#include <json-c/json.h>

#include "lib/types.h"
#include "tools/control/fail.h"

#define WIRE_PROTOCOL 1
#define WIRE_SOCKET   "/run/bulkhead/bhd.sock"
/* A line of either side is no longer */
#define WIRE_LINE_MAX    (4u << 20)
#define WIRE_REQUEST_MAX (64u << 10)

/* One line, without its end, as an object; NULL: it is none. The caller puts
 * it. */
struct json_object *wire_parse(const char *line, size_t len);
/* The object's text with a line end; the caller frees it. Takes @o. */
char *wire_text(struct json_object *o);
/* Members; NULL, @other or 0 where there is none of that type */
const char *wire_string(struct json_object *o, const char *name);
bool wire_bool(struct json_object *o, const char *name);
u64 wire_number(struct json_object *o, const char *name, u64 other);
/* Adds a member; the value is taken */
void wire_add(struct json_object *o, const char *name, struct json_object *v);
void wire_add_string(struct json_object *o, const char *name, const char *v);
void wire_add_number(struct json_object *o, const char *name, u64 v);
void wire_add_seconds(struct json_object *o, const char *name, u64 ticks,
		      u64 khz);
/* {"error": ...} of @f, and back */
struct json_object *wire_error(const struct failure *f);
bool wire_is_error(struct json_object *o, struct failure *f);

#endif
