/* SPDX-License-Identifier: BSD-2-Clause */
/* See last_exits.h */
#include "tools/bhctl/last_exits.h"

#include <json-c/json.h>

static const char *string_at(struct json_object *list, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(list, i));
}

static struct json_object *array_of(struct json_object *o, const char *name)
{
	struct json_object *list;

	if (json_object_object_get_ex(o, name, &list) &&
	    json_object_is_type(list, json_type_array))
		return list;
	return NULL;
}

static void kinds_show(FILE *to, struct json_object *vcpu)
{
	struct json_object *kinds = array_of(vcpu, "kinds");
	size_t count = kinds ? json_object_array_length(kinds) : 0;
	const char *last = wire_string(vcpu, "last");

	fprintf(to, "vCPU %llu: last exit %s", wire_number(vcpu, "vcpu", 0),
		last ? last : "unknown");
	for (size_t i = 0; i < count; i++)
		fprintf(to, "%s%s",
			i ? ", " : "; the last of all, newest first: ",
			string_at(kinds, i));
	fputc('\n', to);
}

static void exits_show(FILE *to, struct json_object *vcpu)
{
	struct json_object *exits = array_of(vcpu, "exits"), *o, *seconds;
	size_t count = exits ? json_object_array_length(exits) : 0;

	if (count)
		fprintf(to, "  its last exits of the rarer sorts, newest last, "
			    "behind the log's time:\n");
	for (size_t i = 0; i < count; i++) {
		o = json_object_array_get_idx(exits, i);
		json_object_object_get_ex(o, "seconds", &seconds);
		fprintf(to, "  [%.6f] %s\n", json_object_get_double(seconds),
			wire_string(o, "text") ? wire_string(o, "text") : "");
	}
}

void last_exits_show(FILE *to, struct json_object *reply)
{
	struct json_object *vcpus = array_of(reply, "last_exits");

	for (size_t i = 0; vcpus && i < json_object_array_length(vcpus); i++) {
		kinds_show(to, json_object_array_get_idx(vcpus, i));
		exits_show(to, json_object_array_get_idx(vcpus, i));
	}
}
