/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine, once the privileged guest has stopped. Isolated
 * guests that listen to their ACPI power button get it and some time; then, and
 * all others at once, they stop by vm_end(). Whichever core parks the last vCPU
 * stops the other cores and switches the machine off.
 *
 * The machine also ends when its last guest has ended by itself. After a crash
 * it stays on, as nobody would see why it went off. The counters are atomic; no
 * lock.
 */
#include "hv/vm/machine_end.h"

#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/power/power.h"
#include "hv/console/console.h"
#include "hv/core/stretch.h"
#include "hv/core/vcpu.h"
#include "hv/device/pc/vpm.h"
#include "hv/vm/vcpu.h"
#include "lib/log.h"
#include "lib/log_ring.h"
#include "lib/printf.h"

#define STOP_TIMEOUT_US 200000
#define STOP_POLL_US    100
#define WHY_BYTES       160
#define WAIT_NS         50000000u /* between two looks at the keyboard */

static u32 guests_alive;
static struct timer graces[VM_MAX]; /* by VM; of the core that ends it all */
static bool ending;
static enum machine_end end_how = MACHINE_POWER_OFF;
static u32 reboot_after_s; /* 0: never */
static u64 reboot_at;      /* host TSC */

bool machine_is_ending(void)
{
	return __atomic_load_n(&ending, __ATOMIC_SEQ_CST);
}

/* One that has not stopped yet, or NULL */
static const struct pcpu *other_online(const struct pcpu *self)
{
	for (u32 i = 0; i < pcpu_count; i++)
		if (pcpus[i] != self && READ_ONCE(pcpus[i]->online))
			return pcpus[i];
	return NULL;
}

/* Every other core leaves VMX or SVM and halts; one that does not is left */
static void stop_others(const struct pcpu *self)
{
	u64 deadline = rdtsc() + ns_to_tsc(STOP_TIMEOUT_US * 1000ull);
	const struct pcpu *left;

	for (u32 i = 0; i < pcpu_count; i++)
		if (pcpus[i] != self && pcpus[i]->online)
			pcpu_kick(pcpus[i], PCPU_STOP);
	while ((left = other_online(self)) && rdtsc() < deadline)
		udelay(STOP_POLL_US);
	if (left)
		log_warn("ends", "core %u did not stop in time", left->id);
}

static void finish(void)
{
	struct pcpu *self = this_cpu();

	stretch_report();
	log_info("ends", "%s",
		 end_how == MACHINE_RESET ? "resetting the machine"
					  : "powering the machine off");
	stop_others(self);
	console_finish();
	vcpu_leave_core(self);
	log_ring_end(LOG_END_ORDERLY);
	if (end_how == MACHINE_RESET)
		power_reset();
	power_off();
}

void machine_guest_made(void)
{
	__atomic_fetch_add(&guests_alive, 1, __ATOMIC_SEQ_CST);
}

void machine_reboot_after(u32 seconds)
{
	reboot_after_s = seconds;
}

/* Once, whoever comes first */
static void finish_by(enum machine_end how)
{
	if (__atomic_exchange_n(&ending, true, __ATOMIC_SEQ_CST))
		return;
	end_how = how;
	finish();
}

static void key_typed(u8 key)
{
	finish_by(MACHINE_POWER_OFF);
}

/* The machine stays on: no interrupt tells of its own keyboard */
static void wait_tick(struct timer *t)
{
	console_keys();
	if (reboot_after_s && rdtsc() >= reboot_at)
		finish_by(MACHINE_RESET);
	timer_arm(t, rdtsc() + ns_to_tsc(WAIT_NS));
}

void machine_stays(const char *why)
{
	static struct timer timer = { .fn = wait_tick };

	stretch_report();
	console_take_over(key_typed);
	reboot_at = rdtsc() + ns_to_tsc(reboot_after_s * NS_PER_S);
	timer_arm(&timer, rdtsc() + ns_to_tsc(WAIT_NS));
	if (reboot_after_s)
		log_error("ends",
			  "%s; the machine restarts in %u s, or press a key to "
			  "switch it off",
			  why, reboot_after_s);
	else
		log_error("ends", "%s; press a key to switch the machine off",
			  why);
}

static bool by_itself(const struct vm *vm)
{
	return vm->end != VM_END_CRASH && vm->end != VM_END_NOT_LOADED;
}

void machine_guest_ended(const struct vm *vm)
{
	char why[WHY_BYTES];

	if (__atomic_sub_fetch(&guests_alive, 1, __ATOMIC_SEQ_CST))
		return;
	if (machine_is_ending())
		finish();
	if (by_itself(vm)) {
		log_info("ends", "the last guest has ended");
		finish_by(MACHINE_POWER_OFF);
		return;
	}
	bh_snprintf(why, sizeof(why), "guest %s %s: %s; no guest runs now",
		    vm->name,
		    vm->end == VM_END_CRASH ? "crashed" : "does not start",
		    vm->end_reason);
	machine_stays(why);
}

static void stop(struct vm *vm)
{
	vm_end(vm, VM_END_POWER_OFF, "the machine ends");
}

static void grace_is_over(struct timer *t)
{
	struct vm *vm = vm_at((u32)(t - graces));

	if (vm) /* by now it may be another: all are to end */
		stop(vm);
}

/* True: its software listens, and has been asked to power off. One that stands
 * (hv/vm/pause.h) would only use its time up. */
static bool ask(struct vm *vm)
{
	return READ_ONCE(vm->state) == VM_RUNNING &&
	       !(READ_ONCE(vm->pauses) & 1) && vm->config->shutdown_grace_s &&
	       vpm_power_button(vm);
}

static void grant_grace(const struct vm *vm)
{
	struct timer *t = &graces[vm->id];
	u64 ns = vm->config->shutdown_grace_s * NS_PER_S;

	log_info("ends", "guest %s has %u s to power off", vm->name,
		 vm->config->shutdown_grace_s);
	t->fn = grace_is_over;
	timer_arm(t, rdtsc() + ns_to_tsc(ns));
}

void machine_end(enum machine_end how)
{
	if (__atomic_exchange_n(&ending, true, __ATOMIC_SEQ_CST))
		return;
	end_how = how;
	for (u32 i = 0; i < vm_count; i++) {
		struct vm *vm = vm_at(i);

		if (!vm || vm->privileged)
			continue;
		if (ask(vm))
			grant_grace(vm);
		else
			stop(vm);
	}
}
