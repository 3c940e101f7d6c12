/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A back-end of a virtio block device, without an operating system: by the
 * control device it makes a guest of the program in its own initrd, driven.c,
 * and serves that guest's device in its memory. Notifications come by a vector,
 * and a doorbell is the interrupt. The driver resets the device while its queue
 * is live, and the guest is destroyed while it is: neither is over before the
 * back-end says that it has stopped. Over 400 lines: client and back-end.
 */
#include "include/hw/pvh.h"
#include "tests/guest/lib/control.h"
#include "tests/guest/lib/driven.h"

#define UNIT        (2ul << 20)
#define MEMORY      (2 * UNIT)
#define FILE_AT     0x300000u /* of the guest's memory, behind DRIVEN_AT */
#define WAIT_ROUNDS 200000000u
#define A_WHILE     200000u
#define POLLS       100000u
#define MSIX        0x40
#define MSIX_ON     (0x8000u << 16)
#define LAPIC       0xfee00000u
#define KICK_ENTRY  7u /* of the control device's table, */
#define KICK        0x63
#define DOORBELL    9u
#define F_RING      (1ull << 28 | 1ull << 29 | 1ull << 34)
#define F_VERSION_1 (1ull << 32)
#define F_OFFERED   (1ull << 9 | F_RING | F_VERSION_1)
#define DISK_CONFIG 60u

extern u64 start_info_gpa;

static struct bh_ctl_range memory; /* of the guest, of the pool */
static u64 id;
static const volatile struct driven *found;
static u32 device_events;
static u16 served; /* the ring's position */

/* --- the control device --- */

/* The answer of @tag, if it is there; events are counted */
static bool take(u32 tag, struct bh_ctl_event *answer)
{
	__asm__ volatile("" ::: "memory");
	while (area.index.event_head != area.index.event_tail) {
		const struct bh_ctl_event *e =
			&area.events[area.index.event_head++ % BH_CTL_EVENTS];

		if (e->type == BH_CTL_EVENT_DEVICE && e->arg[0] == id)
			device_events |= 1u << e->arg[1];
		if (e->type == BH_CTL_EVENT_ANSWER && e->tag == tag) {
			*answer = *e;
			return true;
		}
	}
	return false;
}

static struct bh_ctl_event wait_answer(u32 tag)
{
	struct bh_ctl_event e = { .status = -BH_CTL_EBUSY };

	for (u32 i = 0; i < WAIT_ROUNDS && !take(tag, &e); i++)
		cpu_relax();
	return e;
}

static struct bh_ctl_event does(struct bh_ctl_command c)
{
	return wait_answer(submit(c));
}

static s32 status_of(u16 op, u64 arg1, u64 arg2, u64 arg3)
{
	return does((struct bh_ctl_command){ .op = op,
					     .arg = { id, arg1, arg2, arg3 } })
		.status;
}

static struct bh_ctl_device device_now(void)
{
	status_of(BH_CTL_OP_DEVICES, 0, 0, 0);
	return *(struct bh_ctl_device *)out;
}

static struct bh_ctl_queue queue_now(void)
{
	status_of(BH_CTL_OP_QUEUES, 0, 0, 0);
	return *(struct bh_ctl_queue *)out;
}

static s32 stopped(u32 queue)
{
	return status_of(BH_CTL_OP_QUEUE_STOPPED, (u64)queue << 32, 0, 0);
}

static void messages_on(void)
{
	volatile u32 *entry = (volatile u32 *)(TABLE + KICK_ENTRY * 16);

	apic_enable();
	irq_handler[KICK] = irq_ack;
	entry[0] = LAPIC;
	entry[1] = 0;
	entry[2] = KICK;
	entry[3] = 0;
	cfg_write(MSIX, MSIX_ON);
}

/* --- the guest --- */

static bool create(void)
{
	static const char definition[] =
		"[guest driven]\n"
		"kernel = driven.elf\n"
		"memory = 4M\n"
		"share = memory\n"
		"disk = /srv/disk,readonly\n"
		"vhost-user = /run/nobody,type=16,queues=2,config=8\n";
	struct bh_ctl_create *c = (void *)in;
	char *text = (char *)&c->ranges[1];
	struct bh_ctl_event e;

	*c = (struct bh_ctl_create){ .definition_bytes = sizeof(definition) - 1,
				     .range_count = 1 };
	c->ranges[0] = memory;
	for (u32 i = 0; i < sizeof(definition) - 1; i++)
		text[i] = definition[i];
	e = does((struct bh_ctl_command){ .op = BH_CTL_OP_CREATE,
					  .in_bytes = sizeof(*c) +
						      sizeof(memory) +
						      sizeof(definition) - 1 });
	id = e.arg[0];
	return !e.status;
}

static s32 offer(u64 features, u32 config_bytes)
{
	struct bh_ctl_offer *o = (void *)in;

	*o = (struct bh_ctl_offer){ .features = features,
				    .config_bytes = config_bytes };
	*(u64 *)o->config = DRIVEN_CAPACITY;
	return does((struct bh_ctl_command){ .op = BH_CTL_OP_DEVICE_OFFER,
					     .in_bytes = sizeof(*o),
					     .arg = { id, 0 } })
		.status;
}

static void offers(void)
{
	const struct bh_ctl_device *d = (void *)out;
	struct bh_ctl_event e = ask(BH_CTL_OP_DEVICES, id, 0);

	check(!e.status && e.arg[0] == 2 && e.bytes == 2 * sizeof(*d) &&
		      d[0].type == 2 && d[0].devfn == 0x10 &&
		      d[0].queues == 1 && d[0].queue_size == 256 &&
		      d[0].config_bytes == DISK_CONFIG && !d[0].flags &&
		      d[1].type == 16 && d[1].queues == 2,
	      "served.devices", "%d", e.status);
	check(offer(F_OFFERED | 1ull << 33, DISK_CONFIG) == -BH_CTL_EINVAL &&
		      offer(F_OFFERED, DISK_CONFIG + 1) == -BH_CTL_EINVAL,
	      "served.bad_offers", "");
	check(!offer(0, DISK_CONFIG) && !offer(F_OFFERED, DISK_CONFIG) &&
		      device_now().flags == BH_CTL_DEVICE_OFFERED,
	      "served.offers", "");
}

/* The program is this guest's initrd */
static bool start(void)
{
	const struct hvm_start_info *si = (void *)start_info_gpa;
	const struct hvm_modlist_entry *m = (void *)si->modlist_paddr;
	struct bh_ctl_file *file = (void *)in;
	u8 *to = (u8 *)memory.base + FILE_AT;

	if (si->nr_modules != 1)
		return false;
	for (u64 i = 0; i < m->size; i++)
		to[i] = ((const u8 *)m->paddr)[i];
	*file = (struct bh_ctl_file){ .name = "driven.elf",
				      .offset = FILE_AT,
				      .size = m->size };
	return !does((struct bh_ctl_command){ .op = BH_CTL_OP_START,
					      .in_bytes = sizeof(*file),
					      .arg = { id } })
			.status;
}

static bool comes_to(u32 step)
{
	for (u32 i = 0; i < WAIT_ROUNDS && found->step < step; i++)
		cpu_relax();
	return found->step >= step;
}

/* --- the back-end --- */

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};

static void *at(u64 gpa)
{
	return (void *)(memory.base + gpa);
}

static bool is_kicked(u64 before)
{
	for (u32 i = 0; i < WAIT_ROUNDS && irq_count[KICK] == before; i++)
		irq_window();
	return irq_count[KICK] > before;
}

/* One request: its header, 512 bytes of data, its status */
static void serve_one(const struct bh_ctl_queue *q)
{
	const volatile u16 *avail = at(q->driver);
	volatile u16 *used = at(q->device);
	const struct desc *table = at(q->desc), *d;
	u16 head = avail[2 + served % q->size];
	u64 sector;
	volatile u32 *element =
		(volatile u32 *)(used + 2) + served % q->size * 2;

	d = &table[head];
	sector = *(u64 *)at(d->addr + 8);
	d = &table[d->next];
	for (u32 i = 0; i < d->len; i++)
		*(volatile u8 *)at(d->addr + i) = driven_byte(sector);
	d = &table[d->next];
	*(volatile u8 *)at(d->addr) = 0;
	element[0] = head;
	element[1] = 513;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	used[1] = ++served;
	reg_write(BH_CTL_DOORBELL, DOORBELL);
}

/* Until so many have been */
static bool serve(u32 count)
{
	struct bh_ctl_queue q = queue_now();
	const volatile u16 *avail = at(q.driver);
	u32 done = 0;

	for (u32 i = 0; i < WAIT_ROUNDS && done < count; i++) {
		if (avail[1] != served) {
			serve_one(&q);
			done++;
		} else {
			irq_window();
		}
	}
	return done == count;
}

static s32 bind(u32 vector, u32 doorbell)
{
	return status_of(BH_CTL_OP_QUEUE_BIND, 0, vector, doorbell);
}

static void first_requests(void)
{
	struct bh_ctl_queue q;
	u64 before = irq_count[KICK];

	check(comes_to(DRIVEN_READY), "served.ready", "%u", found->step);
	check(found->id == 0x10421af4 && found->class == 0x01800001 &&
		      found->absent == ~0u,
	      "served.function", "%x %x %x", found->id, found->class,
	      found->absent);
	check(found->capacity == DRIVEN_CAPACITY &&
		      found->features == F_OFFERED,
	      "served.configuration", "%llx %llx", found->capacity,
	      found->features);
	q = queue_now();
	check(device_events & 1 && q.flags == BH_CTL_QUEUE_LIVE &&
		      q.size == 8 &&
		      device_now().flags ==
			      (BH_CTL_DEVICE_OFFERED | BH_CTL_DEVICE_READY) &&
		      device_now().accepted == F_VERSION_1,
	      "served.live", "%u, %u", q.flags, q.size);
	check(bind(KICK_ENTRY, BH_CTL_DOORBELLS + 1) == -BH_CTL_EINVAL &&
		      bind(BH_CTL_VECTORS, 0) == -BH_CTL_EINVAL &&
		      stopped(0) == -BH_CTL_ESTATE,
	      "served.bad_bindings", "");
	check(!bind(KICK_ENTRY, DOORBELL) && is_kicked(before), "served.bind",
	      "%llu", irq_count[KICK]);
	before = irq_count[KICK];
	check(serve(DRIVEN_REQUESTS) && irq_count[KICK] > before,
	      "served.requests", "%u of them, %llu kicks", served,
	      irq_count[KICK] - before);
}

static void driver_resets(void)
{
	struct bh_ctl_queue q;
	u32 polls;

	check(comes_to(DRIVEN_RESETS) && found->good == DRIVEN_REQUESTS &&
		      found->interrupts == DRIVEN_REQUESTS,
	      "served.data", "%u good, %u interrupts", found->good,
	      found->interrupts);
	reg_write(BH_CTL_DOORBELL, DOORBELL);
	polls = found->polls;
	for (u32 i = 0; i < WAIT_ROUNDS && found->polls < polls + 10; i++)
		cpu_relax();
	q = queue_now();
	check(!found->over && found->polls >= polls + 10 &&
		      q.flags == BH_CTL_QUEUE_STOPS && !q.vector &&
		      device_now().flags & BH_CTL_DEVICE_STOPS,
	      "served.stops", "%u, %u polls", q.flags, found->polls);
	check(found->status == 0xf && found->size == found->size_before,
	      "served.is_as_it_was", "%x, %u", found->status, found->size);
	check(bind(KICK_ENTRY, DOORBELL) == -BH_CTL_ESTATE,
	      "served.no_bind_while_it_stops", "");
	served = 0;
	check(!stopped(BH_CTL_ALL_QUEUES) && comes_to(DRIVEN_REQUEST) &&
		      found->over,
	      "served.stopped", "%u", found->over);
}

/* It has notified by now: that comes with the binding */
static void notified_before(void)
{
	u64 before = irq_count[KICK];

	check(!bind(KICK_ENTRY, DOORBELL) && is_kicked(before),
	      "served.notified_before", "");
	check(serve(1) && comes_to(DRIVEN_DONE) &&
		      found->good == DRIVEN_REQUESTS + 1,
	      "served.serves_again", "%u", found->good);
}

/* Another client of the device: it has to bind anew */
static void closes(void)
{
	struct bh_ctl_queue q = queue_now();
	u32 vector = q.vector;
	u64 before;

	open_area();
	q = queue_now();
	check(vector == KICK_ENTRY && !q.vector && !q.doorbell &&
		      q.flags == BH_CTL_QUEUE_LIVE,
	      "served.close_unbinds", "%u, then %u", vector, q.vector);
	before = irq_count[KICK];
	check(!bind(KICK_ENTRY, DOORBELL) && is_kicked(before),
	      "served.binds_anew", "");
}

static void destroy(void)
{
	struct bh_ctl_event e = { .status = 0 };
	u32 tag = submit((struct bh_ctl_command){
		.op = BH_CTL_OP_END, .arg = { id, BH_CTL_END_DESTROY } });
	bool early = false;

	for (u32 i = 0; i < POLLS && queue_now().flags != BH_CTL_QUEUE_STOPS;
	     i++)
		cpu_relax();
	for (u32 i = 0; i < A_WHILE && !early; i++)
		early = take(tag, &e);
	check(!early && found->good == DRIVEN_REQUESTS + 1 &&
		      queue_now().flags == BH_CTL_QUEUE_STOPS,
	      "served.end_waits", "%d", e.status);
	reg_write(BH_CTL_DOORBELL, DOORBELL);
	check(!stopped(0), "served.end_stopped", "");
	e = wait_answer(tag);
	check(!e.status, "served.destroyed", "%d", e.status);
	reg_write(BH_CTL_DOORBELL, DOORBELL);
	check(bind(KICK_ENTRY, DOORBELL) == -BH_CTL_ENOENT, "served.gone", "");
}

void guest_main(void)
{
	struct bh_ctl_event e;

	section("docs/virtio.md");
	if (find_device()) {
		place();
		open_area();
		messages_on();
	}
	e = ask(BH_CTL_OP_POOL, 0, 0);
	memory = *(struct bh_ctl_range *)out;
	check(!e.status && memory.size >= MEMORY &&
		      reg_read(BH_CTL_FEATURES) & BH_CTL_FEATURE_DEVICES,
	      "served.pool", "%d", e.status);
	memory.size = MEMORY;
	found = at(DRIVEN_AT);
	check(create(), "served.create", "%s", (const char *)out);
	offers();
	check(start(), "served.start", "%s", (const char *)out);
	first_requests();
	driver_resets();
	notified_before();
	closes();
	destroy();
}
