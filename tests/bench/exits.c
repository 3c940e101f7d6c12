/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark guest: median round trips in TSC ticks, which the emulators
 * make instructions (docs/performance.md). Lines: `BENCH <key> <median>`.
 * With a second vCPU (command line `smp`) also an IPI between the two.
 */
#include "tests/guest/lib/guest.h"

#define N              501
#define VECTOR         0x60
#define UNCLAIMED_PORT 0x1234
#define MSR_TSC_ADJUST 0x3b
#define TOUCH_BASE     (4ull << 20)

static u64 sample[N];
static volatile u64 arrived;
static volatile u64 ap_ready, ap_seen;
static bool intel;

static u64 median(void)
{
	for (u32 i = 1; i < N; i++)
		for (u32 j = i; j && sample[j - 1] > sample[j]; j--) {
			u64 t = sample[j];

			sample[j] = sample[j - 1];
			sample[j - 1] = t;
		}
	return sample[N / 2];
}

static void report(const char *key, u64 overhead)
{
	u64 m = median();

	print("BENCH %s %llu\n", key, m > overhead ? m - overhead : m);
}

/* The cost of the two RDTSCs, taken off every figure */
static u64 empty(void)
{
	for (u32 i = 0; i < N; i++) {
		u64 t = rdtsc();

		sample[i] = rdtsc() - t;
	}
	return median();
}

static void one_cpuid(void)
{
	u32 a = 0, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}
static void one_rdmsr(void)
{
	(void)rdmsr(MSR_TSC_ADJUST);
}
static void one_wrmsr(void)
{
	wrmsr(MSR_TSC_ADJUST, 0);
}
static void one_port_in(void)
{
	(void)inb(UNCLAIMED_PORT);
}
static void one_vlapic_read(void)
{
	(void)*(volatile u32 *)0xfee00020;
}
static void one_vmcall(void)
{
	u64 a = 0;

	__asm__ volatile("vmcall" : "+a"(a)::"rbx", "rcx", "rdx", "memory");
}
static void one_vmmcall(void)
{
	u64 a = 0;

	__asm__ volatile("vmmcall" : "+a"(a)::"rbx", "rcx", "rdx", "memory");
}

#define MEASURE(key, call, overhead)                                           \
	do {                                                                   \
		for (u32 i = 0; i < N; i++) {                                  \
			u64 t = rdtsc();                                       \
			call;                                                  \
			sample[i] = rdtsc() - t;                               \
		}                                                              \
		report(key, overhead);                                         \
	} while (0)

static void first_touch(u64 overhead)
{
	for (u32 i = 0; i < N; i++) {
		volatile u64 *p = (volatile u64 *)(TOUCH_BASE + 4096ull * i);
		u64 t = rdtsc();

		(void)*p;
		sample[i] = rdtsc() - t;
	}
	report("first_touch", overhead);
}

static void on_vector(struct trap_frame *f)
{
	wrmsr(X2APIC_EOI, 0);
	arrived = rdtsc();
}

/* From the ICR write to the return of the handler, EOI included */
static void self_ipi(u64 overhead)
{
	irq_on();
	for (u32 i = 0; i < N; i++) {
		u64 t = rdtsc();

		arrived = 0;
		wrmsr(X2APIC_SELF_IPI, VECTOR);
		while (!arrived)
			;
		sample[i] = rdtsc() - t;
	}
	irq_off();
	report("self_ipi", overhead);
}

/* Programming (until the write is done) plus lateness (deadline to the end of
 * the handler): all the work, none of the waiting */
static void timer(u64 overhead)
{
	wrmsr(X2APIC_LVT_TIMER, 0x40000 | VECTOR);
	irq_on();
	for (u32 i = 0; i < N; i++) {
		u64 t = rdtsc(), deadline = t + 20000, programmed;

		arrived = 0;
		wrmsr(MSR_TSC_DEADLINE, deadline);
		programmed = rdtsc() - t;
		while (!arrived)
			;
		sample[i] = programmed + (arrived - deadline);
	}
	irq_off();
	report("timer", overhead);
}

static void on_ipi(struct trap_frame *f)
{
	wrmsr(X2APIC_EOI, 0);
	ap_seen = ap_seen + 1;
}

static void ap_main(void)
{
	ap_ready = 1;
	irq_on();
	for (;;)
		cpu_relax();
}

static void ipi(u64 overhead)
{
	irq_handler[0x71] = on_ipi;
	if (!ap_start(1, ap_main))
		return;
	while (!ap_ready)
		cpu_relax();
	for (u32 i = 0; i < N; i++) {
		u64 want = ap_seen + 1, t = rdtsc();

		wrmsr(X2APIC_ICR, 1ull << 32 | 0x71);
		while (ap_seen < want)
			cpu_relax();
		sample[i] = rdtsc() - t;
	}
	report("ipi", overhead);
}

static void exits(u64 overhead)
{
	MEASURE("cpuid", one_cpuid(), overhead);
	MEASURE("rdmsr", one_rdmsr(), overhead);
	MEASURE("wrmsr", one_wrmsr(), overhead);
	MEASURE("port_in", one_port_in(), overhead);
	if (intel)
		MEASURE("hypercall", one_vmcall(), overhead);
	else
		MEASURE("hypercall", one_vmmcall(), overhead);
}

void guest_main(void)
{
	u64 overhead = empty();

	intel = cpu_is_intel();
	print("BENCH empty %llu\n", overhead);
	MEASURE("vlapic_read", one_vlapic_read(), overhead);
	apic_enable();
	irq_handler[VECTOR] = on_vector;
	exits(overhead);
	first_touch(overhead);
	self_ipi(overhead);
	timer(overhead);
	if (cmdline_has("smp"))
		ipi(overhead);
	print("BENCH done 0\n");
}
