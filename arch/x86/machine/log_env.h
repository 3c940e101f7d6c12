/* SPDX-License-Identifier: BSD-2-Clause */
/* What lib/log.h wants of the machine: a line's time, core and guest, and one
 * lock for the lines of all cores */
#ifndef ARCH_X86_MACHINE_LOG_ENV_H
#define ARCH_X86_MACHINE_LOG_ENV_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/* Gives the log its prefix and lock. Boot CPU, once, with its struct pcpu in
 * place; before other cores log. */
void log_env_init(void);

/* Writes the `vm:vcpu` part of a line to @buf of @size bytes; returns its
 * length, less than @size. Called on the core that has @v, in any context,
 * without a lock of the log's. Set by hv/init.c at boot; NULL: lines have no
 * such part. */
extern size_t (*log_guest_hook)(const struct vcpu *v, char *buf, size_t size);

#endif
