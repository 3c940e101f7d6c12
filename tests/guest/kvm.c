/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's paravirtual interface (Linux: virt/kvm/x86/cpuid.rst, msr.rst,
 * hypercalls.rst) with two vCPUs that share a core: while one runs, the other
 * is ready and does not. Over 400 lines: one interface, whose parts need each
 * other.
 */
#include "include/bulkhead/kvm.h"
#include "include/bulkhead/cpuid.h"
#include "include/bulkhead/hypercall.h"
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pvclock.h"

#define UD       6
#define V        0x61
#define PENDING  0x71
#define FAR_PAGE (1ull << 40) /* no RAM there */
#define AP_SPINS 200000000ull
#define BIG_PAGE 0x200000ul

extern u64 boot_pml4[];

struct steal_area {
	u64 steal;
	u32 version, flags;
	u8 preempted, pad[47];
};

static volatile struct steal_area area[2] __aligned(64);
static volatile struct pvclock clock[2] __aligned(64);
static volatile u32 wall[3] __aligned(4);
static volatile u32 eoi_flag __aligned(4);
static volatile u32 flag_in_handler;
static volatile u64 ap_phase, ap_seen;
static bool intel;

struct call {
	u64 a, b, c, d, result;
};

static u64 vmcall(u64 n, struct call x)
{
	__asm__ volatile("vmcall"
			 : "+a"(n)
			 : "b"(x.a), "c"(x.b), "d"(x.c), "S"(x.d)
			 : "memory");
	return n;
}

static u64 vmmcall(u64 n, struct call x)
{
	__asm__ volatile("vmmcall"
			 : "+a"(n)
			 : "b"(x.a), "c"(x.b), "d"(x.c), "S"(x.d)
			 : "memory");
	return n;
}

static s64 hyper(u64 n, u64 a, u64 b, u64 c, u64 d)
{
	struct call x = { a, b, c, d, 0 };

	return (s64)(intel ? vmcall(n, x) : vmmcall(n, x));
}

static void leaves(void)
{
	const u32 want = BH_KVM_CLOCKSOURCE | BH_KVM_NOP_IO_DELAY |
			 BH_KVM_CLOCKSOURCE2 | BH_KVM_STEAL_TIME |
			 BH_KVM_PV_EOI | BH_KVM_PV_UNHALT |
			 BH_KVM_PV_TLB_FLUSH | BH_KVM_PV_SEND_IPI |
			 BH_KVM_PV_SCHED_YIELD | BH_KVM_MSI_EXT_DEST_ID |
			 BH_KVM_CLOCK_STABLE;
	u32 r[4];

	section("Linux virt/kvm/x86/cpuid.rst");
	cpuid(BH_KVM_CPUID_BASE, 0, r);
	check(r[0] == BH_KVM_CPUID_FEATURES && r[1] == 0x4b4d564b &&
		      r[2] == 0x564b4d56 && r[3] == 0x4d,
	      "kvm.signature", "%x %x %x %x", r[0], r[1], r[2], r[3]);
	cpuid(BH_KVM_CPUID_FEATURES, 0, r);
	check(r[0] == want, "kvm.features", "%x, not %x", r[0], want);
	check(r[3] == 0, "kvm.no_realtime_hint", "%x", r[3]);
	section("include/bulkhead/cpuid.h");
	cpuid(BH_CPUID_BASE, 0, r);
	check(r[0] == BH_CPUID_CONSOLE && r[1] == BH_CPUID_SIGNATURE_EBX &&
		      r[2] == BH_CPUID_SIGNATURE_ECX &&
		      r[3] == BH_CPUID_SIGNATURE_EDX,
	      "kvm.own_leaves", "%x %x %x %x", r[0], r[1], r[2], r[3]);
}

static void do_foreign(void *arg)
{
	struct call *x = arg;

	x->result = intel ? vmmcall(BH_HYPERCALL(VERSION), *x)
			  : vmcall(BH_HYPERCALL(VERSION), *x);
}

static void hypercalls(void)
{
	struct call x = { 0 };
	u8 trap;

	section("Linux virt/kvm/x86/hypercalls.rst");
	check(hyper(BH_KVM_VAPIC_POLL_IRQ, 0, 0, 0, 0) == 0, "kvm.poll_irq",
	      "not 0");
	check(hyper(1000, 0, 0, 0, 0) == -BH_KVM_ENOSYS &&
		      hyper(0, 0, 0, 0, 0) == -BH_KVM_ENOSYS &&
		      hyper(~0ull, 0, 0, 0, 0) == -BH_KVM_ENOSYS,
	      "kvm.unknown_call", "not -1000");
	section("include/bulkhead/hypercall.h");
	check(hyper(BH_HYPERCALL(VERSION), 0, 0, 0, 0) == BH_ABI_VERSION,
	      "kvm.own_call", "%lld", hyper(BH_HYPERCALL(VERSION), 0, 0, 0, 0));
	trap = guest_try(do_foreign, &x);
	check(trap == NO_TRAP && x.result == BH_ABI_VERSION,
	      "kvm.other_vendors_call", "trap %u result %llx", trap, x.result);
	trap = guest_try((void (*)(void *))(void *)"\x0f\x0b", NULL);
	section("SDM 2B UD");
	check(trap == UD, "kvm.ud2_is_undefined", "trap %u", trap);
}

static u64 clock_ns(u32 cpu)
{
	const volatile struct pvclock *c = &clock[cpu];
	u32 version;
	u64 ns;

	do {
		version = c->version;
		ns = pvclock_ns_at(c, rdtsc());
	} while (version != c->version || version & 1);
	return ns;
}

static void clocks(void)
{
	u64 first, t0, t1, last = 0;
	u32 back = 0;

	section("Linux virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW");
	wrmsr(BH_KVM_MSR_SYSTEM_TIME, (u64)&clock[0] | 1);
	check(rdmsr(BH_KVM_MSR_SYSTEM_TIME) == ((u64)&clock[0] | 1),
	      "kvm.clock_reads_back", "%llx", rdmsr(BH_KVM_MSR_SYSTEM_TIME));
	check(clock[0].version && !(clock[0].version & 1) && clock[0].mul &&
		      clock[0].flags == 1,
	      "kvm.clock_page", "version %u mul %x flags %u", clock[0].version,
	      clock[0].mul, clock[0].flags);
	for (u32 i = 0; i < 10000; i++) {
		first = clock_ns(0);
		back += first < last;
		last = first;
	}
	check(!back, "kvm.clock_never_backwards", "%u times", back);
	t0 = rdtsc();
	first = clock_ns(0);
	do
		t1 = rdtsc();
	while (t1 - t0 < 5000000);
	last = clock_ns(0);
	check(last > first && last - first < 1000000000,
	      "kvm.clock_rate_is_sane", "%llu ns", last - first);
	wrmsr(BH_KVM_MSR_SYSTEM_TIME_OLD, (u64)&clock[1] | 1);
	check(clock[1].mul == clock[0].mul &&
		      clock[1].tsc - clock[0].tsc == 0 &&
		      clock[1].system == clock[0].system,
	      "kvm.clock_one_equation", "tsc %llx %llx", clock[0].tsc,
	      clock[1].tsc);
	wrmsr(BH_KVM_MSR_SYSTEM_TIME, (u64)&clock[0] | 1);
	check(wrmsr_faults(BH_KVM_MSR_SYSTEM_TIME, FAR_PAGE | 1),
	      "kvm.clock_outside_ram_gp", "no #GP");
	section("Linux virt/kvm/x86/msr.rst, MSR_KVM_WALL_CLOCK_NEW");
	wrmsr(BH_KVM_MSR_WALL_CLOCK, (u64)&wall);
	check(wall[0] && !(wall[0] & 1) && wall[1] > 1500000000u &&
		      wall[2] < 1000000000u,
	      "kvm.wall_clock", "%u %u %u", wall[0], wall[1], wall[2]);
}

static void steal_msr(void)
{
	section("Linux virt/kvm/x86/msr.rst, MSR_KVM_STEAL_TIME");
	check(wrmsr_faults(BH_KVM_MSR_STEAL_TIME, (u64)&area[0] | 3) &&
		      wrmsr_faults(BH_KVM_MSR_STEAL_TIME, (u64)&area[0] | 33),
	      "kvm.steal_reserved_gp", "no #GP");
	check(wrmsr_faults(BH_KVM_MSR_STEAL_TIME, FAR_PAGE | 1),
	      "kvm.steal_outside_ram_gp", "no #GP");
	area[0].preempted = 9;
	wrmsr(BH_KVM_MSR_STEAL_TIME, (u64)&area[0] | 1);
	check(rdmsr(BH_KVM_MSR_STEAL_TIME) == ((u64)&area[0] | 1),
	      "kvm.steal_reads_back", "%llx", rdmsr(BH_KVM_MSR_STEAL_TIME));
	check(area[0].version && !(area[0].version & 1) &&
		      area[0].preempted == 0,
	      "kvm.steal_area", "version %u preempted %u", area[0].version,
	      area[0].preempted);
	section("Linux virt/kvm/x86/cpuid.rst");
	check(wrmsr_faults(0x4b564d02, 0) && wrmsr_faults(0x4b564d06, 0) &&
		      wrmsr_faults(0x4b564d05, 0),
	      "kvm.not_offered_gp", "no #GP");
}

static void on_vector(struct trap_frame *f)
{
	flag_in_handler = eoi_flag;
	if (__atomic_fetch_and(&eoi_flag, ~1u, __ATOMIC_RELAXED) & 1)
		return;
	wrmsr(X2APIC_EOI, 0);
}

static void on_real_eoi(struct trap_frame *f)
{
	flag_in_handler = eoi_flag;
	wrmsr(X2APIC_EOI, 0);
}

static void pv_eoi(void)
{
	u64 before = irq_count[V];

	section("Linux virt/kvm/x86/msr.rst, MSR_KVM_EOI_EN");
	irq_handler[V] = on_vector;
	irq_handler[PENDING] = on_vector;
	check(wrmsr_faults(BH_KVM_MSR_PV_EOI, (u64)&eoi_flag | 3) &&
		      wrmsr_faults(BH_KVM_MSR_PV_EOI, FAR_PAGE | 1),
	      "kvm.eoi_bad_addresses_gp", "no #GP");
	wrmsr(BH_KVM_MSR_PV_EOI, (u64)&eoi_flag | 1);
	wrmsr(X2APIC_SELF_IPI, V);
	irq_window();
	check(flag_in_handler == 1 && eoi_flag == 0, "kvm.eoi_flag_set",
	      "%u %u", flag_in_handler, eoi_flag);
	for (u32 i = 0; i < 20; i++) {
		wrmsr(X2APIC_SELF_IPI, V);
		irq_window();
	}
	check(irq_count[V] == before + 21, "kvm.eoi_next_ones_come", "%llu",
	      irq_count[V] - before);
	wrmsr(X2APIC_SELF_IPI, V);
	irq_window();
	check(rdmsr(X2APIC_ISR0 + V / 32) == 0 && rdmsr(X2APIC_PPR) == 0,
	      "kvm.eoi_seen_in_isr", "%llx %llx", rdmsr(X2APIC_ISR0 + V / 32),
	      rdmsr(X2APIC_PPR));
	/* What waits for the end must be delivered at it: no flag then */
	wrmsr(X2APIC_SELF_IPI, V);
	wrmsr(X2APIC_SELF_IPI, PENDING);
	before = irq_count[V] + irq_count[PENDING];
	irq_window();
	check(irq_count[V] + irq_count[PENDING] == before + 2,
	      "kvm.eoi_both_of_two", "%llu",
	      irq_count[V] + irq_count[PENDING] - before);
	irq_handler[V] = on_real_eoi;
	before = irq_count[V];
	for (u32 i = 0; i < 3; i++) {
		wrmsr(X2APIC_SELF_IPI, V);
		irq_window();
	}
	check(irq_count[V] == before + 3 && eoi_flag == 0,
	      "kvm.eoi_by_msr_still_works", "%llu flag %u",
	      irq_count[V] - before, eoi_flag);
	wrmsr(BH_KVM_MSR_PV_EOI, 0);
	wrmsr(X2APIC_SELF_IPI, V);
	irq_window();
	check(flag_in_handler == 0, "kvm.eoi_off", "flag set");
}

static volatile u64 *ap_map; /* the 2 MiB mapping that the AP reads through */
static volatile u64 probe[2][512] __aligned(4096);

static void on_ap_vector(struct trap_frame *f)
{
	ap_seen++;
	wrmsr(X2APIC_EOI, 0);
}

static void on_nmi(struct trap_frame *f)
{
}

/* Phases: 1 registered and spinning; 2 about to halt with interrupts off;
 * 3 kicked; 4 interrupts on */
static void ap_main(void)
{
	wrmsr(BH_KVM_MSR_STEAL_TIME, (u64)&area[1] | 1);
	wrmsr(BH_KVM_MSR_SYSTEM_TIME, (u64)&clock[1] | 1);
	ap_phase = 1;
	while (ap_phase == 1)
		cpu_relax();
	__asm__ volatile("hlt");
	ap_phase = 3;
	while (ap_phase == 3)
		cpu_relax();
	irq_on();
	for (;;)
		cpu_relax();
}

static bool wait_for(const volatile u64 *what, u64 value)
{
	for (u64 i = 0; i < AP_SPINS / 10 && *what < value; i++)
		cpu_relax();
	return *what >= value;
}

static void preempted(void)
{
	u64 before;
	u32 marked = 0;

	section("Linux virt/kvm/x86/msr.rst, MSR_KVM_STEAL_TIME");
	check(ap_start(1, ap_main) && wait_for(&ap_phase, 1), "kvm.ap_runs",
	      "no");
	for (u32 i = 0; i < 1000; i++)
		marked += area[1].preempted & 1;
	check(marked == 1000, "kvm.other_is_preempted", "%u of 1000", marked);
	check(area[0].preempted == 0, "kvm.this_is_not", "%u",
	      area[0].preempted);
	before = area[0].steal;
	for (u64 i = 0; i < AP_SPINS && area[0].steal == before; i++)
		cpu_relax();
	check(area[0].steal > before, "kvm.steal_grows", "%llu ns",
	      area[0].steal);
	section("Linux virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW");
	check(clock[0].tsc == clock[1].tsc && clock[0].mul == clock[1].mul &&
		      clock[0].system == clock[1].system,
	      "kvm.clocks_of_vcpus_agree", "%llx %llx", clock[0].tsc,
	      clock[1].tsc);
	section("Linux virt/kvm/x86/hypercalls.rst, KVM_HC_SCHED_YIELD");
	before = area[1].version;
	check(hyper(BH_KVM_SCHED_YIELD, 1, 0, 0, 0) == 0 &&
		      area[1].version != before,
	      "kvm.yield_to_runs_it", "version %u", area[1].version);
	check(hyper(BH_KVM_SCHED_YIELD, 77, 0, 0, 0) == 0,
	      "kvm.yield_to_nobody", "not 0");
}

static void kick(void)
{
	section("Linux virt/kvm/x86/hypercalls.rst, KVM_HC_KICK_CPU");
	ap_phase = 2;
	for (u64 i = 0; i < 1000000; i++)
		cpu_relax();
	check(ap_phase == 2, "kvm.halted_with_if_clear", "%llu", ap_phase);
	check(hyper(BH_KVM_KICK_CPU, 0, 1, 0, 0) == 0 && wait_for(&ap_phase, 3),
	      "kvm.kick_ends_hlt", "phase %llu", ap_phase);
	check(hyper(BH_KVM_KICK_CPU, 0, 99, 0, 0) == 0, "kvm.kick_nobody",
	      "not 0");
	/* A kick that comes first is not lost */
	hyper(BH_KVM_KICK_CPU, 0, 0, 0, 0);
	__asm__ volatile("hlt");
	check(true, "kvm.kick_before_hlt", "hangs");
	ap_phase = 4;
}

static void pv_ipi(void)
{
	u64 self = irq_count[V], nmis = irq_count[2];

	section("Linux virt/kvm/x86/hypercalls.rst, KVM_HC_SEND_IPI");
	irq_handler[PENDING] = on_ap_vector;
	ap_seen = 0;
	check(hyper(BH_KVM_SEND_IPI, 2, 0, 0, PENDING) == 1 &&
		      wait_for(&ap_seen, 1),
	      "kvm.ipi_to_one", "%llu", ap_seen);
	check(hyper(BH_KVM_SEND_IPI, 1, 0, 1, PENDING) == 1 &&
		      wait_for(&ap_seen, 2),
	      "kvm.ipi_counted_from_lowest", "%llu", ap_seen);
	check(hyper(BH_KVM_SEND_IPI, ~0ull, ~0ull, 0, V) == 2,
	      "kvm.ipi_counts_who_is_there", "not 2");
	irq_window();
	check(irq_count[V] > self, "kvm.ipi_to_self", "none");
	check(hyper(BH_KVM_SEND_IPI, 2, 0, 0, 0x400) == 1 &&
		      wait_for(&irq_count[2], nmis + 1),
	      "kvm.ipi_nmi", "%llu", irq_count[2] - nmis);
	check(hyper(BH_KVM_SEND_IPI, 2, 0, 0, 0x500) == -BH_KVM_EINVAL &&
		      hyper(BH_KVM_SEND_IPI, 2, 0, 0, 0x80000 | V) ==
			      -BH_KVM_EINVAL,
	      "kvm.ipi_other_modes_refused", "not -22");
	check(hyper(BH_KVM_SEND_IPI, 2, 0, 0, 3) == 0, "kvm.ipi_illegal_vector",
	      "not 0");
	check(hyper(BH_KVM_SEND_IPI, 1, 0, 2, V) == 0 &&
		      hyper(BH_KVM_SEND_IPI, 1, 0, ~0ull, V) == 0,
	      "kvm.ipi_to_nobody", "not 0");
}

static volatile bool flush_go;
static volatile u64 flush_read;

/* QUIRK(bochs-2.7): as an AMD CPU it lets no interrupt of the host's through to
 * a loop with IF clear, so nobody else would have the core */
static void ap_reader(void)
{
	wrmsr(BH_KVM_MSR_STEAL_TIME, (u64)&area[1] | 1);
	irq_on();
	ap_phase = 10;
	for (;;)
		flush_read = *ap_map;
}

/* The AP reads through a mapping that it has cached; it is moved while the AP
 * is preempted, and only the flag tells */
static void tlb_flush(void)
{
	u64 *pdpt = (u64 *)(boot_pml4[0] & ~0xffful);
	u64 *pd = (u64 *)(pdpt[2] & ~0xffful);
	u64 old = pd[0], here = (u64)probe & ~(BIG_PAGE - 1);
	u8 expected = 1;
	bool asked;

	section("Linux virt/kvm/x86/cpuid.rst, KVM_FEATURE_PV_TLB_FLUSH");
	probe[0][0] = 111;
	ap_map = (volatile u64 *)(2ul << 30 | ((u64)probe & (BIG_PAGE - 1)));
	pd[0] = here | 0x83;
	ap_phase = 0;
	check(ap_start(1, ap_reader) && wait_for(&ap_phase, 10) &&
		      wait_for(&flush_read, 111),
	      "kvm.flush_ap_reads", "%llu", flush_read);
	pd[0] = (here + BIG_PAGE) | 0x83;
	*(volatile u64 *)((u64)probe + BIG_PAGE) = 222;
	asked = __atomic_compare_exchange_n(&area[1].preempted, &expected, 3,
					    false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
	check(asked, "kvm.flush_asked", "preempted is %u", expected);
	check(wait_for(&flush_read, 222), "kvm.flush_done", "reads %llu",
	      flush_read);
	pd[0] = old;
}

void guest_main(void)
{
	intel = cpu_is_intel();
	apic_enable();
	irq_handler[2] = on_nmi;
	leaves();
	hypercalls();
	clocks();
	steal_msr();
	pv_eoi();
	if (!cmdline_has("two"))
		return;
	preempted();
	kick();
	pv_ipi();
	tlb_flush();
}
