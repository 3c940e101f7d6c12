/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console mux: one physical UART, many speakers (the hypervisor's log and
 * each guest's vUART). One speaker has the focus: it alone is shown and gets
 * what is typed; Ctrl-] moves the focus on (log, guest, guest, ..., all) and
 * prints who speaks now, replaying the last lines from that speaker's ring.
 * In mode "all" every line is shown, behind its speaker's name.
 */
#ifndef HV_VDEV_CONSOLE_H
#define HV_VDEV_CONSOLE_H

#include "hv/manifest.h"
#include "hv/vm.h"

void console_init_early(const struct boot_info *bi); /* UART, fb; log only */
void console_configure(const struct manifest *m);
int __must_check console_attach(struct vm *vm); /* a new speaker */
void console_write(struct vm *vm, const char *s, size_t len);
/* UART receive interrupt and idle poll */
void console_poll(void);
/* Everything to every console, no locks: panic */
void console_panic_mode(void);

#endif
