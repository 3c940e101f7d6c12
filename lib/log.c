/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See log.h. Called by everything. A line is built on the caller's stack and
 * then goes to the ring and to the sinks. No part of a line is kept here, so
 * that a panic in the middle of one can still write its own.
 *
 * Lock: the environment's, around the ring and the list of sinks. A sink may
 * take its own lock inside it.
 */
#include "lib/log.h"

#include "lib/log_ring.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LOG_LINE_MAX 512

static struct log_env env;
static struct log_sink *sinks;

void log_set_env(const struct log_env *e)
{
	env = *e;
}

void log_add_sink(struct log_sink *sink)
{
	u64 cookie = env.lock ? env.lock() : 0;

	sink->next = sinks;
	WRITE_ONCE(sinks, sink);
	if (env.unlock)
		env.unlock(cookie);
}

static void emit(enum log_level level, const char *line, size_t len)
{
	u64 cookie = env.lock ? env.lock() : 0;

	log_ring_write(line, len);
	for (struct log_sink *s = sinks; s; s = s->next)
		s->write(s, level, line, len);
	if (env.unlock)
		env.unlock(cookie);
}

static const char *const level_mark[] = {
	[LOG_DEBUG] = "",        [LOG_INFO] = "",  [LOG_WARN] = "warning: ",
	[LOG_ERROR] = "error: ", [LOG_PANIC] = "",
};

static size_t add_prefix(char *line, size_t size)
{
	size_t len = 1;

	if (!env.prefix)
		return 0;
	line[0] = '[';
	len += env.prefix(line + len, size - len - 3);
	line[len++] = ']';
	line[len++] = ' ';
	return len;
}

/* Characters that a text of length @len put into a buffer of @room bytes */
static size_t clip(int len, size_t room)
{
	return len < 0 ? 0 : MIN((size_t)len, room - 1);
}

void log_vwrite(enum log_level level, const char *tag, const char *fmt,
		va_list ap)
{
	char line[LOG_LINE_MAX];
	size_t size = sizeof(line) - 1; /* a byte for the line feed */
	size_t len = add_prefix(line, size);

	len += clip(bh_snprintf(line + len, size - len, "%s: %s", tag,
				level_mark[level]),
		    size - len);
	len += clip(bh_vsnprintf(line + len, size - len, fmt, ap), size - len);
	if (len == 0 || line[len - 1] != '\n')
		line[len++] = '\n';
	emit(level, line, len);
}

void log_write(enum log_level level, const char *tag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vwrite(level, tag, fmt, ap);
	va_end(ap);
}

/* Each line costs one interval. The word says until when they are paid for, and
 * may lie a burst's worth ahead of @now. */
bool ratelimit_pass(struct ratelimit *rl, u64 now, u64 interval, u32 burst)
{
	u64 old = __atomic_load_n(&rl->paid_until, __ATOMIC_RELAXED), paid;

	do {
		paid = old > now ? old : now;
		if (paid + interval - now > burst * interval)
			return false;
	} while (!__atomic_compare_exchange_n(
		&rl->paid_until, &old, paid + interval, true, __ATOMIC_RELAXED,
		__ATOMIC_RELAXED));
	return true;
}
