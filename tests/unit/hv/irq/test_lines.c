/* SOURCES: hv/irq/lines.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a line of the board leads, and who is told of one unmasked */
#include "tests/unit/fakes/vdev.h"

#include "hv/irq/lines.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vpic.h"

static u32 set_gsi, set_source;
static bool set_level, pin_open, pin_waits, pic_wants, pic_waits;
static char told[8];

static void tell(char who)
{
	told[strlen(told)] = who;
}

void vioapic_set_source(struct vm *vm, u32 pin, u32 source, bool level)
{
	set_gsi = pin;
	set_source = source;
	set_level = level;
}

void vioapic_set_line(struct vm *vm, u32 pin, bool level)
{
	vioapic_set_source(vm, pin, 0, level);
}

bool vioapic_pin_open(struct vm *vm, u32 pin)
{
	return pin_open && pin == 2;
}

bool vioapic_pin_waits(struct vm *vm, u32 pin)
{
	return pin_waits && pin == 2;
}

bool vpic_wants(struct vm *vm, u32 irq)
{
	return pic_wants && irq == 0;
}

bool vpic_waits(struct vm *vm, u32 irq)
{
	return pic_waits && irq == 0;
}

void vpic_look(struct vm *vm)
{
	tell('8');
}

static void look_a(struct vm *vm)
{
	assert_ptr_equal(vm, &fake_vm);
	tell('a');
}

static void look_b(struct vm *vm)
{
	tell('b');
}

static int setup(void **state)
{
	fake_vm_init(1);
	pin_open = pin_waits = pic_wants = pic_waits = false;
	memset(told, 0, sizeof(told));
	return 0;
}

/* IRQ 0 is pin 2, any other line its own */
static void test_pins(void **state)
{
	line_set(&fake_vm, 0, true);
	assert_int_equal(set_gsi, 2);
	assert_int_equal(set_source, LINE_SOURCE_ANY);
	assert_true(set_level);
	line_set_source(&fake_vm, 9, LINE_SOURCE_SCI, false);
	assert_int_equal(set_gsi, 9);
	assert_int_equal(set_source, LINE_SOURCE_SCI);
	assert_false(set_level);
	line_set_source(&fake_vm, 20, LINE_SOURCE_PCI, true);
	assert_int_equal(set_gsi, 20);
}

/* One of the two controllers is enough */
static void test_questions(void **state)
{
	assert_false(line_wanted(&fake_vm, 0) || line_waits(&fake_vm, 0));
	pin_open = pin_waits = true;
	assert_true(line_wanted(&fake_vm, 0) && line_waits(&fake_vm, 0));
	assert_false(line_wanted(&fake_vm, 1) || line_waits(&fake_vm, 1));
	pin_open = pin_waits = false;
	pic_wants = pic_waits = true;
	assert_true(line_wanted(&fake_vm, 0) && line_waits(&fake_vm, 0));
}

/* The 8259, then who listens, the latest first */
static void test_listeners(void **state)
{
	struct line_listener a, b;

	lines_unmasked(&fake_vm);
	assert_string_equal(told, "8");
	lines_listen(&fake_vm, &a, look_a);
	lines_listen(&fake_vm, &b, look_b);
	assert_string_equal(told, "8");
	lines_unmasked(&fake_vm);
	assert_string_equal(told, "88ba");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pins, setup),
		cmocka_unit_test_setup(test_questions, setup),
		cmocka_unit_test_setup(test_listeners, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
