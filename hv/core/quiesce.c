/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each core has let go; see quiesce.h. Whoever asks counts `asked` up and tells
 * the first cores. Each core that passes tells some more, as hv/core/fan.c
 * does, so that nobody sends many IPIs. It reads `asked` first and acts then:
 * what was asked for before is covered. No lock: `asked` and pcpu.passed are
 * atomic.
 */
#include "hv/core/quiesce.h"

#include "arch/x86/machine/smp.h"
#include "hv/core/vcpu.h"

#define LOOKS_AT_ONCE 64u /* in one go: each is a line of another core's */

static u64 asked;

/* VM_FAN cores from @first on */
static void tell(u32 first)
{
	u32 end = MIN(first + VM_FAN, pcpu_count);

	for (u32 i = first; i < end; i++)
		pcpu_kick(pcpus[i], PCPU_PASS);
}

struct quiesce quiesce_ask(void)
{
	struct quiesce q = { .number = __atomic_add_fetch(&asked, 1,
							  __ATOMIC_SEQ_CST) };

	tell(0);
	return q;
}

void quiesce_pass(void (*act)(void))
{
	struct pcpu *cpu = this_cpu();
	u64 now = __atomic_load_n(&asked, __ATOMIC_SEQ_CST);

	tell((cpu->id + 1) * VM_FAN);
	act();
	if (vm_privileged)
		vm_flush_here(vm_privileged);
	__atomic_store_n(&cpu->passed, now, __ATOMIC_SEQ_CST);
}

/* One that has stopped for good reaches nothing */
static bool has_passed(const struct pcpu *cpu, u64 number)
{
	return __atomic_load_n(&cpu->passed, __ATOMIC_SEQ_CST) >= number ||
	       !READ_ONCE(cpu->online);
}

bool quiesce_over(struct quiesce *q)
{
	u32 end = MIN(q->next + LOOKS_AT_ONCE, pcpu_count);

	while (q->next < end && has_passed(pcpus[q->next], q->number))
		q->next++;
	return q->next == pcpu_count;
}
