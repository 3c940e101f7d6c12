/* SPDX-License-Identifier: BSD-2-Clause */
/* A board for one timer device: time that passes when told, device timers that
 * fire on the way, interrupt lines that are counted. After vdev_fakes.h. */
#ifndef TESTS_UNIT_BOARD_FAKES_H
#define TESTS_UNIT_BOARD_FAKES_H

#include "hv/irq/lines.h"
#include "hv/time/vtimer.h"

#define BOARD_LINES 24
/* A device that wants more than this is a danger to its core */
#define BOARD_FIRES_A_SECOND 25000

static u64 board_now;
static bool board_lines[BOARD_LINES];
static u32 board_edges[BOARD_LINES]; /* rising */
static u64 board_fires;
static bool board_masked;             /* every line, everywhere */
static bool board_busy;               /* the guest takes no interrupt */
static bool board_waits[BOARD_LINES]; /* sent and not taken */

u64 vtimer_now(void)
{
	return board_now;
}

void vtimer_init(struct vtimer *t, struct vm *vm,
		 void (*fn)(struct vtimer *self))
{
	*t = (struct vtimer){ .vm = vm, .fn = fn, .next = vm->vtimers };
	vm->vtimers = t;
}

void vtimer_set(struct vtimer *t, u64 host_tsc)
{
	t->want = host_tsc ? host_tsc : 1;
}

void vtimer_cancel(struct vtimer *t)
{
	t->want = 0;
}

void line_set_source(struct vm *vm, u32 irq, enum line_source source,
		     bool level)
{
	assert_in_range(irq, 0, BOARD_LINES - 1);
	assert_in_range(source, 0, 7);
	if (level && !board_lines[irq]) {
		board_edges[irq]++;
		board_waits[irq] = board_busy;
	}
	board_lines[irq] = level;
}

void line_set(struct vm *vm, u32 irq, bool level)
{
	line_set_source(vm, irq, LINE_SOURCE_ANY, level);
}

bool line_wanted(struct vm *vm, u32 irq)
{
	assert_in_range(irq, 0, BOARD_LINES - 1);
	return !board_masked;
}

bool line_waits(struct vm *vm, u32 irq)
{
	return board_waits[irq];
}

void lines_listen(struct vm *vm, struct line_listener *l,
		  void (*look)(struct vm *vm))
{
	*l = (struct line_listener){ .look = look, .next = vm->line_listeners };
	vm->line_listeners = l;
}

/* The guest has unmasked something */
__attribute__((unused)) static void board_unmasked(void)
{
	for (struct line_listener *l = fake_vm.line_listeners; l; l = l->next)
		l->look(&fake_vm);
}

__attribute__((unused)) static bool board_line(u32 irq)
{
	return board_lines[irq];
}

static struct vtimer *board_soonest(void)
{
	struct vtimer *best = NULL;

	for (struct vtimer *t = fake_vm.vtimers; t; t = t->next)
		if (t->want && (!best || t->want < best->want))
			best = t;
	return best;
}

/* When the next device timer fires; 0: none is set */
__attribute__((unused)) static u64 board_next(void)
{
	const struct vtimer *t = board_soonest();

	return t ? t->want : 0;
}

static void board_pass_to(u64 end)
{
	u64 from = board_now, before = board_fires;
	struct vtimer *t;

	while ((t = board_soonest()) && t->want <= end) {
		board_now = MAX(board_now, t->want);
		t->want = 0;
		board_fires++;
		t->fn(t);
	}
	board_now = end;
	assert_true(board_fires - before <=
		    (end - from) / (tsc_khz * 1000 / BOARD_FIRES_A_SECOND) + 4);
}

__attribute__((unused)) static void board_pass_ns(u64 ns)
{
	board_pass_to(board_now +
		      (u64)((unsigned __int128)ns * tsc_khz / 1000000));
}

__attribute__((unused)) static void board_pass_us(u64 us)
{
	board_pass_ns(us * 1000);
}

__attribute__((unused)) static void out(u16 port, u8 size, u32 value)
{
	bus_write(&fake_vm.ports, &fake_vcpus[0], port, size, value);
}

__attribute__((unused)) static u32 in(u16 port, u8 size)
{
	return (u32)bus_read(&fake_vm.ports, &fake_vcpus[0], port, size);
}

__attribute__((unused)) static void board_init(void)
{
	fake_vm_init(2);
	tsc_khz = 2345678;
	board_now = tsc_boot = 1000000000000ull;
	memset(board_lines, 0, sizeof(board_lines));
	memset(board_edges, 0, sizeof(board_edges));
	memset(board_waits, 0, sizeof(board_waits));
	board_masked = board_busy = false;
	board_fires = 0;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 64), 0);
	assert_int_equal(bus_init(&fake_vm.mmio, &fake_vm.budget, 64), 0);
}

__attribute__((unused)) static void board_done(void)
{
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
	bus_destroy(&fake_vm.mmio, &fake_vm.budget);
}

#endif
