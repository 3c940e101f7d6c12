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

struct speaker;

void console_init_early(const struct boot_info *bi); /* UART, fb; log only */
void console_configure(const struct manifest *m);
/* A guest's serial device: what it says is @vm's speaker from now on, and what
 * is typed for that goes to @receive(@dev, byte): any core, false if it has no
 * room and the byte is lost, as on a wire. @dev may lock, then call
 * console_write(). While guests are built. -ENOENT: the manifest has no such
 * guest, -ENOMEM: no room for its last lines. */
typedef bool (*console_receive_fn)(void *dev, u8 byte);
int __must_check console_attach(struct vm *vm, console_receive_fn receive,
				void *dev, struct speaker **out);
/* The device goes: the guest's last lines stay, nothing typed reaches it. Waits
 * for a receive() under way, so the device's lock must not be held. */
void console_detach(struct speaker *sp);
/* Its kernel runs from now on: the privileged guest gets the screen, and the
 * guest that the manifest names (none: the privileged one) gets the focus */
void console_guest_starts(struct vm *vm);
/* Receive by interrupt on this core, where there is an IOAPIC; else by a
 * timer. Boot core, once, after the IOAPIC and the timers work. */
void console_input_init(void);
/* Any core; the caller may hold its device's lock */
void console_write(struct speaker *sp, const char *s, size_t len);
/* Who gets what is typed while no guest has the focus; once, at start-up. @fn
 * may log. */
void console_on_key(void (*fn)(u8 byte));
/* UART receive interrupt and idle poll */
void console_poll(void);
/* Everything to every console, no locks: panic */
void console_panic_mode(void);

#endif
