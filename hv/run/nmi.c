/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See nmi.h. Called by loop.c. An NMI of the machine comes to LINT1 of the boot
 * core. Its reason is in port 61h, which is the privileged guest's own: it
 * reads there what this file does, and ends the reason as its driver does. So
 * nothing is written there while it runs.
 *
 * No lock: a core counts its own storm, and the log's limit is atomic.
 */
#include "hv/run/nmi.h"

#include "arch/x86/cpu/portio.h"
#include "arch/x86/machine/nmi.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/vcpu.h"
#include "hv/irq/vlapic.h"
#include "include/hw/i8254.h"
#include "lib/log.h"

#define LINES_AT_ONCE 4u
#define LINE_NS       (60 * NS_PER_S)
/* More in a second is a fault of the board's, and takes a core's time */
#define STORM_NMIS 1000u

static struct {
	u64 second; /* when it began, host TSC */
	u32 nmis;   /* in it */
	bool stopped;
} storms[MAX_CPUS]; /* by core */

static const char *reason(u8 port61)
{
	if (port61 & NMI_SC_SERR)
		return "a memory or bus error (SERR)";
	if (port61 & NMI_SC_IOCHK)
		return "a device's error (IOCHK)";
	return "no reason in port 61h, as of a button, a service processor "
	       "or a watchdog";
}

static void storm_look(u32 core, u32 count)
{
	u64 now = rdtsc();

	if (now - storms[core].second > ns_to_tsc(NS_PER_S)) {
		storms[core].second = now;
		storms[core].nmis = 0;
	}
	storms[core].nmis += count;
	if (storms[core].nmis < STORM_NMIS)
		return;
	storms[core].nmis = 0;
	/* What still comes is no board's: a device's DMA writes it */
	if (storms[core].stopped)
		return;
	storms[core].stopped = true;
	nmi_stop();
	log_error("nmi",
		  "more than %u in a second at core %u: it takes none from the "
		  "board any more",
		  STORM_NMIS, core);
}

void nmi_serve(void)
{
	static struct ratelimit limit;
	u8 port61 = (u8)port_read(NMI_SC_PORT, 1);
	u32 core = this_cpu()->id, count = nmi_taken();
	bool given = vm_privileged && vlapic_lint1_nmi(vm_privileged->vcpus[0]);

	if (ratelimit_pass(&limit, rdtsc(), ns_to_tsc(LINE_NS), LINES_AT_ONCE))
		log_warn("nmi", "core %u took %u: %s, port 61h is %#x; %s%s",
			 core, count, reason(port61), port61,
			 given ? "given to guest " : "no guest listens for it",
			 given ? vm_privileged->name : "");
	storm_look(core, count);
}
