/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests do, in lines of the log; see stats.h. The two lists that a key
 * asks for go on some vCPUs of one guest at a time, from a timer of the core
 * that takes what is typed. */
#include "hv/vm/stats.h"

#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/exit.h"
#include "hv/core/stretch.h"
#include "hv/irq/vlapic.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"

#define STATS_LINE_BYTES 400
#define KEY_STATS        's'
#define KEY_VCPUS        'v'
#define KEY_HELP         '?'
#define LIST_STEP_NS     1000000u
#define LIST_VCPUS       64u /* in a step */
#define NS_IN_MS         1000000u

/* What vCPUs [0, next) of a guest have counted */
struct sums {
	u64 of[EXIT_KINDS];
	u32 next;
};

/* Some vCPUs more; true: those were the last */
static bool sum_some(const struct vm *vm, struct sums *s)
{
	u32 end = MIN(s->next + LIST_VCPUS, vm->vcpu_count);

	for (; s->next < end; s->next++)
		for (u32 kind = 0; kind < EXIT_KINDS; kind++)
			s->of[kind] += vm->vcpus[s->next]->exits[kind];
	return s->next >= vm->vcpu_count; /* it may be another guest by now */
}

static void log_sums(const struct vm *vm, const struct sums *s)
{
	u64 ms = tsc_to_ns(rdtsc() - vm->tsc_first) / NS_IN_MS;
	char line[STATS_LINE_BYTES] = "";
	size_t at = 0;
	u64 all = 0;

	for (u32 i = 0; i < EXIT_KINDS; i++) {
		all += s->of[i];
		if (s->of[i] && at < sizeof(line))
			at += (size_t)bh_snprintf(line + at, sizeof(line) - at,
						  ", %s %llu", exit_name(i),
						  s->of[i]);
	}
	log_info("vm", "guest %s: %llu exits in %llu ms%s", vm->name, all, ms,
		 line);
}

void exit_stats_log(const struct vm *vm)
{
	struct sums s = { .next = 0 };

	while (!sum_some(vm, &s))
		stretch_look();
	log_sums(vm, &s);
}

static u64 sum_of_all(const struct vcpu *v)
{
	u64 sum = 0;

	for (u32 i = 0; i < EXIT_KINDS; i++)
		sum += v->exits[i];
	return sum;
}

static const char *activity_name(const struct vcpu *v)
{
	static const char *const names[] = {
		[VCPU_RUNNING] = "runs",
		[VCPU_HALTED] = "halts",
		[VCPU_WAIT_SIPI] = "waits for SIPI",
		[VCPU_WORKING] = "is worked for",
		[VCPU_PARKED] = "is parked",
		[VCPU_SLEEPS] = "sleeps",
		[VCPU_PAUSED] = "is paused",
	};

	return names[v->activity];
}

void vcpu_report(struct vcpu *v)
{
	const struct vcpu_regs *r = vcpu_regs(v);
	u64 exits = sum_of_all(v);
	int waits = v->activity == VCPU_PARKED ? -1 : vlapic_pending(v);

	vcpu_need(v, RG_RIP | RG_SEG);
	log_info("vm",
		 "guest %s: vCPU %u on core %u %s at %04x:%016llx, rflags "
		 "%06llx, interrupt %d waits, %llu exits, %llu more",
		 v->vm->name, v->id, v->entity.cpu->id, activity_name(v),
		 r->seg[SEG_CS].sel, r->rip, r->rflags, waits, exits,
		 exits - v->exits_reported);
	v->exits_reported = exits;
}

static struct {
	struct timer timer;
	u32 vm; /* in vms[] */
	/* Some vCPUs of it more; true: it is done */
	bool (*step)(const struct vm *vm);
	struct sums sums;
} list;

static bool step_stats(const struct vm *vm)
{
	if (!sum_some(vm, &list.sums))
		return false;
	log_sums(vm, &list.sums);
	return true;
}

static bool step_vcpus(const struct vm *vm)
{
	u32 *next = &list.sums.next;
	u32 end = MIN(*next + LIST_VCPUS, vm->vcpu_count);

	if (!*next)
		log_info("vm", "guest %s: %u vCPUs are to say what they do",
			 vm->name, vm->vcpu_count);
	for (; *next < end; ++*next)
		vcpu_post(vm->vcpus[*next], VE_REPORT);
	return *next >= vm->vcpu_count;
}

static void next_vm(void)
{
	list.vm++;
	list.sums = (struct sums){ .next = 0 };
}

static void list_tick(struct timer *t)
{
	const struct vm *vm = NULL;

	for (; list.vm < vm_count; next_vm()) {
		vm = vm_at(list.vm);
		if (vm && READ_ONCE(vm->state) == VM_RUNNING)
			break;
	}
	if (list.vm >= vm_count)
		return;
	if (list.step(vm))
		next_vm();
	timer_arm(t, rdtsc() + ns_to_tsc(LIST_STEP_NS));
}

void stats_key(u8 key)
{
	if (key == KEY_STATS)
		list.step = step_stats;
	else if (key == KEY_VCPUS)
		list.step = step_vcpus;
	else if (key == KEY_HELP)
		log_info("console",
			 "keys here: %c what guests did, %c what vCPUs do, "
			 "Ctrl-] the next console, PgUp and PgDn the log on "
			 "the screen while it is the hypervisor's",
			 KEY_STATS, KEY_VCPUS);
	if (key != KEY_STATS && key != KEY_VCPUS)
		return;
	if (key == KEY_STATS)
		stretch_report();
	list.vm = 0;
	list.sums = (struct sums){ .next = 0 };
	list.timer.fn = list_tick;
	timer_arm(&list.timer, rdtsc());
}
