/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one core asks of the others, see smp.h: a look at their pending bits, an
 * NMI, and a rendezvous, for whoever changes what all cores read without a
 * lock.
 *
 * A rendezvous has a number. The caller tells the cores of its own group and
 * one of each other group, which tells the rest of that: of a thousand cores
 * none sends more than some sixty IPIs, at a quarter of a microsecond, while
 * others stand and wait. Where such a core is late, the caller tells the rest.
 * One that is told twice comes once. Each core that comes writes it into
 * pcpu.met, and into pcpu.left when it goes, so that the caller knows who is
 * missing. Every wait has an end. From a core that has not begun by then the
 * call is taken back: whoever changes its pcpu.met first has it. One that has
 * begun and hangs would use the caller's frame later: that is a panic.
 *
 * No locks: `meeting` is written by the core that holds `busy`, the number
 * last; met, left and the pending bits are atomic.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/trace.h"
#include "arch/x86/machine/tsc.h"
#include "lib/errno.h"
#include "lib/log.h"

/* Far more than a core stays in the hypervisor. An emulator on a busy host may
 * leave one of its cores without a turn for a while. */
#define MEET_MS 2000ull
/* For one that tells others, which in a guest takes some microseconds */
#define TELL_MS 2ull
/* For one that has come and is to go: long, as the end is a panic */
#define LEAVE_MS 10000ull
/* One look counts as no more than this part of a wait. So a wait is not over
 * when no core ran meanwhile, as when a machine that is emulated is stopped. */
#define LOOKS_MIN 64u

#define GROUP  32u /* cores */
#define GROUPS ((MAX_CPUS + GROUP - 1) / GROUP)
#define NOBODY UINT32_MAX

enum phase { PHASE_GATHER, PHASE_GO, PHASE_CANCELLED };

static struct {
	u32 busy;
	u32 number;        /* atomic: of this one, never 0 */
	u32 phase;         /* atomic, enum phase */
	u32 tells[GROUPS]; /* the core that tells the group, or NOBODY */
	void (*after)(void *arg);
	void *arg;
} meeting;

void pcpu_kick(struct pcpu *cpu, u32 pending_bits)
{
	u32 old = __atomic_fetch_or(&cpu->pending, pending_bits,
				    __ATOMIC_SEQ_CST);

	/*
	 * Whoever set these bits first has sent an IPI, which is not taken yet
	 */
	if ((old & pending_bits) == pending_bits && pending_bits)
		return;
	if (cpu == this_cpu())
		return;
	lapic_send_ipi(cpu->apic_id, VEC_KICK);
	if (unlikely(trace_is_on()))
		trace_now(BH_CTL_TRACE_KICK, 0, cpu->id);
}

void smp_sleep(void)
{
	cpu_idle_once();
}

void smp_stop_others(void)
{
	const struct pcpu *self = this_cpu();

	if (!lapic_ready())
		return;
	for (u32 i = 0; i < pcpu_count; i++)
		if (pcpus[i] && pcpus[i] != self)
			lapic_send_nmi(pcpus[i]->apic_id);
}

/* Is it part of a rendezvous? Nobody waits for a core that has stopped. */
static bool is_called(const struct pcpu *cpu)
{
	return cpu != this_cpu() &&
	       __atomic_load_n(&cpu->online, __ATOMIC_SEQ_CST);
}

static void tell_group(u32 group)
{
	u32 end = MIN((group + 1) * GROUP, pcpu_count);

	for (u32 i = group * GROUP; i < end; i++)
		if (is_called(pcpus[i]))
			pcpu_kick(pcpus[i], PCPU_CALL);
}

/* It takes part in rendezvous @number, or is called off: false, if that is
 * decided. @met is what pcpu.met was before @number was read. */
static bool claim(struct pcpu *cpu, u32 met, u32 number)
{
	return met != number &&
	       __atomic_compare_exchange_n(&cpu->met, &met, number, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void smp_call_run(void)
{
	struct pcpu *cpu = this_cpu();
	u32 met = READ_ONCE(cpu->met);
	u32 number = __atomic_load_n(&meeting.number, __ATOMIC_ACQUIRE), phase;

	if (!claim(cpu, met, number))
		return;
	if (meeting.tells[cpu->id / GROUP] == cpu->id)
		tell_group(cpu->id / GROUP);
	do {
		cpu_pause();
		phase = __atomic_load_n(&meeting.phase, __ATOMIC_ACQUIRE);
	} while (phase == PHASE_GATHER);
	if (phase == PHASE_GO && meeting.after)
		meeting.after(meeting.arg);
	__atomic_store_n(&cpu->left, number, __ATOMIC_RELEASE);
}

void smp_take_call(void)
{
	struct pcpu *cpu = this_cpu();

	if (!(READ_ONCE(cpu->pending) & PCPU_CALL))
		return;
	__atomic_fetch_and(&cpu->pending, ~(u32)PCPU_CALL, __ATOMIC_ACQ_REL);
	smp_call_run();
}

static bool has_met(const struct pcpu *cpu)
{
	return __atomic_load_n(&cpu->met, __ATOMIC_ACQUIRE) == meeting.number;
}

static bool has_left(const struct pcpu *cpu)
{
	return __atomic_load_n(&cpu->left, __ATOMIC_ACQUIRE) == meeting.number;
}

/* Came, and is still there */
static bool is_here(const struct pcpu *cpu)
{
	return has_met(cpu) && !has_left(cpu);
}

static bool is_missing(const struct pcpu *cpu)
{
	return is_called(cpu) && !has_met(cpu);
}

static struct pcpu *first_that(bool (*is)(const struct pcpu *cpu))
{
	for (u32 i = 0; i < pcpu_count; i++)
		if (is(pcpus[i]))
			return pcpus[i];
	return NULL;
}

/* Until no core @is any more; else one that is when the time is up */
static struct pcpu *wait_while(bool (*is)(const struct pcpu *cpu), u64 ms)
{
	u64 left = ns_to_tsc(ms * NS_PER_MS), most = left / LOOKS_MIN + 1;
	u64 last = rdtsc(), now;
	struct pcpu *cpu;

	while ((cpu = first_that(is)) && left) {
		cpu_pause();
		now = rdtsc();
		left -= MIN(MIN(now - last, most), left);
		last = now;
	}
	return cpu;
}

/* Take the call away from @cpu; false: it has begun */
static bool call_off(struct pcpu *cpu)
{
	if (!claim(cpu, READ_ONCE(cpu->met), meeting.number))
		return false;
	WRITE_ONCE(cpu->left, meeting.number);
	__atomic_fetch_and(&cpu->pending, ~(u32)PCPU_CALL, __ATOMIC_RELAXED);
	log_error("smp",
		  "core %u (APIC id %u) does not answer the other cores: reset "
		  "the machine as soon as its guests allow",
		  cpu->id, cpu->apic_id);
	return true;
}

/* Until all have gone: one that stays would use the caller's frame later */
static void wait_left(void)
{
	const struct pcpu *cpu = wait_while(is_here, LEAVE_MS);

	if (cpu)
		panic("core %u (APIC id %u) hangs in a rendezvous", cpu->id,
		      cpu->apic_id);
}

/* Who tells each group but the caller's own: its first core that is online */
static void choose_tellers(void)
{
	u32 own = this_cpu()->id / GROUP;

	for (u32 g = 0; g < GROUPS; g++)
		meeting.tells[g] = NOBODY;
	for (u32 i = 0; i < pcpu_count; i++) {
		u32 *teller = &meeting.tells[i / GROUP];

		if (i / GROUP != own && *teller == NOBODY &&
		    is_called(pcpus[i]))
			*teller = i;
	}
}

static void tell(void)
{
	for (u32 g = 0; g < GROUPS; g++)
		if (meeting.tells[g] != NOBODY)
			pcpu_kick(pcpus[meeting.tells[g]], PCPU_CALL);
	tell_group(this_cpu()->id / GROUP);
	if (pcpu_count <= GROUP || !wait_while(is_missing, TELL_MS))
		return;
	for (u32 i = 0; i < pcpu_count; i++)
		if (is_missing(pcpus[i]))
			pcpu_kick(pcpus[i], PCPU_CALL);
}

/* True: all are here. False: some did not come, and nobody will any more. */
static bool gather(void)
{
	bool all = true;

	tell();
	if (!wait_while(is_missing, MEET_MS))
		return true;
	for (u32 i = 0; i < pcpu_count; i++)
		if (is_missing(pcpus[i]) && call_off(pcpus[i]))
			all = false;
	return all;
}

static void meeting_lock(void)
{
	/* The holder waits for this core, too: serve its call meanwhile */
	while (__atomic_exchange_n(&meeting.busy, 1, __ATOMIC_ACQUIRE)) {
		smp_take_call();
		cpu_pause();
	}
}

int smp_rendezvous(int (*change)(void *arg), void (*after)(void *arg),
		   void *arg)
{
	struct pcpu *self = this_cpu();
	int err = -ETIMEDOUT;
	u32 number;
	bool all;

	meeting_lock();
	meeting.phase = PHASE_GATHER;
	meeting.after = after;
	meeting.arg = arg;
	choose_tellers();
	number = meeting.number == UINT32_MAX ? 1 : meeting.number + 1;
	/* One that was told twice of an earlier one looks at it from now on */
	self->met = self->left = number;
	__atomic_store_n(&meeting.number, number, __ATOMIC_RELEASE);
	all = gather();
	if (all)
		err = change ? change(arg) : 0;
	__atomic_store_n(&meeting.phase, all ? PHASE_GO : PHASE_CANCELLED,
			 __ATOMIC_RELEASE);
	if (all && after)
		after(arg);
	wait_left();
	__atomic_store_n(&meeting.busy, 0, __ATOMIC_RELEASE);
	return err;
}
