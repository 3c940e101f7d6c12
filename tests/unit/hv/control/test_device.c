/* SOURCES: hv/control/device.c hv/control/ring.c hv/device/pci/pci_fn.c hv/device/pci/pci_msix.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The control device as a PCI function: its header and registers, what closes
 * it, and when an interrupt comes. The commands behind it are made up. Over 400
 * lines: one device for all of it. */
#include "hv/control/priv.h"

#include "hv/assign/passthrough.h"
#include "hv/console/console.h"
#include "hv/core/piece.h"
#include "include/hw/pci.h"
#include "tests/unit/fakes/served.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/vdev.h"

#define AREA     1u
#define MSIX_CAP 0x40u

static u8 memory[4 * PAGE_SIZE] __attribute__((aligned(4096)));
static struct bh_ctl_area *const area = (void *)(memory + PAGE_SIZE);
static struct pci_fn *fn;
static u8 *pages;
static u32 messages, done;
static int add_error, iommu_error;
static bool takes_long, has_event;
static void (*spoken)(void), (*news)(void);
static u32 more_news, more_consoles;

int passthrough_virtual_add(struct pci_fn *f, const u8 header[64])
{
	if (add_error)
		return add_error;
	pages = pmm_alloc_bytes(&f->vm->budget, PCI_FN_BYTES);
	fn = f;
	f->devfn = 0x78;
	pci_fn_init(f, pages, header);
	return 0;
}

void passthrough_virtual_remove(struct pci_fn *f)
{
	pmm_free_bytes(&f->vm->budget, pages, PCI_FN_BYTES);
	fn = NULL;
}

int vtd_create(struct vm *vm, u8 devfn, struct vtd **out)
{
	assert_int_equal(devfn, 0x78);
	return iommu_error;
}

static u32 iommu_resets;

void vtd_reset(struct vtd *u)
{
	iommu_resets++;
}

int vtd_dma_read(struct vtd *u, u64 iova, void *buf, size_t len)
{
	if (iova + len > sizeof(memory))
		return -EFAULT;
	memcpy(buf, memory + iova, len);
	return 0;
}

int vtd_dma_write(struct vtd *u, u64 iova, const void *buf, size_t len)
{
	if (iova + len > sizeof(memory))
		return -EFAULT;
	memcpy(memory + iova, buf, len);
	return 0;
}

u32 vlapic_deliver(struct vm *vm, const struct vlapic_msg *m,
		   struct vlapic_late *late)
{
	messages++;
	return 1;
}

void vcpu_post(struct vcpu *v, u32 bits)
{
	assert_int_equal(bits, VE_CONTROL);
	v->events |= bits;
}

void vcpu_post_here(struct vcpu *v, u32 bits)
{
	vcpu_post(v, bits);
}

void console_on_spoken(void (*f)(void))
{
	spoken = f;
}

u64 control_ram_bytes(void)
{
	return 1;
}

static u32 debuggers_left;

void control_debug_end(void)
{
	debuggers_left++;
}

static u32 traces_left;
static u32 trace_pieces; /* left to free */
static bool traced;

bool control_trace_end(void)
{
	traces_left++;
	assert_int_equal(traces_left, debuggers_left);
	if (traced)
		trace_pieces = 3;
	traced = false;
	return trace_pieces;
}

bool control_trace_look(void)
{
	trace_pieces -= trace_pieces > 0;
	return trace_pieces;
}

void control_guests_forget(struct control *c)
{
}

bool control_guests_look(struct control *c)
{
	const struct bh_ctl_event e = { .type = BH_CTL_EVENT_STATE };

	if (c->changed)
		control_event(c, &e);
	c->changed = false;
	return more_news && more_news--;
}

u32 pool_range_count(void)
{
	return 0;
}

void dynamic_create_abandon(void)
{
	fail(); /* no command goes on here */
}

void dynamic_on_news(void (*f)(void))
{
	news = f;
}

bool control_consoles_look(struct control *c)
{
	const struct bh_ctl_event e = { .type = BH_CTL_EVENT_CONSOLE };

	if (has_event)
		control_event(c, &e);
	has_event = false;
	return more_consoles && more_consoles--;
}

static u32 more_devices, devices_again;

bool control_devices_look(struct control *c)
{
	return more_devices && more_devices--;
}

void control_devices_again(struct control *c)
{
	devices_again++;
}

static bool waits;

bool control_round_waits(const struct control_round *r)
{
	return waits;
}

static u32 rung;

void control_ring(u32 number)
{
	rung = number;
}

s32 control_dispatch(struct control *c, struct bh_ctl_event *event)
{
	if (takes_long)
		for (u64 end = rdtsc() + PIECE_TICKS_MIN * 3; rdtsc() < end;)
			;
	done++;
	*event = (struct bh_ctl_event){ .tag = c->call.command.tag };
	return 0;
}

static u32 get(u32 offset, u8 size)
{
	return (u32)fn->ops->bar_read(&fake_vcpus[0], fn, BH_CTL_BAR_REGS,
				      offset, size);
}

static void put(u32 offset, u8 size, u64 value)
{
	fn->ops->bar_write(&fake_vcpus[0], fn, BH_CTL_BAR_REGS, offset, size,
			   value);
}

static void config(u32 offset, u8 size, u32 value)
{
	pci_fn_config_write(fn, offset, size, value);
	fn->ops->config_written(fn, offset, size);
}

static void msix(u32 offset, u32 value)
{
	fn->ops->bar_write(&fake_vcpus[0], fn, BH_CTL_BAR_MSIX, offset, 4,
			   value);
}

static void open_it(void)
{
	put(BH_CTL_OPEN, 4, 0);
	memset(area, 0, sizeof(*area));
	put(BH_CTL_OPEN, 4, AREA);
}

/* The one device of all tests, open and with vector 0 on */
static int setup(void **state)
{
	if (!fn) {
		fake_vm_init(2);
		control_create(&fake_vm, "Bulkhead 7");
	}
	assert_non_null(fn);
	config(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	msix(0, 0xfee01000);
	msix(8, 0x41);
	msix(12, 0);
	config(MSIX_CAP + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
	open_it();
	assert_int_equal(get(BH_CTL_STATUS, 4), BH_CTL_IS_OPEN);
	fake_vcpus[0].events = 0;
	messages = done = 0;
	takes_long = has_event = false;
	return 0;
}

static void go_on(void)
{
	while (fake_vcpus[0].events) {
		fake_vcpus[0].events = 0;
		control_go_on(&fake_vcpus[0]);
	}
}

/* Before the device of the other tests is made */
static void test_not_made(void **state)
{
	fake_vm_init(1);
	add_error = -ENODEV;
	control_create(&fake_vm, "x");
	add_error = 0;
	iommu_error = -ENOMEM;
	control_create(&fake_vm, "x");
	iommu_error = 0;
	assert_null(fn);
	assert_int_equal(fake_vm.budget.used_pages, 0);
	control_go_on(&fake_vcpus[0]); /* harmless */
}

static void test_header(void **state)
{
	assert_int_equal(pci_fn_config_read(fn, 0, 4), 0x00014248);
	assert_int_equal(pci_fn_config_read(fn, PCI_CLASS_REVISION, 4),
			 0x08800000);
	assert_int_equal(pci_fn_config_read(fn, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(pci_fn_config_read(fn, PCI_CAP_POINTER, 1), MSIX_CAP);
	assert_int_equal(pci_fn_config_read(fn, MSIX_CAP + 1, 1), 0);
	assert_int_equal(pci_fn_config_read(fn, MSIX_CAP + 2, 2) & 0x7ff,
			 BH_CTL_VECTORS - 1);
	assert_int_equal(fn->bar[0].size, BH_CTL_REGS_BYTES);
	assert_true(fn->bar[0].io);
	assert_int_equal(fn->bar[2].size, BH_CTL_MSIX_BYTES);
	assert_true(fn->bar[2].is_64);
}

static void test_registers(void **state)
{
	assert_int_equal(get(BH_CTL_MAGIC, 4), BH_CTL_MAGIC_VALUE);
	assert_int_equal(get(BH_CTL_REVISION, 4), BH_CTL_VERSION);
	assert_int_equal(get(BH_CTL_FEATURES, 4), BH_CTL_FEATURE_CONSOLE);
	assert_int_equal(get(0x18, 4), 0);
	assert_int_equal(get(BH_CTL_STATUS, 2), 0xffff);
	assert_int_equal(get(BH_CTL_STATUS + 2, 4), ~0u);
	put(BH_CTL_OPEN, 2, 0);
	put(BH_CTL_STATUS, 4, 0);
	assert_int_equal(get(BH_CTL_STATUS, 4), BH_CTL_IS_OPEN);
}

static void test_submit(void **state)
{
	area->index.command_tail = BH_CTL_COMMANDS;
	put(BH_CTL_SUBMIT, 4, 0);
	go_on(); /* on a busy host a piece may end before they do */
	assert_int_equal(done, BH_CTL_COMMANDS);
	assert_int_equal(area->index.event_tail, BH_CTL_COMMANDS);
	assert_int_equal(area->index.command_head, BH_CTL_COMMANDS);
	assert_int_equal(messages, 0);
	put(BH_CTL_SUBMIT, 4, 0);
	assert_int_equal(done, BH_CTL_COMMANDS);
}

/* In pieces, and the guest goes on when all are done */
static void test_pieces(void **state)
{
	takes_long = true;
	area->index.command_tail = 5;
	put(BH_CTL_SUBMIT, 4, 0);
	assert_in_range(done, 1, 4);
	assert_int_equal(fake_vcpus[0].events, VE_CONTROL);
	go_on();
	assert_int_equal(done, 5);
	assert_int_equal(area->index.event_tail, 5);
	assert_int_equal(messages, 0);
}

/* A vCPU that is told of an event meanwhile does not wait for the commands */
static void test_others_go_on(void **state)
{
	takes_long = true;
	area->index.command_tail = 5;
	fn->ops->bar_write(&fake_vcpus[1], fn, BH_CTL_BAR_REGS, BH_CTL_SUBMIT,
			   4, 0);
	assert_in_range(done, 1, 4);
	assert_int_equal(fake_vcpus[1].events, VE_CONTROL);
	has_event = true;
	spoken();
	done = 0;
	go_on();
	assert_int_equal(done, 0);
	assert_int_equal(messages, 1);
	for (u32 i = 0; fake_vcpus[1].events && i < 5; i++) {
		fake_vcpus[1].events = 0;
		control_go_on(&fake_vcpus[1]);
	}
	assert_int_equal(area->index.command_head, 5);
	assert_int_equal(fake_vcpus[1].events, 0);
}

static void close_by_program(void)
{
	put(BH_CTL_OPEN, 4, 0);
}

static void close_twice(void)
{
	put(BH_CTL_OPEN, 4, AREA);
}

static void close_by_tail(void)
{
	area->index.command_tail += BH_CTL_COMMANDS + 1;
	put(BH_CTL_SUBMIT, 4, 0);
}

static void close_by_config(void)
{
	config(PCI_COMMAND, 2, 0);
}

static void close_by_reset(void)
{
	fn->ops->reset(fn);
}

/* However it closes, what is traced ends with it, in pieces */
static void test_trace_ends(void **state)
{
	static void (*const ways[])(void) = { close_by_program, close_twice,
					      close_by_tail, close_by_config,
					      close_by_reset };

	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		traced = true;
		ways[i]();
		assert_int_not_equal(get(BH_CTL_STATUS, 4), BH_CTL_IS_OPEN);
		assert_int_equal(trace_pieces, 3);
		assert_int_equal(fake_vcpus[0].events, VE_CONTROL);
		go_on();
		assert_int_equal(trace_pieces, 0);
		setup(state);
	}
}

/* The guest goes on until a round is due. Events are vCPU 0's. */
static void test_round_waits(void **state)
{
	waits = true;
	spoken();
	go_on();
	assert_non_null(fake_timer);
	assert_int_equal(fake_timer_arms, 1);
	spoken();
	go_on();
	assert_int_equal(fake_timer_arms, 1);
	has_event = true;
	control_go_on(&fake_vcpus[1]);
	assert_int_equal(messages, 0);
	waits = false;
	fake_timer_fire();
	assert_int_equal(fake_vcpus[0].events, VE_CONTROL);
	go_on();
	assert_int_equal(messages, 1);
	assert_int_equal(fake_timer_arms, 1);
}

/* Whoever opens it hears of what happened before */
static void test_opens(void **state)
{
	put(BH_CTL_OPEN, 4, 0);
	fake_vcpus[0].events = 0;
	devices_again = 0;
	put(BH_CTL_OPEN, 4, AREA);
	assert_int_equal(devices_again, 1);
	assert_int_equal(fake_vcpus[0].events, VE_CONTROL);
}

static void test_events(void **state)
{
	has_event = true;
	spoken();
	assert_int_equal(fake_vcpus[0].events, VE_CONTROL);
	go_on();
	assert_int_equal(area->index.event_tail, 1);
	assert_int_equal(area->events[0].type, BH_CTL_EVENT_CONSOLE);
	assert_int_equal(messages, 1);
	vm_changed();
	go_on();
	assert_int_equal(area->events[1].type, BH_CTL_EVENT_STATE);
	assert_int_equal(messages, 2);
	/* News of dynamic guests, more than it takes in one go */
	more_news = 3;
	news();
	go_on();
	assert_int_equal(more_news, 0);
	more_consoles = 3;
	spoken();
	go_on();
	assert_int_equal(more_consoles, 0);
	more_devices = 3;
	spoken();
	go_on();
	assert_int_equal(more_devices, 0);
	trace_pieces = 3;
	news();
	go_on();
	assert_int_equal(trace_pieces, 0);
	/* Masked: it is kept, and nothing else is */
	msix(12, 1);
	vm_changed();
	go_on();
	assert_int_equal(messages, 2);
	msix(12, 0);
	assert_int_equal(messages, 3);
	/* Closed: nobody is told */
	put(BH_CTL_OPEN, 4, 0);
	vm_changed();
	go_on();
	assert_int_equal(messages, 3);
}

/* Neither waits for anything: what is bound is devices' */
static void test_queues(void **state)
{
	u32 unbinds = served_fake_unbinds;

	put(BH_CTL_DOORBELL, 4, 77);
	assert_int_equal(rung, 77);
	put(BH_CTL_DOORBELL, 2, 78);
	put(BH_CTL_DOORBELL + 4, 4, 79);
	assert_int_equal(rung, 77);
	msix(3 * 16, 0xfee01000);
	msix(3 * 16 + 8, 0x43);
	msix(3 * 16 + 12, 0);
	served_fake_notify(3);
	assert_int_equal(messages, 1);
	served_fake_notify(4); /* masked */
	assert_int_equal(messages, 1);
	assert_int_equal(served_fake_unbinds, unbinds);
	put(BH_CTL_OPEN, 4, 0);
	assert_true(served_fake_unbinds > unbinds);
}

static void closed_by(u32 offset, u32 value)
{
	config(offset, 2, value);
	assert_int_equal(get(BH_CTL_STATUS, 4), BH_CTL_CLOSED);
	area->index.command_tail = 1;
	put(BH_CTL_SUBMIT, 4, 0);
	assert_int_equal(done, 0);
}

static void test_master_off(void **state)
{
	config(PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	assert_int_equal(get(BH_CTL_STATUS, 4), BH_CTL_IS_OPEN);
	closed_by(PCI_COMMAND, PCI_COMMAND_MEMORY);
	put(BH_CTL_OPEN, 4, AREA);
	assert_int_equal(get(BH_CTL_STATUS, 4), BH_CTL_BAD_ADDRESS);
}

static void test_msix_off(void **state)
{
	config(MSIX_CAP + PCI_MSIX_CONTROL, 2,
	       PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	assert_int_equal(get(BH_CTL_STATUS, 4), BH_CTL_IS_OPEN);
	closed_by(MSIX_CAP + PCI_MSIX_CONTROL, 0);
	/* A client that wants no messages works without */
	open_it();
	area->index.command_tail = 1;
	put(BH_CTL_SUBMIT, 4, 0);
	assert_int_equal(done, 1);
}

/* The guest that has it open starts again: nothing of that is left */
static void test_reset(void **state)
{
	takes_long = true;
	area->index.command_tail = 3;
	put(BH_CTL_SUBMIT, 4, 0);
	assert_int_equal(fake_vcpus[0].events, VE_CONTROL);
	iommu_resets = served_fake_leaves = 0;
	pci_fn_power_on(fn);
	fn->ops->reset(fn);
	assert_int_equal(iommu_resets, 1);
	assert_int_equal(served_fake_leaves, 1);
	assert_int_equal(get(BH_CTL_STATUS, 4), BH_CTL_CLOSED);
	assert_int_equal(
		fn->ops->bar_read(&fake_vcpus[0], fn, BH_CTL_BAR_MSIX, 8, 4),
		0);
	done = 0;
	fake_vcpus[0].events = 0;
	control_go_on(&fake_vcpus[0]);
	assert_int_equal(done, 0);
	assert_int_equal(fake_vcpus[0].events, 0);
	config(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	open_it();
	assert_int_equal(get(BH_CTL_STATUS, 4), BH_CTL_IS_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_made),
		cmocka_unit_test_setup(test_header, setup),
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_submit, setup),
		cmocka_unit_test_setup(test_pieces, setup),
		cmocka_unit_test_setup(test_others_go_on, setup),
		cmocka_unit_test_setup(test_round_waits, setup),
		cmocka_unit_test_setup(test_opens, setup),
		cmocka_unit_test_setup(test_events, setup),
		cmocka_unit_test_setup(test_queues, setup),
		cmocka_unit_test_setup(test_master_off, setup),
		cmocka_unit_test_setup(test_msix_off, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_trace_ends, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
