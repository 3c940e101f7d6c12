/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest's end, judged; see privileged.h. Called by life.c on the
 * core that parked its last vCPU. What was said is one word, written
 * atomically; the rest belongs to that core.
 */
#include "hv/vm/privileged.h"

#include "arch/x86/machine/tsc.h"
#include "lib/log.h"

static enum privileged_word said;
/* When it was started again, host TSC, the last PRIVILEGED_RESTARTS times; in
 * the order of @restarts, which counts them all */
static u64 times[PRIVILEGED_RESTARTS];
static u32 restarts;

void privileged_say(enum privileged_word word)
{
	__atomic_store_n(&said, word, __ATOMIC_SEQ_CST);
}

static bool is_failure(enum vm_end how, enum privileged_word word)
{
	switch (how) {
	case VM_END_CRASH:
		return true;
	case VM_END_FAILURE: /* the last way in which a kernel reboots */
		return word != PRIVILEGED_ANNOUNCED;
	case VM_END_RESET:
		return word == PRIVILEGED_TELLS;
	default:
		return false;
	}
}

static u64 period(void)
{
	return ns_to_tsc(PRIVILEGED_PERIOD_S * NS_PER_S);
}

/* How many of the restarts were in the period that ends now */
static u32 recent(u64 now)
{
	u32 count = 0;

	for (u32 i = 0; i < MIN(restarts, PRIVILEGED_RESTARTS); i++)
		count += now - times[i] < period();
	return count;
}

bool privileged_starts_again(struct vm *vm)
{
	enum privileged_word word =
		__atomic_exchange_n(&said, PRIVILEGED_SILENT, __ATOMIC_SEQ_CST);
	u64 now = rdtsc();
	u32 count = recent(now);

	if (!vm->restarts || !is_failure(vm->end, word))
		return false;
	if (count == PRIVILEGED_RESTARTS) {
		log_error("vm",
			  "guest %s was started again %u times in %u minutes: "
			  "it is not started any more",
			  vm->name, PRIVILEGED_RESTARTS,
			  PRIVILEGED_PERIOD_S / 60);
		return false;
	}
	times[restarts++ % PRIVILEGED_RESTARTS] = now;
	/* That was the last one, until the oldest is out of the period */
	if (count + 1 == PRIVILEGED_RESTARTS)
		vm->no_restart_before =
			times[restarts % PRIVILEGED_RESTARTS] + period();
	log_warn("vm",
		 "guest %s starts again, alone (%u of %u in %u minutes); all "
		 "others go on",
		 vm->name, count + 1, PRIVILEGED_RESTARTS,
		 PRIVILEGED_PERIOD_S / 60);
	return true;
}

bool privileged_ends_machine(enum vm_end how, bool *reset)
{
	*reset = how == VM_END_RESET || how == VM_END_FAILURE;
	return *reset || how == VM_END_POWER_OFF;
}
