/* SOURCES: hv/assign/console_port.c hv/core/bus.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The console port: where it is, its calls, and what is no call. The consoles
 * behind it are made up; tests/unit/hv/console/test_console.c has the real. */
#include "tests/unit/fakes/vdev.h"

#include "hv/console/console.h"
#include "include/bulkhead/console_port.h"
#include "tests/unit/fakes/ports.h"

#define CONSOLES 2u
#define TEXT     "what it said, more than one answer has"

static u8 typed;
static u64 focused;

u32 console_count(u32 *focus)
{
	*focus = 1;
	return CONSOLES;
}

bool console_about(u64 id, struct console_about *about)
{
	if (id >= CONSOLES)
		return false;
	*about = (struct console_about){ .is_log = id == 0 };
	if (id == 0) {
		strcpy(about->name, "log");
		return true;
	}
	memset(about->name, 'n', sizeof(about->name));
	about->privileged = true;
	about->ended = TEXT;
	return true;
}

u32 console_read(u64 id, u64 *at, char *buf, u32 max)
{
	u32 len;

	assert_true(id < CONSOLES);
	assert_int_equal(max, BH_CONSOLE_BYTES);
	*at = MAX(*at, 3ull);
	*at = MIN(*at, sizeof(TEXT) - 1);
	len = (u32)MIN(sizeof(TEXT) - 1 - *at, max);
	memcpy(buf, TEXT + *at, len);
	return len;
}

bool console_type_at(u64 id, u8 byte)
{
	assert_true(id < CONSOLES);
	typed = byte;
	return byte != 'x';
}

bool console_focus(u64 id)
{
	assert_true(id <= CONSOLES);
	focused = id;
	return true;
}

static u64 *gpr;

static u32 call(u32 what, u64 rbx, u64 rcx)
{
	struct vcpu *v = &fake_vcpus[0];

	v->hw.exit.kind = EXIT_PORT;
	v->hw.exit.port.string = false;
	gpr = vcpu_regs(v)->gpr;
	gpr[GPR_RAX] = what;
	gpr[GPR_RBX] = rbx;
	gpr[GPR_RCX] = rcx;
	gpr[GPR_RDX] = gpr[GPR_RBP] = gpr[GPR_R9] = 0x77;
	gpr[GPR_RSI] = gpr[GPR_RDI] = gpr[GPR_R8] = 0x55;
	return (u32)bus_read(&fake_vm.ports, v, fake_vm.console_port, 4);
}

static u16 busy;

static u32 host_in(u16 port, u8 size)
{
	return port == busy ? 0 : 0xff;
}

static void create(void)
{
	fake_vm_init(1);
	fake_vm.privileged = true;
	fake_vm.console_port = 0;
	fake_port_in = host_in;
	fake_port_writes = 0;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 16), 0);
	assert_int_equal(console_port_vdev.create(&fake_vm), 0);
}

static void done(void)
{
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
}

/* The first place where nothing answers, here or on the machine */
static void test_place(void **state)
{
	struct bus_region taken = { .size = 2 };
	u16 first, second;

	busy = 0;
	create();
	first = fake_vm.console_port;
	assert_true(first && first < 0x1000 && fake_vm.ports.count == 1);
	done();
	busy = (u16)(first + 3);
	create();
	second = fake_vm.console_port;
	assert_true(second && second != first);
	done();
	busy = first;
	create();
	bus_remove(&fake_vm.ports, second);
	taken.base = second + 2u;
	assert_int_equal(bus_add(&fake_vm.ports, &taken), 0);
	fake_vm.console_port = 0;
	assert_int_equal(console_port_vdev.create(&fake_vm), 0);
	assert_true(fake_vm.console_port != first &&
		    fake_vm.console_port != second && fake_vm.console_port);
	done();
	assert_int_equal(fake_port_writes, 0);
	busy = 0;
}

static u32 host_zero(u16 port, u8 size)
{
	return 0;
}

static void test_no_place(void **state)
{
	fake_vm_init(1);
	fake_vm.console_port = 0;
	fake_port_in = host_zero;
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 16), 0);
	assert_int_equal(console_port_vdev.create(&fake_vm), 0);
	assert_int_equal(fake_vm.console_port, 0);
	assert_int_equal(fake_vm.ports.count, 0);
	assert_non_null(strstr(fake_log_last, "no port is free"));
	done();
}

static void test_calls(void **state)
{
	char text[BH_CONSOLE_BYTES];

	create();
	assert_int_equal(call(BH_CONSOLE_COUNT, 9, 9), CONSOLES);
	assert_int_equal(gpr[GPR_RBX], 1);
	assert_int_equal(call(BH_CONSOLE_ABOUT, 0, 9), BH_CONSOLE_LOG);
	assert_memory_equal(&gpr[GPR_RBX], "log\0\0\0\0", 8);
	assert_int_equal(gpr[GPR_RCX] | gpr[GPR_RSI] | gpr[GPR_RDI], 0);
	assert_int_equal(gpr[GPR_R8], 0x55);
	assert_int_equal(call(BH_CONSOLE_ABOUT, 1, 0),
			 BH_CONSOLE_OWN | BH_CONSOLE_ENDED);
	assert_int_equal(gpr[GPR_RDI], 0x6e6e6e6e6e6e6e6eull);

	assert_int_equal(call(BH_CONSOLE_READ, 1, 0), BH_CONSOLE_BYTES);
	assert_int_equal(gpr[GPR_RBX], 3);
	memcpy(text, &gpr[GPR_RCX], 8);
	memcpy(text + 8, &gpr[GPR_RSI], 8);
	memcpy(text + 16, &gpr[GPR_RDI], 8);
	memcpy(text + 24, &gpr[GPR_R8], 8);
	assert_memory_equal(text, &TEXT[3], BH_CONSOLE_BYTES);
	assert_int_equal(call(BH_CONSOLE_READ, 0, ~0ull), 0);
	assert_int_equal(gpr[GPR_RBX], sizeof(TEXT) - 1);
	assert_int_equal(gpr[GPR_RCX], 0);

	assert_int_equal(call(BH_CONSOLE_WHY, 1, 0), BH_CONSOLE_BYTES);
	assert_memory_equal(&gpr[GPR_RBX], TEXT, 8);
	assert_int_equal(call(BH_CONSOLE_WHY, 1, 32), sizeof(TEXT) - 33);
	assert_int_equal(call(BH_CONSOLE_WHY, 1, ~0ull), 0);
	assert_int_equal(call(BH_CONSOLE_WHY, 0, 0), 0);

	assert_int_equal(call(BH_CONSOLE_TYPE, 1, 0x1234500000041ull), 1);
	assert_int_equal(typed, 0x41);
	assert_int_equal(call(BH_CONSOLE_TYPE, 1, 'x'), 0);
	assert_int_equal(call(BH_CONSOLE_FOCUS, CONSOLES, 0), 1);
	assert_int_equal(focused, CONSOLES);
	assert_int_equal(gpr[GPR_RDX] & gpr[GPR_RBP] & gpr[GPR_R9], 0x77);
	done();
}

static void test_no_calls(void **state)
{
	struct vcpu *v = &fake_vcpus[0];
	u16 port;

	create();
	port = fake_vm.console_port;
	for (u32 what = BH_CONSOLE_ABOUT; what <= BH_CONSOLE_WHY; what++) {
		assert_int_equal(call(what, CONSOLES + 1, 0), BH_CONSOLE_NONE);
		assert_int_equal(call(what, 1ull << 32, 0), BH_CONSOLE_NONE);
		assert_int_equal(call(what, ~0ull, 0), BH_CONSOLE_NONE);
		assert_int_equal(gpr[GPR_RBX], ~0ull);
	}
	assert_int_equal(call(BH_CONSOLE_WHY + 1, 0, 0), BH_CONSOLE_NONE);
	assert_int_equal(call(~0u, 0, 0), BH_CONSOLE_NONE);
	/* Another size or place, a string, an emulated access, a write */
	(void)call(BH_CONSOLE_COUNT, 5, 5);
	gpr[GPR_RAX] = BH_CONSOLE_COUNT;
	gpr[GPR_RBX] = 5;
	assert_int_equal(bus_read(&fake_vm.ports, v, port, 1), 0xff);
	assert_int_equal(bus_read(&fake_vm.ports, v, port, 2), 0xffff);
	assert_int_equal(bus_read(&fake_vm.ports, v, port + 2u, 2), 0xffff);
	v->hw.exit.port.string = true;
	assert_int_equal(bus_read(&fake_vm.ports, v, port, 4), 0xffffffff);
	v->hw.exit.port.string = false;
	v->hw.exit.kind = EXIT_MMIO;
	assert_int_equal(bus_read(&fake_vm.ports, v, port, 4), 0xffffffff);
	bus_write(&fake_vm.ports, v, port, 4, BH_CONSOLE_TYPE);
	assert_int_equal(gpr[GPR_RBX], 5);
	assert_int_equal(fake_port_writes, 0);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_no_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
