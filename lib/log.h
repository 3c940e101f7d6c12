/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log. A line is `[time cpu vm:vcpu] tag: text`; it goes to the RAM ring
 * first (lib/log_ring.h) and then to every registered sink, whole, under one
 * lock that log.c owns. lib/ knows no machine: what stands in the brackets and
 * how to lock come from struct log_env, set once by arch/x86/cpu.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdarg.h>

#include "lib/types.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_PANIC };

/* Where finished lines go: the console mux, the framebuffer, a test */
struct log_sink {
	void (*write)(struct log_sink *self, enum log_level level,
		      const char *line, size_t len);
	struct log_sink *next;
};

/* What the machine supplies; all members may be NULL before log_set_env() */
struct log_env {
	/* Write `time cpu vm:vcpu` to @buf; returns its length */
	size_t (*prefix)(char *buf, size_t size);
	/* Nesting-safe on one core: a panic inside a line still gets out */
	u64 (*lock)(void);
	void (*unlock)(u64 cookie);
};

void log_set_env(const struct log_env *env);
void log_add_sink(struct log_sink *sink);
void log_write(enum log_level level, const char *tag, const char *fmt, ...)
	__printf(3, 4);
void log_vwrite(enum log_level level, const char *tag, const char *fmt,
		va_list ap);

#define log_debug(tag, ...) log_write(LOG_DEBUG, tag, __VA_ARGS__)
#define log_info(tag, ...)  log_write(LOG_INFO, tag, __VA_ARGS__)
#define log_warn(tag, ...)  log_write(LOG_WARN, tag, __VA_ARGS__)
#define log_error(tag, ...) log_write(LOG_ERROR, tag, __VA_ARGS__)

/*
 * For lines a guest can cause: at most @burst lines, then one a @interval of
 * @now's unit. Keep one struct per guest and site; not locked (a lost update
 * costs one line).
 */
struct ratelimit {
	u64 window_start;
	u32 printed;
};
bool ratelimit_pass(struct ratelimit *rl, u64 now, u64 interval, u32 burst);

#endif
