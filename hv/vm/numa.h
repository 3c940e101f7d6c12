/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NUMA nodes: which one an isolated guest has its memory and its vCPUs on. A
 * node is a place in acpi.numa.domains: the lowest proximity domain is node 0.
 * Boot CPU, while guests are planned and made; no lock.
 */
#ifndef HV_VM_NUMA_H
#define HV_VM_NUMA_H

#include "hv/core/vm.h"

/* A machine that does not say otherwise has one */
u32 numa_node_count(void);
/* RAM of @node in the machine; of that, what nobody has */
u64 numa_ram_bytes(const struct boot_info *bi, u32 node, bool special);
u64 numa_free_bytes(u32 node);
/* The cores of @allowed, MANIFEST_MAX_CORES bits, that are @node's, to @out; is
 * there one? */
bool numa_cores(u32 node, const u64 *allowed, u64 *out);
/*
 * The node of a new isolated guest with @g: the manifest's, or the least loaded
 * one that has the memory for it, and a core that it may have. One with a core
 * for each of its vCPUs comes first. VM_NODE_ANY: none, or `numa = any`.
 */
int __must_check numa_choose(const struct guest_config *g);
/* One line about where @vm went, on a machine with several nodes */
void numa_report(const struct vm *vm);

#endif
