/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See log_env.h. Called by lib/log.c for each line.
 *
 * Lock: the log's, which is the only one that nests on one core. The console's
 * may be taken inside it. A panic breaks it where its owner is a core that was
 * stopped.
 */
#include "arch/x86/machine/log_env.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/tsc.h"
#include "lib/log.h"
#include "lib/printf.h"

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

/* The other cores are stopped, one of them perhaps inside a line. Let it finish
 * while it still can, then go on without the lock. */
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

void log_env_init(void)
{
	static const struct log_env env = {
		.prefix = log_prefix,
		.lock = log_lock,
		.unlock = log_unlock,
	};

	log_set_env(&env);
}
