/* SPDX-License-Identifier: BSD-2-Clause */
/* See top.h: what bhctl top shows, without the terminal */
#include <stdlib.h>
#include <string.h>

#include "tools/bhctl/show.h"
#include "tools/bhctl/top.h"

#define EXITS_SHOWN 12

static struct json_object *array_of(struct json_object *o, const char *name)
{
	struct json_object *a;

	return o && json_object_object_get_ex(o, name, &a) &&
			       json_object_is_type(a, json_type_array)
		       ? a
		       : NULL;
}

static size_t count_of(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

static double number_of(struct json_object *o, const char *name)
{
	struct json_object *v;

	return o && json_object_object_get_ex(o, name, &v)
		       ? json_object_get_double(v)
		       : 0;
}

static const char *text_of(struct json_object *o, const char *name)
{
	const char *text = wire_string(o, name);

	return text ? text : "";
}

/* The entry of @array with the id of @o; NULL: it is new */
static struct json_object *same(struct json_object *array,
				struct json_object *o)
{
	u64 id = wire_number(o, "id", 0);

	for (size_t i = 0; i < count_of(array); i++) {
		struct json_object *other = json_object_array_get_idx(array, i);

		if (wire_number(other, "id", 0) == id)
			return other;
	}
	return NULL;
}

/* How much @name grew in a second; what is new or went back did not */
static double rate(struct json_object *now, struct json_object *before,
		   const char *name, double seconds)
{
	double grew = number_of(now, name) - number_of(before, name);

	return before && seconds > 0 && grew > 0 ? grew / seconds : 0;
}

struct look {
	FILE *to;
	struct json_object *now, *before;
	double seconds; /* between them */
	u32 columns;    /* of the screen */
};

/* A list that is shown item by item, in lines as long as the screen is wide */
struct items {
	const struct look *l;
	u32 indent, at;
};

static struct items items_begin(const struct look *l, const char *title)
{
	int n = fprintf(l->to, "\n  %s", title) - 1;

	return (struct items){ .l = l, .indent = (u32)n, .at = (u32)n };
}

static void item_show(struct items *s, const char *text)
{
	u32 len = (u32)strlen(text) + 2;

	if (s->at > s->indent && s->at + len > s->l->columns) {
		fprintf(s->l->to, "\n%*s", (int)s->indent, "");
		s->at = s->indent;
	}
	fprintf(s->l->to, "  %s", text);
	s->at += len;
}

static void show_guests(const struct look *l, u32 chosen)
{
	struct json_object *guests = array_of(l->now, "guests");
	struct json_object *old = array_of(l->before, "guests");
	char memory[32];

	fprintf(l->to, "  %-20s %-9s %5s %10s %8s %12s\n", "NAME", "STATE",
		"VCPUS", "MEMORY", "CPU %", "EXITS/S");
	for (size_t i = 0; i < count_of(guests); i++) {
		struct json_object *g = json_object_array_get_idx(guests, i);
		struct json_object *o = same(old, g);

		fprintf(l->to, "%c %-20s %-9s %5llu %10s %8.1f %12.0f\n",
			i == chosen ? '>' : ' ', text_of(g, "name"),
			text_of(g, "state"), wire_number(g, "vcpus", 0),
			show_bytes(memory, wire_number(g, "memory_bytes", 0)),
			100 * rate(g, o, "cpu_seconds", l->seconds),
			rate(g, o, "exits", l->seconds));
	}
}

static void show_vcpus(const struct look *l, struct json_object *g,
		       struct json_object *o)
{
	struct json_object *vcpus = array_of(g, "vcpu");
	struct json_object *old = array_of(o, "vcpu");

	fprintf(l->to, "\n  %-6s %-5s %-12s %8s %8s %12s   of %s\n", "VCPU",
		"CORE", "STATE", "CPU %", "WAITS %", "EXITS/S",
		text_of(g, "name"));
	for (size_t i = 0; i < count_of(vcpus); i++) {
		struct json_object *v = json_object_array_get_idx(vcpus, i);
		struct json_object *before = same(old, v);

		fprintf(l->to, "  %-6llu %-5llu %-12s %8.1f %8.1f %12.0f\n",
			wire_number(v, "id", 0), wire_number(v, "core", 0),
			text_of(v, "state"),
			100 * rate(v, before, "run_seconds", l->seconds),
			100 * rate(v, before, "wait_seconds", l->seconds),
			rate(v, before, "exits", l->seconds));
	}
}

struct kind {
	const char *name;
	double rate;
};

static int by_rate(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	return x->rate > y->rate ? -1 : x->rate < y->rate;
}

static void show_exits(const struct look *l, struct json_object *g,
		       struct json_object *o)
{
	struct json_object *exits, *old = NULL;
	struct kind *kinds;
	struct items items;
	char text[64];
	u32 count = 0;

	if (!json_object_object_get_ex(g, "exit", &exits))
		return;
	if (o)
		json_object_object_get_ex(o, "exit", &old);
	kinds = calloc((size_t)json_object_object_length(exits) + 1,
		       sizeof(*kinds));
	if (!kinds)
		return;
	json_object_object_foreach(exits, name, value)
	{
		(void)value;
		kinds[count].name = name;
		kinds[count++].rate = rate(exits, old, name, l->seconds);
	}
	qsort(kinds, count, sizeof(*kinds), by_rate);
	items = items_begin(l, "exits a second:");
	for (u32 i = 0; i < count && i < EXITS_SHOWN; i++) {
		snprintf(text, sizeof(text), "%s %.0f", kinds[i].name,
			 kinds[i].rate);
		if (kinds[i].rate > 0)
			item_show(&items, text);
	}
	fputc('\n', l->to);
	free(kinds);
}

/* Where histograms are metered, its time in the hypervisor, too */
static void core_text(char *text, size_t size, const struct look *l,
		      struct json_object *c, struct json_object *old)
{
	double idle = rate(c, old, "idle_seconds", l->seconds);
	double host = rate(c, old, "host_seconds", l->seconds);
	int n = snprintf(text, size, "%llu: %.0f", wire_number(c, "id", 0),
			 l->seconds > 0 ? 100 * MAX(1 - idle, 0.) : 0.);

	if (host > 0 && n > 0 && (size_t)n < size)
		snprintf(text + n, size - (size_t)n, " (%.1f host)",
			 100 * host);
}

static void show_cores(const struct look *l)
{
	struct json_object *cores = array_of(l->now, "cores");
	struct json_object *old = array_of(l->before, "cores");
	struct items items = items_begin(l, "cores, busy %:");
	char text[64];

	for (size_t i = 0; i < count_of(cores); i++) {
		struct json_object *c = json_object_array_get_idx(cores, i);

		core_text(text, sizeof(text), l, c, same(old, c));
		item_show(&items, text);
	}
	fputc('\n', l->to);
}

u32 top_text(FILE *to, struct json_object *now, struct json_object *before,
	     u32 chosen, u32 columns)
{
	struct json_object *guests = array_of(now, "guests");
	struct look l = {
		.to = to, .now = now, .before = before, .columns = columns
	};
	struct json_object *g;

	if (before)
		l.seconds = number_of(now, "now_seconds") -
			    number_of(before, "now_seconds");
	show_guests(&l, chosen);
	if (chosen < count_of(guests)) {
		g = json_object_array_get_idx(guests, chosen);
		show_vcpus(&l, g, same(array_of(before, "guests"), g));
		show_exits(&l, g, same(array_of(before, "guests"), g));
	}
	show_cores(&l);
	return chosen + 1;
}
