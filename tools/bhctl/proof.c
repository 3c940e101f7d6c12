/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See proof.h. Memory: all that guests map is sorted by its host address, and
 * neighbours are held against each other; then each range is cut at the edges
 * of what has one owner, and each piece must be that guest's. What may be in
 * two tables, by name: memory that is granted to the privileged guest, and the
 * scratch frame, which only that one maps. Over 400 lines: one proof.
 */
#include "tools/bhctl/proof.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VIOLATIONS_MAX 100u

struct span {
	u64 base, end;
	const char *guest; /* whose, or "" */
	const char *kind;  /* of an owner: free, guest, ... */
	bool privileged, granted;
};

struct spans {
	struct span *at;
	u32 count;
};

struct proof {
	struct json_object *audit, *violations;
	struct spans memory, ports, owners, pool;
	bool no_room;
};

static void violated(struct proof *p, const char *fmt, ...) __printf(2, 3);
static void violated(struct proof *p, const char *fmt, ...)
{
	size_t n = json_object_array_length(p->violations);
	char text[FAIL_TEXT_BYTES];
	va_list args;

	if (n > VIOLATIONS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json_object_array_add(
		p->violations,
		json_object_new_string(n < VIOLATIONS_MAX ? text : "and more"));
}

static struct json_object *array_of(struct json_object *o, const char *name)
{
	struct json_object *array;

	return json_object_object_get_ex(o, name, &array) &&
			       json_object_is_type(array, json_type_array)
		       ? array
		       : NULL;
}

static size_t length_of(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

static const char *text_of(struct json_object *o, const char *name)
{
	const char *text = wire_string(o, name);

	return text ? text : "";
}

static void span_add(struct proof *p, struct spans *s, struct span span)
{
	struct span *grown;

	if (s->count & (s->count - 1)) {
		s->at[s->count++] = span;
		return;
	}
	grown = realloc(s->at, MAX(s->count * 2, 1u) * sizeof(*grown));
	if (!grown) {
		p->no_room = true;
		return;
	}
	s->at = grown;
	s->at[s->count++] = span;
}

static int by_base(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->base != y->base)
		return x->base < y->base ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return strcmp(x->guest, y->guest);
}

/* The scratch frame is in one table many times: once is enough */
static void sort(struct spans *s)
{
	u32 out = 0;

	if (!s->count)
		return;
	qsort(s->at, s->count, sizeof(s->at[0]), by_base);
	for (u32 i = 1; i < s->count; i++)
		if (by_base(&s->at[out], &s->at[i]))
			s->at[++out] = s->at[i];
	s->count = out + 1;
}

/* --- read --- */

static void read_guest(struct proof *p, struct json_object *g)
{
	struct span of = {
		.guest = text_of(g, "name"),
		.kind = "",
		.privileged = wire_bool(g, "privileged"),
		.granted = wire_bool(g, "granted"),
	};
	struct json_object *memory = array_of(g, "memory");
	struct json_object *ports = array_of(g, "ports");

	for (size_t i = 0; i < length_of(memory); i++) {
		struct json_object *o = json_object_array_get_idx(memory, i);

		of.base = wire_number(o, "base", 0);
		of.end = of.base + wire_number(o, "bytes", 0);
		span_add(p, &p->memory, of);
	}
	for (size_t i = 0; i < length_of(ports); i++) {
		struct json_object *o = json_object_array_get_idx(ports, i);

		of.base = wire_number(o, "first", 0);
		of.end = of.base + wire_number(o, "count", 0);
		span_add(p, &p->ports, of);
	}
}

static struct json_object *guest_named(const struct proof *p, const char *name)
{
	struct json_object *guests = array_of(p->audit, "guests");

	for (size_t i = 0; i < length_of(guests); i++) {
		struct json_object *g = json_object_array_get_idx(guests, i);

		if (!strcmp(text_of(g, "name"), name))
			return g;
	}
	return NULL;
}

static void read_owners(struct proof *p, const char *list, struct spans *s)
{
	struct json_object *array = array_of(p->audit, list);

	for (size_t i = 0; i < length_of(array); i++) {
		struct json_object *o = json_object_array_get_idx(array, i);
		struct span of = {
			.base = wire_number(o, "base", 0),
			.guest = text_of(o, "guest"),
			.kind = text_of(o, "owner"),
		};
		struct json_object *g = guest_named(p, of.guest);

		of.end = of.base + wire_number(o, "bytes", 0);
		of.granted = g && wire_bool(g, "granted");
		span_add(p, s, of);
	}
	sort(s);
}

/* --- memory --- */

/* The one that has @at, or NULL; *@end: up to where that is so */
static const struct span *owner_of(const struct spans *s, u64 at, u64 *end)
{
	u32 lo = 0, hi = s->count;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (s->at[mid].end > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo == s->count)
		return NULL;
	if (s->at[lo].base > at) {
		*end = MIN(*end, s->at[lo].base);
		return NULL;
	}
	*end = MIN(*end, s->at[lo].end);
	return &s->at[lo];
}

/* May @m, the piece of a guest's memory, be what @o says? NULL: yes; else what
 * it is */
static const char *owner_refuses(const struct span *m, const struct span *o)
{
	if (!o)
		return "nobody's by any list";
	if (!strcmp(o->kind, "guest")) {
		if (!strcmp(o->guest, m->guest) ||
		    (m->privileged && o->granted))
			return NULL;
		return *o->guest ? o->guest : "a guest's that is not listed";
	}
	if (m->privileged &&
	    (!strcmp(o->kind, "device") || !strcmp(o->kind, "firmware") ||
	     !strcmp(o->kind, "scratch")))
		return NULL;
	return o->kind;
}

static void check_owner(struct proof *p, const struct span *m)
{
	for (u64 at = m->base; at < m->end;) {
		u64 end = m->end;
		const struct span *o = owner_of(&p->owners, at, &end);
		const char *whose;

		/* The pool's list says more; so it does of the scratch frame,
		 * which is the hypervisor's */
		if (o && (!strcmp(o->kind, "pool") ||
			  !strcmp(o->kind, "hypervisor"))) {
			const struct span *pool = owner_of(&p->pool, at, &end);

			o = pool ? pool : o;
		}
		whose = owner_refuses(m, o);
		if (whose)
			violated(p,
				 "memory %#llx to %#llx: guest %s maps it, and "
				 "its owner is %s",
				 at, end - 1, m->guest, whose);
		at = end;
	}
}

/* Is all of it one guest's, which has it granted to the other, privileged? */
static bool is_granted(const struct proof *p, const struct span *a,
		       const struct span *b, u64 at, u64 to)
{
	const struct span *privileged = a->privileged ? a : b;
	const struct span *other = a->privileged ? b : a;

	if (!privileged->privileged || !other->granted)
		return false;
	while (at < to) {
		u64 end = to;
		const struct span *o = owner_of(&p->pool, at, &end);

		if (!o || strcmp(o->guest, other->guest))
			return false;
		at = end;
	}
	return true;
}

static void check_memory(struct proof *p)
{
	const struct spans *s = &p->memory;

	for (u32 i = 0; i < s->count; i++) {
		const struct span *a = &s->at[i];

		check_owner(p, a);
		for (u32 j = i + 1; j < s->count && s->at[j].base < a->end;
		     j++) {
			const struct span *b = &s->at[j];
			u64 end = MIN(a->end, b->end);

			if (!strcmp(a->guest, b->guest) ||
			    is_granted(p, a, b, b->base, end))
				continue;
			violated(p,
				 "memory %#llx to %#llx: guests %s and %s both "
				 "map it",
				 b->base, end - 1, a->guest, b->guest);
		}
	}
}

/* --- the rest --- */

static void check_ports(struct proof *p)
{
	const struct spans *s = &p->ports;

	for (u32 i = 0; i < s->count; i++)
		for (u32 j = i + 1;
		     j < s->count && s->at[j].base < s->at[i].end; j++)
			if (strcmp(s->at[i].guest, s->at[j].guest))
				violated(p,
					 "ports %#llx to %#llx: guests %s and "
					 "%s both reach them",
					 s->at[j].base,
					 MIN(s->at[i].end, s->at[j].end) - 1,
					 s->at[i].guest, s->at[j].guest);
}

/* A port of an isolated guest, or where a device of the hypervisor's is */
static void check_port_policy(struct proof *p, struct json_object *g)
{
	struct json_object *ports = array_of(g, "ports");

	for (size_t i = 0; i < length_of(ports); i++) {
		struct json_object *o = json_object_array_get_idx(ports, i);
		u64 first = wire_number(o, "first", 0);

		if (wire_bool(o, "policy"))
			continue;
		violated(p,
			 "ports %#llx to %#llx: guest %s reaches what the "
			 "hypervisor keeps",
			 first, first + wire_number(o, "count", 0) - 1,
			 text_of(g, "name"));
	}
}

static void check_msrs(struct proof *p, struct json_object *g)
{
	struct json_object *msrs = array_of(g, "msrs");

	for (size_t i = 0; i < length_of(msrs); i++) {
		struct json_object *o = json_object_array_get_idx(msrs, i);

		if (wire_bool(o, "policy"))
			continue;
		violated(p,
			 "MSR %#llx, and %llu behind it: guest %s reaches what "
			 "the hypervisor's policy keeps",
			 wire_number(o, "first", 0),
			 wire_number(o, "count", 0) - 1, text_of(g, "name"));
	}
}

/* What cannot be two guests': in @list, by its members */
static bool is_same(struct json_object *a, struct json_object *b,
		    const char *const *members)
{
	for (; *members; members++) {
		struct json_object *x = NULL, *y = NULL;

		json_object_object_get_ex(a, *members, &x);
		json_object_object_get_ex(b, *members, &y);
		if (!json_object_equal(x, y))
			return false;
	}
	return true;
}

/* Who it is that @o is of, for a sentence */
static const char *side_of(struct json_object *o)
{
	const char *guest = text_of(o, "guest");

	return *guest ? guest : "the hypervisor";
}

static void check_pairs(struct proof *p, const char *list, const char *what,
			const char *const *members)
{
	struct json_object *array = array_of(p->audit, list);

	for (size_t i = 0; i < length_of(array); i++) {
		struct json_object *a = json_object_array_get_idx(array, i);

		for (size_t j = i + 1; j < length_of(array); j++) {
			struct json_object *b =
				json_object_array_get_idx(array, j);

			if (!strcmp(text_of(a, "guest"), text_of(b, "guest")) ||
			    !is_same(a, b, members))
				continue;
			violated(p, "%s %s: %s and %s both have it", what,
				 text_of(a, "source"), side_of(a), side_of(b));
		}
	}
}

static bool is_number_of_core(struct json_object *o)
{
	struct json_object *core = NULL;

	json_object_object_get_ex(o, "core", &core);
	return core;
}

/* A vector is one side's on a core; a number of all cores is on each */
static void check_vectors(struct proof *p)
{
	static const char *const vector[] = { "vector", NULL };
	static const char *const vector_of_core[] = { "vector", "core", NULL };
	struct json_object *array = array_of(p->audit, "interrupts");

	for (size_t i = 0; i < length_of(array); i++)
		for (size_t j = i + 1; j < length_of(array); j++) {
			struct json_object *a =
				json_object_array_get_idx(array, i);
			struct json_object *b =
				json_object_array_get_idx(array, j);
			bool cores =
				is_number_of_core(a) && is_number_of_core(b);

			if (!is_same(a, b, cores ? vector_of_core : vector) ||
			    !strcmp(text_of(a, "guest"), text_of(b, "guest")))
				continue;
			violated(p,
				 "interrupt vector %#llx: %s and %s both have "
				 "it",
				 wire_number(a, "vector", 0), side_of(a),
				 side_of(b));
		}
}

struct json_object *proof_make(struct json_object *audit)
{
	static const char *const source[] = { "kind", "source", NULL };
	static const char *const function[] = { "source", NULL };
	struct proof p = { .audit = audit,
			   .violations = json_object_new_array() };
	struct json_object *o = json_object_new_object();
	struct json_object *guests = array_of(audit, "guests");

	for (size_t i = 0; i < length_of(guests); i++) {
		read_guest(&p, json_object_array_get_idx(guests, i));
		check_msrs(&p, json_object_array_get_idx(guests, i));
		check_port_policy(&p, json_object_array_get_idx(guests, i));
	}
	read_owners(&p, "owners", &p.owners);
	read_owners(&p, "pool", &p.pool);
	sort(&p.memory);
	sort(&p.ports);
	check_memory(&p);
	check_ports(&p);
	check_pairs(&p, "interrupts", "interrupt", source);
	check_pairs(&p, "functions", "function", function);
	check_vectors(&p);
	if (p.no_room)
		violated(&p, "there is no memory for the proof");
	if (!wire_bool(audit, "consistent"))
		violated(&p,
			 "guests changed while they were looked at, at "
			 "each of %llu tries: look again",
			 wire_number(audit, "tries", 0));
	wire_add(o, "holds", json_object_new_boolean(!length_of(p.violations)));
	wire_add(o, "violations", p.violations);
	free(p.memory.at);
	free(p.ports.at);
	free(p.owners.at);
	free(p.pool.at);
	return o;
}
