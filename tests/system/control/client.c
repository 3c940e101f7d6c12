/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests/system/control.py runs in the privileged guest: opens the control
 * device by vfio-pci and tries what its interface promises
 * (include/bulkhead/control.h, docs/control.md).
 *
 *	client PCI-ADDRESS GUEST
 *	client PCI-ADDRESS --cost
 *
 * GUEST is an isolated one whose console answers what is typed
 * (tests/guest/echo.c). A line a check: "CTL name ok" or "CTL name FAILED".
 * --cost: a hundred commands between marks of tests/plugin/mark.h each.
 * Over 400 lines: one device is tried from its opening to its close.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "include/bulkhead/control.h"
#include "tests/plugin/mark.h"

#define COST_COMMANDS 100
#define AREA_IOVA     0x10000000ull
#define DATA_IOVA     0x10010000ull
#define DATA_OUT      (DATA_IOVA + BH_CTL_IN_MAX)
#define WAIT_MS       20000
#define PCI_COMMAND   4

static int container, device, events;
static unsigned long long regs, config;
static volatile struct bh_ctl_area *area;
static char *in, *out;

static void result(const char *name, int ok, const char *format, ...)
{
	va_list args;

	printf("CTL %s %s", name, ok ? "ok" : "FAILED: ");
	if (!ok) {
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
	}
	printf("\n");
}

static void need(int ok, const char *what)
{
	if (ok)
		return;
	printf("CTL open FAILED: %s: %s\n", what, strerror(errno));
	exit(1);
}

static u32 reg_read(u32 offset)
{
	u32 value = 0;

	need(pread(device, &value, 4, regs + offset) == 4, "a register");
	return value;
}

static void reg_write(u32 offset, u32 value)
{
	need(pwrite(device, &value, 4, regs + offset) == 4, "a register");
}

static void group_open(const char *address)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[200], link[200];
	ssize_t len;
	int group;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group",
		 address);
	len = readlink(path, link, sizeof(link) - 1);
	need(len > 0, "it has no IOMMU group");
	link[len] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
	container = open("/dev/vfio/vfio", O_RDWR);
	need(container >= 0, "/dev/vfio/vfio");
	group = open(path, O_RDWR);
	need(group >= 0, path);
	need(!ioctl(group, VFIO_GROUP_GET_STATUS, &status) &&
		     status.flags & VFIO_GROUP_FLAGS_VIABLE,
	     "the group is not viable");
	need(!ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), "container");
	need(!ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "type 1");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address);
	need(device >= 0, "the device");
}

static unsigned long long region(u32 index, u32 bytes)
{
	struct vfio_region_info info = { .argsz = sizeof(info),
					 .index = index };

	need(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) &&
		     info.size >= bytes,
	     "a region");
	return info.offset;
}

static void *map(size_t bytes, unsigned long long iova)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	struct vfio_iommu_type1_dma_map dma = {
		.argsz = sizeof(dma),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (unsigned long)at,
		.iova = iova,
		.size = bytes,
	};

	need(at != MAP_FAILED && !ioctl(container, VFIO_IOMMU_MAP_DMA, &dma),
	     "memory for the device");
	return at;
}

static void command_set(u16 bits, int on)
{
	u16 value = 0;

	need(pread(device, &value, 2, config + PCI_COMMAND) == 2, "command");
	value = on ? value | bits : value & ~bits;
	need(pwrite(device, &value, 2, config + PCI_COMMAND) == 2, "command");
}

static void vector_set(int fd)
{
	struct {
		struct vfio_irq_set set;
		int fd;
	} irqs = {
		.set = { .argsz = sizeof(irqs),
			 .flags = VFIO_IRQ_SET_DATA_EVENTFD |
				  VFIO_IRQ_SET_ACTION_TRIGGER,
			 .index = VFIO_PCI_MSIX_IRQ_INDEX,
			 .count = 1 },
		.fd = fd,
	};

	need(!ioctl(device, VFIO_DEVICE_SET_IRQS, &irqs), "MSI-X");
}

static void device_open(const char *address)
{
	group_open(address);
	regs = region(VFIO_PCI_BAR0_REGION_INDEX + BH_CTL_BAR_REGS,
		      BH_CTL_REGS_BYTES);
	config = region(VFIO_PCI_CONFIG_REGION_INDEX, 64);
	area = map(sizeof(*area), AREA_IOVA);
	in = map(BH_CTL_IN_MAX + BH_CTL_OUT_MAX, DATA_IOVA);
	out = in + BH_CTL_IN_MAX;
	events = eventfd(0, EFD_NONBLOCK);
	command_set(7, 1);
	vector_set(events);
}

static void area_open(void)
{
	reg_write(BH_CTL_OPEN, 0);
	area->index.command_tail = 0;
	area->index.event_head = 0;
	reg_write(BH_CTL_OPEN, AREA_IOVA >> 12);
}

static void put(const struct bh_ctl_command *command)
{
	u32 tail = area->index.command_tail;

	memcpy((void *)&area->commands[tail % BH_CTL_COMMANDS], command,
	       sizeof(*command));
	area->index.command_tail = tail + 1;
}

/* The next event, or none within @ms */
static int take(struct bh_ctl_event *event, int ms)
{
	struct pollfd wait = { .fd = events, .events = POLLIN };
	u32 head = area->index.event_head;
	eventfd_t count;

	while (area->index.event_tail == head) {
		if (!ms || poll(&wait, 1, ms) != 1)
			return 0;
		eventfd_read(events, &count);
	}
	memcpy(event, (void *)&area->events[head % BH_CTL_EVENTS],
	       sizeof(*event));
	area->index.event_head = head + 1;
	return 1;
}

static u32 next_tag = 100; /* of the last command of ask() */

static u64 heard; /* whose console's event was taken last */

/* The answer with the last tag; other events are passed over */
static struct bh_ctl_event answer(int ms)
{
	struct bh_ctl_event event;

	while (take(&event, ms)) {
		if (event.type == BH_CTL_EVENT_ANSWER && event.tag == next_tag)
			return event;
		if (event.type == BH_CTL_EVENT_CONSOLE)
			heard = event.arg[0];
	}
	return (struct bh_ctl_event){ .status = 1 };
}

/* A short command: its answer is there when the write is over */
static struct bh_ctl_event ask(u16 op, u64 arg0, u64 arg1, u32 in_bytes)
{
	struct bh_ctl_command command = {
		.op = op,
		.tag = ++next_tag,
		.in = DATA_IOVA,
		.in_bytes = in_bytes,
		.out = DATA_OUT,
		.out_bytes = BH_CTL_OUT_MAX,
		.arg = { arg0, arg1 },
	};

	put(&command);
	reg_write(BH_CTL_SUBMIT, 1);
	return answer(0);
}

static void test_info(void)
{
	const struct bh_ctl_info *info = (void *)out;
	struct bh_ctl_event e = ask(BH_CTL_OP_INFO, 0, 0, 0);

	result("info",
	       !e.status && e.bytes == sizeof(*info) &&
		       info->version == BH_CTL_VERSION && info->guests >= 2 &&
		       info->cores >= 1 && info->tsc > info->boot_tsc &&
		       !strncmp(info->build, "Bulkhead ", 9),
	       "status %d, %u bytes, %u guests", e.status, e.bytes,
	       info->guests);
}

static u64 find_guest(const char *name, struct bh_ctl_guest *guest)
{
	const struct bh_ctl_guest *list = (void *)out;
	struct bh_ctl_event e = ask(BH_CTL_OP_GUESTS, 0, 0, 0);

	for (u32 i = 0; !e.status && i < e.bytes / sizeof(*list); i++)
		if (!strcmp(list[i].name, name)) {
			*guest = list[i];
			return guest->id;
		}
	return 0;
}

static u64 test_guests(const char *name)
{
	struct bh_ctl_guest box = { 0 }, own = { 0 };

	find_guest(name, &box);
	find_guest("linux", &own);
	result("guests",
	       box.id && own.id && box.id != own.id &&
		       box.state == BH_CTL_RUNNING &&
		       own.state == BH_CTL_RUNNING && box.exits && own.exits &&
		       box.run_ticks && own.run_ticks &&
		       box.memory_bytes == 16 << 20 &&
		       own.flags & BH_CTL_GUEST_PRIVILEGED &&
		       !(box.flags & BH_CTL_GUEST_PRIVILEGED),
	       "ids %llu and %llu, states %u and %u", box.id, own.id, box.state,
	       own.state);
	return box.id;
}

static int console_has(u64 id, u64 *at, const char *text)
{
	struct bh_ctl_event e = ask(BH_CTL_OP_CONSOLE_READ, id, *at, 0);
	int found;

	if (e.status)
		return 0;
	out[e.bytes < BH_CTL_OUT_MAX ? e.bytes : BH_CTL_OUT_MAX - 1] = 0;
	found = strstr(out, text) != NULL;
	*at = e.arg[0] + e.bytes;
	return found;
}

/* Its UART may have room for a byte only */
static int type_at(u64 id, const char *text)
{
	size_t left = strlen(text);
	struct bh_ctl_event e;

	for (u32 i = 0; left && i < 1000; i++) {
		memcpy(in, text, left);
		e = ask(BH_CTL_OP_CONSOLE_TYPE, id, 0, left);
		if (e.status || e.arg[0] > left)
			return 0;
		left -= e.arg[0];
		text += e.arg[0];
		if (left)
			usleep(1000);
	}
	return !left;
}

/* What the guest has said; then what it answers, told by an interrupt */
static void test_console(u64 id)
{
	struct bh_ctl_event e = { 0 };
	u64 at = 0;

	result("console_read", console_has(id, &at, "echo: ready"), "'%s'",
	       out);
	result("console_type", type_at(id, "hello"), "it is not taken");
	/* It may have answered the first byte before the last was taken */
	if (!heard && take(&e, WAIT_MS) && e.type == BH_CTL_EVENT_CONSOLE)
		heard = e.arg[0];
	result("console_event", heard == id, "type %u, console %llu", e.type,
	       heard);
	/* From the same place each time: it may come in parts */
	for (u32 i = 0; i < 50; i++) {
		u64 from = at;

		if (console_has(id, &from, "HELLO"))
			break;
		take(&e, 100);
	}
	result("console_answer", strstr(out, "HELLO") != NULL, "'%s'", out);
}

static void test_lists(u64 id)
{
	struct bh_ctl_event e = ask(BH_CTL_OP_VCPUS, id, 0, 0);
	const struct bh_ctl_vcpu *vcpu = (void *)out;
	u64 sum = 0, kinds;

	result("vcpus",
	       !e.status && e.bytes == sizeof(*vcpu) && vcpu->run_ticks &&
		       vcpu->exits,
	       "status %d, %u bytes", e.status, e.bytes);
	e = ask(BH_CTL_OP_CORES, 0, 0, 0);
	result("cores",
	       !e.status && e.bytes == e.arg[0] * sizeof(struct bh_ctl_core),
	       "status %d, %u bytes", e.status, e.bytes);
	e = ask(BH_CTL_OP_EXIT_NAMES, 0, 0, 0);
	kinds = e.arg[0];
	result("exit_names", !e.status && !strcmp(out, "unknown"),
	       "status %d, '%s'", e.status, out);
	e = ask(BH_CTL_OP_EXITS, id, 0, 0);
	for (u32 i = 0; i < e.bytes / 8; i++)
		sum += ((u64 *)out)[i];
	result("exits", !e.status && e.bytes == kinds * 8 && sum,
	       "status %d, %u bytes", e.status, e.bytes);
}

static void refused(const char *name, struct bh_ctl_event e, int error)
{
	result(name, e.status == -error, "status %d", e.status);
}

static void test_refusals(u64 id)
{
	struct bh_ctl_guest own = { 0 };
	struct bh_ctl_command command = { .op = BH_CTL_OP_INFO,
					  .tag = 7,
					  .out = 0x7000000000ull,
					  .out_bytes = 64 };
	struct bh_ctl_event e = { 0 };

	refused("no_command", ask(999, 0, 0, 0), BH_CTL_ENOSYS);
	refused("no_guest", ask(BH_CTL_OP_VCPUS, id + 1000, 0, 0),
		BH_CTL_ENOENT);
	refused("too_much", ask(BH_CTL_OP_CONSOLE_TYPE, id, 0, 5000),
		BH_CTL_EINVAL);
	refused("not_destroyed", ask(BH_CTL_OP_END, id, BH_CTL_END_DESTROY, 0),
		BH_CTL_ESTATIC);
	find_guest("linux", &own);
	refused("not_itself", ask(BH_CTL_OP_END, own.id, BH_CTL_END_STOP, 0),
		BH_CTL_ESTATIC);
	put(&command);
	reg_write(BH_CTL_SUBMIT, 1);
	result("not_mapped",
	       take(&e, 0) && e.tag == 7 && e.status == -BH_CTL_EFAULT,
	       "status %d", e.status);
}

/* A full ring of commands is answered in one write */
static void test_many(void)
{
	struct bh_ctl_command command = { .op = BH_CTL_OP_CORES,
					  .out = DATA_OUT,
					  .out_bytes = BH_CTL_OUT_MAX };
	struct bh_ctl_event e;
	u32 right = 0;

	for (u32 i = 0; i < BH_CTL_COMMANDS; i++) {
		command.tag = i;
		put(&command);
	}
	reg_write(BH_CTL_SUBMIT, 1);
	while (take(&e, 0))
		right += e.tag == right && !e.status;
	result("many", right == BH_CTL_COMMANDS, "%u answers", right);
}

static void closes(const char *name, u32 status)
{
	result(name, reg_read(BH_CTL_STATUS) == status, "status %u",
	       reg_read(BH_CTL_STATUS));
	area_open();
}

/* What makes no sense closes the device, and it can be opened again */
static void test_misuse(void)
{
	area->index.command_tail += BH_CTL_COMMANDS + 1;
	reg_write(BH_CTL_SUBMIT, 1);
	closes("bad_tail", BH_CTL_BAD_TAIL);
	area->index.event_head = 1;
	reg_write(BH_CTL_SUBMIT, 1);
	closes("bad_head", BH_CTL_BAD_HEAD);
	reg_write(BH_CTL_OPEN, AREA_IOVA >> 12);
	closes("open_twice", BH_CTL_AGAIN);
	reg_write(BH_CTL_OPEN, 0);
	reg_write(BH_CTL_OPEN, (AREA_IOVA >> 12) + 0x1000);
	closes("bad_address", BH_CTL_BAD_ADDRESS);
	command_set(4, 0);
	command_set(4, 1);
	closes("no_master", BH_CTL_CLOSED);
	result("opens_again", !ask(BH_CTL_OP_INFO, 0, 0, 0).status, "");
}

/* The guest is stopped, which is told and answered when it is done; its console
 * can be read all the same */
static void test_stop(const char *name, u64 id)
{
	struct bh_ctl_event e = ask(BH_CTL_OP_END, id, BH_CTL_END_STOP, 0);
	struct bh_ctl_guest box = { 0 };
	u64 at = 0;

	if (e.status == 1)
		e = answer(WAIT_MS);
	find_guest(name, &box);
	result("stop",
	       !e.status && box.state == BH_CTL_STOPPED && box.reason[0],
	       "status %d, state %u", e.status, box.state);
	result("history", console_has(id, &at, "echo: ready"), "'%s'", out);
	refused("stopped", ask(BH_CTL_OP_END, id, BH_CTL_END_STOP, 0),
		BH_CTL_ESTATE);
}

#define DYNAMIC_BYTES (4u << 20)
#define DYNAMIC_FILE  (2u << 20)

/* A long command: its answer comes with an interrupt */
static struct bh_ctl_event ask_long(u16 op, u64 arg0, u64 arg1, u32 in_bytes)
{
	struct bh_ctl_event e = ask(op, arg0, arg1, in_bytes);

	return e.status == 1 ? answer(WAIT_MS) : e;
}

static u64 pool_free(void)
{
	ask(BH_CTL_OP_INFO, 0, 0, 0);
	return ((const struct bh_ctl_info *)out)->pool_free_bytes;
}

/* The guest's memory, granted or not, as this guest has it at @base */
static char *memory_map(u64 base)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	void *p = mmap(NULL, DYNAMIC_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		       fd, (off_t)base);

	need(fd >= 0 && p != MAP_FAILED, "/dev/mem");
	return p;
}

static u32 create(u64 base)
{
	static const char text[] = "[guest tiny]\nkernel = echo\nmemory = 4M\n";
	struct bh_ctl_create *make = (void *)in;

	*make = (struct bh_ctl_create){ .definition_bytes = sizeof(text) - 1,
					.range_count = 1 };
	make->ranges[0] =
		(struct bh_ctl_range){ .base = base, .size = DYNAMIC_BYTES };
	memcpy(&make->ranges[1], text, sizeof(text) - 1);
	return sizeof(*make) + sizeof(make->ranges[0]) + sizeof(text) - 1;
}

/* Its file into its memory; how START is told */
static u32 stage(char *memory)
{
	struct bh_ctl_file *file = (void *)in;
	FILE *f = fopen("/bin/echo.elf", "r");
	static char bytes[1 << 20];
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

	for (size_t i = 0; i < n; i += 8)
		*(volatile u64 *)(memory + DYNAMIC_FILE + i) =
			*(u64 *)(bytes + i);
	*file = (struct bh_ctl_file){ .name = "echo",
				      .offset = DYNAMIC_FILE,
				      .size = n };
	return sizeof(*file);
}

static int is_zero(const char *memory)
{
	for (u32 i = 0; i < DYNAMIC_BYTES; i += 8)
		if (*(volatile u64 *)(memory + i))
			return 0;
	return 1;
}

/* All that it has said by now is looked through each time */
static int says(u64 id, const char *text)
{
	for (u32 i = 0; i < 200; i++, usleep(50000)) {
		u64 at = 0;

		if (console_has(id, &at, text))
			return 1;
	}
	return 0;
}

/* A guest of the pool, from its making to its end */
static void test_dynamic(void)
{
	struct bh_ctl_event e = ask(BH_CTL_OP_POOL, 0, 0, 0);
	u64 base = ((const struct bh_ctl_range *)out)->base, id, all;
	char *memory = memory_map(base);
	struct bh_ctl_guest g = { 0 };

	all = pool_free();
	result("pool", !e.status && e.arg[0] && all >= DYNAMIC_BYTES,
	       "status %d, %llu bytes", e.status, all);
	e = ask_long(BH_CTL_OP_CREATE, 0, 0, create(base));
	id = find_guest("tiny", &g);
	result("create",
	       !e.status && id && g.state == BH_CTL_DEFINED &&
		       is_zero(memory) && pool_free() == all - DYNAMIC_BYTES,
	       "status %d, state %u, '%s'", e.status, g.state, out);
	printf("CTL overhead %llu\n", g.overhead_bytes);
	e = ask_long(BH_CTL_OP_START, id, 0, stage(memory));
	find_guest("tiny", &g);
	result("start", !e.status && g.state == BH_CTL_RUNNING,
	       "status %d, state %u, '%s'", e.status, g.state, out);
	result("tiny_says", says(id, "echo: ready"), "'%s'", out);
	/* What it has is out of reach: a scratch frame */
	result("taken", !*(volatile u64 *)(memory + DYNAMIC_FILE), "");
	type_at(id, "hey");
	result("tiny_answers", says(id, "HEY"), "'%s'", out);
	e = ask_long(BH_CTL_OP_END, id, BH_CTL_END_RESET, 0);
	find_guest("tiny", &g);
	result("reset",
	       !e.status && g.state == BH_CTL_DEFINED && is_zero(memory),
	       "status %d, state %u", e.status, g.state);
	e = ask_long(BH_CTL_OP_START, id, 0, stage(memory));
	result("again", !e.status && says(id, "echo: ready"), "status %d",
	       e.status);
	e = ask_long(BH_CTL_OP_END, id, BH_CTL_END_DESTROY, 0);
	result("destroy",
	       !e.status && !find_guest("tiny", &g) && pool_free() == all,
	       "status %d", e.status);
	refused("gone", ask(BH_CTL_OP_START, id, 0, 0), BH_CTL_ENOENT);
}

/* From its place in the ring to its answer */
static int cost(void)
{
	struct bh_ctl_event e;

	area_open();
	for (u32 i = 0; i < COST_COMMANDS; i++) {
		MARK(MARK_BEGIN);
		e = ask(BH_CTL_OP_INFO, 0, 0, 0);
		MARK(MARK_END);
		if (e.status)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	u64 id;

	setlinebuf(stdout);
	if (argc < 3)
		return 2;
	device_open(argv[1]);
	if (!strcmp(argv[2], "--cost"))
		return cost();
	result("registers",
	       reg_read(BH_CTL_MAGIC) == BH_CTL_MAGIC_VALUE &&
		       reg_read(BH_CTL_REVISION) == BH_CTL_VERSION &&
		       reg_read(BH_CTL_STATUS) == BH_CTL_CLOSED,
	       "magic %x", reg_read(BH_CTL_MAGIC));
	area_open();
	result("open", reg_read(BH_CTL_STATUS) == BH_CTL_IS_OPEN, "status %u",
	       reg_read(BH_CTL_STATUS));
	test_info();
	id = test_guests(argv[2]);
	test_console(id);
	test_lists(id);
	test_refusals(id);
	test_many();
	test_misuse();
	test_dynamic();
	test_stop(argv[2], id);
	printf("CTL end\n");
	return 0;
}
