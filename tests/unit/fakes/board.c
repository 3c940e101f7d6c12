/* SPDX-License-Identifier: BSD-2-Clause */
/* Time and lines for one device, see board.h */
#include "tests/unit/fakes/board.h"

#include "hv/irq/lines.h"
#include "hv/time/vtimer.h"

/* A device that wants more than this is a danger to its core */
#define FIRES_A_SECOND 25000

u64 board_now, board_fires;
u32 board_edges[BOARD_LINES];
bool board_masked, board_busy, board_waits[BOARD_LINES];
static bool board_lines[BOARD_LINES];

u64 vtimer_now(const struct vm *vm)
{
	return board_now;
}

u64 vtimer_wall(void)
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
void board_unmasked(void)
{
	for (struct line_listener *l = fake_vm.line_listeners; l; l = l->next)
		l->look(&fake_vm);
}

bool board_line(u32 irq)
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
u64 board_next(void)
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
		    (end - from) / (tsc_khz * 1000 / FIRES_A_SECOND) + 4);
}

void board_pass_ns(u64 ns)
{
	board_pass_to(board_now +
		      (u64)((unsigned __int128)ns * tsc_khz / 1000000));
}

void board_pass_us(u64 us)
{
	board_pass_ns(us * 1000);
}

void board_init(void)
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

void board_done(void)
{
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
	bus_destroy(&fake_vm.mmio, &fake_vm.budget);
}
