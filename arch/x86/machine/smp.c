/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bring-up of the other cores, see smp.h. smp_start() is called by hv/init.c.
 *
 * Each core gets a slot (APIC id, stack) before any is started. INIT and SIPI
 * go to some of them at a time: a thousand would wait for each other's locks. A
 * core claims its slot by a compare-and-swap when it arrives, so that one that
 * comes after it was given up halts and harms nothing. No slot can be claimed
 * while an INIT is on its way to it, or a core that is late would be counted
 * and then reset. A core that arrived prepares itself, says by another
 * compare-and-swap that it is ready, and sleeps until an IPI has it look again.
 * While cores still come, or get ready, nobody gives up the others. Those that
 * are ready at the end are numbered and run on; nobody hears of others again.
 *
 * Over 400 lines: one protocol, whose steps share the slots.
 *
 * No locks: slot states are atomic.
 */
#include "arch/x86/machine/smp.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cet.h"
#include "arch/x86/cpu/cpu_area.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/cpu.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/mtrr.h"
#include "arch/x86/machine/residue.h"
#include "arch/x86/machine/tsc.h"
#include "arch/x86/machine/tsc_sync.h"
#include "include/hw/cpu.h"
#include "include/hw/lapic.h"
#include "lib/assert.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/hostmap.h"
#include "mm/pmm.h"

#define GROUP      32u     /* cores that start together */
#define TURN_US    20      /* see wait_until_none() */
#define PREPARE_US 5000000 /* many times over */

enum slot_state {
	SLOT_EMPTY,
	SLOT_WAITING,
	SLOT_ARRIVED, /* it makes itself ready */
	SLOT_HELD,    /* an INIT is on its way */
	SLOT_READY,
	SLOT_ASKED, /* its TSC is compared */
	SLOT_FAILED,
	SLOT_GO,
	SLOT_GONE
};

struct smp_slot {
	u32 apic_id;
	u32 state; /* atomic, enum slot_state */
	u64 stack_top;
};
/* asm_offsets.inc */
static_assert(sizeof(struct smp_slot) == 16, "SLOT_SIZE");
static_assert(offsetof(struct smp_slot, state) == 4, "SLOT_STATE");
static_assert(offsetof(struct smp_slot, stack_top) == 8, "SLOT_STACK_TOP");
static_assert(SLOT_WAITING == 1 && SLOT_ARRIVED == 2 && SLOT_HELD == 3,
	      "slot states");
static_assert(STACK_SIZE == 32768, "STACK_SIZE");

/* Read by ap_start.asm */
extern struct smp_slot smp_slots[MAX_CPUS];
extern u32 smp_slot_count;
struct smp_slot smp_slots[MAX_CPUS];
u32 smp_slot_count;
/*
 * Called by ap_start.asm on the core's own stack, interrupts off; returns never
 */
void smp_ap_main(struct smp_slot *slot);

/* The words at the end of trampoline.asm */
struct trampoline_data {
	u64 entry;
	u32 root;
	u32 efer;
	u32 open_nx;
	u32 far_offset;
	u16 far_selector;
	u16 gdt_limit;
	u32 gdt_base;
} __packed;
extern const u8 trampoline_start[], trampoline_end[], trampoline_data[];
extern const u8 ap_start[];

static int (*ap_prepare)(struct pcpu *);
static void (*ap_entry)(struct pcpu *);

/* @page is mapped at its own address. CR3 has 32 bits before long mode; the
 * hypervisor's tables lie below 4 GiB for that (mm/hostmap.c). */
static void trampoline_build(hpa_t page)
{
	size_t size = (size_t)(trampoline_end - trampoline_start);
	u64 root = hostmap_root().v;
	struct trampoline_data *d;
	u8 *to = (u8 *)page.v;

	ASSERT(root <= UINT32_MAX && size <= PAGE_SIZE);
	memcpy(to, trampoline_start, size);
	d = (void *)(to + (trampoline_data - trampoline_start));
	d->entry = (u64)ap_start;
	d->root = (u32)root;
	d->efer = (u32)(EFER_LME | (cpu_features.nx ? EFER_NXE : 0));
	d->open_nx = cpu_features.nx && residue_may_hide_nx();
	d->far_offset += (u32)page.v;
	d->gdt_base += (u32)page.v;
}

/* Why this APIC id cannot get a slot, or NULL. A core that the firmware lists
 * twice must not get a second INIT when it runs already. */
static const char *slot_refuse(u32 apic_id)
{
	if (smp_slot_count + 1 >= MAX_CPUS)
		return "there are more cores than the hypervisor can run";
	if (!lapic_is_x2apic() && apic_id > XAPIC_ID_MAX)
		return "it can be reached in x2APIC mode only";
	for (u32 i = 0; i < smp_slot_count; i++)
		if (smp_slots[i].apic_id == apic_id)
			return "the firmware lists it twice";
	return NULL;
}

static void slot_add(u32 apic_id)
{
	struct smp_slot *slot = &smp_slots[smp_slot_count];
	const char *refusal = slot_refuse(apic_id);
	struct pcpu *cpu;
	void *block;

	if (refusal) {
		log_error("smp", "the core with APIC id %u is left out: %s",
			  apic_id, refusal);
		return;
	}
	block = pmm_alloc(&pmm_self, CPU_AREA_ORDER);
	if (!block) {
		log_error("smp", "no memory for the core with APIC id %u",
			  apic_id);
		return;
	}
	cpu = cpu_area_init(block);
	if (cpu_guard_stacks(cpu)) {
		log_error("smp", "no memory for the core with APIC id %u",
			  apic_id);
		return;
	}
	cpu->apic_id = apic_id;
	cpu->id = pcpu_count + smp_slot_count;
	slot->apic_id = apic_id;
	slot->stack_top = cpu->stack_top;
	WRITE_ONCE(slot->state, SLOT_EMPTY);
	smp_slot_count++;
}

static void slots_build(const u32 *apic_ids, u32 count)
{
	u32 self = lapic_id();

	for (u32 i = 0; i < count; i++)
		if (apic_ids[i] != self)
			slot_add(apic_ids[i]);
}

static u32 slots_in(enum slot_state state)
{
	u32 n = 0;

	for (u32 i = 0; i < smp_slot_count; i++)
		if (READ_ONCE(smp_slots[i].state) == (u32)state)
			n++;
	return n;
}

/*
 * Wait until none is in @state any more; false: for @us none has left it. The
 * timer runs meanwhile, though nobody takes its interrupt. An emulator may run
 * the cores in turns, of which each lasts until the next timer event. With none
 * in sight a new core's first turn would last long.
 */
static bool wait_until_none(enum slot_state state, u64 us)
{
	u64 turn = ns_to_tsc(TURN_US * NS_PER_US);
	u64 now, end = 0, next = 0;
	u32 left, before = UINT32_MAX;

	while ((left = slots_in(state))) {
		now = rdtsc();
		if (left < before)
			end = now + ns_to_tsc(us * NS_PER_US);
		else if (now >= end)
			return false;
		before = left;
		if (now >= next) {
			next = now + turn;
			lapic_timer_set(next);
		}
		cpu_pause();
	}
	return true;
}

/*
 * Move the slot from state @from to @to. False: it was not in @from any more.
 */
static bool slot_move(struct smp_slot *slot, u32 from, u32 to)
{
	return __atomic_compare_exchange_n(&slot->state, &from, to, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void init_waiting(u64 then_us)
{
	u32 i;

	for (i = 0; i < smp_slot_count; i++)
		if (slot_move(&smp_slots[i], SLOT_WAITING, SLOT_HELD))
			lapic_send_init(smp_slots[i].apic_id);
	udelay(then_us);
	for (i = 0; i < smp_slot_count; i++)
		slot_move(&smp_slots[i], SLOT_HELD, SLOT_WAITING);
}

static void sipi_waiting(u8 vector)
{
	for (u32 i = 0; i < smp_slot_count; i++)
		if (READ_ONCE(smp_slots[i].state) == SLOT_WAITING)
			lapic_send_sipi(smp_slots[i].apic_id, vector);
}

/*
 * The first round is short, as cores since family 6 allow. The second is for
 * one that it did not reach, and keeps the times of MP 1.4, B.4 *Application
 * Processor Startup*.
 */
static const struct {
	u64 after_init_us, after_sipi_us, wait_us;
} rounds[] = {
	{ 20, 100, 10000 },
	{ 10000, 200, 200000 },
};

static void start_waiting(u8 vector)
{
	for (u32 r = 0; r < ARRAY_SIZE(rounds); r++) {
		init_waiting(rounds[r].after_init_us);
		sipi_waiting(vector);
		if (wait_until_none(SLOT_WAITING, rounds[r].after_sipi_us))
			return;
		sipi_waiting(vector);
		if (wait_until_none(SLOT_WAITING, rounds[r].wait_us))
			return;
	}
}

static struct pcpu *slot_cpu(const struct smp_slot *slot)
{
	return (struct pcpu *)(slot->stack_top - STACK_SIZE);
}

/* After an INIT it waits for a SIPI that never comes, and cannot wake up late
 * in a page that is somebody else's by then. Its block is not given back,
 * because a core that hangs half-way may still use it. */
static void give_up(struct smp_slot *slot)
{
	lapic_send_init(slot->apic_id);
	log_error("smp",
		  "the core with APIC id %u does not answer its start signal "
		  "and is left out; if it exists, a power cycle or a firmware "
		  "update may bring it back",
		  slot->apic_id);
}

/* INIT takes it out of the hypervisor's code, stack and tables, which it would
 * use when it goes on. One that is in VMX operation, or has GIF clear, takes
 * the INIT when it leaves that (SDM 3C 24.8, APM 2 15.17). */
static void leave_out(const struct smp_slot *slot, const char *why)
{
	lapic_send_init(slot->apic_id);
	log_error("smp",
		  "the core with APIC id %u %s: it is left out, and no guest "
		  "runs there",
		  slot->apic_id, why);
}

/* It sleeps, and looks at its new state, if it was ready */
static void wake(struct smp_slot *slot, enum slot_state state)
{
	if (slot_move(slot, SLOT_READY, state))
		lapic_send_ipi(slot->apic_id, VEC_KICK);
}

static void number_cores(u32 first, u32 end)
{
	for (u32 i = first; i < end; i++) {
		struct smp_slot *slot = &smp_slots[i];
		struct pcpu *cpu = slot_cpu(slot);

		if (slot_move(slot, SLOT_ARRIVED, SLOT_GONE))
			leave_out(slot, "hangs in its start");
		else if (slot_move(slot, SLOT_FAILED, SLOT_GONE))
			leave_out(slot, "cannot be used");
		if (READ_ONCE(slot->state) != SLOT_READY)
			continue;
		cpu->id = pcpu_count;
		cpu->online = true;
		pcpus[pcpu_count++] = cpu;
		wake(slot, SLOT_ASKED);
		tsc_sync_with(cpu);
		slot_move(slot, SLOT_ASKED, SLOT_READY);
	}
}

static void start_group(u32 first, u32 end, u8 vector)
{
	u32 i;

	for (i = first; i < end; i++)
		slot_move(&smp_slots[i], SLOT_EMPTY, SLOT_WAITING);
	start_waiting(vector);
	for (i = first; i < end; i++)
		if (slot_move(&smp_slots[i], SLOT_WAITING, SLOT_GONE))
			give_up(&smp_slots[i]);
	(void)wait_until_none(SLOT_ARRIVED, PREPARE_US);
	number_cores(first, end);
}

/* Until they are in their run loops */
static void let_go(u32 first, u32 end)
{
	u64 until = rdtsc() + ns_to_tsc(PREPARE_US * NS_PER_US);

	for (u32 i = first; i < end; i++)
		wake(&smp_slots[i], SLOT_GO);
	for (u32 i = first; i < end; i++)
		while (READ_ONCE(smp_slots[i].state) == SLOT_GO &&
		       !READ_ONCE(slot_cpu(&smp_slots[i])->turns) &&
		       rdtsc() < until)
			cpu_pause();
}

/* None runs before all are numbered */
static void start_all(u8 vector)
{
	u32 i;

	for (i = 0; i < smp_slot_count; i += GROUP)
		start_group(i, MIN(i + GROUP, smp_slot_count), vector);
	for (i = 0; i < smp_slot_count; i += GROUP)
		let_go(i, MIN(i + GROUP, smp_slot_count));
}

static void wait_for_go(const struct smp_slot *slot, struct pcpu *cpu)
{
	for (;;) {
		u32 state = __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);

		if (state == SLOT_GO)
			return;
		if (state == SLOT_ASKED)
			tsc_sync_answer(cpu);
		else
			smp_sleep();
	}
}

void smp_ap_main(struct smp_slot *slot)
{
	struct pcpu *cpu = slot_cpu(slot);
	bool ready;

	cpu_init_this(cpu);
	cet_start(cpu);
	lapic_init_cpu();
	ready = !ap_prepare(cpu);
	if (!slot_move(slot, SLOT_ARRIVED, ready ? SLOT_READY : SLOT_FAILED) ||
	    !ready)
		cpu_halt_forever();
	wait_for_go(slot, cpu);
	ap_entry(cpu);
	cpu_halt_forever();
}

u32 smp_start(const u32 *apic_ids, u32 count, hpa_t trampoline_hpa,
	      int (*prepare)(struct pcpu *), void (*entry)(struct pcpu *))
{
	ap_prepare = prepare;
	ap_entry = entry;
	slots_build(apic_ids, count);
	if (smp_slot_count == 0)
		return pcpu_count;
	if (hostmap_identity_map(trampoline_hpa)) {
		log_error("smp",
			  "cannot map the start page of the other cores "
			  "at %#llx: they are left out",
			  trampoline_hpa.v);
		return pcpu_count;
	}
	trampoline_build(trampoline_hpa);
	start_all((u8)(trampoline_hpa.v >> PAGE_SHIFT));
	hostmap_identity_unmap(trampoline_hpa);
	log_info("smp", "%u cores", pcpu_count);
	residue_report();
	mtrr_report();
	return pcpu_count;
}
