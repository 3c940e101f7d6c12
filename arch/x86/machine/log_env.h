/* SPDX-License-Identifier: BSD-2-Clause */
/* A log line's time, core and guest, and the lock of all cores' lines */
#ifndef ARCH_X86_MACHINE_LOG_ENV_H
#define ARCH_X86_MACHINE_LOG_ENV_H

#include "arch/x86/cpu/percpu.h"
#include "lib/types.h"

/* Boot CPU, with its struct pcpu in place; from here on lines have a prefix */
void log_env_init(void);

/* The log's `vm:vcpu` part: writes it to @buf, returns its length. Set by the
 * hv core, NULL: nothing. */
extern size_t (*log_guest_hook)(const struct vcpu *v, char *buf, size_t size);

#endif
