/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on its way to the UART. At boot, in a panic and at the machine's end
 * output is direct: whoever speaks polls the UART. In between it goes to a
 * queue, and the UART's interrupt takes a FIFO's worth each time. A timer of
 * the core that began looks after it: it drains the queue where the UART has no
 * interrupt, or one that does not arrive.
 *
 * A UART that takes nothing for a second is stuck: its other end, a terminal
 * server or a service processor, has stopped. Nobody waits for that. The
 * interrupt or the timer finds out when it goes on.
 *
 * Locks: the console's protects queue, `active` and `stuck`; the latter two are
 * cleared under uart_lock besides. uart_lock protects the UART's registers and
 * the timer, and is held over at most a FIFO's worth of port I/O; the console's
 * is taken inside it, never the other way round.
 */
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/timer.h"
#include "arch/x86/machine/tsc.h"
#include "drivers/console/uart.h"
#include "hv/console/priv.h"
#include "hv/console/queue.h"

#define TICK_NS      1000000u      /* 16 bytes take 1.4 ms at 115200 baud */
#define TICK_SLOW_NS 20000000u     /* while interrupts arrive */
#define STUCK_NS     1000000000ull /* no byte taken for so long: it is stuck */
#define FINISH_NS    3000000000ull

static struct out_queue queue;
static bool direct = true;
static bool active; /* the UART is at work, and will come for what is queued */
static bool stuck;  /* it takes nothing: what is said is lost until it does */

static struct spinlock uart_lock;
static bool irq;       /* the UART's interrupt is bound, */
static bool irq_seen;  /* one arrived since the last tick, */
static bool irq_works; /* and one did before that */
static bool tick_armed;
static struct timer tick;
static u64 progress; /* TSC: when the UART last took something */

bool output_is_direct(void)
{
	return direct;
}

bool output_put(u32 id, const char *s, u32 len)
{
	if (!uart_present() || !len)
		return true;
	if (!direct)
		return stuck || queue_put(&queue, id, s, len);
	uart_write(s, len);
	return true;
}

bool output_roomy(u32 id)
{
	return direct || stuck || !uart_present() || queue_roomy(&queue, id);
}

bool output_fits(u32 id, u32 len)
{
	return direct || stuck || !uart_present() ||
	       queue_fits(&queue, id, len);
}

bool output_begin(void)
{
	bool begins = !active && !queue_empty(&queue);

	active |= begins;
	return begins;
}

/* Takes up to @room bytes. An empty queue ends the UART's work: the next byte
 * said begins it again. */
static u32 take(char *buf, u32 room)
{
	u32 n;

	console_lock();
	n = queue_take(&queue, buf, room);
	active = !queue_empty(&queue);
	stuck = false;
	console_unlock();
	return n;
}

/* What waits is lost. The UART stays at work, for a look at when it takes
 * something again; one that is gone does not. */
static void lose_all(void)
{
	console_lock();
	queue_clear(&queue);
	active = stuck = uart_present();
	console_unlock();
}

/* Cores' TSCs differ a little, so @now may lie before what another one noted */
static bool is_stuck(u64 now)
{
	return !uart_present() ||
	       (s64)(now - progress) > (s64)ns_to_tsc(STUCK_NS);
}

/* One FIFO's worth. UART lock held. The time is that before the look: a pause
 * of this core's behind it is not the UART's. */
static void pump(void)
{
	char bytes[UART_FIFO_BYTES];
	u64 now = rdtsc();
	u32 room = MIN(uart_room(), UART_FIFO_BYTES);
	u32 n = room ? take(bytes, room) : 0;

	uart_send(bytes, n);
	if (room)
		progress = now;
	else if (is_stuck(now))
		lose_all();
	/* Whoever speaks next turns it on, which interrupts again */
	if ((room && !n) || !READ_ONCE(active))
		uart_tx_irq(false);
}

static void tick_arm(void)
{
	u32 ns = irq_works || stuck ? TICK_SLOW_NS : TICK_NS;

	tick_armed = true;
	timer_arm(&tick, rdtsc() + ns_to_tsc(ns));
}

/* With no interrupt since the last tick, this one drains in its place */
static void output_tick(struct timer *t)
{
	spin_lock(&uart_lock);
	irq_works = irq_seen;
	irq_seen = false;
	tick_armed = false;
	if (!irq_works && READ_ONCE(active))
		pump();
	if (READ_ONCE(active) || READ_ONCE(con.unsettled))
		tick_arm();
	spin_unlock(&uart_lock);
	console_drained();
}

void output_start(void)
{
	spin_lock(&uart_lock);
	progress = rdtsc();
	if (irq)
		uart_tx_irq(true);
	tick.fn = output_tick;
	if (!tick_armed)
		tick_arm();
	spin_unlock(&uart_lock);
}

void output_interrupt(void)
{
	spin_lock(&uart_lock);
	irq_seen = true;
	pump();
	spin_unlock(&uart_lock);
	console_drained();
}

void output_irq_again(void)
{
	spin_lock(&uart_lock);
	uart_irq_again();
	spin_unlock(&uart_lock);
}

void output_has_irq(void)
{
	irq = true;
}

void output_defer(u32 speakers)
{
	queue_share_out(&queue, speakers);
	direct = false;
}

void output_finish(void)
{
	u64 start = rdtsc();
	char bytes[UART_FIFO_BYTES];
	u32 n;

	direct = true;
	while (uart_present() && rdtsc() - start < ns_to_tsc(FINISH_NS)) {
		n = queue_take(&queue, bytes, sizeof(bytes));
		if (!n)
			break;
		uart_write(bytes, n);
	}
	queue_clear(&queue);
}
