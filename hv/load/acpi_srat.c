/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SRAT of the privileged guest: its vCPUs in the nodes of the cores that
 * they live on, and the machine's memory ranges, without what others have at
 * their ends (ACPI 6.4, 5.2.16). Proximity domains stay the host's, and so do
 * the distances of the SLIT. vCPUs come node by node, since kernels number
 * nodes as they meet them. Called by acpi_rewrite.c. No locks.
 */
#include "hv/core/stretch.h"
#include "hv/core/vcpu.h"
#include "hv/load/acpi_tables.h"
#include "include/hw/lapic.h"
#include "mm/owner.h"

/* Until the core takes the interrupts that wait */
#define ENTRIES_AT_ONCE 8u

static void add_long(struct acpi_writer *w, const struct acpi_node_cpu *c,
		     u32 id)
{
	struct srat_x2apic *x = acpi_writer_take(w, sizeof(*x), 1);

	if (x)
		*x = (struct srat_x2apic){ .entry = { SRAT_X2APIC, sizeof(*x) },
					   .domain = c->domain,
					   .apic_id = id,
					   .flags = SRAT_ENABLED,
					   .clock_domain = c->clock_domain };
}

static void add_short(struct acpi_writer *w, const struct acpi_node_cpu *c,
		      u32 id)
{
	struct srat_lapic *l = acpi_writer_take(w, sizeof(*l), 1);

	if (l)
		*l = (struct srat_lapic){
			.entry = { SRAT_LAPIC, sizeof(*l) },
			.domain_low = (u8)c->domain,
			.apic_id = (u8)id,
			.flags = SRAT_ENABLED,
			.domain_high = { (u8)(c->domain >> 8),
					 (u8)(c->domain >> 16),
					 (u8)(c->domain >> 24) },
			.clock_domain = c->clock_domain,
		};
}

static void add_vcpu(struct acpi_writer *w, const struct acpi_node_cpu *c,
		     u32 id)
{
	if (id > XAPIC_ID_MAX)
		add_long(w, c, id);
	else
		add_short(w, c, id);
}

/* From number *@at on, which becomes the one behind it: tables mostly have the
 * cores in the order of vCPUs */
static const struct acpi_node_cpu *core_find(u32 apic_id, u32 *at)
{
	u32 count = acpi.numa.cpu_count;

	for (u32 n = 0; n < count; n++) {
		const struct acpi_node_cpu *c;

		if (*at >= count)
			*at = 0;
		c = &acpi.numa.cpus[(*at)++];
		if (c->apic_id == apic_id)
			return c;
	}
	return NULL;
}

/* With very many cores that is long, and others may want this one */
static void add_vcpus(struct acpi_writer *w, u32 domain)
{
	const struct vm *vm = w->vm;
	u32 at = 0;

	for (u32 i = 0; i < vm->vcpu_count; i++) {
		const struct vcpu *v = vm->vcpus[i];
		const struct acpi_node_cpu *c =
			core_find(v->entity.cpu->apic_id, &at);

		if (c && c->domain == domain)
			add_vcpu(w, c, v->id);
		if (i % ENTRIES_AT_ONCE == ENTRIES_AT_ONCE - 1)
			stretch_look();
	}
}

static bool is_foreign(const struct vm *vm, const struct extent *e)
{
	return e->kind == OWNER_HYPERVISOR ||
	       (e->kind == OWNER_GUEST && e->vm != vm->id);
}

/* Without what is others' at its ends; false: all of it is */
static bool range_cut(const struct vm *vm, struct acpi_node_range *r)
{
	u64 low = r->base, high = r->base;

	for (u64 at = r->base; at < r->base + r->size;) {
		struct extent e = owner_find(HPA(at));
		u64 end = MIN(e.base + e.size, r->base + r->size);

		if (end <= at) /* beyond all addresses */
			end = r->base + r->size;
		if (!is_foreign(vm, &e)) {
			if (high == r->base)
				low = at;
			high = end;
		}
		at = end;
	}
	r->base = low;
	r->size = high - low;
	return r->size;
}

static void add_range(struct acpi_writer *w, struct acpi_node_range r)
{
	struct srat_memory *m;

	if (!range_cut(w->vm, &r))
		return;
	m = acpi_writer_take(w, sizeof(*m), 1);
	if (m)
		*m = (struct srat_memory){ .entry = { SRAT_MEMORY, sizeof(*m) },
					   .domain = r.domain,
					   .base = r.base,
					   .size = r.size,
					   .flags = r.flags };
}

static void add_initiator(struct acpi_writer *w, const struct srat_initiator *e)
{
	struct srat_initiator *i = acpi_writer_take(w, sizeof(*i), 1);

	if (!i)
		return;
	*i = *e;
	i->entry.length = sizeof(*i);
}

bool acpi_write_srat(struct acpi_writer *w)
{
	const struct acpi_numa *n = &acpi.numa;
	struct acpi_srat *s;

	if (!n->node_count)
		return false;
	s = acpi_writer_take(w, sizeof(*s), 8);
	if (!s)
		return false;
	s->one = 1;
	for (u32 i = 0; i < n->node_count; i++)
		add_vcpus(w, n->domains[i]);
	for (u32 i = 0; i < n->initiator_count; i++)
		add_initiator(w, &n->initiators[i]);
	for (u32 i = 0; i < n->range_count; i++)
		add_range(w, n->ranges[i]);
	acpi_writer_add(w, &s->header, "SRAT", SRAT_REVISION,
			(u32)(w->buf + w->used - (u8 *)s));
	return true;
}
