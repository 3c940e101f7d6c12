/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console mux: one physical UART, many speakers (the hypervisor's log and
 * each guest's vUART). One speaker has the focus: it alone is shown and gets
 * what is typed. Ctrl-] moves the focus on (log, guest, guest, ..., all), says
 * who speaks now, and replays the last lines of that speaker. In mode "all"
 * every line is shown, behind its speaker's name, as text that can do nothing
 * to the terminal.
 *
 * Nobody waits for the UART while guests run: what is said goes to a queue,
 * which the UART's interrupt empties. A guest that says more than its share of
 * the queue holds loses the rest, and the terminal shows how much.
 *
 * Locks: the console's and the UART's (output.c). The log's or a vUART's may be
 * held before them.
 */
#ifndef HV_CONSOLE_CONSOLE_H
#define HV_CONSOLE_CONSOLE_H

#include "hv/core/vm.h"
#include "hv/manifest/manifest.h"

struct speaker;

/* Start the UART and the framebuffer, and show the log there. Boot CPU, once,
 * at start-up. */
void console_init_early(const struct boot_info *bi);
/* Make a speaker for each guest of @m that starts, and take the focus it asks
 * for. Boot CPU, once, after the memory allocator. Logs. */
void console_configure(const struct manifest *m);
/* A guest's serial device. No lock of the console is held in its calls, so they
 * may take the device's. Any core. */
struct console_device {
	void *dev;
	/* @byte was typed for it; false: it has no room and the byte is lost,
	 * as on a wire */
	bool (*receive)(void *dev, u8 byte);
	/* There is room again for what it says */
	void (*ready)(void *dev);
};
/*
 * Attach a guest's serial device, whose calls are copied. What it writes to
 * *@out is said by @vm's speaker. While guests are built, one at a time.
 * -ENOENT: the manifest has no such guest; -ENOMEM: no room for its last lines.
 */
int __must_check console_attach(struct vm *vm,
				const struct console_device *device,
				struct speaker **out);
/* Detach the device: it is not called any more, the guest's last lines stay.
 * Waits for a call under way, so the caller must not hold the device's lock. */
void console_detach(struct speaker *sp);
/* @vm's kernel is about to run, for the first time or after a reset. The
 * privileged guest gets the screen. The guest that the manifest names, or else
 * the privileged one, gets the focus, once and unless Ctrl-] was typed: a guest
 * that resets takes no keys away from another. The core that starts it; logs.
 */
void console_guest_starts(struct vm *vm);
/* Receive what is typed, by interrupt on this core where there is an IOAPIC,
 * else by a timer. Boot CPU, once, after the IOAPIC and the timers work. */
void console_input_init(void);
/* From now on nobody waits for the UART. Boot CPU, once, after
 * console_input_init(), when this core is about to take interrupts. */
void console_defer_output(void);
/*
 * @sp says the @len bytes at @s. Any core; the caller may hold its device's
 * lock. False: the terminal is behind. Then the device should say nothing until
 * its ready() is called, or bytes may be lost.
 */
bool console_write(struct speaker *sp, const char *s, size_t len);
/* @fn gets each byte typed while no device receives it. Boot CPU, once, before
 * console_input_init(). @fn may log; it is called with no lock held. */
void console_on_key(void (*fn)(u8 byte));
/* No guest runs any more: the screen is the log's again, and @fn gets each byte
 * typed but Ctrl-], whoever has the focus. @fn may log; it is called with no
 * lock held. Any core, once. */
void console_take_over(void (*fn)(u8 byte));
/* Take what the UART has received, at most 64 bytes. From its interrupt or the
 * poll timer; no lock may be held. */
void console_poll(void);
/* Write out what is on its way, for 3 s at most; from now on the log alone is
 * shown, at once and without locks. The last core, as the machine ends. */
void console_finish(void);
/* The same for a panic, and the framebuffer is the hypervisor's again */
void console_panic_mode(void);

#endif
