/* SPDX-License-Identifier: BSD-2-Clause */
/* Stand-ins for what virtual devices need of the machine; each unit test of a
 * virtual device includes it once. */
#ifndef TESTS_UNIT_VDEV_FAKES_H
#define TESTS_UNIT_VDEV_FAKES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/vcpu.h"
#include "hv/core/vm.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/pmm.h"

void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

static u32 fake_log_lines __attribute__((unused));

void log_write(enum log_level level, const char *tag, const char *fmt, ...)
{
	fake_log_lines++;
}

void *pmm_alloc(struct budget *b, u32 order)
{
	void *p = aligned_alloc(PAGE_SIZE << order, PAGE_SIZE << order);

	b->used_pages += 1ul << order;
	memset(p, 0, PAGE_SIZE << order);
	return p;
}

void pmm_free(struct budget *b, void *va, u32 order)
{
	if (va)
		b->used_pages -= 1ul << order;
	free(va);
}

void *kmem_alloc(struct budget *b, size_t size)
{
	/* aligned as the slabs are, for structures that ask for it */
	void *p = aligned_alloc(64, (size + 63) & ~63ul);

	memset(p, 0, (size + 63) & ~63ul);
	return p;
}

void kmem_free(struct budget *b, void *p, size_t size)
{
	free(p);
}

u64 tsc_khz = 1000000;

u64 ns_to_tsc(u64 ns)
{
	return ns * tsc_khz / 1000000;
}

static struct vm fake_vm;
static struct vcpu fake_vcpus[4];
static struct pcpu fake_pcpus[4];

__attribute__((unused)) static void fake_vm_init(u32 vcpus)
{
	u32 i;

	memset(&fake_vm, 0, sizeof(fake_vm));
	memset(fake_vcpus, 0, sizeof(fake_vcpus));
	strcpy(fake_vm.name, "test");
	fake_vm.vcpu_count = vcpus;
	for (i = 0; i < vcpus; i++) {
		fake_vm.vcpus[i] = &fake_vcpus[i];
		fake_vcpus[i].vm = &fake_vm;
		fake_vcpus[i].id = i;
		fake_pcpus[i].id = i;
		fake_pcpus[i].apic_id = 0x10 + i;
		fake_vcpus[i].entity.cpu = &fake_pcpus[i];
	}
}

#endif
