/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device without an operating system: it is found and placed by
 * configuration ports, a command costs one write, an event comes with an
 * interrupt, what it says of this guest's reach and share is so, and hostile
 * registers, rings and BARs end in a device that can be opened once more. Its
 * IOMMU is off, so addresses are physical.
 */
#include "tests/guest/lib/control.h"

#define MSIX    0x40
#define MSIX_ON (0x8000u << 16)
#define LAPIC   0xfee00000u
#define VECTOR  0x62
#define ROUNDS  3000

static void found(void)
{
	u32 others = 0;

	check(find_device(), "control.found", "");
	for (u32 i = 1; i < 8; i++)
		others += cfg_at(i, 0) != ~0u;
	check(!others, "control.one_function", "%u", others);
	cfg_write(0x10, ~0u);
	cfg_write(0x18, ~0u);
	check(cfg_read(0x10) == (~(BH_CTL_REGS_BYTES - 1u) | 1) &&
		      cfg_read(0x18) == (~(BH_CTL_MSIX_BYTES - 1u) | 4),
	      "control.bars", "%x %x", cfg_read(0x10), cfg_read(0x18));
	check(reg_read(BH_CTL_MAGIC) == ~0u, "control.off", "");
	place();
	check(reg_read(BH_CTL_MAGIC) == BH_CTL_MAGIC_VALUE, "control.on", "%x",
	      reg_read(BH_CTL_MAGIC));
}

static u64 commands(void)
{
	const struct bh_ctl_info *info = (void *)out;
	const struct bh_ctl_guest *guest = (void *)out;
	struct bh_ctl_event e;
	u64 id;

	open_area();
	check(reg_read(BH_CTL_STATUS) == BH_CTL_IS_OPEN, "control.open", "%u",
	      reg_read(BH_CTL_STATUS));
	e = ask(BH_CTL_OP_INFO, 0, 0);
	check(!e.status && e.bytes == sizeof(*info) && info->guests == 1 &&
		      info->tsc_khz,
	      "control.info", "%d", e.status);
	e = ask(BH_CTL_OP_GUESTS, 0, 0);
	id = guest->id;
	check(!e.status && e.bytes == sizeof(*guest) && id &&
		      guest->flags & BH_CTL_GUEST_PRIVILEGED &&
		      guest->state == BH_CTL_RUNNING && guest->run_ticks,
	      "control.guests", "%d, %u bytes", e.status, e.bytes);
	return id;
}

/* --- what the guest reaches, as the hardware has it --- */

/* How many of a list are as @is says, all of its parts; ~0: it failed */
static u32 count_of(u32 list, u64 id, bool (*is)(const struct bh_ctl_reach *))
{
	const struct bh_ctl_reach *r = (void *)out;
	struct bh_ctl_event e = { .arg = { 0 } };
	u32 sum = 0;

	do {
		e = command((struct bh_ctl_command){
			.op = BH_CTL_OP_AUDIT,
			.arg = { list, id, e.arg[0] },
		});
		if (e.status)
			return ~0u;
		for (u32 i = 0; i < e.bytes / sizeof(*r); i++)
			sum += is(&r[i]);
	} while (e.arg[0]);
	return sum;
}

/* This program, which is at its own addresses in the machine's memory */
static bool is_here(const struct bh_ctl_reach *r)
{
	return (u64)&area - r->base < r->size && r->base == r->where &&
	       r->flags & BH_CTL_REACH_W;
}

static bool is_trapped_port(const struct bh_ctl_reach *r)
{
	return PORTS - r->base < r->size || PCI_DATA - r->base < r->size;
}

/* That of the firmware's progress codes */
static bool is_post_port(const struct bh_ctl_reach *r)
{
	return 0x80 - r->base < r->size;
}

static bool is_kept_msr(const struct bh_ctl_reach *r)
{
	return !(r->flags & BH_CTL_REACH_POLICY);
}

static bool is_any(const struct bh_ctl_reach *r)
{
	return r->size;
}

static u64 own_id;
static bool is_own(const struct bh_ctl_reach *r)
{
	return (u64)&area - r->base < r->size &&
	       r->kind == BH_CTL_OWNER_GUEST && r->owner == own_id;
}

static bool is_this_function(const struct bh_ctl_reach *r)
{
	return r->base == device << 3 && r->kind == BH_CTL_FUNCTION_VIRTUAL &&
	       r->owner == own_id;
}

static void audit(u64 id)
{
	own_id = id;
	check(count_of(BH_CTL_AUDIT_MEMORY, id, is_here) == 1,
	      "control.audit_memory", "");
	check(!count_of(BH_CTL_AUDIT_PORTS, id, is_trapped_port) &&
		      count_of(BH_CTL_AUDIT_PORTS, id, is_post_port) == 1,
	      "control.audit_ports", "");
	check(!count_of(BH_CTL_AUDIT_MSRS, id, is_kept_msr) &&
		      count_of(BH_CTL_AUDIT_MSRS, id, is_any),
	      "control.audit_msrs", "");
	check(count_of(BH_CTL_AUDIT_OWNERS, 0, is_own) == 1,
	      "control.audit_owners", "");
	check(count_of(BH_CTL_AUDIT_FUNCTIONS, 0, is_this_function) == 1,
	      "control.audit_functions", "");
	check(ask(BH_CTL_OP_AUDIT, BH_CTL_AUDITS, id).status ==
			      -BH_CTL_EINVAL &&
		      ask(BH_CTL_OP_AUDIT, BH_CTL_AUDIT_PORTS, id + 1).status ==
			      -BH_CTL_ENOENT,
	      "control.audit_refused", "");
}

/* --- its share of the core --- */

static s32 set(u64 id, const char *text)
{
	u32 n = 0;

	for (; text[n]; n++)
		in[n] = (u8)text[n];
	return command((struct bh_ctl_command){ .op = BH_CTL_OP_SET,
						.in_bytes = n,
						.arg = { id } })
		.status;
}

static struct bh_ctl_guest about(void)
{
	ask(BH_CTL_OP_GUESTS, 0, 0);
	return *(struct bh_ctl_guest *)out;
}

/* What it gets of its core while it wants all of it, in percent */
static u64 part(u64 ticks)
{
	u64 ran = about().run_ticks, since = rdtsc();

	while (rdtsc() - since < ticks)
		;
	ran = about().run_ticks - ran;
	return ran * 100 / (rdtsc() - since);
}

static void shares(u64 id)
{
	u64 ms, half, all;
	struct bh_ctl_guest g;
	s32 err;

	ask(BH_CTL_OP_INFO, 0, 0);
	ms = ((struct bh_ctl_info *)out)->tsc_khz;
	err = set(id, "weight=7\ncap=50%\n");
	g = about();
	check(!err && g.weight == 7 && g.cap == 50, "control.set", "%d", err);
	part(60 * ms); /* what it had not used before */
	half = part(120 * ms);
	check(half >= 38 && half <= 62, "control.cap", "%u %%", (u32)half);
	check(set(id, "weight=9\ncap=0%") == -BH_CTL_EINVAL &&
		      set(id + 1, "cap=9%") == -BH_CTL_ENOENT,
	      "control.set_refused", "");
	g = about();
	check(g.weight == 7 && g.cap == 50, "control.set_whole", "%u %u",
	      g.weight, g.cap);
	err = set(id, "weight=100\ncap=100%");
	all = part(60 * ms);
	check(!err && all >= 90, "control.no_cap", "%d, %u %%", err, (u32)all);
}

static void messages_on(void)
{
	volatile u32 *entry = (u32 *)TABLE;

	apic_enable();
	irq_handler[VECTOR] = irq_ack;
	entry[0] = LAPIC;
	entry[1] = 0;
	entry[2] = VECTOR;
	entry[3] = 0;
	cfg_write(MSIX, MSIX_ON);
}

/* Its own console: what it says behind a read to the end is an event. So it
 * says nothing between the two. */
static void events(u64 id)
{
	struct bh_ctl_event e;
	u64 before;
	u32 at;

	messages_on();
	e = ask(BH_CTL_OP_CONSOLE_READ, id, ~0ull);
	area.index.event_head = area.index.event_tail;
	before = irq_count[VECTOR];
	print("control: heard\n");
	for (u32 i = 0; i < 1000 && irq_count[VECTOR] == before; i++)
		irq_window();
	at = area.index.event_head % BH_CTL_EVENTS;
	check(!e.status && !e.bytes && e.arg[0] == e.arg[1], "control.end",
	      "%d, %u bytes", e.status, e.bytes);
	check(irq_count[VECTOR] > before &&
		      area.index.event_tail != area.index.event_head &&
		      area.events[at].type == BH_CTL_EVENT_CONSOLE,
	      "control.event", "%llu interrupts", irq_count[VECTOR] - before);
	cfg_write(MSIX, 0);
	check(reg_read(BH_CTL_STATUS) == BH_CTL_CLOSED, "control.msix_off",
	      "%u", reg_read(BH_CTL_STATUS));
}

static bool works(void)
{
	place();
	open_area();
	return !ask(BH_CTL_OP_INFO, 0, 0).status;
}

/* BARs on top of the LAPIC, RAM, configuration ports and nothing */
static void misplaced(void)
{
	static const u32 ports[] = { 0xcc0, 0x40, 0x3c0, 0xffc0 };
	const u32 mems[] = { LAPIC, 0xfec00000u, (u32)(u64)&area & ~0xffffu,
			     0xffff0000u };

	for (u32 i = 0; i < ARRAY_SIZE(mems); i++) {
		cfg_write(0x10, ports[i]);
		cfg_write(0x18, mems[i]);
	}
	cfg_write(0x1c, ~0u);
	check(works(), "control.misplaced", "%u", reg_read(BH_CTL_STATUS));
}

static void random_step(void)
{
	u32 *words = (u32 *)&area, at = (u32)(rnd() % (sizeof(area) / 4));

	switch (rnd() % 6) {
	case 0:
		words[at] = (u32)rnd();
		break;
	case 1:
		area.commands[rnd() % BH_CTL_COMMANDS] =
			(struct bh_ctl_command){
				.op = (u16)(rnd() % (BH_CTL_OPS + 1)),
				.in = rnd() & 1 ? (u64)in : rnd(),
				.in_bytes = (u32)(rnd() % 5000),
				.out = rnd() & 1 ? (u64)out : rnd() << 40,
				.out_bytes = (u32)(rnd() % 5000),
				.arg = { rnd() % 5, rnd() % 4 },
			};
		break;
	case 2:
		area.index.command_tail += (u32)(rnd() % 66);
		reg_write(BH_CTL_SUBMIT, 1);
		break;
	case 3:
		area.index.event_head = area.index.event_tail;
		break;
	case 4:
		open_area();
		break;
	default:
		outl((u16)(PORTS + rnd() % 16 * 4), (u32)rnd());
		break;
	}
}

void guest_main(void)
{
	u64 id;

	section("PCI 3.0 6.2.5");
	found();
	section("include/bulkhead/control.h");
	id = commands();
	audit(id);
	shares(id);
	events(id);
	section("PCI 3.0 6.2.5");
	misplaced();
	section("include/bulkhead/control.h");
	rnd_seed();
	for (u32 i = 0; i < ROUNDS; i++)
		random_step();
	check(works(), "control.random", "%u", reg_read(BH_CTL_STATUS));
}
