/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that pauser.c pauses: it reads its clocks in a loop, and counts the
 * ticks of its LAPIC timer, until the pauser writes that it ends. Then all
 * clocks must have counted the same time, and no vCPU's TSC may ever have been
 * behind the other's.
 */
#include "tests/guest/lib/paused.h"
#include "include/bulkhead/cpuid.h"
#include "include/bulkhead/kvm.h"
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pvclock.h"

#define VECTOR       0x61
#define PERIODIC     (1u << 17)
#define DIVIDE_BY_1  0xbu
#define TICK_US      20000u
#define HPET         0xfed00000ul
#define HPET_CONFIG  0x10
#define HPET_COUNTER 0xf0
#define PM_TIMER     0x608
#define PM_MASK      0xffffffu
#define PM_HZ        3579545u
#define SLACK_US     50000u
#define TURN_MS      5u

static volatile struct pvclock clock __aligned(64);
static volatile struct paused p;
static volatile u64 shared_tsc, behind;

static u64 hpet(u32 reg)
{
	return *(volatile u64 *)(HPET + reg);
}

/* As the other vCPU has read it; what is shared grows only */
static void compare_tsc(volatile u64 *wrong)
{
	u64 other = shared_tsc, now = rdtsc();

	if (now < other)
		++*wrong;
	else
		shared_tsc = now;
}

static void other_vcpu(void)
{
	for (;;)
		compare_tsc(&behind);
}

static void tick(struct trap_frame *f)
{
	p.ticks++;
	irq_ack(f);
}

static void start_clocks(void)
{
	u32 r[4];

	cpuid(BH_CPUID_INFO, 0, r);
	p.tsc_khz = r[2];
	p.hpet_hz = 1000000000000000ull / (u32)(hpet(0) >> 32);
	p.tick_us = TICK_US;
	*(volatile u64 *)(HPET + HPET_CONFIG) = 1;
	wrmsr(BH_KVM_MSR_SYSTEM_TIME, (u64)&clock | 1);
	irq_handler[VECTOR] = tick;
	wrmsr(X2APIC_TDCR, DIVIDE_BY_1);
	wrmsr(X2APIC_LVT_TIMER, PERIODIC | VECTOR);
	wrmsr(X2APIC_TMICT, p.tsc_khz * (TICK_US / 1000));
}

/* All clocks as of one moment */
struct moment {
	u64 tsc, hpet, kvm_ns;
	u32 pm;
};

static struct moment first;
static u64 pm_sum;
static u32 pm_last;

/* False: they were not read at one time; others had this core in between, or
 * the host had others. What the PM timer has counted is summed all the same, as
 * it wraps within seconds. */
static bool read_clocks(struct moment *m)
{
	m->tsc = rdtsc();
	m->hpet = hpet(HPET_COUNTER);
	m->pm = inl(PM_TIMER) & PM_MASK;
	m->kvm_ns = pvclock_ns_at(&clock, m->tsc);
	pm_sum += (m->pm - pm_last) & PM_MASK;
	pm_last = m->pm;
	return rdtsc() - m->tsc < p.tsc_khz * TURN_MS;
}

/* The moment from which all of them count */
static void find_first(void)
{
	while (!read_clocks(&first))
		;
	pm_sum = 0;
	p.ticks = 0;
}

/* A turn of the loop; the compiler's registers stay as they are around it */
static void turn(void)
{
	struct moment m;

	p.turns++;
	if (read_clocks(&m)) {
		p.pm = pm_sum;
		p.hpet = m.hpet - first.hpet;
		p.kvm_ns = m.kvm_ns - first.kvm_ns;
		p.tsc = m.tsc - first.tsc;
	}
	compare_tsc(&p.backwards);
	irq_window();
}

/* R12 and R13 belong to whom is called, so that they are there in all of it */
static void loop(void)
{
	register u64 magic __asm__("r12") = PAUSED_MAGIC;
	register u64 where __asm__("r13") = (u64)&p;

	while (!p.ends) {
		__asm__ volatile("" : "+r"(magic), "+r"(where));
		turn();
		__asm__ volatile("" : "+r"(magic), "+r"(where));
	}
}

static void same(const char *name, u64 us)
{
	u64 want = p.tsc * 1000 / p.tsc_khz;
	u64 off = us > want ? us - want : want - us;

	check(off <= SLACK_US + want / 20, name, "%llu us, the TSC %llu", us,
	      want);
}

void guest_main(void)
{
	apic_enable();
	start_clocks();
	section("docs/lifecycle.md");
	check(ap_start(1, other_vcpu), "paused.other_vcpu", "no answer");
	find_first();
	loop();
	same("paused.kvm_clock", p.kvm_ns / 1000);
	same("paused.hpet", p.hpet * 1000 / (p.hpet_hz / 1000));
	same("paused.pm_timer", p.pm * 1000 / (PM_HZ / 1000));
	p.backwards += behind;
	check(!p.backwards, "paused.tscs_in_step", "%llu times behind",
	      p.backwards);
	check(p.turns > 2, "paused.turns", "%llu", p.turns);
}
