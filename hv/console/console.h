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

#include "drivers/console/uart.h"
#include "drivers/pci/address.h"
#include "hv/core/vm.h"
#include "hv/manifest/manifest.h"

struct speaker;

#define CONSOLE_APART 0x10000u /* numbers of dynamic guests' consoles */

/* Start the framebuffer and show the log there. Boot CPU, once, at start-up. */
void console_init_early(const struct boot_info *bi);

/* Log where the screen is, or that there is none. Boot CPU. */
void console_log_screen(const struct boot_info *bi);

/* The hypervisor's UART */
struct console_serial {
	struct uart_place at;
	bool has_function;  /* a PCI function's */
	struct pci_bdf bdf; /* which */
	u32 gsi;            /* its interrupt's; CONSOLE_NO_GSI: it is polled */
};
#define CONSOLE_NO_GSI ~0u

/*
 * Choose the UART and write out there what the log has said so far: the one
 * that @m names, that of SPCR, of the firmware's console, of DBG2, one that
 * answers at COM1, at COM2; the first that answers. @m is NULL where the boot
 * ends before the manifest and the tables are read: then by ports alone. Boot
 * CPU, after acpi_init(); only the first call has an effect. Logs.
 */
void console_serial_init(const struct manifest *m);
/* The UART that was chosen, also once it is given up; NULL: none. Any core. */
const struct console_serial *console_serial(void);
/* Is it where no virtual device of the privileged guest's is (COM1)? Then it is
 * kept from that guest. Any core. */
bool console_serial_is_kept(void);
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
 * *@out is said by @vm's speaker. While guests are built, one at a time. A
 * dynamic guest's speaker is none of the terminal's: Ctrl-] does not know it,
 * and what it says is kept for console_read(), by CONSOLE_APART and the guest's
 * index. -ENOENT: the manifest has no such guest; -ENOMEM: no room for its last
 * lines.
 */
int __must_check console_attach(struct vm *vm,
				const struct console_device *device,
				struct speaker **out);
/* Detach @vm's device: it is not called any more. The guest's last lines stay;
 * of a dynamic one they go. Waits for a call under way, so the caller must not
 * hold the device's lock. */
void console_detach(struct speaker *sp, struct vm *vm);
/* @vm's kernel is about to run, for the first time or after a reset. The
 * privileged guest gets the screen. The guest that the manifest names, or else
 * the privileged one, gets the focus, once and unless Ctrl-] was typed: a guest
 * that resets takes no keys away from another. The core that starts it; logs.
 */
void console_guest_starts(struct vm *vm);
/* The privileged guest has failed, and is to start again: the screen is the
 * hypervisor's until then. Any core, no lock held. */
void console_guest_restarts(const struct vm *vm);
/* Receive what is typed, by interrupt on this core where one arrives, which
 * takes up to 20 ms to find out, else by a timer. Boot CPU, once, after the
 * IOAPIC and the timers work; interrupts off, no lock held. */
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
/* No guest runs any more: screen and keyboard are the hypervisor's again, and
 * @fn gets each byte typed but Ctrl-], whoever has the focus, and 0 for a key
 * that has none. @fn may log; it is called with no lock held. Any core, once.
 * From now on the caller calls console_keys(). */
void console_take_over(void (*fn)(u8 byte));
/* "Check this machine": shows what @facts are worth on every console, page by
 * page, each until a key is pressed or a minute or so is over. The boot CPU,
 * after console_serial_init(), with no guest. */
void console_show_check(struct check_facts *facts);
/*
 * The consoles from inside the privileged guest, by number: 0 is the log, the
 * guests follow in the order of Ctrl-], and behind the last one stands for
 * "all" where a focus is meant. A number that is none is answered as if there
 * were nothing. Any core, no lock held.
 */
struct console_about {
	char name[MANIFEST_NAME_LEN];
	bool is_log, privileged;
	const char *ended; /* why; NULL: it has not */
};
/* How many there are, and which is shown */
u32 console_count(u32 *focus);
/* False: there is none of that number */
bool console_about(u64 id, struct console_about *about);
/* Copies at most @max bytes that it said from position *@at on, and returns how
 * many. Positions count all it ever said. *@at moves up to the oldest byte that
 * is still there, or down to the end. */
u32 console_read(u64 id, u64 *at, char *buf, u32 max);
/* The number of @vm's, from console_attach() to console_detach(); false: it has
 * none. However many there are, this looks at no other. */
bool console_of(const struct vm *vm, u64 *id);
/*
 * As console_read(), and in one or two pieces; *@end is where the console's
 * words end. A read that reaches the end has the console followed: what
 * console_on_spoken() named is called once, when more is said. By then
 * console_any_spoken() is true, once, and console_spoken(@id), once for each.
 */
u32 console_follow(u64 id, u64 *at, char *buf, u32 max, u64 *end);
bool console_any_spoken(void);
bool console_spoken(u64 id);
/* @fn is called under the console's lock and others', on any core. Boot CPU,
 * once, before guests run. */
void console_on_spoken(void (*fn)(void));
/* Types @byte; false: nobody takes it now. A key for the log goes to the boot
 * CPU. */
bool console_type_at(u64 id, u8 byte);
/* PCPU_KEY: gives that key to whom console_on_key() named */
void console_take_key(void);
/* Shows it on the machine's terminal; false: none, or too often */
bool console_focus(u64 id);
/* Take what was typed at the PC's keyboard, at most 16 keys, unless it is the
 * privileged guest's. PgUp and PgDn show more of the log on the screen. No lock
 * may be held. */
void console_keys(void);
/* No guest will ever run: keys of both keyboards move the focus and the log's
 * text. Boot CPU, whatever works by now. */
__noreturn void console_wait(void);
/* Take what the UART has received, at most 64 bytes. From its interrupt or the
 * poll timer; no lock may be held. */
void console_poll(void);
/* Write out what is on its way, for 3 s at most; from now on the log alone is
 * shown, at once and without locks. The last core, as the machine ends. */
void console_finish(void);
/* From now on the lines of a panic are kept, behind @title, for
 * console_show_code(). Boot CPU, once. */
void console_code_init(const char *title);
/* Draw them as a QR code, where the screen is the hypervisor's and large
 * enough: as many as fit, first to last. The core that panics, after
 * console_panic_mode(). Some 30 ms. */
void console_show_code(void);
/* The same for a panic, and the framebuffer is the hypervisor's again */
void console_panic_mode(void);

#endif
