/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The consoles as the privileged guest has them (hv/assign/console_port.c):
 * listed, read from where the caller is, typed at, shown. A reader has no state
 * here: it says itself how far it has read. What a caller names is checked, and
 * no call does more than copy some bytes under the console's lock. No lock
 * held, any core.
 */
#include "arch/x86/cpu/nospec.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/tsc.h"
#include "hv/console/console.h"
#include "hv/console/priv.h"
#include "lib/log.h"
#include "lib/string.h"

/* Keys for the hypervisor's own console, and moves of the focus: each makes
 * lines of the log or of the terminal, which are others', too */
#define FEW_NS    250000000u
#define FEW_BURST 8u

#define NO_KEY 0x100u

static struct ratelimit limit;
static u32 key = NO_KEY; /* typed at the log, not taken yet; atomic */

static bool may_make_lines(void)
{
	return ratelimit_pass(&limit, rdtsc(), ns_to_tsc(FEW_NS), FEW_BURST);
}

/* NULL: there is none of that number */
static struct speaker *speaker_at(u64 id)
{
	u32 count = READ_ONCE(con.count);

	if (id - CONSOLE_APART < VM_MAX)
		return console_apart[index_nospec(id - CONSOLE_APART, VM_MAX)];
	return id < count ? con.speakers[index_nospec(id, count)] : NULL;
}

u32 console_count(u32 *focus)
{
	*focus = READ_ONCE(con.focus);
	return READ_ONCE(con.count);
}

bool console_about(u64 id, struct console_about *about)
{
	const struct speaker *sp = speaker_at(id);

	if (!sp)
		return false;
	memset(about, 0, sizeof(*about));
	str_copy(about->name, sp->name, sizeof(about->name));
	console_lock();
	about->is_log = !sp->id;
	about->privileged = sp->privileged;
	about->ended = mux_ended(sp);
	console_unlock();
	return true;
}

u32 console_read(u64 id, u64 *at, char *buf, u32 max)
{
	const struct speaker *sp = speaker_at(id);
	const char *from;
	u64 len = max;

	if (!sp)
		return 0;
	console_lock();
	from = history_bytes(sp, at, &len);
	if (len)
		memcpy(buf, from, len);
	console_unlock();
	return (u32)len;
}

bool console_of(const struct vm *vm, u64 *id)
{
	*id = vm ? READ_ONCE(vm->console) : 0;
	return *id;
}

/* The ring's words may be in two pieces */
static u32 copy_words(const struct speaker *sp, u64 *at, char *buf, u32 max)
{
	u64 first = max, rest;
	const char *from = history_bytes(sp, at, &first);
	u64 next = *at + first;

	memcpy(buf, from, first);
	rest = max - first;
	from = history_bytes(sp, &next, &rest);
	memcpy(buf + first, from, rest);
	return (u32)(first + rest);
}

u32 console_follow(u64 id, u64 *at, char *buf, u32 max, u64 *end)
{
	struct speaker *sp = speaker_at(id);
	u32 len;

	*end = 0;
	if (!sp)
		return 0;
	console_lock();
	len = copy_words(sp, at, buf, max);
	*end = sp->written;
	if (*at + len == sp->written)
		sp->followed = true;
	console_unlock();
	return len;
}

void mux_spoken(struct speaker *sp)
{
	sp->followed = false;
	sp->spoken = true;
	con.any_spoken = true;
	if (con.on_spoken)
		con.on_spoken();
}

static bool take(bool *flag)
{
	return READ_ONCE(*flag) &&
	       __atomic_exchange_n(flag, false, __ATOMIC_SEQ_CST);
}

bool console_any_spoken(void)
{
	return take(&con.any_spoken);
}

bool console_spoken(u64 id)
{
	struct speaker *sp = speaker_at(id);

	return sp && take(&sp->spoken);
}

void console_on_spoken(void (*fn)(void))
{
	con.on_spoken = fn;
}

/* What a key sets going belongs to the core that takes what is typed */
static bool log_type(u8 byte)
{
	u32 none = NO_KEY;

	if (READ_ONCE(key) != NO_KEY || !may_make_lines())
		return false;
	if (!__atomic_compare_exchange_n(&key, &none, byte, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	pcpu_kick(pcpus[0], PCPU_KEY);
	return true;
}

void console_take_key(void)
{
	u32 byte = __atomic_exchange_n(&key, NO_KEY, __ATOMIC_SEQ_CST);

	if (byte != NO_KEY && con.on_key)
		con.on_key((u8)byte);
}

bool console_type_at(u64 id, u8 byte)
{
	const struct speaker *sp = speaker_at(id);
	struct console_device d;
	bool taken;

	if (!sp)
		return false;
	if (!sp->id)
		return log_type(byte);
	d = receiver_get(sp);
	taken = d.receive && d.receive(d.dev, byte);
	receiver_put();
	return taken;
}

bool console_focus(u64 id)
{
	if (id > READ_ONCE(con.count) || !may_make_lines())
		return false;
	console_focus_to((u32)id);
	return true;
}
