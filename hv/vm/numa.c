/* SPDX-License-Identifier: BSD-2-Clause */
/* Which NUMA node a guest is placed on, see numa.h */
#include "hv/vm/numa.h"

#include "drivers/acpi/acpi.h"
#include "hv/core/vcpu.h"
#include "lib/log.h"
#include "mm/owner.h"
#include "sched/placement.h"

/* What decides between two nodes */
struct candidate {
	u32 cores;  /* that the guest may have */
	u32 load;   /* what lives on them */
	bool roomy; /* a core for each vCPU */
};

u32 numa_node_count(void)
{
	return MAX(acpi.numa.node_count, 1u);
}

/* How much of [@base, @base + @size) is @node's */
static u64 node_share(u32 node, u64 base, u64 size)
{
	u64 sum = 0;

	if (!acpi.numa.node_count)
		return size;
	for (u32 i = 0; i < acpi.numa.range_count; i++) {
		const struct acpi_node_range *r = &acpi.numa.ranges[i];
		u64 low = MAX(base, r->base);
		u64 high = MIN(base + size, r->base + r->size);

		if (low < high && acpi_node_of_range(r) == (int)node)
			sum += high - low;
	}
	return sum;
}

static bool is_ram(u32 type, bool special)
{
	return type == BOOT_MEM_CONVENTIONAL || type == BOOT_MEM_LOADER_CODE ||
	       type == BOOT_MEM_LOADER_DATA || type == BOOT_MEM_BS_CODE ||
	       type == BOOT_MEM_BS_DATA ||
	       (special && type == BOOT_MEM_SPECIAL);
}

u64 numa_ram_bytes(const struct boot_info *bi, u32 node, bool special)
{
	u64 sum = 0;

	for (u32 i = 0; i < bi->mem_count && i < BOOT_MAX_MEM; i++)
		if (is_ram(bi->mem[i].type, special))
			sum += node_share(node, bi->mem[i].base,
					  bi->mem[i].size);
	return sum;
}

u64 numa_free_bytes(u32 node)
{
	u64 sum = 0;

	for (u32 i = 0; i < owner_count(); i++) {
		const struct extent *e = owner_at(i);

		if (e->kind == OWNER_FREE)
			sum += node_share(node, e->base, e->size);
	}
	return sum;
}

bool numa_cores(u32 node, const u64 *allowed, u64 *out)
{
	bool any = false;

	for (u32 i = 0; i < MANIFEST_MAX_CORES / 64; i++)
		out[i] = 0;
	for (u32 i = 0; i < pcpu_count; i++) {
		int of = acpi_node_of_core(pcpus[i]->apic_id);

		if (!pcpus[i]->online || !(allowed[i / 64] & BIT(i % 64)) ||
		    (acpi.numa.node_count && of != (int)node))
			continue;
		out[i / 64] |= BIT(i % 64);
		any = true;
	}
	return any;
}

static struct candidate candidate_of(u32 node, const struct guest_config *g)
{
	u64 cores[MANIFEST_MAX_CORES / 64];
	struct candidate c = { 0, 0, false };

	if (!numa_cores(node, g->cores, cores))
		return c;
	for (u32 i = 0; i < pcpu_count; i++) {
		if (!(cores[i / 64] & BIT(i % 64)))
			continue;
		c.cores++;
		c.load += placement_load(pcpus[i]);
	}
	c.roomy = c.cores >= g->vcpus;
	return c;
}

/* Of equal ones the later: the privileged guest boots on the first */
static bool is_better(const struct candidate *a, const struct candidate *b)
{
	if (!b->cores || a->roomy != b->roomy)
		return !b->cores || a->roomy;
	return (u64)a->load * b->cores <= (u64)b->load * a->cores;
}

int numa_choose(const struct guest_config *g)
{
	struct candidate best = { 0, 0, false };
	int node = VM_NODE_ANY;

	if (g->privileged || g->numa == NUMA_ANY || numa_node_count() == 1)
		return VM_NODE_ANY;
	if (g->numa == NUMA_NODE)
		return (int)g->numa_node;
	for (u32 i = 0; i < numa_node_count(); i++) {
		struct candidate c = candidate_of(i, g);

		if (!c.cores || numa_free_bytes(i) < g->memory_bytes ||
		    !is_better(&c, &best))
			continue;
		best = c;
		node = (int)i;
	}
	return node;
}

static u64 memory_on(const struct vm *vm, u32 node)
{
	u64 sum = 0;

	for (u32 i = 0; i < vm->slot_count; i++)
		sum += node_share(node, vm->slots[i].hpa, vm->slots[i].size);
	return sum;
}

static u32 vcpus_on(const struct vm *vm, u32 node)
{
	u32 n = 0;

	for (u32 i = 0; i < vm->vcpu_count; i++)
		n += acpi_node_of_core(vm->vcpus[i]->entity.cpu->apic_id) ==
		     (int)node;
	return n;
}

void numa_report(const struct vm *vm)
{
	if (numa_node_count() == 1)
		return;
	for (u32 i = 0; i < numa_node_count(); i++) {
		u64 bytes = memory_on(vm, i);
		u32 n = vcpus_on(vm, i);

		if (bytes || n)
			log_info("vm",
				 "guest %s: NUMA node %u: %llu MiB, %u vCPU%s",
				 vm->name, i, (bytes >> 20), n,
				 n == 1 ? "" : "s");
	}
}
