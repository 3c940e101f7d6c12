/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest reads the port of a sleep state, "port=" of its command
 * line, which an ACPI table names. Nothing is behind that port: what sleeps
 * there, the hypervisor puts to sleep.
 */
#include "include/bulkhead/cpuid.h"
#include "tests/guest/lib/guest.h"

#define TIMER        0x61u
#define LVT_DEADLINE (2u << 17)

static u64 khz;
static u16 port;

/* The timer's interrupt comes @ms from now; the time at which it does */
static u64 wake_in(u64 ms)
{
	u64 deadline = rdtsc() + ms * khz;

	wrmsr(MSR_TSC_DEADLINE, deadline);
	return deadline;
}

/* With interrupts off, as an idle loop does it, which also takes none then */
static void sleeps(void)
{
	u64 deadline = wake_in(20), after;

	inb(port);
	after = rdtsc();
	check(after >= deadline, "sleep.until_an_interrupt", "%llu ticks early",
	      deadline - after);
	check(irq_count[TIMER] == 0, "sleep.takes_no_interrupt", "%llu",
	      irq_count[TIMER]);
	irq_window();
	check(irq_count[TIMER] == 1, "sleep.interrupt_waits", "%llu",
	      irq_count[TIMER]);
}

/* It ends at once; else this would be the end of the test */
static void does_not_sleep(void)
{
	u64 deadline;

	wake_in(0);
	spin();
	inb(port);
	check(irq_count[TIMER] == 1, "sleep.not_if_one_waits", "%llu",
	      irq_count[TIMER]);
	irq_window();
	check(irq_count[TIMER] == 2, "sleep.which_then_comes", "%llu",
	      irq_count[TIMER]);
	deadline = wake_in(5000);
	inb((u16)(port + 1));
	check(rdtsc() < deadline, "sleep.not_at_another_port", "it slept");
	wrmsr(MSR_TSC_DEADLINE, 0);
}

/* With interrupts on, the one that ends it is taken */
static void sleeps_with_interrupts_on(void)
{
	wake_in(5);
	irq_on();
	inb(port);
	irq_off();
	check(irq_count[TIMER] == 3, "sleep.interrupts_on", "%llu",
	      irq_count[TIMER]);
}

/* AMD's has been there since family 10h */
static bool has_register(void)
{
	u32 r[4];

	cpuid(1, 0, r);
	return cpu_is_intel() || r[0] >> 20 & 0xff;
}

/* They are the host's to say, and are not moved */
static void registers(void)
{
	const u32 msr = cpu_is_intel() ? 0xe4 : 0xc0010073;
	u64 before = 0, now = 0;

	section("SDM 4 2.17; PPR of family 17h, MSRC001_0073");
	if (!has_register()) {
		check(rdmsr_faults(msr), "sleep.msr_is_absent", "no #GP");
		return;
	}
	check(try_rdmsr(msr, &before) == NO_TRAP, "sleep.msr_reads", "#GP");
	check(!wrmsr_faults(msr, 0x1234), "sleep.msr_write_is_ignored", "#GP");
	check(try_rdmsr(msr, &now) == NO_TRAP && now == before,
	      "sleep.msr_stays", "%llx", now);
}

void guest_main(void)
{
	u32 r[4];

	cpuid(BH_CPUID_INFO, 0, r);
	khz = r[2];
	port = (u16)cmdline_number("port=", 0);
	apic_enable();
	wrmsr(X2APIC_LVT_TIMER, LVT_DEADLINE | TIMER);
	irq_handler[TIMER] = irq_ack;
	section("ACPI 6.4, 8.1.2 *Processor Power State C2*");
	sleeps();
	does_not_sleep();
	sleeps_with_interrupts_on();
	registers();
}
