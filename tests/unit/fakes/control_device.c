/* SPDX-License-Identifier: BSD-2-Clause */
/* See control_device.h. Over 400 lines: all commands of one device. */
#include "tests/unit/fakes/control_device.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define IOVA 0x40000000ull

struct answer {
	s32 status;
	u32 bytes;
	u64 arg[2];
	u8 out[BH_CTL_OUT_MAX];
};

static struct bh_ctl_area *area_of(struct fake_device *f)
{
	return (struct bh_ctl_area *)f->memory;
}

/* The @bytes at @iova, NULL where they are not mapped */
static void *at_iova(struct fake_device *f, u64 iova, u32 bytes)
{
	if (iova < IOVA || bytes > RING_MEMORY_BYTES ||
	    iova - IOVA > RING_MEMORY_BYTES - bytes)
		return NULL;
	return f->memory + (iova - IOVA);
}

static void event_put(struct fake_device *f, const struct bh_ctl_event *e,
		      bool signal)
{
	struct bh_ctl_area *a = area_of(f);
	u64 one = 1;

	if (f->status != BH_CTL_IS_OPEN)
		return;
	if (f->event_tail - a->index.event_head >= BH_CTL_EVENTS) {
		f->status = BH_CTL_OVERRUN;
		return;
	}
	a->events[f->event_tail % BH_CTL_EVENTS] = *e;
	a->index.event_tail = ++f->event_tail;
	if (signal)
		assert_int_equal(write(f->device.event_fd, &one, sizeof(one)),
				 8);
}

static struct fake_guest *by_id(struct fake_device *f, u64 id)
{
	for (u32 i = 0; i < f->guest_count; i++)
		if (f->guests[i].about.id == id)
			return &f->guests[i];
	return NULL;
}

struct fake_guest *fake_find(struct fake_device *f, const char *name)
{
	for (u32 i = 0; i < f->guest_count; i++)
		if (!strcmp(f->guests[i].about.name, name))
			return &f->guests[i];
	return NULL;
}

struct fake_guest *fake_add(struct fake_device *f, const char *name, u32 state,
			    u32 flags)
{
	static u64 next_id;
	struct fake_guest *g = &f->guests[f->guest_count++];

	assert_true(f->guest_count <= FAKE_GUESTS);
	next_id = f->guest_count == 1 ? 0 : next_id + 1;
	memset(g, 0, sizeof(*g));
	g->about = (struct bh_ctl_guest){
		.id = next_id,
		.state = state,
		.flags = flags,
		.vcpus = 1,
		.node = -1,
		.memory_bytes = MIB(64),
		.start_tsc = 1000,
		.run_ticks = 2500000000ull,
		.exits = 42,
	};
	snprintf(g->about.name, sizeof(g->about.name), "%s", name);
	g->type_room = sizeof(g->typed) - 1;
	return g;
}

void fake_state(struct fake_device *f, const char *name, u32 state,
		const char *reason)
{
	struct fake_guest *g = fake_find(f, name);
	struct bh_ctl_event e = { .type = BH_CTL_EVENT_STATE,
				  .tag = (u32)g->about.id,
				  .arg = { g->about.id, state } };

	g->about.state = state;
	snprintf(g->about.reason, sizeof(g->about.reason), "%s", reason);
	if (state == BH_CTL_GONE)
		*g = f->guests[--f->guest_count];
	event_put(f, &e, true);
}

void fake_say(struct fake_device *f, const char *name, const char *text)
{
	struct fake_guest *g = fake_find(f, name);
	struct bh_ctl_event e = { .type = BH_CTL_EVENT_CONSOLE,
				  .arg = { g->about.id } };
	size_t len = strlen(text);

	assert_true(g->said_len + len <= sizeof(g->said));
	memcpy(g->said + g->said_len, text, len);
	g->said_len += (u32)len;
	if (g->armed)
		event_put(f, &e, true);
	g->armed = false;
}

static s32 error(struct answer *a, enum bh_ctl_error number, const char *text)
{
	a->bytes = (u32)strlen(text);
	memcpy(a->out, text, a->bytes);
	return -(s32)number;
}

/* --- commands --- */

static s32 do_announce(struct fake_device *f, const struct bh_ctl_command *c,
		       struct answer *a)
{
	f->announced = (enum bh_ctl_announce)c->arg[0];
	f->announcements++;
	return 0;
}

static s32 do_info(struct fake_device *f, const struct bh_ctl_command *c,
		   struct answer *a)
{
	struct bh_ctl_info info = {
		.version = f->version,
		.cores = 2,
		.nodes = 1,
		.guests = f->guest_count - 1,
		.guests_max = 1000,
		.tsc = 60000000000ull,
		.tsc_khz = FAKE_TSC_KHZ,
		.boot_tsc = f->boot_tsc,
		.ram_bytes = GIB(2),
		.hypervisor_bytes = MIB(5),
		.pool_bytes = MIB(512),
		.pool_free_bytes = MIB(256),
		.build = "Bulkhead test",
	};

	a->bytes = MIN((u32)sizeof(info), c->out_bytes);
	memcpy(a->out, &info, a->bytes);
	return 0;
}

static s32 do_pool(struct fake_device *f, const struct bh_ctl_command *c,
		   struct answer *a)
{
	static const struct bh_ctl_range pool[] = {
		{ .base = GIB(1), .size = MIB(256) },
		{ .base = GIB(2), .size = MIB(256) },
	};

	a->arg[0] = ARRAY_SIZE(pool);
	if (c->arg[0] >= ARRAY_SIZE(pool))
		return 0;
	a->bytes = sizeof(pool[0]);
	memcpy(a->out, &pool[c->arg[0]], a->bytes);
	return 0;
}

/* Two at a time, so that a list has parts; ids are in order */
static s32 do_guests(struct fake_device *f, const struct bh_ctl_command *c,
		     struct answer *a)
{
	u64 after = c->arg[0];
	u32 room = MIN(c->out_bytes / (u32)sizeof(struct bh_ctl_guest), 2u);

	for (;;) {
		struct fake_guest *next = NULL;

		for (u32 i = 1; i < f->guest_count; i++)
			if (f->guests[i].about.id > after &&
			    (!next || f->guests[i].about.id < next->about.id))
				next = &f->guests[i];
		if (!next)
			return 0;
		if (!room)
			break;
		memcpy(a->out + a->bytes, &next->about, sizeof(next->about));
		a->bytes += (u32)sizeof(next->about);
		after = next->about.id;
		room--;
	}
	for (u32 i = 1; i < f->guest_count; i++)
		a->arg[0] += f->guests[i].about.id > after;
	return 0;
}

/* As many queues as there can be */
static void devices_define(struct fake_guest *g, const char *text)
{
	static const char *const keys[] = { "\ndisk = ", "\nvhost-user = " };

	for (u32 k = 0; k < ARRAY_SIZE(keys); k++)
		for (const char *at = text; (at = strstr(at, keys[k])); at++) {
			struct fake_served *s = &g->served[g->served_count++];

			assert_true(g->served_count <= FAKE_DEVICES);
			s->about.type = 2;
			s->about.queues = FAKE_QUEUES;
			s->about.config_bytes = 60;
		}
}

static s32 do_create(struct fake_device *f, const struct bh_ctl_command *c,
		     struct answer *a)
{
	const struct bh_ctl_create *in = at_iova(f, c->in, c->in_bytes);
	const char *text;
	char name[32] = "";

	assert_true(in && c->in_bytes >= sizeof(*in));
	assert_int_equal(c->in_bytes,
			 sizeof(*in) + in->definition_bytes +
				 in->range_count * sizeof(in->ranges[0]));
	text = (const char *)&in->ranges[in->range_count];
	memcpy(f->definition, text, in->definition_bytes);
	f->definition[in->definition_bytes] = 0;
	if (f->pool_busy) {
		f->pool_busy--;
		return error(a, BH_CTL_EBUSY, "that memory is not free");
	}
	assert_int_equal(sscanf(f->definition, "[guest %31[^]]]", name), 1);
	if (fake_find(f, name))
		return error(a, BH_CTL_EEXIST, "the name is taken");
	devices_define(fake_add(f, name, BH_CTL_DEFINED, BH_CTL_GUEST_GRANTED),
		       f->definition);
	a->arg[0] = f->guests[f->guest_count - 1].about.id;
	return 0;
}

static s32 do_devices(struct fake_device *f, const struct bh_ctl_command *c,
		      struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);

	a->arg[0] = g->served_count;
	if (c->arg[1] >= g->served_count)
		return 0;
	a->bytes = sizeof(struct bh_ctl_device);
	memcpy(a->out, &g->served[c->arg[1]].about, a->bytes);
	return 0;
}

static struct fake_served *served_of(struct fake_device *f,
				     const struct bh_ctl_command *c)
{
	struct fake_guest *g = by_id(f, c->arg[0]);

	assert_true((u32)c->arg[1] < g->served_count);
	return &g->served[(u32)c->arg[1]];
}

static s32 do_offer(struct fake_device *f, const struct bh_ctl_command *c,
		    struct answer *a)
{
	struct fake_served *s = served_of(f, c);

	assert_int_equal(c->in_bytes, sizeof(s->offer));
	memcpy(&s->offer, at_iova(f, c->in, c->in_bytes), c->in_bytes);
	if (s->offers && s->about.features != s->offer.features)
		return error(a, BH_CTL_EINVAL, "other features");
	s->offers++;
	s->about.features = s->offer.features;
	s->about.flags |= BH_CTL_DEVICE_OFFERED;
	return 0;
}

static s32 do_queues(struct fake_device *f, const struct bh_ctl_command *c,
		     struct answer *a)
{
	const struct fake_served *s = served_of(f, c);

	a->arg[0] = FAKE_QUEUES;
	if (c->arg[2] >= FAKE_QUEUES)
		return 0;
	a->bytes = sizeof(s->queues[0]);
	memcpy(a->out, &s->queues[c->arg[2]], a->bytes);
	return 0;
}

static bool has_doorbell(const struct fake_guest *g, u32 number,
			 const struct bh_ctl_queue *but)
{
	for (u32 i = 0; i < g->served_count; i++)
		for (u32 k = 0; k < FAKE_QUEUES; k++)
			if (&g->served[i].queues[k] != but &&
			    g->served[i].queues[k].doorbell == number)
				return true;
	return false;
}

/* 0: no vector, no doorbell */
static s32 do_bind(struct fake_device *f, const struct bh_ctl_command *c,
		   struct answer *a)
{
	struct bh_ctl_queue *q = &served_of(f, c)->queues[c->arg[1] >> 32];

	if (!(q->flags & BH_CTL_QUEUE_LIVE))
		return error(a, BH_CTL_ESTATE, "it is not live");
	assert_true(!c->arg[2] || f->vectors[c->arg[2]] >= 0);
	assert_true(!c->arg[3] || f->doorbells[c->arg[3]] >= 0);
	for (u32 i = 0; i < f->guest_count; i++)
		if (c->arg[3] && has_doorbell(&f->guests[i], (u32)c->arg[3], q))
			return error(a, BH_CTL_EEXIST, "it is another's");
	q->vector = (u32)c->arg[2];
	q->doorbell = (u32)c->arg[3];
	return 0;
}

static s32 do_stopped(struct fake_device *f, const struct bh_ctl_command *c,
		      struct answer *a)
{
	struct fake_served *s = served_of(f, c);
	struct bh_ctl_queue *q = &s->queues[c->arg[1] >> 32];

	if (!(q->flags & BH_CTL_QUEUE_STOPS))
		return error(a, BH_CTL_ESTATE, "it is not to stop");
	assert_int_equal(f->vectors[q->vector], -1);
	memset(q, 0, sizeof(*q));
	s->stops++;
	return 0;
}

void fake_device_news(struct fake_device *f, const char *name, u32 device)
{
	struct bh_ctl_event e = { .type = BH_CTL_EVENT_DEVICE,
				  .arg = { fake_find(f, name)->about.id,
					   device } };

	event_put(f, &e, true);
}

static s32 do_start(struct fake_device *f, const struct bh_ctl_command *c,
		    struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);

	if (g->about.state != BH_CTL_DEFINED)
		return error(a, BH_CTL_ESTATE, "it has been started");
	f->file_count = c->in_bytes / (u32)sizeof(f->files[0]);
	memcpy(f->files, at_iova(f, c->in, c->in_bytes), c->in_bytes);
	fake_state(f, g->about.name, BH_CTL_RUNNING, "");
	return 0;
}

static s32 do_end(struct fake_device *f, const struct bh_ctl_command *c,
		  struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);

	if (g->about.flags & BH_CTL_GUEST_PRIVILEGED)
		return error(a, BH_CTL_ESTATIC, "");
	if (f->end_busy) {
		f->end_busy--;
		return error(a, BH_CTL_EBUSY, "too many commands wait");
	}
	if (c->arg[1] == BH_CTL_END_STOP)
		fake_state(f, g->about.name, BH_CTL_STOPPED, "stopped");
	else if (c->arg[1] == BH_CTL_END_RESET)
		fake_state(f, g->about.name,
			   g->about.flags & BH_CTL_GUEST_STATIC
				   ? BH_CTL_RUNNING
				   : BH_CTL_DEFINED,
			   "");
	else if (c->arg[1] == BH_CTL_END_DESTROY)
		fake_state(f, g->about.name, BH_CTL_GONE, "");
	return 0;
}

static s32 do_pause(struct fake_device *f, const struct bh_ctl_command *c,
		    struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);
	bool pauses = c->op == BH_CTL_OP_PAUSE;

	if (g->about.state != (pauses ? BH_CTL_RUNNING : BH_CTL_PAUSED) ||
	    g->debugged)
		return error(a, BH_CTL_ESTATE, "not now");
	fake_state(f, g->about.name, pauses ? BH_CTL_PAUSED : BH_CTL_RUNNING,
		   "");
	return 0;
}

/* In parts of 1000 bytes */
static s32 do_read(struct fake_device *f, const struct bh_ctl_command *c,
		   struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);
	u64 at = MIN(MAX(c->arg[1], g->lost), (u64)g->said_len);

	a->bytes = (u32)MIN(MIN(g->said_len - at, (u64)1000), c->out_bytes);
	memcpy(a->out, g->said + at, a->bytes);
	a->arg[0] = at;
	a->arg[1] = g->said_len;
	g->armed = at + a->bytes == g->said_len;
	return 0;
}

static s32 do_type(struct fake_device *f, const struct bh_ctl_command *c,
		   struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);
	u32 n = MIN(c->in_bytes, g->type_room);

	memcpy(g->typed + g->typed_len, at_iova(f, c->in, c->in_bytes), n);
	g->typed_len += n;
	g->type_room -= n;
	a->arg[0] = n;
	return 0;
}

static s32 do_vcpus(struct fake_device *f, const struct bh_ctl_command *c,
		    struct answer *a)
{
	struct bh_ctl_vcpu v = { .core = 1,
				 .run_ticks = 1000000000,
				 .exits = 42 };

	if (c->arg[1])
		return 0;
	a->bytes = sizeof(v);
	memcpy(a->out, &v, sizeof(v));
	return 0;
}

static s32 do_cores(struct fake_device *f, const struct bh_ctl_command *c,
		    struct answer *a)
{
	struct bh_ctl_core core = { .id = (u32)c->arg[0],
				    .apic_id = 2 * (u32)c->arg[0],
				    .idle_ticks = 5000000000ull,
				    .host_ticks = 1000000000ull,
				    .smis = c->arg[0] ? 3 : BH_CTL_NO_SMIS };

	if (c->arg[0] >= 2)
		return 0;
	a->bytes = sizeof(core);
	memcpy(a->out, &core, sizeof(core));
	return 0;
}

static s32 do_exit_names(struct fake_device *f, const struct bh_ctl_command *c,
			 struct answer *a)
{
	static const char *const names[] = { "cpuid", "hlt", "msr" };

	a->arg[0] = ARRAY_SIZE(names);
	if (c->arg[0] >= ARRAY_SIZE(names))
		return 0;
	a->bytes = (u32)strlen(names[c->arg[0]]) + 1;
	memcpy(a->out, names[c->arg[0]], a->bytes);
	return 0;
}

static s32 do_exits(struct fake_device *f, const struct bh_ctl_command *c,
		    struct answer *a)
{
	static const u64 counts[] = { 30, 0, 12 };

	if (c->arg[1])
		return 0;
	a->bytes = sizeof(counts);
	memcpy(a->out, counts, sizeof(counts));
	return 0;
}

static bool stands(struct fake_guest *g)
{
	return g->about.state == BH_CTL_PAUSED ||
	       g->about.state == BH_CTL_CRASHED;
}

static s32 do_registers(struct fake_device *f, const struct bh_ctl_command *c,
			struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);

	if (!stands(g))
		return error(a, BH_CTL_ESTATE, "it does not stand");
	g->registers.exit_kind = 1;
	a->bytes = sizeof(g->registers);
	memcpy(a->out, &g->registers, a->bytes);
	return 0;
}

/* One of each that a text is made of */
static s32 do_last_exits(struct fake_device *f, const struct bh_ctl_command *c,
			 struct answer *a)
{
	struct bh_ctl_last_exits l = {
		.kinds = { 1 },
		.count = 1,
		.exit = { { .tsc = f->boot_tsc + FAKE_TSC_KHZ * 1500ull,
			    .rip = 0xffffffff81000000,
			    .where = 0xcf9,
			    .value = 6,
			    .times = 2,
			    .kind = 1,
			    .what = BH_CTL_LAST_PORT,
			    .size = 1 } },
	};

	if (!stands(by_id(f, c->arg[0])))
		return error(a, BH_CTL_ESTATE, "it does not stand");
	a->bytes = sizeof(l);
	memcpy(a->out, &l, a->bytes);
	return 0;
}

static s32 do_set_registers(struct fake_device *f,
			    const struct bh_ctl_command *c, struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);

	assert_int_equal(c->in_bytes, sizeof(g->registers));
	memcpy(&g->registers, at_iova(f, c->in, c->in_bytes), c->in_bytes);
	return 0;
}

static s32 do_memory(struct fake_device *f, const struct bh_ctl_command *c,
		     struct answer *a)
{
	const struct bh_ctl_memory all = { .size = FAKE_RAM_BYTES };

	if (c->arg[1])
		return 0;
	a->bytes = sizeof(all);
	memcpy(a->out, &all, sizeof(all));
	return 0;
}

static s32 do_memory_read(struct fake_device *f, const struct bh_ctl_command *c,
			  struct answer *a)
{
	const struct fake_guest *g = by_id(f, c->arg[0]);

	if (c->arg[1] >= FAKE_RAM_BYTES)
		return error(a, BH_CTL_EFAULT, "nothing is mapped");
	a->bytes = (u32)MIN((u64)c->out_bytes, FAKE_RAM_BYTES - c->arg[1]);
	memcpy(a->out, g->ram + c->arg[1], a->bytes);
	return 0;
}

static s32 do_memory_write(struct fake_device *f,
			   const struct bh_ctl_command *c, struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);

	if (c->arg[1] >= FAKE_RAM_BYTES)
		return error(a, BH_CTL_EFAULT, "nothing is mapped");
	a->arg[0] = MIN((u64)c->in_bytes, FAKE_RAM_BYTES - c->arg[1]);
	memcpy(g->ram + c->arg[1], at_iova(f, c->in, c->in_bytes), a->arg[0]);
	return 0;
}

static s32 do_translate(struct fake_device *f, const struct bh_ctl_command *c,
			struct answer *a)
{
	if (c->arg[2] < MIB(1))
		return error(a, BH_CTL_EFAULT, "nothing is mapped");
	a->arg[0] = c->arg[2] - MIB(1);
	return 0;
}

/* It goes until fake_stands() */
static s32 do_debug(struct fake_device *f, const struct bh_ctl_command *c,
		    struct answer *a)
{
	struct fake_guest *g = by_id(f, c->arg[0]);

	switch (c->arg[1]) {
	case BH_CTL_DEBUG_ATTACH:
		if (g->about.state != BH_CTL_RUNNING || g->debugged)
			return error(a, BH_CTL_ESTATE, "no debugger now");
		g->debugged = true;
		return 0;
	case BH_CTL_DEBUG_DETACH:
		g->debugged = false;
		g->about.state = BH_CTL_RUNNING;
		return 0;
	case BH_CTL_DEBUG_GO:
		g->about.state = BH_CTL_RUNNING;
		g->stepper = (u32)c->arg[2];
		g->break_count =
			c->in_bytes / (u32)sizeof(struct bh_ctl_breakpoint);
		if (c->in_bytes)
			memcpy(&g->last_break, at_iova(f, c->in, c->in_bytes),
			       sizeof(g->last_break));
		return 0;
	default:
		return 0;
	}
}

void fake_stands(struct fake_device *f, const char *name)
{
	struct fake_guest *g = fake_find(f, name);
	struct bh_ctl_event e = { .type = BH_CTL_EVENT_DEBUG,
				  .arg = { g->about.id } };

	g->about.state = BH_CTL_PAUSED;
	event_put(f, &e, true);
}

static s32 do_metering(struct fake_device *f, const struct bh_ctl_command *c,
		       struct answer *a)
{
	if (c->arg[0] != BH_CTL_METERING_ASK)
		f->metering = (u32)c->arg[0];
	a->arg[0] = f->metering;
	return 0;
}

/* Ten at a time: an interrupt, and exits of two kinds */
static s32 do_histograms(struct fake_device *f, const struct bh_ctl_command *c,
			 struct answer *a)
{
	static const struct bh_ctl_histogram all[] = {
		[BH_CTL_HISTOGRAM_INTERRUPT] = { 3000, { [5] = 1 } },
		[BH_CTL_HISTOGRAM_EXITS] = { 1000, { [2] = 3, [3] = 1 } },
		[BH_CTL_HISTOGRAM_EXITS + 2] = { BIT(40),
						 { [BH_CTL_BUCKETS - 1] = 1 } },
	};

	assert_true(c->arg[1] == BH_CTL_ALL_VCPUS);
	a->arg[0] = ARRAY_SIZE(all);
	if (c->arg[2] >= ARRAY_SIZE(all))
		return 0;
	a->bytes = sizeof(all[0]);
	if (f->metering == BH_CTL_METERING_HISTOGRAMS)
		memcpy(a->out, &all[c->arg[2]], a->bytes);
	return 0;
}

static s32 do_trace(struct fake_device *f, const struct bh_ctl_command *c,
		    struct answer *a)
{
	if (c->arg[0] && f->traced)
		return error(a, BH_CTL_ESTATE, "somebody traces already");
	if (c->arg[0] && f->trace_room && c->arg[1] > f->trace_room)
		return error(a, BH_CTL_ENOMEM, "no memory for so many");
	f->traced = c->arg[0];
	return 0;
}

static s32 do_trace_read(struct fake_device *f, const struct bh_ctl_command *c,
			 struct answer *a)
{
	u64 at = MAX(c->arg[1], f->trace_at);
	u32 n = c->out_bytes / (u32)sizeof(f->trace[0]);

	assert_true(f->traced && c->arg[0] < 2);
	if (c->arg[0])
		return 0;
	n = (u32)MIN(f->trace_end - at, (u64)n);
	for (u32 i = 0; i < n; i++)
		memcpy(a->out + i * sizeof(f->trace[0]),
		       &f->trace[(at + i) % ARRAY_SIZE(f->trace)],
		       sizeof(f->trace[0]));
	a->bytes = n * (u32)sizeof(f->trace[0]);
	a->arg[0] = at;
	a->arg[1] = f->trace_end;
	return 0;
}

/* One item a part, but for the sums. fake_device.changing counts each list's
 * changes for so many commands more. */
static s32 do_audit(struct fake_device *f, const struct bh_ctl_command *c,
		    struct answer *a)
{
	static const struct {
		enum bh_ctl_audit list;
		struct bh_ctl_reach item;
	} rows[] = {
		{ BH_CTL_AUDIT_MEMORY,
		  { MIB(16), MIB(1), 0, 0, BH_CTL_TYPE_WB, BH_CTL_REACH_R } },
		{ BH_CTL_AUDIT_PORTS,
		  { 0x60, 2, 0, 0, 0, BH_CTL_REACH_POLICY } },
		{ BH_CTL_AUDIT_MSRS,
		  { 0xc0000080, 1, 0, 0, 0,
		    BH_CTL_REACH_R | BH_CTL_REACH_POLICY } },
		{ BH_CTL_AUDIT_OWNERS,
		  { 0, MIB(16), 0, 0, BH_CTL_OWNER_HYPERVISOR, 0 } },
		{ BH_CTL_AUDIT_OWNERS,
		  { MIB(16), MIB(16), 0, 0, BH_CTL_OWNER_DEVICE, 0 } },
		{ BH_CTL_AUDIT_POOL,
		  { GIB(1), MIB(256), 0, 0, BH_CTL_OWNER_FREE, 0 } },
		{ BH_CTL_AUDIT_INTERRUPTS,
		  { 9, 1, 0x30, 0, BH_CTL_SOURCE_PIN, BH_CTL_REACH_ALL } },
		{ BH_CTL_AUDIT_INTERRUPTS,
		  { 0x10018, 1, 1ull << 32 | 0xdf, 0, BH_CTL_SOURCE_MESSAGE,
		    0 } },
		{ BH_CTL_AUDIT_FUNCTIONS,
		  { 0x18, 1, 0, 0, BH_CTL_FUNCTION_FIXED, 0 } },
		{ BH_CTL_AUDIT_SUMS,
		  { 0, 77, 0, 0, BH_CTL_SUM_POOL_FREE_BYTES, 0 } },
	};
	struct bh_ctl_reach item;
	u64 index = 0;

	if (f->changing) {
		f->changing--;
		f->changes++;
	}
	a->arg[1] = f->changes;
	if (c->arg[0] <= BH_CTL_AUDIT_MSRS && !by_id(f, c->arg[1]))
		return error(a, BH_CTL_ENOENT, "there is no such guest");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].list != c->arg[0] || index++ < c->arg[2])
			continue;
		if (a->bytes) {
			a->arg[0] = c->arg[2] + 1;
			break;
		}
		if (c->out_bytes < sizeof(item) ||
		    /* The first guest's alone */
		    (c->arg[0] <= BH_CTL_AUDIT_MSRS && c->arg[1] > 1))
			continue;
		item = rows[i].item;
		item.owner = c->arg[0] == BH_CTL_AUDIT_INTERRUPTS ||
			     c->arg[0] == BH_CTL_AUDIT_FUNCTIONS;
		a->bytes = sizeof(item);
		memcpy(a->out, &item, sizeof(item));
	}
	return 0;
}

static s32 do_set(struct fake_device *f, const struct bh_ctl_command *c,
		  struct answer *a)
{
	char text[BH_CTL_IN_MAX + 1] = "";
	struct bh_ctl_guest *g = &by_id(f, c->arg[0])->about;

	memcpy(text, at_iova(f, c->in, c->in_bytes), c->in_bytes);
	if (sscanf(text, "weight=%u\ncap=%u%%\n", &g->weight, &g->cap) < 1)
		return error(a, BH_CTL_EINVAL, "no such key");
	return 0;
}

static const struct {
	bool guest; /* arg[0] is the id of one */
	bool slow;
	s32 (*run)(struct fake_device *f, const struct bh_ctl_command *c,
		   struct answer *a);
} commands[BH_CTL_OPS] = {
	[BH_CTL_OP_INFO] = { false, false, do_info },
	[BH_CTL_OP_ANNOUNCE] = { false, false, do_announce },
	[BH_CTL_OP_POOL] = { false, false, do_pool },
	[BH_CTL_OP_GUESTS] = { false, false, do_guests },
	[BH_CTL_OP_CREATE] = { false, false, do_create },
	[BH_CTL_OP_START] = { true, true, do_start },
	[BH_CTL_OP_END] = { true, true, do_end },
	[BH_CTL_OP_PAUSE] = { true, true, do_pause },
	[BH_CTL_OP_RESUME] = { true, false, do_pause },
	[BH_CTL_OP_CONSOLE_READ] = { true, false, do_read },
	[BH_CTL_OP_CONSOLE_TYPE] = { true, false, do_type },
	[BH_CTL_OP_VCPUS] = { true, false, do_vcpus },
	[BH_CTL_OP_CORES] = { false, false, do_cores },
	[BH_CTL_OP_EXIT_NAMES] = { false, false, do_exit_names },
	[BH_CTL_OP_EXITS] = { true, false, do_exits },
	[BH_CTL_OP_REGISTERS] = { true, false, do_registers },
	[BH_CTL_OP_SET_REGISTERS] = { true, false, do_set_registers },
	[BH_CTL_OP_MEMORY] = { true, false, do_memory },
	[BH_CTL_OP_MEMORY_READ] = { true, false, do_memory_read },
	[BH_CTL_OP_MEMORY_WRITE] = { true, false, do_memory_write },
	[BH_CTL_OP_TRANSLATE] = { true, false, do_translate },
	[BH_CTL_OP_DEBUG] = { true, false, do_debug },
	[BH_CTL_OP_METERING] = { false, false, do_metering },
	[BH_CTL_OP_HISTOGRAMS] = { true, false, do_histograms },
	[BH_CTL_OP_TRACE] = { false, false, do_trace },
	[BH_CTL_OP_TRACE_READ] = { false, false, do_trace_read },
	[BH_CTL_OP_AUDIT] = { false, false, do_audit },
	[BH_CTL_OP_SET] = { true, false, do_set },
	[BH_CTL_OP_LAST_EXITS] = { true, false, do_last_exits },
	[BH_CTL_OP_DEVICES] = { true, false, do_devices },
	[BH_CTL_OP_DEVICE_OFFER] = { true, false, do_offer },
	[BH_CTL_OP_QUEUES] = { true, false, do_queues },
	[BH_CTL_OP_QUEUE_BIND] = { true, false, do_bind },
	[BH_CTL_OP_QUEUE_STOPPED] = { true, false, do_stopped },
};

static void answer_put(struct fake_device *f, const struct bh_ctl_command *c,
		       const struct answer *a, bool signal)
{
	struct bh_ctl_event e = { .type = BH_CTL_EVENT_ANSWER,
				  .tag = c->tag,
				  .status = a->status,
				  .bytes = MIN(a->bytes, c->out_bytes),
				  .arg = { a->arg[0], a->arg[1] } };
	enum fake_fault fault = f->fault;
	void *out = at_iova(f, c->out, c->out_bytes);

	f->fault = FAKE_GOOD;
	assert_non_null(out);
	memcpy(out, a->out, e.bytes);
	if (fault == FAKE_SILENT)
		return;
	if (fault == FAKE_WRONG_TAG)
		e.tag += RING_SLOTS;
	if (fault == FAKE_TOO_LONG)
		e.bytes = c->out_bytes + 1;
	if (fault == FAKE_TAIL_AHEAD)
		area_of(f)->index.event_tail += BH_CTL_EVENTS + 1;
	else if (fault == FAKE_CLOSES)
		f->status = BH_CTL_BAD_ADDRESS;
	else
		event_put(f, &e, signal);
}

static void run(struct fake_device *f, const struct bh_ctl_command *c,
		bool late)
{
	struct answer a = { 0 };

	if (c->op >= BH_CTL_OPS)
		a.status = error(&a, BH_CTL_ENOSYS, "no such command");
	else if (commands[c->op].guest && !by_id(f, c->arg[0]))
		a.status = error(&a, BH_CTL_ENOENT, "there is no such guest");
	else
		a.status = commands[c->op].run(f, c, &a);
	answer_put(f, c, &a, late);
}

void fake_release(struct fake_device *f)
{
	for (u32 i = 0; i < f->held_count; i++)
		run(f, &f->held[i], true);
	f->held_count = 0;
}

/* The guest goes on while its console is read */
static void speak_on(struct fake_device *f, struct fake_guest *g)
{
	const char *words = g ? g->next_words : NULL;

	if (!words || !g->armed)
		return;
	g->next_words = NULL;
	fake_say(f, g->about.name, words);
}

static void submit(struct fake_device *f)
{
	struct bh_ctl_area *a = area_of(f);

	f->submits++;
	if (f->status != BH_CTL_IS_OPEN)
		return;
	if (a->index.command_tail - f->command_head > BH_CTL_COMMANDS) {
		f->status = BH_CTL_BAD_TAIL;
		return;
	}
	while (f->command_head != a->index.command_tail) {
		struct bh_ctl_command c =
			a->commands[f->command_head++ % BH_CTL_COMMANDS];

		a->index.command_head = f->command_head;
		if (f->hold && c.op < BH_CTL_OPS && commands[c.op].slow)
			f->held[f->held_count++] = c;
		else
			run(f, &c, false);
		if (c.op == BH_CTL_OP_CONSOLE_READ)
			speak_on(f, by_id(f, c.arg[0]));
	}
}

static void open_area(struct fake_device *f, u32 page)
{
	f->held_count = 0;
	f->command_head = f->event_tail = 0;
	f->status = !page                        ? BH_CTL_CLOSED
		    : page != IOVA >> PAGE_SHIFT ? BH_CTL_BAD_ADDRESS
						 : BH_CTL_IS_OPEN;
	f->opens += page != 0;
}

static struct fake_device *fake_of(struct device *d)
{
	return container_of(d, struct fake_device, device);
}

static u32 reg_read(struct device *d, enum bh_ctl_reg reg)
{
	const struct fake_device *f = fake_of(d);

	switch (reg) {
	case BH_CTL_MAGIC:
		return BH_CTL_MAGIC_VALUE;
	case BH_CTL_REVISION:
		return f->version;
	case BH_CTL_FEATURES:
		return BH_CTL_FEATURE_GUESTS | BH_CTL_FEATURE_CONSOLE |
		       BH_CTL_FEATURE_DEVICES;
	case BH_CTL_STATUS:
		return f->status;
	default:
		return ~0u;
	}
}

static void reg_write(struct device *d, enum bh_ctl_reg reg, u32 value)
{
	if (reg == BH_CTL_OPEN)
		open_area(fake_of(d), value);
	else if (reg == BH_CTL_SUBMIT)
		submit(fake_of(d));
}

static void wait_event(struct device *d, int ms)
{
	struct pollfd p = { .fd = d->event_fd, .events = POLLIN };
	u64 count;

	if (poll(&p, 1, ms) > 0)
		assert_int_equal(read(d->event_fd, &count, sizeof(count)), 8);
}

static void close_nothing(struct device *d)
{
}

/* As VFIO does, it keeps the event, whoever closes the number */
static int event_set(int *all, u32 number, int fd)
{
	assert_true(number && number < FAKE_VECTORS);
	if (all[number] >= 0)
		close(all[number]);
	all[number] = fd < 0 ? -1 : dup(fd);
	return 0;
}

static int vector_set(struct device *d, u32 vector, int fd)
{
	return event_set(fake_of(d)->vectors, vector, fd);
}

static int doorbell_set(struct device *d, u32 number, int fd)
{
	return event_set(fake_of(d)->doorbells, number, fd);
}

struct fake_device *fake_new(void)
{
	static const struct device_ops ops = { reg_read,     reg_write,
					       wait_event,   vector_set,
					       doorbell_set, close_nothing };
	struct fake_device *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->memory = aligned_alloc(PAGE_SIZE, RING_MEMORY_BYTES);
	f->version = BH_CTL_VERSION;
	f->boot_tsc = 500;
	f->device = (struct device){ .ops = &ops,
				     .memory = f->memory,
				     .iova = IOVA,
				     .event_fd = eventfd(0, EFD_NONBLOCK),
				     .vectors = FAKE_VECTORS };
	memset(f->vectors, 0xff, sizeof(f->vectors));
	memset(f->doorbells, 0xff, sizeof(f->doorbells));
	fake_add(f, "log", BH_CTL_RUNNING, 0);
	fake_add(f, "linux", BH_CTL_RUNNING,
		 BH_CTL_GUEST_PRIVILEGED | BH_CTL_GUEST_STATIC);
	return f;
}

void fake_free(struct fake_device *f)
{
	for (u32 i = 1; i < FAKE_VECTORS; i++) {
		event_set(f->vectors, i, -1);
		event_set(f->doorbells, i, -1);
	}
	close(f->device.event_fd);
	free(f->memory);
	free(f);
}
