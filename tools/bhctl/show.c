/* SPDX-License-Identifier: BSD-2-Clause */
/* See show.h */
#include "tools/bhctl/show.h"

#include <string.h>

#include "tools/bhctl/last_exits.h"

const char *show_bytes(char text[32], u64 bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	u64 whole = bytes;
	u32 unit = 0;

	while (whole >= 1024 && unit + 1 < ARRAY_SIZE(units) &&
	       (whole >= 10240 || !(whole % 1024))) {
		whole /= 1024;
		unit++;
	}
	snprintf(text, 32, "%llu %s", whole, units[unit]);
	return text;
}

const char *show_seconds(char text[32], double seconds)
{
	u64 minutes = (u64)seconds / 60;

	if (seconds < 60)
		snprintf(text, 32, "%.1f s", seconds);
	else if (minutes < 60)
		snprintf(text, 32, "%llu min %02llu s", minutes,
			 (u64)seconds % 60);
	else if (minutes < 60 * 24)
		snprintf(text, 32, "%llu h %02llu min", minutes / 60,
			 minutes % 60);
	else
		snprintf(text, 32, "%llu d %02llu h", minutes / 60 / 24,
			 minutes / 60 % 24);
	return text;
}

static double seconds_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v)
		       ? json_object_get_double(v)
		       : 0;
}

static const char *text_of(struct json_object *o, const char *name)
{
	const char *text = wire_string(o, name);

	return text ? text : "";
}

void show_list(FILE *to, struct json_object *reply)
{
	struct json_object *guests;
	char memory[32], cpu[32];
	size_t n;

	if (!json_object_object_get_ex(reply, "guests", &guests))
		return;
	n = json_object_array_length(guests);
	fprintf(to, "%-20s %-9s %-11s %5s %9s %13s %12s  %s\n", "NAME", "STATE",
		"KIND", "VCPUS", "MEMORY", "CPU TIME", "EXITS", "REASON");
	for (size_t i = 0; i < n; i++) {
		struct json_object *g = json_object_array_get_idx(guests, i);

		fprintf(to, "%-20s %-9s %-11s %5llu %9s %13s %12llu  %s\n",
			text_of(g, "name"), text_of(g, "state"),
			text_of(g, "kind"), wire_number(g, "vcpus", 0),
			show_bytes(memory, wire_number(g, "memory_bytes", 0)),
			show_seconds(cpu, seconds_of(g, "cpu_seconds")),
			wire_number(g, "exits", 0), text_of(g, "reason"));
	}
}

struct json_object *show_guest_of(struct json_object *list, const char *name)
{
	struct json_object *guests;

	if (!json_object_object_get_ex(list, "guests", &guests))
		return NULL;
	for (size_t i = 0; i < json_object_array_length(guests); i++) {
		struct json_object *g = json_object_array_get_idx(guests, i);

		if (!strcmp(text_of(g, "name"), name))
			return g;
	}
	return NULL;
}

/* Of one with share = memory */
static void devices_show(FILE *to, struct json_object *g)
{
	struct json_object *a;
	size_t n = json_object_object_get_ex(g, "memory_devices", &a)
			   ? json_object_array_length(a)
			   : 0;

	for (size_t i = 0; i < n; i++)
		fprintf(to, "%-18s%s\n", i ? "" : "memory shared by",
			json_object_get_string(
				json_object_array_get_idx(a, i)));
}

int show_no_guest(const char *name, struct failure *f)
{
	return failed(f, FAIL_NO_GUEST,
		      "there is no guest %.40s; bhctl list shows those there "
		      "are",
		      name);
}

int show_guest(FILE *to, struct json_object *list, const char *name, bool json,
	       struct failure *f)
{
	struct json_object *g = show_guest_of(list, name);
	char text[32];

	if (!g)
		return show_no_guest(name, f);
	if (json) {
		show_json(to, g);
		return 0;
	}
	fprintf(to, "%-18s%s\n%-18s%s\n", "state", text_of(g, "state"), "kind",
		text_of(g, "kind"));
	fprintf(to, "%-18s%llu\n%-18s%llu %%\n%-18s%llu\n", "weight",
		wire_number(g, "weight", 0), "cap",
		wire_number(g, "cap_percent", 0), "vCPUs",
		wire_number(g, "vcpus", 0));
	fprintf(to, "%-18s%s\n", "memory",
		show_bytes(text, wire_number(g, "memory_bytes", 0)));
	devices_show(to, g);
	fprintf(to, "%-18s%s\n", "the hypervisor's",
		show_bytes(text, wire_number(g, "overhead_bytes", 0)));
	fprintf(to, "%-18s%s\n", "up",
		show_seconds(text, seconds_of(g, "up_seconds")));
	fprintf(to, "%-18s%s\n", "CPU time",
		show_seconds(text, seconds_of(g, "cpu_seconds")));
	fprintf(to, "%-18s%llu\n", "exits", wire_number(g, "exits", 0));
	if (*text_of(g, "reason"))
		fprintf(to, "%-18s%s\n",
			wire_number(g, "restarts", 0) ? "reason" : "ended",
			text_of(g, "reason"));
	last_exits_show(to, g);
	return 0;
}

void show_info(FILE *to, struct json_object *reply)
{
	static const struct {
		const char *label, *name;
	} sizes[] = {
		{ "memory", "ram_bytes" },
		{ "the hypervisor's", "hypervisor_bytes" },
		{ "of it free", "hypervisor_free_bytes" },
		{ "pool for guests", "pool_bytes" },
		{ "free of it", "pool_free_bytes" },
	};
	char text[32];

	fprintf(to, "%-18s%s\n", "hypervisor", text_of(reply, "build"));
	fprintf(to, "%-18s%s\n", "up",
		show_seconds(text, seconds_of(reply, "up_seconds")));
	fprintf(to, "%-18s%llu on %llu node%s\n", "cores",
		wire_number(reply, "cores", 0), wire_number(reply, "nodes", 0),
		wire_number(reply, "nodes", 0) == 1 ? "" : "s");
	fprintf(to, "%-18s%llu, at most %llu\n", "guests",
		wire_number(reply, "guests", 0),
		wire_number(reply, "guests_max", 0));
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		fprintf(to, "%-18s%s\n", sizes[i].label,
			show_bytes(text, wire_number(reply, sizes[i].name, 0)));
	fprintf(to, "%-18s%.3f MHz\n", "TSC",
		(double)wire_number(reply, "tsc_khz", 0) / 1000);
}

void show_event(FILE *to, struct json_object *event)
{
	fprintf(to, "%s  %-20s %-9s %s\n", text_of(event, "time"),
		text_of(event, "name"), text_of(event, "state"),
		text_of(event, "reason"));
}

void show_json(FILE *to, struct json_object *reply)
{
	fprintf(to, "%s\n",
		json_object_to_json_string_ext(
			reply, JSON_C_TO_STRING_PRETTY |
				       JSON_C_TO_STRING_NOSLASHESCAPE));
}
