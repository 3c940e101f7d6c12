/* SPDX-License-Identifier: BSD-2-Clause */
/* In which NUMA node something is, see acpi.h. Any core; no lock: the facts are
 * constant. */
#include "drivers/acpi/acpi.h"

static int node_of_domain(u32 domain)
{
	for (u32 i = 0; i < acpi.numa.node_count; i++)
		if (acpi.numa.domains[i] == domain)
			return (int)i;
	return -1;
}

int acpi_node_of_core(u32 apic_id)
{
	for (u32 i = 0; i < acpi.numa.cpu_count; i++)
		if (acpi.numa.cpus[i].apic_id == apic_id)
			return node_of_domain(acpi.numa.cpus[i].domain);
	return -1;
}

int acpi_node_of_range(const struct acpi_node_range *r)
{
	return node_of_domain(r->domain);
}
