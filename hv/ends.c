/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine. Guests stop first, each by vm_end(); whichever core
 * parks the last vCPU stops the other cores and switches the machine off. The
 * counters are atomic; no lock.
 */
#include "hv/ends.h"

#include "arch/x86/cpu/smp.h"
#include "arch/x86/cpu/tsc.h"
#include "drivers/power.h"
#include "hv/vcpu.h"
#include "lib/log.h"

#define STOP_TIMEOUT_US 200000
#define STOP_POLL_US    100

static u32 guests_alive;
static bool ending;
static enum machine_end end_how = MACHINE_POWER_OFF;

bool machine_is_ending(void)
{
	return __atomic_load_n(&ending, __ATOMIC_SEQ_CST);
}

static bool others_online(const struct pcpu *self)
{
	for (u32 i = 0; i < pcpu_count; i++)
		if (pcpus[i] != self && READ_ONCE(pcpus[i]->online))
			return true;
	return false;
}

/* Every other core leaves VMX or SVM and halts; one that does not is left */
static void stop_others(const struct pcpu *self)
{
	u64 deadline = rdtsc() + ns_to_tsc(STOP_TIMEOUT_US * 1000ull);

	for (u32 i = 0; i < pcpu_count; i++)
		if (pcpus[i] != self && pcpus[i]->online)
			pcpu_kick(pcpus[i], PCPU_STOP);
	while (others_online(self) && rdtsc() < deadline)
		udelay(STOP_POLL_US);
	if (others_online(self))
		log_warn("ends", "a core did not stop in time");
}

static void finish(void)
{
	struct pcpu *self = this_cpu();

	log_info("ends", "%s",
		 end_how == MACHINE_RESET ? "resetting the machine"
					  : "powering the machine off");
	stop_others(self);
	vcpu_leave_core(self);
	if (end_how == MACHINE_RESET)
		power_reset();
	power_off();
}

void machine_guest_started(void)
{
	__atomic_fetch_add(&guests_alive, 1, __ATOMIC_SEQ_CST);
}

void machine_guest_ended(void)
{
	if (__atomic_sub_fetch(&guests_alive, 1, __ATOMIC_SEQ_CST))
		return;
	if (!__atomic_exchange_n(&ending, true, __ATOMIC_SEQ_CST))
		log_info("ends", "the last guest has ended");
	finish();
}

/* Two passes: isolated guests first, then the privileged one */
static void stop_guests(bool privileged)
{
	for (u32 i = 0; i < vm_count; i++)
		if (vms[i] && vms[i]->privileged == privileged)
			vm_end(vms[i], VM_END_POWER_OFF, "the machine ends");
}

void machine_end(enum machine_end how)
{
	if (__atomic_exchange_n(&ending, true, __ATOMIC_SEQ_CST))
		return;
	end_how = how;
	stop_guests(false);
	stop_guests(true);
}
