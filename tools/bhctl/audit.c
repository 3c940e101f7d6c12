/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl audit: what each guest reaches, and the proof, as text or JSON */
#include <string.h>

#include "tools/bhctl/args.h"
#include "tools/bhctl/proof.h"
#include "tools/bhctl/show.h"

static const char *text_of(struct json_object *o, const char *name)
{
	const char *text = wire_string(o, name);

	return text ? text : "";
}

static void each(struct json_object *o, const char *list,
		 void (*show)(struct json_object *item))
{
	struct json_object *array;

	if (!json_object_object_get_ex(o, list, &array))
		return;
	for (size_t i = 0; i < json_object_array_length(array); i++)
		show(json_object_array_get_idx(array, i));
}

static void show_memory(struct json_object *o)
{
	u64 base = wire_number(o, "base", 0),
	    bytes = wire_number(o, "bytes", 0);
	char size[32];

	printf("  memory     0x%012llx to 0x%012llx  %8s  at %#llx  %s %s\n",
	       base, base + bytes - 1, show_bytes(size, bytes),
	       wire_number(o, "guest_base", 0), text_of(o, "rights"),
	       text_of(o, "type"));
}

static void show_ports(struct json_object *o)
{
	u64 first = wire_number(o, "first", 0);

	printf("  ports      0x%04llx to 0x%04llx\n", first,
	       first + wire_number(o, "count", 0) - 1);
}

static void show_msrs(struct json_object *o)
{
	u64 first = wire_number(o, "first", 0);

	printf("  MSRs       0x%08llx to 0x%08llx  %s\n", first,
	       first + wire_number(o, "count", 0) - 1, text_of(o, "rights"));
}

static void show_reach(struct json_object *g)
{
	printf("guest %s, %llu pages of the hypervisor's are for it%s%s\n",
	       text_of(g, "name"), wire_number(g, "hypervisor_pages", 0),
	       wire_bool(g, "privileged") ? ", privileged" : "",
	       wire_bool(g, "granted") ? ", granted to the privileged guest"
				       : "");
	each(g, "memory", show_memory);
	each(g, "ports", show_ports);
	each(g, "msrs", show_msrs);
}

static void show_owner(struct json_object *o)
{
	u64 base = wire_number(o, "base", 0),
	    bytes = wire_number(o, "bytes", 0);
	char size[32];

	printf("  0x%012llx to 0x%012llx  %8s  %s %s\n", base, base + bytes - 1,
	       show_bytes(size, bytes), text_of(o, "owner"),
	       text_of(o, "guest"));
}

static void show_interrupt(struct json_object *o)
{
	struct json_object *core = NULL;
	const char *guest = text_of(o, "guest");

	json_object_object_get_ex(o, "core", &core);
	printf("  %-8s %-14s vector %#llx of %s%s  %s\n", text_of(o, "kind"),
	       text_of(o, "source"), wire_number(o, "vector", 0),
	       core ? "core " : "all cores",
	       core ? json_object_get_string(core) : "",
	       *guest ? guest : "the hypervisor");
}

static void show_function(struct json_object *o)
{
	const char *guest = text_of(o, "guest");

	printf("  %s  %-8s %s\n", text_of(o, "source"), text_of(o, "access"),
	       *guest ? guest : "the hypervisor");
}

static void show_sums(struct json_object *audit)
{
	struct json_object *sums;

	if (!json_object_object_get_ex(audit, "sums", &sums))
		return;
	json_object_object_foreach(sums, name, value)
		printf("  %-24s%s\n", name, json_object_get_string(value));
}

static void show_violation(struct json_object *o)
{
	printf("  VIOLATED   %s\n", json_object_get_string(o));
}

static void show_all(struct json_object *audit, struct json_object *proof)
{
	each(audit, "guests", show_reach);
	puts("who has the machine's memory");
	each(audit, "owners", show_owner);
	puts("who has the pool's");
	each(audit, "pool", show_owner);
	puts("interrupts");
	each(audit, "interrupts", show_interrupt);
	puts("functions");
	each(audit, "functions", show_function);
	puts("sums");
	show_sums(audit);
	puts("proof");
	each(proof, "violations", show_violation);
	if (wire_bool(proof, "holds"))
		puts("  holds: each page that a guest maps is its own, or "
		     "granted to it, or a device's of the\n"
		     "  privileged guest; no other page, and no port, "
		     "interrupt or function, is in two guests;\n"
		     "  no MSR passes that the policy keeps. It is not about "
		     "DMA: devices of the privileged\n"
		     "  guest reach all that their drivers tell them.");
}

int audit_show(const struct args *a, struct json_object *audit,
	       struct failure *f)
{
	struct json_object *proof = proof_make(audit), *first;
	bool holds = wire_bool(proof, "holds");

	wire_add(audit, "proof", proof);
	if (a->json)
		show_json(stdout, audit);
	else
		show_all(audit, proof);
	if (holds)
		return 0;
	json_object_object_get_ex(proof, "violations", &first);
	return failed(
		f, FAIL_OTHER, "the proof does not hold: %s",
		json_object_get_string(json_object_array_get_idx(first, 0)));
}
