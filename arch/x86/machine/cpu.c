/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing one core into the hypervisor's own state, and what the log needs to
 * know of the machine (cpu.h). The log's lock is the only one here: it nests on
 * one core and a panic breaks it when its owner is a core that was stopped.
 */
#include "arch/x86/machine/cpu.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cpu_area.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/gdt.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/idt.h"
#include "arch/x86/machine/mce.h"
#include "arch/x86/machine/tsc.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "mm/hostmap.h"

size_t (*log_guest_hook)(const struct vcpu *v, char *buf, size_t size);

static size_t log_prefix(char *buf, size_t size)
{
	const struct pcpu *cpu = this_cpu();
	u64 us = tsc_khz ? tsc_to_ns(rdtsc() - tsc_boot) / NS_PER_US : 0;
	int len = bh_snprintf(buf, size, "%llu.%06llu %u", (us / 1000000),
			      (us % 1000000), cpu->id);
	size_t n = MIN((size_t)len, size - 1);

	if (!cpu->current || !log_guest_hook || n + 2 > size)
		return n;
	buf[n++] = ' ';
	return n + log_guest_hook(cpu->current, buf + n, size - n);
}

#define LOG_NOBODY      UINT32_MAX
#define LOG_BREAK_SPINS 1000000

static struct spinlock log_spinlock;
static u32 log_owner = LOG_NOBODY; /* id of the core that writes a line */

enum log_cookie { LOG_OUTERMOST, LOG_NESTED };

/* The others are stopped, one of them perhaps inside a line and others on their
 * way to one: let it end if it still can, then go on without the lock */
static u64 log_lock_in_panic(void)
{
	for (u32 i = 0; i < LOG_BREAK_SPINS; i++) {
		if (READ_ONCE(log_owner) == LOG_NOBODY)
			break;
		cpu_pause();
	}
	WRITE_ONCE(log_owner, LOG_NOBODY);
	return LOG_NESTED;
}

static u64 log_lock(void)
{
	u32 self = this_cpu()->id;

	if (READ_ONCE(log_owner) == self)
		return LOG_NESTED;
	if (panic_active())
		return log_lock_in_panic();
	spin_lock(&log_spinlock);
	WRITE_ONCE(log_owner, self);
	return LOG_OUTERMOST;
}

static void log_unlock(u64 cookie)
{
	if (cookie != LOG_OUTERMOST)
		return;
	WRITE_ONCE(log_owner, LOG_NOBODY);
	spin_unlock(&log_spinlock);
}

static u64 wanted_cr4(void)
{
	const struct cpu_features *f = &cpu_features;
	u64 cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cr4 |= f->pge ? CR4_PGE : 0;
	cr4 |= f->mce ? CR4_MCE : 0;
	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	/* Five-level paging cannot be left in long mode */
	return cr4 | (read_cr4() & CR4_LA57);
}

/*
 * CR0, CR4, EFER and PAT of this core as the hypervisor wants them: WP, NXE,
 * SMEP, SMAP, PGE, MCE, OSFXSR, OSXSAVE where present. Before the first load of
 * tables with NX bits. CR4.VMXE and EFER.SVME are the back-ends' to add.
 */
static void control_init(void)
{
	const struct cpu_features *f = &cpu_features;

	wrmsr(MSR_EFER,
	      (rdmsr(MSR_EFER) & ~EFER_SVME) | (f->nx ? EFER_NXE : 0));
	write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	write_cr4(wanted_cr4());
	/*
	 * Types in use (WB, UC) keep their entries, so the caches need not be
	 * written back (SDM 3A 12.12.4); the reload of CR3 drops what the TLB
	 * holds of the entries that changed.
	 */
	if (f->pat)
		wrmsr(MSR_PAT, HOST_PAT);
	write_cr3(read_cr3());
	if (f->xsave)
		xsetbv(0, f->xcr0_mask);
}

void cpu_boot_init(void)
{
	static const struct log_env env = {
		.prefix = log_prefix,
		.lock = log_lock,
		.unlock = log_unlock,
	};
	struct pcpu *cpu = cpu_area_init(boot_cpu_area);

	pcpus[0] = cpu;
	pcpu_count = 1;
	cpu->online = true;
	cpu_features_init();
	gdt_load(cpu);
	idt_init();
	idt_load();
	log_set_env(&env);
	control_init();
	mce_init_cpu();
}

void cpu_init_this(struct pcpu *cpu)
{
	control_init();
	hostmap_load_cpu();
	gdt_load(cpu);
	idt_load();
	mce_init_cpu();
}
