/* SPDX-License-Identifier: BSD-2-Clause */
/* See wire.h */
#include "tools/control/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

struct json_object *wire_parse(const char *line, size_t len)
{
	struct json_tokener *t = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o = NULL;
	bool whole;

	if (!t || len > WIRE_LINE_MAX)
		goto out;
	json_tokener_set_flags(t, JSON_TOKENER_STRICT |
					  JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, line, (int)len);
	whole = json_tokener_get_error(t) == json_tokener_success &&
		json_tokener_get_parse_end(t) == len;
	if (o && (!whole || !json_object_is_type(o, json_type_object))) {
		json_object_put(o);
		o = NULL;
	}
out:
	if (t)
		json_tokener_free(t);
	return o;
}

char *wire_text(struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	char *line = NULL;

	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	json_object_put(o);
	return line;
}

const char *wire_string(struct json_object *o, const char *name)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v) ||
	    !json_object_is_type(v, json_type_string))
		return NULL;
	/* With a NUL in it, it is not what it seems */
	if (strlen(json_object_get_string(v)) !=
	    (size_t)json_object_get_string_len(v))
		return NULL;
	return json_object_get_string(v);
}

bool wire_bool(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) &&
	       json_object_is_type(v, json_type_boolean) &&
	       json_object_get_boolean(v);
}

u64 wire_number(struct json_object *o, const char *name, u64 other)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, name, &v) ||
	    !json_object_is_type(v, json_type_int))
		return other;
	if (json_object_get_int64(v) < 0)
		return other;
	return json_object_get_uint64(v);
}

void wire_add(struct json_object *o, const char *name, struct json_object *v)
{
	json_object_object_add(o, name, v);
}

void wire_add_string(struct json_object *o, const char *name, const char *v)
{
	wire_add(o, name, json_object_new_string(v));
}

void wire_add_number(struct json_object *o, const char *name, u64 v)
{
	wire_add(o, name, json_object_new_uint64(v));
}

void wire_add_seconds(struct json_object *o, const char *name, u64 ticks,
		      u64 khz)
{
	double seconds = khz ? (double)ticks / ((double)khz * 1000) : 0;
	char text[40];

	snprintf(text, sizeof(text), "%.6f", seconds);
	wire_add(o, name, json_object_new_double_s(seconds, text));
}

struct json_object *wire_error(const struct failure *f)
{
	struct json_object *o = json_object_new_object();
	struct json_object *e = json_object_new_object();

	wire_add_string(e, "kind", fail_name(f->kind));
	wire_add_string(e, "text", f->text);
	wire_add(o, "error", e);
	return o;
}

bool wire_is_error(struct json_object *o, struct failure *f)
{
	struct json_object *e;
	const char *text;

	if (!json_object_object_get_ex(o, "error", &e))
		return false;
	text = wire_string(e, "text");
	failed(f, fail_kind_of(wire_string(e, "kind")), "%s",
	       text ? text : "bhd gives no reason");
	return true;
}
