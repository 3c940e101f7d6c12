/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console mux: one physical UART, many speakers (the hypervisor's log and
 * each guest's vUART). One speaker has the focus: it alone is shown and gets
 * what is typed; Ctrl-] moves the focus on (log, guest, guest, ..., all) and
 * prints who speaks now, replaying the last lines from that speaker's ring.
 * In mode "all" every line is shown, behind its speaker's name.
 */
#ifndef HV_CONSOLE_CONSOLE_H
#define HV_CONSOLE_CONSOLE_H

#include "hv/core/vm.h"
#include "hv/manifest/manifest.h"

void console_init_early(const struct boot_info *bi); /* UART, fb; log only */
void console_configure(const struct manifest *m);
/* A new speaker, or the same guest again after a reset */
int __must_check console_attach(struct vm *vm);
/* The guest is gone: its last lines stay, nothing typed reaches it */
void console_detach(struct vm *vm);
/* Its kernel runs from now on: the privileged guest gets the screen, and the
 * guest that the manifest names (none: the privileged one) gets the focus */
void console_guest_starts(struct vm *vm);
/* Receive by interrupt on this core, where there is an IOAPIC; else by a
 * timer. Boot core, once, after the IOAPIC and the timers work. */
void console_input_init(void);
void console_write(struct vm *vm, const char *s, size_t len);
/* UART receive interrupt and idle poll */
void console_poll(void);
/* Everything to every console, no locks: panic */
void console_panic_mode(void);

#endif
