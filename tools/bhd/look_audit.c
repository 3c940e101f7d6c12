/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests can reach, as JSON; bhctl makes the proof of it
 * (tools/bhctl/proof.h). The form is docs/bhctl.schema.json. Numbers of the
 * hypervisor's that nobody knows become "unknown", and no proof holds with one.
 */
#include <stdio.h>
#include <string.h>

#include "tools/bhd/request.h"
#include "tools/control/audit.h"

#define NAME_OF(names, kind)                                                   \
	((kind) < ARRAY_SIZE(names) ? (names)[kind] : "unknown")

static const char *guest_name(const struct audit *a, u64 id)
{
	for (u32 i = 0; i < a->guest_count; i++)
		if (a->guests[i].about.id == id)
			return a->guests[i].about.name;
	return "";
}

static const char *rights_text(char text[4], u32 flags)
{
	u32 n = 0;

	if (flags & BH_CTL_REACH_R)
		text[n++] = 'r';
	if (flags & BH_CTL_REACH_W)
		text[n++] = 'w';
	if (flags & BH_CTL_REACH_X)
		text[n++] = 'x';
	text[n] = 0;
	return text;
}

static struct json_object *
each(const struct audit *a, const struct audit_list *list,
     void (*fill)(const struct audit *a, struct json_object *o,
		  const struct bh_ctl_reach *r))
{
	struct json_object *array = json_object_new_array();
	const struct bh_ctl_reach *r = list->l.items;

	for (u32 i = 0; i < list->l.count; i++) {
		struct json_object *o = json_object_new_object();

		fill(a, o, &r[i]);
		json_object_array_add(array, o);
	}
	return array;
}

static void fill_memory(const struct audit *a, struct json_object *o,
			const struct bh_ctl_reach *r)
{
	static const char *const types[] = { "write-back", "uncached",
					     "write-combining" };
	char text[4];

	wire_add_number(o, "base", r->base);
	wire_add_number(o, "bytes", r->size);
	wire_add_number(o, "guest_base", r->where);
	wire_add_string(o, "rights", rights_text(text, r->flags));
	wire_add_string(o, "type", NAME_OF(types, r->kind));
}

static void fill_ports(const struct audit *a, struct json_object *o,
		       const struct bh_ctl_reach *r)
{
	wire_add_number(o, "first", r->base);
	wire_add_number(o, "count", r->size);
	wire_add(o, "policy",
		 json_object_new_boolean(r->flags & BH_CTL_REACH_POLICY));
}

static void fill_msrs(const struct audit *a, struct json_object *o,
		      const struct bh_ctl_reach *r)
{
	char text[4];

	fill_ports(a, o, r);
	wire_add_string(o, "rights",
			rights_text(text, r->flags & ~BH_CTL_REACH_X));
}

static void fill_owner(const struct audit *a, struct json_object *o,
		       const struct bh_ctl_reach *r)
{
	static const char *const kinds[] = {
		[BH_CTL_OWNER_FREE] = "free",
		[BH_CTL_OWNER_HYPERVISOR] = "hypervisor",
		[BH_CTL_OWNER_GUEST] = "guest",
		[BH_CTL_OWNER_FIRMWARE] = "firmware",
		[BH_CTL_OWNER_DEVICE] = "device",
		[BH_CTL_OWNER_KEPT] = "kept",
		[BH_CTL_OWNER_UNUSABLE] = "unusable",
		[BH_CTL_OWNER_POOL] = "pool",
		[BH_CTL_OWNER_SCRATCH] = "scratch",
		[BH_CTL_OWNER_FILES] = "files",
	};

	wire_add_number(o, "base", r->base);
	wire_add_number(o, "bytes", r->size);
	wire_add_string(o, "owner", NAME_OF(kinds, r->kind));
	wire_add_string(o, "guest", guest_name(a, r->owner));
}

static void add_address(struct json_object *o, u64 address)
{
	char text[32];

	snprintf(text, sizeof(text), "%04llx:%02llx:%02llx.%llu",
		 address >> 16 & 0xffff, address >> 8 & 0xff,
		 address >> 3 & 0x1f, address & 7);
	wire_add_string(o, "source", text);
}

static void fill_interrupt(const struct audit *a, struct json_object *o,
			   const struct bh_ctl_reach *r)
{
	static const char *const kinds[] = { "own", "pin", "message" };
	char text[32];

	snprintf(text, sizeof(text), "pin %llu", r->base);
	if (r->kind == BH_CTL_SOURCE_MESSAGE)
		add_address(o, r->base);
	else
		wire_add_string(o, "source",
				r->kind == BH_CTL_SOURCE_PIN ? text : "");
	wire_add_string(o, "kind", NAME_OF(kinds, r->kind));
	wire_add_number(o, "vector", r->where & 0xff);
	wire_add(o, "core",
		 r->flags & BH_CTL_REACH_ALL
			 ? NULL
			 : json_object_new_int((int)(r->where >> 32)));
	wire_add_string(o, "guest", guest_name(a, r->owner));
}

static void fill_function(const struct audit *a, struct json_object *o,
			  const struct bh_ctl_reach *r)
{
	static const char *const kinds[] = { "whole", "fixed", "kept",
					     "virtual", "hidden" };

	add_address(o, r->base);
	wire_add_string(o, "access", NAME_OF(kinds, r->kind));
	wire_add_string(o, "guest", guest_name(a, r->owner));
}

static const char *const sum_names[] = { "hypervisor_free_pages",
					 "hypervisor_own_pages",
					 "pool_free_bytes", "guests",
					 "vectors" };

static struct json_object *sums_object(const struct audit *a)
{
	struct json_object *o = json_object_new_object();
	const struct bh_ctl_reach *r = a->sums.l.items;

	for (u32 i = 0; i < ARRAY_SIZE(sum_names); i++) {
		u64 value = 0;

		for (u32 k = 0; k < a->sums.l.count; k++)
			if (r[k].kind == i)
				value = r[k].size;
		wire_add_number(o, sum_names[i], value);
	}
	return o;
}

static struct json_object *guest_object(const struct audit *a,
					const struct audit_guest *g)
{
	struct json_object *o = json_object_new_object();
	u32 flags = g->about.flags;

	wire_add_number(o, "id", g->about.id);
	wire_add_string(o, "name", g->about.name);
	wire_add(o, "privileged",
		 json_object_new_boolean(flags & BH_CTL_GUEST_PRIVILEGED));
	wire_add(o, "granted",
		 json_object_new_boolean(flags & BH_CTL_GUEST_GRANTED));
	wire_add_number(o, "hypervisor_pages",
			g->about.overhead_bytes / PAGE_SIZE);
	wire_add(o, "memory", each(a, &g->memory, fill_memory));
	wire_add(o, "ports", each(a, &g->ports, fill_ports));
	wire_add(o, "msrs", each(a, &g->msrs, fill_msrs));
	return o;
}

struct json_object *look_audit(struct bhd *b, struct json_object *o,
			       struct failure *f)
{
	struct json_object *reply, *guests;
	struct audit a;

	if (audit_read(&b->ring, &a, f))
		return NULL;
	reply = json_object_new_object();
	guests = json_object_new_array();
	wire_add(reply, "consistent", json_object_new_boolean(a.whole));
	wire_add_number(reply, "tries", a.tries);
	for (u32 i = 0; i < a.guest_count; i++)
		json_object_array_add(guests, guest_object(&a, &a.guests[i]));
	wire_add(reply, "guests", guests);
	wire_add(reply, "owners", each(&a, &a.owners, fill_owner));
	wire_add(reply, "pool", each(&a, &a.pool, fill_owner));
	wire_add(reply, "interrupts", each(&a, &a.interrupts, fill_interrupt));
	wire_add(reply, "functions", each(&a, &a.functions, fill_function));
	wire_add(reply, "sums", sums_object(&a));
	audit_free(&a);
	return reply;
}
