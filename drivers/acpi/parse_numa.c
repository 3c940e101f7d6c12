/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which NUMA node cores and memory are in, by the tables SRAT and SLIT (ACPI
 * 6.4, 5.2.16 *System Resource Affinity Table (SRAT)*, 5.2.17), see parse.h.
 * What is not enabled, empty or of another processor's kind is passed over. An
 * SRAT by which memory is in two nodes is wrong elsewhere, too, so none of it
 * is used. Called by acpi.c at boot, by the rules of parse.c; no lock.
 */
#include "drivers/acpi/parse.h"

#include "lib/log.h"
#include "lib/string.h"

/* False: there is no room for another node */
static bool domain_add(struct acpi_facts *f, u32 domain)
{
	struct acpi_numa *n = &f->numa;
	u32 i = 0;

	while (i < n->node_count && n->domains[i] < domain)
		i++;
	if (i < n->node_count && n->domains[i] == domain)
		return true;
	if (acpi_list_full(f, LIST_NODES, n->node_count))
		return false;
	for (u32 k = n->node_count; k > i; k--)
		n->domains[k] = n->domains[k - 1];
	n->domains[i] = domain;
	n->node_count++;
	return true;
}

/* The first entry of a core counts */
static bool core_known(const struct acpi_numa *n, u32 apic_id)
{
	for (u32 i = 0; i < n->cpu_count; i++)
		if (n->cpus[i].apic_id == apic_id)
			return true;
	return false;
}

static void core_add(struct acpi_facts *f, u32 apic_id, u32 domain, u32 clock)
{
	struct acpi_numa *n = &f->numa;

	if (acpi_list_full(f, LIST_NODE_CPUS, n->cpu_count) ||
	    core_known(n, apic_id) || !domain_add(f, domain))
		return;
	n->cpus[n->cpu_count++] =
		(struct acpi_node_cpu){ apic_id, domain, clock };
}

static u32 short_domain(const struct srat_lapic *e, u8 revision)
{
	if (revision < SRAT_LONG_DOMAIN)
		return e->domain_low;
	return e->domain_low | (u32)e->domain_high[0] << 8 |
	       (u32)e->domain_high[1] << 16 | (u32)e->domain_high[2] << 24;
}

static bool srat_lapic(struct acpi_facts *f, const void *p, u8 revision)
{
	struct srat_lapic e;

	memcpy(&e, p, sizeof(e));
	if (e.flags & SRAT_ENABLED)
		core_add(f, e.apic_id, short_domain(&e, revision),
			 e.clock_domain);
	return true;
}

static bool srat_x2apic(struct acpi_facts *f, const void *p, u8 revision)
{
	struct srat_x2apic e;

	memcpy(&e, p, sizeof(e));
	if (e.flags & SRAT_ENABLED)
		core_add(f, e.apic_id, e.domain, e.clock_domain);
	return true;
}

/* False: another node has some of it */
static bool range_add(struct acpi_facts *f, const struct acpi_node_range *r)
{
	struct acpi_numa *n = &f->numa;
	u32 at = 0;

	if (acpi_list_full(f, LIST_NODE_RANGES, n->range_count))
		return true;
	for (u32 i = 0; i < n->range_count; i++) {
		const struct acpi_node_range *o = &n->ranges[i];

		if (o->base < r->base + r->size &&
		    r->base < o->base + o->size && o->domain != r->domain)
			return false;
		if (o->base <= r->base)
			at = i + 1;
	}
	if (!domain_add(f, r->domain))
		return true;
	for (u32 k = n->range_count; k > at; k--)
		n->ranges[k] = n->ranges[k - 1];
	n->ranges[at] = *r;
	n->range_count++;
	return true;
}

static bool srat_memory(struct acpi_facts *f, const void *p, u8 revision)
{
	struct acpi_node_range r;
	struct srat_memory e;

	memcpy(&e, p, sizeof(e));
	r = (struct acpi_node_range){
		.base = e.base,
		.size = e.size,
		.domain = revision < SRAT_LONG_DOMAIN ? (u8)e.domain : e.domain,
		.flags = e.flags,
	};
	if (!(e.flags & SRAT_ENABLED) || !e.size || e.base + e.size < e.base)
		return true;
	return range_add(f, &r);
}

static bool srat_initiator(struct acpi_facts *f, const void *p, u8 revision)
{
	struct srat_initiator e;

	memcpy(&e, p, sizeof(e));
	if (!(e.flags & SRAT_ENABLED) ||
	    acpi_list_full(f, LIST_INITIATORS, f->numa.initiator_count) ||
	    !domain_add(f, e.domain))
		return true;
	f->numa.initiators[f->numa.initiator_count++] = e;
	return true;
}

/* By entry type; types that are not here are skipped */
static const struct {
	u8 bytes;
	bool (*parse)(struct acpi_facts *f, const void *p, u8 revision);
} srat_rows[SRAT_TYPES] = {
	[SRAT_LAPIC] = { sizeof(struct srat_lapic), srat_lapic },
	[SRAT_MEMORY] = { sizeof(struct srat_memory), srat_memory },
	[SRAT_X2APIC] = { sizeof(struct srat_x2apic), srat_x2apic },
	[SRAT_INITIATOR] = { sizeof(struct srat_initiator), srat_initiator },
};

static bool entry_parse(struct acpi_facts *f, const u8 *p, u8 revision)
{
	u8 type = p[0], length = p[1];

	if (type >= SRAT_TYPES || !srat_rows[type].parse ||
	    length < srat_rows[type].bytes)
		return true;
	return srat_rows[type].parse(f, p, revision);
}

/* Why it cannot be used; NULL: it can */
static const char *entries_parse(struct acpi_facts *f,
				 const struct acpi_header *t)
{
	const u8 *p = (const u8 *)t;
	u32 at = sizeof(struct acpi_srat);

	while (t->length > at && t->length - at >= sizeof(struct madt_entry)) {
		u8 length = p[at + 1];

		if (length < sizeof(struct madt_entry) ||
		    length > t->length - at)
			return "is cut";
		if (!entry_parse(f, p + at, t->revision))
			return "puts memory into two nodes";
		at += length;
	}
	return NULL;
}

void acpi_parse_srat(struct acpi_facts *f, const struct acpi_header *t)
{
	bool has_distances = f->numa.has_distances;
	const char *why = entries_parse(f, t);

	if (!why)
		return;
	memset(&f->numa, 0, sizeof(f->numa));
	f->numa.has_distances = has_distances;
	log_warn("acpi",
		 "the SRAT %s: the machine is run as if it had one NUMA node; "
		 "a firmware update may cure it",
		 why);
}

void acpi_parse_slit(struct acpi_facts *f, const struct acpi_header *t)
{
	const u8 *distance = (const u8 *)t + sizeof(struct acpi_slit);
	struct acpi_slit slit;

	if (t->length < sizeof(slit))
		return;
	memcpy(&slit, t, sizeof(slit));
	if (slit.count > 4096 ||
	    slit.count * slit.count > t->length - sizeof(slit))
		return;
	for (u64 i = 0; i < slit.count; i++)
		for (u64 k = 0; k < slit.count; k++) {
			u8 d = distance[i * slit.count + k];

			if (i == k ? d != SLIT_LOCAL : d <= SLIT_LOCAL)
				return;
		}
	f->numa.has_distances = slit.count;
}
