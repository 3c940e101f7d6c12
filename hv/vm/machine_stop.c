/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine stops where it is, see machine_stop.h: what comes then. It may be
 * called before anything is set up, with locks held by cores that have stopped,
 * and again by a fault inside itself. No lock but the log's.
 */
#include "hv/vm/machine_stop.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/portio.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/power/power.h"
#include "hv/console/console.h"
#include "include/hw/q35.h"
#include "lib/log.h"

#define US_PER_S 1000000u

static u32 reboot_s; /* 0: wait for a person */

void machine_on_stop(u32 seconds)
{
	reboot_s = seconds;
}

/* Before the TSC's rate is known: a write to port 80h takes about 1 us */
static void wait_s(u32 seconds)
{
	u64 end = rdtsc() + ns_to_tsc(seconds * NS_PER_S);

	if (!tsc_khz)
		for (u64 us = 0; us < (u64)seconds * US_PER_S; us++)
			port_write(LPC_POST_PORT, 1, 0);
	else
		while ((s64)(rdtsc() - end) < 0)
			cpu_pause();
}

/* Once: it may be what faults */
static void show_code(void)
{
	static bool shown;

	if (!shown && panic_active()) {
		shown = true;
		console_show_code();
	}
}

void machine_stop(void)
{
	const char *tag = panic_active() ? "panic" : "init";

	if (reboot_s)
		log_write(LOG_PANIC, tag,
			  "the machine is stopped; it restarts in %u s",
			  reboot_s);
	else
		log_write(LOG_PANIC, tag,
			  "the machine is stopped; switch it off or reset it");
	/* Somebody may reset it earlier: what is said must be in RAM */
	wbinvd();
	show_code();
	if (!reboot_s)
		return;
	wait_s(reboot_s);
	log_write(LOG_PANIC, tag, "restarting the machine");
	power_reset();
}
