/* SOURCES: hv/control/ring.c hv/control/dispatch.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The control device's rings: answers in order, indexes that make no sense, an
 * area that is not all there, events without room. The driver's memory is an
 * array of pages, of which any may be missing. Over 400 lines: one driver. */
#include "hv/control/priv.h"

#include "include/hw/pci.h"
#include "lib/errno.h"
#include "tests/unit/test.h"

#define PAGES 8u
#define AREA  1u /* page number of the area */
#define DATA  (4 * PAGE_SIZE)
#define HERE  BITS(PAGES - 1, 1)

static u8 memory[PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
static u64 there; /* a bit for each page */
static struct control c;
static u8 config[4096];
static u32 handled;
static u32 steps;               /* that INFO takes */
static void (*meanwhile)(void); /* another CPU of the driver's, once */
#define area ((struct bh_ctl_area *)(memory + AREA * PAGE_SIZE))

static int dma(u64 iova, size_t len)
{
	u64 first = iova / PAGE_SIZE, last = (iova + len - 1) / PAGE_SIZE;

	if (!len)
		return 0;
	if (last < first)
		return -EFAULT;
	for (u64 i = first; i <= last; i++)
		if (i >= PAGES || !(there >> i & 1))
			return -EFAULT;
	return 0;
}

int vtd_dma_read(struct vtd *u, u64 iova, void *buf, size_t len)
{
	if (dma(iova, len))
		return -EFAULT;
	if (len)
		memcpy(buf, memory + iova, len);
	return 0;
}

int vtd_dma_write(struct vtd *u, u64 iova, const void *buf, size_t len)
{
	if (dma(iova, len))
		return -EFAULT;
	memcpy(memory + iova, buf, len);
	return 0;
}

/* INFO gives back what it is given; the others stand for themselves */
s32 control_info(struct control *self, struct control_call *call)
{
	void (*fn)(void) = meanwhile;

	if (steps && ++call->at < steps)
		return CONTROL_GOES_ON;
	handled++;
	meanwhile = NULL;
	if (fn)
		fn();
	call->bytes = MIN(call->in_bytes, call->out_bytes);
	memcpy(self->out, self->in, call->bytes);
	call->result[0] = call->command.arg[0];
	return 0;
}

#define HANDLER(name)                                                          \
	s32 control_##name(struct control *self, struct control_call *call)    \
	{                                                                      \
		return control_error(self, call, BH_CTL_ESTATE, #name);        \
	}
HANDLER(announce)
HANDLER(pool)
HANDLER(guests)
HANDLER(create_guest)
HANDLER(start)
HANDLER(pause)
HANDLER(resume)
HANDLER(end)
HANDLER(console_read)
HANDLER(console_type)
HANDLER(audit)
HANDLER(set)
HANDLER(vcpus)
HANDLER(cores)
HANDLER(exit_names)
HANDLER(exits)
HANDLER(metering)
HANDLER(histograms)
HANDLER(trace)
HANDLER(trace_read)
HANDLER(registers)
HANDLER(last_exits)
HANDLER(set_registers)
HANDLER(memory)
HANDLER(memory_read)
HANDLER(memory_write)
HANDLER(translate)
HANDLER(debug)
HANDLER(devices)
HANDLER(device_offer)
HANDLER(queues)
HANDLER(queue_bind)
HANDLER(queue_stopped)

static u32 debuggers_left;

void control_debug_end(void)
{
	debuggers_left++;
}

static u32 traces_left;

bool control_trace_end(void)
{
	traces_left++;
	assert_int_equal(traces_left, debuggers_left);
	return false;
}

void vcpu_post(struct vcpu *v, u32 bits)
{
	fail_msg("nothing was traced");
}

void control_devices_again(struct control *self)
{
}

void control_guests_forget(struct control *self)
{
}

static u32 abandoned;

void dynamic_create_abandon(void)
{
	abandoned++;
}

static int setup(void **state)
{
	memset(memory, 0, sizeof(memory));
	memset(&c, 0, sizeof(c));
	memset(config, 0, sizeof(config));
	c.fn.config = config;
	config[PCI_COMMAND] = PCI_COMMAND_MASTER;
	there = HERE;
	handled = 0;
	steps = 0;
	abandoned = 0;
	meanwhile = NULL;
	control_open(&c, AREA);
	assert_int_equal(c.status, BH_CTL_IS_OPEN);
	return 0;
}

static struct bh_ctl_command *command(u16 op, u32 tag)
{
	struct bh_ctl_command *cmd =
		&area->commands[area->index.command_tail++ % BH_CTL_COMMANDS];

	*cmd = (struct bh_ctl_command){ .op = op,
					.tag = tag,
					.in = DATA,
					.out = DATA + PAGE_SIZE,
					.out_bytes = 64 };
	return cmd;
}

static void submit(void)
{
	if (!control_look(&c))
		return;
	while (control_step(&c))
		;
	control_publish(&c);
}

static const struct bh_ctl_event *event(void)
{
	u32 head = area->index.event_head;

	if (head == area->index.event_tail)
		return NULL;
	area->index.event_head = head + 1;
	return &area->events[head % BH_CTL_EVENTS];
}

static void test_answers(void **state)
{
	const struct bh_ctl_event *e;

	for (u32 round = 0; round < 5; round++) {
		for (u32 i = 0; i < BH_CTL_COMMANDS - round; i++)
			command(BH_CTL_OP_INFO, i)->arg[0] = i * 3;
		submit();
		assert_int_equal(area->index.command_head,
				 area->index.command_tail);
		for (u32 i = 0; i < BH_CTL_COMMANDS - round; i++) {
			e = event();
			assert_non_null(e);
			assert_int_equal(e->type, BH_CTL_EVENT_ANSWER);
			assert_int_equal(e->tag, i);
			assert_int_equal(e->status, 0);
			assert_int_equal(e->arg[0], i * 3);
		}
		assert_null(event());
	}
	submit();
	assert_null(event());
}

static void test_counters_wrap(void **state)
{
	/* As after four thousand million commands and events */
	c.command_head = c.command_tail = 0u - 2;
	c.event_tail = c.event_head = 0u - 1;
	area->index.command_tail = 0u - 2;
	area->index.event_head = area->index.event_tail = 0u - 1;
	for (u32 i = 0; i < 5; i++)
		command(BH_CTL_OP_INFO, i);
	submit();
	assert_int_equal(area->index.command_head, 3);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(event()->tag, i);
	assert_null(event());
}

static void test_data(void **state)
{
	struct bh_ctl_command *cmd = command(BH_CTL_OP_INFO, 1);
	const struct bh_ctl_event *e;

	/* Across a page's end, both */
	cmd->in = 5 * PAGE_SIZE - 3;
	cmd->in_bytes = 6;
	cmd->out = 6 * PAGE_SIZE - 2;
	memcpy(memory + cmd->in, "across", 6);
	submit();
	e = event();
	assert_int_equal(e->status, 0);
	assert_int_equal(e->bytes, 6);
	assert_memory_equal(memory + 6 * PAGE_SIZE - 2, "across", 6);
	/* As much as there is room for */
	cmd = command(BH_CTL_OP_INFO, 1);
	cmd->in_bytes = 6;
	cmd->out_bytes = 2;
	submit();
	assert_int_equal(event()->bytes, 2);
	/* All there may be, and a byte more */
	cmd = command(BH_CTL_OP_INFO, 1);
	cmd->in_bytes = BH_CTL_IN_MAX;
	cmd->out_bytes = ~0u;
	submit();
	assert_int_equal(event()->bytes, BH_CTL_OUT_MAX);
	command(BH_CTL_OP_INFO, 1)->in_bytes = BH_CTL_IN_MAX + 1;
	submit();
	assert_int_equal(event()->status, -BH_CTL_EINVAL);
	assert_int_equal(handled, 3);
}

static void test_errors(void **state)
{
	const struct bh_ctl_event *e;

	command(BH_CTL_OP_POOL, 1);
	submit();
	e = event();
	assert_int_equal(e->status, -BH_CTL_ESTATE);
	assert_int_equal(e->bytes, 4);
	assert_memory_equal(memory + DATA + PAGE_SIZE, "pool", 4);
	command(BH_CTL_OPS, 2);
	command(0xffff, 3);
	submit();
	assert_int_equal(event()->status, -BH_CTL_ENOSYS);
	assert_int_equal(event()->status, -BH_CTL_ENOSYS);
	/* What is given, what comes back, is not there */
	command(BH_CTL_OP_INFO, 4)->in_bytes = 1;
	there &= ~BIT(DATA / PAGE_SIZE);
	submit();
	assert_int_equal(event()->status, -BH_CTL_EFAULT);
	there = HERE & ~BIT(DATA / PAGE_SIZE + 1);
	command(BH_CTL_OP_POOL, 5);
	submit();
	e = event();
	assert_int_equal(e->status, -BH_CTL_EFAULT);
	assert_int_equal(e->bytes, 0);
	assert_int_equal(c.status, BH_CTL_IS_OPEN);
}

static void closes(enum bh_ctl_status why)
{
	submit();
	assert_int_equal(c.status, why);
	command(BH_CTL_OP_INFO, 1);
	handled = 0;
	submit();
	assert_int_equal(handled, 0);
	assert_null(event());
}

static void test_bad_tail(void **state)
{
	area->index.command_tail = BH_CTL_COMMANDS + 1;
	closes(BH_CTL_BAD_TAIL);
}

static void test_tail_goes_back(void **state)
{
	area->index.command_tail = 0u - 1;
	closes(BH_CTL_BAD_TAIL);
}

static void test_bad_head(void **state)
{
	area->index.event_head = 1;
	submit();
	assert_int_equal(c.status, BH_CTL_BAD_HEAD);
}

static void test_no_area(void **state)
{
	for (u32 i = 0; i < 3; i++) {
		control_open(&c, 0);
		assert_int_equal(c.status, BH_CTL_CLOSED);
		there = HERE & ~BIT(AREA + i);
		control_open(&c, AREA);
		assert_int_equal(c.status, BH_CTL_BAD_ADDRESS);
	}
	there = HERE;
	control_open(&c, PAGES - 2);
	assert_int_equal(c.status, BH_CTL_BAD_ADDRESS);
	control_open(&c, ~0u);
	assert_int_equal(c.status, BH_CTL_BAD_ADDRESS);
	config[PCI_COMMAND] = 0;
	control_open(&c, AREA);
	assert_int_equal(c.status, BH_CTL_BAD_ADDRESS);
}

static void test_open_twice(void **state)
{
	control_open(&c, AREA);
	closes(BH_CTL_AGAIN);
}

/* A page of the area goes between two commands */
static void lose_events(void)
{
	there &= ~BIT(AREA + 2);
}

static void test_area_goes(void **state)
{
	command(BH_CTL_OP_INFO, 1);
	command(BH_CTL_OP_INFO, 2);
	meanwhile = lose_events;
	closes(BH_CTL_BAD_ADDRESS);
}

/* It is closed, and opened again, while a command is done */
static void close_it(void)
{
	control_close(&c, BH_CTL_CLOSED);
}

static void test_closed_meanwhile(void **state)
{
	command(BH_CTL_OP_INFO, 1);
	command(BH_CTL_OP_INFO, 2);
	submit();
	close_it();
	assert_false(control_step(&c));
	area->index.command_tail = 0;
	area->index.event_head = 0;
	control_open(&c, AREA);
	command(BH_CTL_OP_INFO, 9);
	submit();
	assert_int_equal(event()->tag, 9);
}

/* What is half made is nobody's any more, however the device is closed; and
 * whoever opens it again begins anew */
static void test_closed_in_a_command(void **state)
{
	steps = 5;
	for (u32 i = 0; i < 2; i++) {
		command(BH_CTL_OP_INFO, 1);
		assert_true(control_look(&c));
		assert_true(control_step(&c));
		assert_int_equal(abandoned, i);
		if (i)
			control_open(&c, AREA); /* once more: an error */
		else
			close_it();
		assert_int_equal(abandoned, i + 1);
		assert_false(control_step(&c));
		close_it();
		assert_int_equal(abandoned, i + 1);
		assert_int_equal(handled, 0);
		memset(area, 0, sizeof(*area));
		control_open(&c, AREA);
	}
	command(BH_CTL_OP_INFO, 9);
	submit();
	assert_int_equal(event()->tag, 9);
	close_it(); /* between commands */
	assert_int_equal(abandoned, 2);
}

/* A command is copied before it is looked at */
static void change_commands(void)
{
	for (u32 i = 0; i < BH_CTL_COMMANDS; i++)
		area->commands[i] = (struct bh_ctl_command){
			.op = 0xffff, .tag = 99, .out = ~0ull, .out_bytes = ~0u
		};
}

static void test_changes_meanwhile(void **state)
{
	command(BH_CTL_OP_INFO, 1)->in_bytes = 4;
	memcpy(memory + DATA, "same", 4);
	meanwhile = change_commands;
	submit();
	assert_int_equal(area->events[0].tag, 1);
	assert_int_equal(area->events[0].status, 0);
	assert_memory_equal(memory + DATA + PAGE_SIZE, "same", 4);
}

/* A command in steps, and its driver changes or ends it in between */
static void test_steps(void **state)
{
	steps = 3;
	command(BH_CTL_OP_INFO, 1)->in_bytes = 4;
	command(BH_CTL_OP_INFO, 2);
	memcpy(memory + DATA, "same", 4);
	assert_true(control_look(&c));
	assert_true(control_step(&c));
	change_commands();
	assert_true(control_step(&c));
	assert_int_equal(handled, 0);
	assert_true(control_step(&c));
	assert_int_equal(handled, 1);
	assert_int_equal(area->events[0].tag, 1);
	assert_memory_equal(memory + DATA + PAGE_SIZE, "same", 4);
	/* The next one is not what it was, and done at once */
	assert_false(control_step(&c));
	assert_int_equal(area->events[1].status, -BH_CTL_EFAULT);
	/* Closed in the middle: nothing of it is left */
	command(BH_CTL_OP_INFO, 3);
	assert_true(control_look(&c));
	assert_true(control_step(&c));
	control_close(&c, BH_CTL_CLOSED);
	area->index.command_tail = 0;
	area->index.event_head = 0;
	control_open(&c, AREA);
	steps = 0;
	command(BH_CTL_OP_POOL, 4);
	submit();
	assert_int_equal(event()->tag, 4);
	assert_null(event());
}

static void test_overrun(void **state)
{
	for (u32 i = 0; i < 2; i++) {
		for (u32 k = 0; k < BH_CTL_COMMANDS; k++)
			command(BH_CTL_OP_INFO, k);
		submit();
		assert_int_equal(c.status, BH_CTL_IS_OPEN);
	}
	handled = 0;
	command(BH_CTL_OP_INFO, 1);
	submit();
	assert_int_equal(c.status, BH_CTL_OVERRUN);
	assert_int_equal(handled, 0); /* what cannot be answered is not done */
}

/* Other events come between the steps of a command */
static void test_overrun_meanwhile(void **state)
{
	const struct bh_ctl_event say = { .type = BH_CTL_EVENT_CONSOLE };

	steps = 2;
	command(BH_CTL_OP_INFO, 1);
	assert_true(control_look(&c));
	assert_true(control_step(&c));
	for (u32 i = 0; i < BH_CTL_EVENTS; i++)
		control_event(&c, &say);
	assert_int_equal(c.event_tail - c.event_head, BH_CTL_EVENTS);
	assert_false(control_step(&c));
	assert_int_equal(c.status, BH_CTL_OVERRUN);
	/* Nothing lies on what the driver has not taken */
	assert_int_equal(area->events[0].type, BH_CTL_EVENT_CONSOLE);
}

/* The driver takes events while its commands are done */
static void take_all(void)
{
	area->index.event_head = area->index.event_tail;
}

static void test_room_meanwhile(void **state)
{
	for (u32 i = 0; i < 2; i++) {
		for (u32 k = 0; k < BH_CTL_COMMANDS; k++)
			command(BH_CTL_OP_INFO, k);
		submit();
	}
	for (u32 k = 0; k < BH_CTL_COMMANDS; k++)
		command(BH_CTL_OP_INFO, k);
	area->index.event_head += 1;
	meanwhile = take_all;
	submit();
	assert_int_equal(c.status, BH_CTL_IS_OPEN);
	assert_int_equal(area->index.command_head, 3 * BH_CTL_COMMANDS);
}

static void test_events_lost(void **state)
{
	const struct bh_ctl_event say = { .type = BH_CTL_EVENT_CONSOLE,
					  .tag = 5 };
	const struct bh_ctl_event *e = NULL;

	for (u32 i = 0; i < BH_CTL_EVENTS + 3; i++)
		control_event(&c, &say);
	assert_true(c.unsaid);
	control_publish(&c);
	assert_int_equal(c.status, BH_CTL_IS_OPEN);
	for (u32 i = 0; i < BH_CTL_EVENTS; i++) {
		e = event();
		assert_int_equal(e->type, BH_CTL_EVENT_CONSOLE);
	}
	assert_null(event());
	/* As soon as there is room, before anything else */
	command(BH_CTL_OP_INFO, 1);
	submit();
	assert_int_equal(event()->type, BH_CTL_EVENT_LOST);
	assert_int_equal(event()->tag, 1);
	control_event(&c, &say);
	control_publish(&c);
	assert_int_equal(event()->type, BH_CTL_EVENT_CONSOLE);
	control_close(&c, BH_CTL_CLOSED);
	control_event(&c, &say);
	assert_false(c.unsaid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answers, setup),
		cmocka_unit_test_setup(test_counters_wrap, setup),
		cmocka_unit_test_setup(test_data, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_bad_tail, setup),
		cmocka_unit_test_setup(test_tail_goes_back, setup),
		cmocka_unit_test_setup(test_bad_head, setup),
		cmocka_unit_test_setup(test_no_area, setup),
		cmocka_unit_test_setup(test_open_twice, setup),
		cmocka_unit_test_setup(test_area_goes, setup),
		cmocka_unit_test_setup(test_closed_meanwhile, setup),
		cmocka_unit_test_setup(test_closed_in_a_command, setup),
		cmocka_unit_test_setup(test_changes_meanwhile, setup),
		cmocka_unit_test_setup(test_steps, setup),
		cmocka_unit_test_setup(test_overrun, setup),
		cmocka_unit_test_setup(test_overrun_meanwhile, setup),
		cmocka_unit_test_setup(test_room_meanwhile, setup),
		cmocka_unit_test_setup(test_events_lost, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
