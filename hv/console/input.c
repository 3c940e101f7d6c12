/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is typed at the physical UART, and the UART's interrupt, which goes to
 * the boot core and has output to send, too (output.c). It is tried out first:
 * where none arrives, a slow timer looks for what is typed. The PC's keyboard
 * is looked at by a timer until the privileged guest gets it, and again when no
 * guest runs any more. Ctrl-] and the keys that scroll are taken out here; the
 * rest goes to the console in focus. The callers hold no lock.
 */
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/acpi/acpi.h"
#include "drivers/console/fbcon.h"
#include "drivers/console/keyboard.h"
#include "drivers/console/uart.h"
#include "drivers/irq/ioapic.h"
#include "hv/console/console.h"
#include "hv/console/priv.h"
#include "hv/irq/route.h"
#include "include/hw/uart16550.h"
#include "lib/log.h"

#define POLL_NS    20000000u
#define POLL_BYTES 64        /* a bound on one call: the UART's FIFO holds 16 */
#define TRIAL_NS   20000000u /* for an empty transmitter's interrupt */
#define IRQ_CAUSES 4     /* a bound on one interrupt: a UART has two of ours */
#define POLL_KEYS  16    /* the same */
#define WAIT_SPINS 20000 /* some ms between two looks */

static struct timer poll_timer, keys_timer;
static struct spinlock keys_lock;
static bool keys_given;        /* to the privileged guest */
static bool arrived;           /* an interrupt of the UART's, ever */
static void (*taker)(u8 byte); /* console_take_over(); NULL: not yet */

void console_take_over(void (*fn)(u8 byte))
{
	console_lock();
	fbcon_reclaim();
	console_unlock();
	spin_lock(&keys_lock);
	keyboard_start();
	keys_given = false;
	spin_unlock(&keys_lock);
	__atomic_store_n(&taker, fn, __ATOMIC_SEQ_CST);
}

void console_give_keys(void)
{
	spin_lock(&keys_lock);
	keys_given = true;
	spin_unlock(&keys_lock);
}

/* False: it was much work, and the core looks at its timer and its queue before
 * the next byte */
static bool take(u8 byte)
{
	if (byte == CONSOLE_SWITCH_KEY) {
		console_focus_next();
		return false;
	}
	if (taker)
		taker(byte);
	else
		console_type(byte);
	return true;
}

/* Takes what is typed at the UART. False: there may be more. */
static bool poll_uart(void)
{
	for (u32 i = 0; i < POLL_BYTES; i++) {
		int c = uart_getc();

		if (c < 0)
			return true;
		if (!take((u8)c))
			return false;
	}
	return false;
}

void console_poll(void)
{
	(void)poll_uart();
}

/* Of the PC's keyboard; false: none waits, or it is a guest's, or as take() */
static bool take_key(void)
{
	int key = KEY_NONE;

	spin_lock(&keys_lock);
	if (!keys_given)
		key = keyboard_get();
	spin_unlock(&keys_lock);
	if (key == KEY_NONE)
		return false;
	if (key == KEY_PAGE_UP || key == KEY_PAGE_DOWN) {
		console_scroll(key == KEY_PAGE_UP);
		return false;
	}
	if (key != KEY_OTHER)
		return take((u8)key);
	if (taker)
		taker(0);
	return true;
}

void console_keys(void)
{
	for (u32 i = 0; i < POLL_KEYS && take_key(); i++)
		;
}

__noreturn void console_wait(void)
{
	console_lock();
	fbcon_reclaim();
	console_unlock();
	keyboard_start();
	keys_given = false;
	for (;;) {
		console_poll();
		console_keys();
		for (u32 i = 0; i < WAIT_SPINS; i++)
			__builtin_ia32_pause();
	}
}

/* The pin is edge-triggered: it is quiet until the line has fallen. So causes
 * are served until none is left, or the line is made to fall. */
static void uart_arrived(struct irq *self)
{
	bool more = false;

	WRITE_ONCE(arrived, true);
	for (u32 i = 0; i < IRQ_CAUSES && !more; i++) {
		switch (uart_irq_cause()) {
		case UART_CAUSE_NONE:
			return;
		case UART_CAUSE_TX:
			output_interrupt();
			break;
		default:
			more = !poll_uart();
			break;
		}
	}
	output_irq_again();
}

static void poll_tick(struct timer *t)
{
	console_poll();
	timer_arm(t, rdtsc() + ns_to_tsc(POLL_NS));
}

/* Until the guest has it, or whoever took over looks himself */
static void keys_tick(struct timer *t)
{
	if (READ_ONCE(keys_given) || taker)
		return;
	console_keys();
	timer_arm(t, rdtsc() + ns_to_tsc(POLL_NS));
}

/* False: no pin, or no vector, or none that reaches this core */
static bool uart_irq_init(u32 gsi)
{
	static struct irq uart_irq = { uart_arrived };
	int vector = gsi < ioapic_gsi_count() ? irq_alloc(&uart_irq) : -1;

	return vector >= 0 && !ioapic_route(gsi, (u8)vector,
					    this_cpu()->apic_id, false, false);
}

/* An empty transmitter interrupts: does that arrive here? */
static bool uart_irq_works(u32 gsi)
{
	u64 start;

	if (!uart_irq_init(gsi))
		return false;
	uart_flush();
	ioapic_unmask(gsi);
	uart_rx_irq(true);
	uart_tx_irq(true);
	start = rdtsc();
	do
		irq_poll();
	while (!READ_ONCE(arrived) && rdtsc() - start < ns_to_tsc(TRIAL_NS));
	uart_tx_irq(false);
	if (READ_ONCE(arrived))
		return true;
	uart_rx_irq(false);
	ioapic_mask(gsi);
	return false;
}

static void input_poll(void)
{
	log_info("console", "no interrupt for the UART: polling it");
	poll_timer.fn = poll_tick;
	timer_arm(&poll_timer, rdtsc() + ns_to_tsc(POLL_NS));
}

void console_input_init(void)
{
	const struct console_serial *serial = console_serial();

	keyboard_start();
	keys_timer.fn = keys_tick;
	timer_arm(&keys_timer, rdtsc() + ns_to_tsc(POLL_NS));
	/* The privileged guest has a virtual UART there */
	irq_route_reserve(acpi_isa_gsi(COM1_GSI));
	if (!serial)
		return;
	if (!uart_irq_works(serial->gsi)) {
		input_poll();
		return;
	}
	irq_route_reserve(serial->gsi);
	output_has_irq();
	/* Bytes that came before the interrupt was on would hold its line up */
	console_poll();
}
