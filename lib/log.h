/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log. A line is `[time cpu vm:vcpu] tag: text`. It goes whole to the RAM
 * ring (lib/log_ring.h) and then to every registered sink, under one lock.
 *
 * lib/ knows no machine: what stands in the brackets and how to lock come from
 * struct log_env, which arch/x86/machine/log_env.c sets at boot.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdarg.h>

#include "lib/types.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_PANIC };

/*
 * Where finished lines go: the console mux (hv/console/console.c), a test.
 * write() gets one whole line, with its line feed and without a terminating
 * zero. It runs under the log's lock on the core that logs, and does not log.
 */
struct log_sink {
	void (*write)(struct log_sink *self, enum log_level level,
		      const char *line, size_t len);
	struct log_sink *next;
};

/* What the machine supplies. A member that is NULL is not called, as all are
 * before log_set_env(). */
struct log_env {
	/* Writes `time cpu vm:vcpu` to @buf of @size bytes, terminated; returns
	 * its length, less than @size. Any core, any context; before lock(). */
	size_t (*prefix)(char *buf, size_t size);
	/* Any core, any context. Nests on one core, so that a panic inside a
	 * line still gets its own out. Returns what unlock() wants back. */
	u64 (*lock)(void);
	void (*unlock)(u64 cookie);
};

/* Copies @env. Once, on the boot CPU, before another core logs. */
void log_set_env(const struct log_env *env);
/* Adds a sink, for good: the caller keeps @sink where it is. It gets the lines
 * that come from now on. Any core; takes the log's lock. */
void log_add_sink(struct log_sink *sink);
/*
 * Logs one line. @tag is the part of the hypervisor that speaks; @fmt has no
 * line feed; what goes beyond 510 characters is cut. Any core, any context,
 * any lock held but those that a sink takes (the console's); takes the log's.
 */
void log_write(enum log_level level, const char *tag, const char *fmt, ...)
	__printf(3, 4);
void log_vwrite(enum log_level level, const char *tag, const char *fmt,
		va_list ap);

/* log_write() at one level. A warning or an error says so in its line. */
#define log_debug(tag, ...) log_write(LOG_DEBUG, tag, __VA_ARGS__)
#define log_info(tag, ...)  log_write(LOG_INFO, tag, __VA_ARGS__)
#define log_warn(tag, ...)  log_write(LOG_WARN, tag, __VA_ARGS__)
#define log_error(tag, ...) log_write(LOG_ERROR, tag, __VA_ARGS__)

/* A limit on lines that a guest can cause: one struct a guest and place. All
 * zero at first. */
struct ratelimit {
	u64 paid_until; /* atomic: when all are regained, in @now's unit */
};
/*
 * May a line be logged now? True @burst times at once, and once more for each
 * @interval that passes, both in @now's unit. @interval is at least 1, @burst
 * times it less than 2^63. Any core, several at once; no lock. @now may differ
 * a little from core to core.
 */
bool ratelimit_pass(struct ratelimit *rl, u64 now, u64 interval, u32 burst);

#endif
