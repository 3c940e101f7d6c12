/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual 16550A at COM1, IRQ 4 (PC16550D data sheet); its other end is the
 * console mux. What the guest sends goes there at once, so the transmitter is
 * empty, unless the terminal is behind: then it is busy until ready(), as long
 * as a terminal takes. What a person types arrives by receive(), on the core
 * that takes the real UART's bytes or, through the console port, on any. The
 * vUART's lock protects all of it; the vIOAPIC's and the console's come after
 * it.
 */
#include "arch/x86/cpu/spinlock.h"
#include "hv/console/console.h"
#include "hv/irq/vioapic.h"
#include "include/hw/uart16550.h"
#include "lib/errno.h"
#include "lib/string.h"

/* What software finds that measures it in loopback */
#define FIFO_BYTES 16u
/* What is typed waits behind the FIFO: a paste or a script types faster than a
 * slow guest reads */
#define RX_FIFO_BYTES 256u

struct vuart {
	struct vm *vm;
	struct speaker *speaker; /* where what it sends is shown */
	struct spinlock lock;
	u8 ier, fcr, lcr, mcr, scr, dll, dlm;
	u8 msr;            /* status and delta bits */
	bool thre_pending; /* THR empty was not yet reported */
	bool tx_busy;      /* the console has no room for more */
	bool overrun;
	bool line; /* what the IOAPIC pin shows now */
	u16 rx_head, rx_count;
	u8 rx[RX_FIFO_BYTES];
};

static struct vuart *vuart_of(const struct vm *vm)
{
	return vm->devices[VDEV_vuart];
}

static const u8 rx_triggers[4] = { 1, 4, 8, 14 };

static u16 rx_capacity(const struct vuart *u)
{
	if (!(u->fcr & UART_FCR_ENABLE))
		return 1;
	return u->mcr & UART_MCR_LOOP ? FIFO_BYTES : RX_FIFO_BYTES;
}

static u16 rx_trigger(const struct vuart *u)
{
	return u->fcr & UART_FCR_ENABLE
		       ? rx_triggers[u->fcr >> UART_FCR_TRIGGER_SHIFT]
		       : 1;
}

/* Highest-priority source (data sheet table IV) */
static u8 iir_source(const struct vuart *u)
{
	if (u->ier & UART_IER_ELSI && u->overrun)
		return UART_IIR_RLS;
	/* No clock is kept: bytes below the trigger level time out at once */
	if (u->ier & UART_IER_ERBFI && u->rx_count)
		return u->rx_count >= rx_trigger(u) ? UART_IIR_RDA
						    : UART_IIR_CTI;
	if (u->ier & UART_IER_ETBEI && u->thre_pending)
		return UART_IIR_THRE;
	if (u->ier & UART_IER_EDSSI && u->msr & UART_MSR_DELTAS)
		return UART_IIR_MS;
	return UART_IIR_NONE;
}

static void line_update(struct vuart *u)
{
	/* In loopback the outputs, OUT2 among them, are off the pins */
	bool gate = (u->mcr & (UART_MCR_OUT2 | UART_MCR_LOOP)) == UART_MCR_OUT2;
	bool level = gate && iir_source(u) != UART_IIR_NONE;

	if (level == u->line)
		return;
	u->line = level;
	vioapic_set_line(u->vm, COM1_GSI, level);
}

static bool rx_push(struct vuart *u, u8 byte)
{
	if (u->rx_count >= rx_capacity(u))
		return false;
	u->rx[(u->rx_head + u->rx_count) % RX_FIFO_BYTES] = byte;
	u->rx_count++;
	return true;
}

/* A byte of our own. One too many is lost where there is a FIFO, and takes the
 * place of the one in the register where there is none (data sheet 8.4, OE). */
static void rx_loop(struct vuart *u, u8 byte)
{
	if (rx_push(u, byte))
		return;
	u->overrun = true;
	if (!(u->fcr & UART_FCR_ENABLE))
		u->rx[u->rx_head] = byte;
}

static u8 rx_pop(struct vuart *u)
{
	u8 byte = u->rx[u->rx_head];

	if (!u->rx_count)
		return 0;
	u->rx_head = (u16)((u->rx_head + 1) % RX_FIFO_BYTES);
	u->rx_count--;
	return byte;
}

/* Modem inputs: a null modem that is always ready, or our own outputs */
static u8 modem_inputs(const struct vuart *u)
{
	u8 s = 0;

	if (!(u->mcr & UART_MCR_LOOP))
		return UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;
	s |= u->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	s |= u->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	s |= u->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0;
	s |= u->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return s;
}

static void msr_update(struct vuart *u)
{
	u8 now = modem_inputs(u), changed = (u->msr ^ now) & UART_MSR_INPUTS;
	u8 delta = (changed >> 4) &
		   (UART_MSR_DCTS | UART_MSR_DDSR | UART_MSR_DDCD);

	/* RI reports its trailing edge only */
	if (changed & UART_MSR_RI && !(now & UART_MSR_RI))
		delta |= UART_MSR_TERI;
	u->msr = (u8)(now | (u->msr & UART_MSR_DELTAS) | delta);
}

static u64 read_data(struct vuart *u)
{
	return u->lcr & UART_LCR_DLAB ? u->dll : rx_pop(u);
}

static u64 read_ier(struct vuart *u)
{
	return u->lcr & UART_LCR_DLAB ? u->dlm : u->ier;
}

/* Reading the IIR while it names THRE takes that interrupt back */
static u64 read_iir(struct vuart *u)
{
	u8 source = iir_source(u);

	if (source == UART_IIR_THRE)
		u->thre_pending = false;
	return source | (u->fcr & UART_FCR_ENABLE ? UART_IIR_FIFO : 0);
}

static u64 read_lcr(struct vuart *u)
{
	return u->lcr;
}

static u64 read_mcr(struct vuart *u)
{
	return u->mcr;
}

static u64 read_lsr(struct vuart *u)
{
	u64 lsr = (u->tx_busy ? 0 : UART_LSR_THRE | UART_LSR_TEMT) |
		  (u->rx_count ? UART_LSR_DR : 0) |
		  (u->overrun ? UART_LSR_OE : 0);

	u->overrun = false;
	return lsr;
}

static u64 read_msr(struct vuart *u)
{
	u64 msr = u->msr;

	u->msr &= UART_MSR_INPUTS;
	return msr;
}

static u64 read_scr(struct vuart *u)
{
	return u->scr;
}

static void write_data(struct vuart *u, u8 value)
{
	char c = (char)value;

	if (u->lcr & UART_LCR_DLAB) {
		u->dll = value;
		return;
	}
	if (u->mcr & UART_MCR_LOOP)
		rx_loop(u, value);
	else
		u->tx_busy = !console_write(u->speaker, &c, 1);
	/* The byte is sent, and the holding register empty again. The line
	 * falls in between, so that an edge-triggered pin sees each time. */
	u->thre_pending = false;
	line_update(u);
	u->thre_pending = !u->tx_busy;
}

/* Enabling the THRE interrupt while the register is empty raises it (data
 * sheet 8.6.1); drivers test for that */
static void write_ier(struct vuart *u, u8 value)
{
	if (u->lcr & UART_LCR_DLAB) {
		u->dlm = value;
		return;
	}
	value &= UART_IER_VALID;
	if (value & ~u->ier & UART_IER_ETBEI)
		u->thre_pending = !u->tx_busy;
	u->ier = value;
}

static void write_fcr(struct vuart *u, u8 value)
{
	if ((value ^ u->fcr) & UART_FCR_ENABLE || value & UART_FCR_CLEAR_RX)
		u->rx_count = u->rx_head = 0;
	u->fcr = value & UART_FCR_ENABLE
			 ? value & (UART_FCR_ENABLE | UART_FCR_TRIGGER)
			 : 0;
}

static void write_lcr(struct vuart *u, u8 value)
{
	u->lcr = value;
}

static void write_mcr(struct vuart *u, u8 value)
{
	u->mcr = value & UART_MCR_VALID;
	msr_update(u);
}

static void write_nothing(struct vuart *u, u8 value)
{
}

static void write_scr(struct vuart *u, u8 value)
{
	u->scr = value;
}

/* clang-format off */
static const struct {
	u64 (*read)(struct vuart *u);
	void (*write)(struct vuart *u, u8 value);
} uart_regs[UART_PORTS] = {
	[UART_RBR] = { read_data, write_data },
	[UART_IER]  = { read_ier, write_ier },
	[UART_IIR]  = { read_iir, write_fcr },
	[UART_LCR]  = { read_lcr, write_lcr },
	[UART_MCR]  = { read_mcr, write_mcr },
	[UART_LSR]  = { read_lsr, write_nothing },
	[UART_MSR]  = { read_msr, write_nothing },
	[UART_SCR]  = { read_scr, write_scr },
};
/* clang-format on */

static u64 port_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vuart *u = dev;
	u64 value = 0;
	u8 i;

	spin_lock(&u->lock);
	for (i = 0; i < size; i++)
		value |= uart_regs[(offset + i) % UART_PORTS].read(u)
			 << (i * 8);
	line_update(u);
	spin_unlock(&u->lock);
	return value;
}

static void port_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct vuart *u = dev;
	u8 i;

	spin_lock(&u->lock);
	for (i = 0; i < size; i++)
		uart_regs[(offset + i) % UART_PORTS].write(
			u, (u8)(value >> (i * 8)));
	line_update(u);
	spin_unlock(&u->lock);
}

static bool receive(void *dev, u8 byte)
{
	struct vuart *u = dev;
	bool taken;

	spin_lock(&u->lock);
	taken = rx_push(u, byte);
	line_update(u);
	spin_unlock(&u->lock);
	return taken;
}

static void ready(void *dev)
{
	struct vuart *u = dev;

	spin_lock(&u->lock);
	u->tx_busy = false;
	u->thre_pending = true;
	line_update(u);
	spin_unlock(&u->lock);
}

static void vuart_reset(struct vm *vm)
{
	struct vuart *u = vuart_of(vm);

	spin_lock(&u->lock);
	u->ier = u->fcr = u->lcr = u->mcr = u->scr = 0;
	u->dll = 1;
	u->dlm = 0;
	u->msr = modem_inputs(u);
	u->thre_pending = u->tx_busy = u->overrun = false;
	u->rx_head = u->rx_count = 0;
	line_update(u);
	spin_unlock(&u->lock);
}

static int vuart_create(struct vm *vm)
{
	struct bus_region region = {
		.base = COM1_PORT,
		.size = UART_PORTS,
		.name = "uart",
		.read = port_read,
		.write = port_write,
	};
	struct vuart *u = kmem_alloc(&vm->budget, sizeof(*u));
	const struct console_device device = {
		.dev = u,
		.receive = receive,
		.ready = ready,
	};
	int err;

	if (!u)
		return -ENOMEM;
	vm->devices[VDEV_vuart] = u;
	u->vm = vm;
	region.dev = u;
	err = bus_add(&vm->ports, &region);
	if (!err)
		err = console_attach(vm, &device, &u->speaker);
	if (!err)
		vuart_reset(vm);
	return err;
}

static void vuart_destroy(struct vm *vm)
{
	struct vuart *u = vuart_of(vm);

	if (u->speaker)
		console_detach(u->speaker, vm);
	kmem_free(&vm->budget, u, sizeof(*u));
}

const struct vdev vuart_vdev = {
	.name = "UART",
	.create = vuart_create,
	.destroy = vuart_destroy,
	.reset = vuart_reset,
};
