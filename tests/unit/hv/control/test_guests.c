/* SOURCES: hv/control/guests.c hv/control/machine.c hv/control/consoles.c hv/control/events.c hv/control/dynamic.c hv/control/announce.c hv/core/exit.c hv/core/slots.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control device's commands say of guests, cores and consoles, and
 * which ends it refuses. Over 400 lines: one made-up set of guests serves all.
 */
#include "hv/control/priv.h"

#include "arch/x86/machine/tsc.h"
#include "drivers/acpi/acpi.h"
#include "hv/console/console.h"
#include "hv/core/exit.h"
#include "hv/device/pc/vpm.h"
#include "hv/load/reload.h"
#include "hv/vm/ids.h"
#include "hv/vm/pool.h"
#include "hv/vm/privileged.h"
#include "lib/string.h"
#include "mm/owner.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/vm_end.h"
#include "tests/unit/test.h"

#define GUESTS 3u
#define VCPUS  70u /* of the first guest: more than a step looks at */

static struct control c;
struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;
static struct vm guests[GUESTS];
static struct vcpu vcpus[GUESTS][VCPUS];
struct vm *vms[VM_MAX];
u32 vm_count;
static char typed[80];
static u32 typed_count, room;
static bool spoken[VM_MAX + 1], any_spoken, button;
static struct bh_ctl_event events[VM_MAX + 8];
static u32 event_count;
static u32 consoles_asked; /* for */

u64 vm_number(const struct vm *vm)
{
	return vm->number;
}

struct vm *vm_numbered(u64 id)
{
	for (u32 i = 0; i < vm_count; i++)
		if (vms[i] && vms[i]->number == id)
			return vms[i];
	return NULL;
}

/* The one dynamic guest, if there is one: its state, what is asked for, and the
 * news of it */
static enum bh_ctl_state dynamic_is;
static s32 dynamic_status;
static u32 dynamic_tag, dynamic_calls, news_count;
static s32 create_status;
static u32 create_steps, waiting;
static char sentence_of_error[128];
static struct bh_ctl_event news[4];
static bool news_lost;

static u32 starts;
static bool starts_fail;

bool vm_start_again(struct vm *vm)
{
	if (starts_fail)
		return false;
	starts++;
	assert_int_equal(vm->state, VM_STOPPED);
	vm->state = VM_RUNNING;
	vm->end = VM_END_NONE;
	vm->runs = false;
	return true;
}

enum bh_ctl_state dynamic_state(const struct vm *vm)
{
	assert_non_null(vm->dynamic);
	return dynamic_is;
}

bool dynamic_is_granted(const struct vm *vm)
{
	return dynamic_is == BH_CTL_DEFINED;
}

static s32 dynamic_called(u32 tag, struct dynamic_why *why)
{
	dynamic_calls++;
	dynamic_tag = tag;
	assert_string_equal(why->text, "");
	if (dynamic_status < 0)
		strcpy(why->text, "as it was told to");
	return dynamic_status;
}

s32 dynamic_create(const char *text, u32 len, const struct bh_ctl_range *ranges,
		   u32 count, struct dynamic_why *why)
{
	assert_int_equal(len, 4);
	assert_memory_equal(text, "text", 4);
	assert_int_equal(count, 2);
	assert_int_equal(ranges[1].size, 0x22);
	if (create_status)
		strcpy(why->text, "not even begun");
	return create_status;
}

s32 dynamic_create_step(u32 tag, u64 *id, struct dynamic_why *why)
{
	assert_int_equal(c.waiting, waiting + 1);
	if (create_steps && create_steps--)
		return DYNAMIC_GOES_ON;
	return dynamic_called(tag, why);
}

s32 dynamic_start(u64 id, const struct bh_ctl_file *files, u32 count, u32 tag,
		  struct dynamic_why *why)
{
	assert_int_equal(count, 2);
	assert_string_equal(files[1].name, "second");
	return dynamic_called(tag, why);
}

s32 dynamic_end(u64 id, enum bh_ctl_end how, u32 tag, struct dynamic_why *why)
{
	assert_true(how <= BH_CTL_END_DESTROY);
	return dynamic_called(tag, why);
}

s32 dynamic_pause(u64 id, u32 tag, struct dynamic_why *why)
{
	assert_int_equal(id, 9);
	return dynamic_called(tag, why);
}

s32 dynamic_resume(u64 id, struct dynamic_why *why)
{
	assert_int_equal(id, 9);
	return dynamic_called(0, why);
}

bool dynamic_news(struct bh_ctl_event *event, struct dynamic_why *why,
		  bool *lost)
{
	*lost = news_lost;
	news_lost = false;
	if (!news_count)
		return false;
	*event = news[0];
	strcpy(why->text, news[0].status ? "news" : "");
	memmove(news, news + 1, sizeof(news) - sizeof(news[0]));
	news_count--;
	return true;
}

void dynamic_forget_news(void)
{
	news_count = 0;
}

u32 pool_range_count(void)
{
	return 2;
}

struct bh_ctl_range pool_range(u32 i)
{
	return (struct bh_ctl_range){ .base = i, .size = 7 };
}

u64 pool_bytes(void)
{
	return 14;
}

u64 pool_free_bytes(void)
{
	return 9;
}

static char written[80];

int vtd_dma_write(struct vtd *u, u64 iova, const void *buf, size_t len)
{
	assert_int_equal(iova, 0x5000);
	memcpy(written, buf, len);
	written[len] = 0;
	return 0;
}

static u32 losses;

void control_lose(struct control *self)
{
	losses++;
}

u64 sched_run_ticks(const struct sched_entity *e)
{
	return e->run_tsc;
}

u64 sched_idle_ticks(const struct pcpu *cpu)
{
	return 1000 + cpu->id;
}

u64 stretch_longest(u32 id)
{
	return 50 + id;
}

u64 stretch_too_long(u32 id)
{
	return id;
}

u64 owner_bytes(enum owner_kind kind, u16 vm)
{
	return kind == OWNER_GUEST ? 100u * (vm + 1u) : kind + 1u;
}

#define RELOAD 7000u

u64 reload_bytes(const struct vm *vm)
{
	return vm->privileged ? RELOAD : 0;
}

int acpi_node_of_core(u32 apic_id)
{
	return apic_id ? -1 : 3;
}

bool vpm_power_button(struct vm *vm)
{
	return button;
}

s32 control_error(struct control *self, struct control_call *call,
		  enum bh_ctl_error error, const char *sentence)
{
	assert_true(strlen(sentence) > 10);
	(void)str_copy(sentence_of_error, sentence, sizeof(sentence_of_error));
	return -(s32)error;
}

void *control_next(struct control *self, struct control_call *call, u32 size)
{
	void *place = self->out + call->bytes;

	if (call->out_bytes - call->bytes < size)
		return NULL;
	call->bytes += size;
	return memset(place, 0, size);
}

void control_event(struct control *self, const struct bh_ctl_event *e)
{
	assert_true(event_count < ARRAY_SIZE(events));
	events[event_count++] = *e;
}

void control_answer(struct control *self, const struct bh_ctl_event *e)
{
	assert_int_equal(e->type, BH_CTL_EVENT_ANSWER);
	control_event(self, e);
}

bool console_of(const struct vm *vm, u64 *id)
{
	consoles_asked++;
	*id = vm->id + 1u;
	return vm->id != 1; /* that one has none */
}

u32 console_follow(u64 id, u64 *at, char *buf, u32 max, u64 *end)
{
	*at += id;
	*end = 99;
	memset(buf, 'x', max);
	return max;
}

bool console_any_spoken(void)
{
	bool was = any_spoken;

	any_spoken = false;
	return was;
}

bool console_spoken(u64 id)
{
	bool was = spoken[id];

	spoken[id] = false;
	return was;
}

bool console_type_at(u64 id, u8 byte)
{
	if (typed_count == room)
		return false;
	typed[typed_count++] = (char)byte;
	return true;
}

/* At the time of the next round */
static void look(void)
{
	c.guests.next_tsc = 0;
	event_count = 0;
	c.changed = true;
	control_guests_look(&c);
	assert_false(c.changed);
}

/* Each guest's state is known already */
static int setup(void **state)
{
	memset(&c, 0, sizeof(c));
	memset(guests, 0, sizeof(guests));
	memset(vcpus, 0, sizeof(vcpus));
	memset(vms, 0, sizeof(vms));
	pcpu_count = 2;
	for (u32 i = 0; i < 2; i++) {
		pcpus[i] = &fake_pcpus[i];
		pcpus[i]->id = i;
		pcpus[i]->apic_id = i * 16;
		pcpus[i]->host_ticks = 77;
	}
	c.build = "Bulkhead 7";
	for (u32 i = 0; i < GUESTS; i++) {
		struct vm *vm = &guests[i];

		vm->id = (u16)i;
		vm->number = 10 - i; /* not in the order of their places */
		vm->state = VM_RUNNING;
		vm->runs = true;
		vm->vcpu_count = i ? 1 : VCPUS;
		vm->slot_count = 0;
		snprintf(vm->name, sizeof(vm->name), "guest%u", i);
		for (u32 n = 0; n < vm->vcpu_count; n++) {
			struct vcpu *v = &vcpus[i][n];

			vm->vcpus[n] = v;
			v->id = n;
			v->vm = vm;
			v->entity.cpu = pcpus[n % 2];
			v->entity.run_tsc = n + 1;
			v->exits[EXIT_CPUID] = 2;
			v->exits[EXIT_HLT] = n;
		}
		vms[i] = vm;
	}
	vm_count = GUESTS;
	guests[2].privileged = true;
	typed_count = 0;
	room = sizeof(typed);
	button = any_spoken = false;
	memset(spoken, 0, sizeof(spoken));
	event_count = 0;
	dynamic_status = 0;
	fake_vm_ends = 0;
	dynamic_calls = news_count = losses = 0;
	create_status = 0;
	create_steps = waiting = 0;
	news_lost = false;
	look();
	event_count = 0;
	return 0;
}

static u32 steps;

static s32 run(s32 (*handler)(struct control *, struct control_call *),
	       u64 arg0, u64 arg1)
{
	s32 status;

	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = arg0;
	c.call.command.arg[1] = arg1;
	c.call.out_bytes = BH_CTL_OUT_MAX;
	steps = 0;
	do {
		status = handler(&c, &c.call);
		steps++;
		assert_true(steps < 20);
	} while (status == CONTROL_GOES_ON);
	return status;
}

static void test_guests(void **state)
{
	const struct bh_ctl_guest *g = (void *)c.out;

	assert_int_equal(run(control_guests, 0, 0), 0);
	assert_int_equal(c.call.bytes, 3 * sizeof(*g));
	assert_int_equal(c.call.result[0], 0);
	assert_true(steps > 4);
	for (u32 i = 0; i < GUESTS; i++) {
		assert_int_equal(g[i].id, 8 + i);
		assert_int_equal(g[i].state, BH_CTL_RUNNING);
	}
	assert_string_equal(g[2].name, "guest0");
	assert_int_equal(g[2].vcpus, VCPUS);
	assert_int_equal(g[2].run_ticks, VCPUS * (VCPUS + 1) / 2);
	assert_int_equal(g[2].exits, VCPUS * (VCPUS - 1) / 2 + VCPUS * 2);
	assert_true(g[0].flags & BH_CTL_GUEST_PRIVILEGED);
	assert_false(g[1].flags & BH_CTL_GUEST_PRIVILEGED);
	assert_int_equal(g[0].overhead_bytes - g[1].overhead_bytes, RELOAD);
	/* From one on; and with less room than there are */
	assert_int_equal(run(control_guests, 8, 0), 0);
	assert_int_equal(c.call.bytes, 2 * sizeof(*g));
	assert_int_equal(g[0].id, 9);
	assert_int_equal(run(control_guests, 10, 0), 0);
	assert_int_equal(c.call.bytes, 0);
	assert_int_equal(run(control_guests, ~0ull, 0), 0);
	assert_int_equal(c.call.bytes, 0);
}

static void test_little_room(void **state)
{
	memset(&c.call, 0, sizeof(c.call));
	c.call.out_bytes = sizeof(struct bh_ctl_guest) * 2 - 1;
	while (control_guests(&c, &c.call) == CONTROL_GOES_ON)
		;
	assert_int_equal(c.call.bytes, sizeof(struct bh_ctl_guest));
	assert_int_equal(c.call.result[0], 2);
}

/* A guest goes in the middle of the list */
static void test_guest_goes(void **state)
{
	memset(&c.call, 0, sizeof(c.call));
	c.call.out_bytes = BH_CTL_OUT_MAX;
	c.call.command.arg[0] = 9;
	assert_int_equal(control_guests(&c, &c.call), CONTROL_GOES_ON);
	vms[0] = NULL;
	while (control_guests(&c, &c.call) == CONTROL_GOES_ON)
		;
	assert_int_equal(c.call.bytes, sizeof(struct bh_ctl_guest));
	assert_int_equal(ids_count(), 2);
}

static void expect_state(enum vm_state state, enum vm_end end,
			 enum vcpu_activity activity, enum bh_ctl_state want)
{
	const struct bh_ctl_guest *g = (void *)c.out;

	guests[1].state = state;
	guests[1].end = end;
	guests[1].end_reason = "why";
	guests[1].runs = activity != VCPU_WORKING;
	assert_int_equal(run(control_guests, 8, 0), 0);
	assert_int_equal(g->state, want);
	assert_string_equal(g->reason, end ? "why" : "");
}

static void test_states(void **state)
{
	expect_state(VM_BUILDING, VM_END_NONE, VCPU_PARKED, BH_CTL_BUILDING);
	expect_state(VM_RUNNING, VM_END_NONE, VCPU_WORKING, BH_CTL_BUILDING);
	expect_state(VM_RUNNING, VM_END_NONE, VCPU_HALTED, BH_CTL_RUNNING);
	expect_state(VM_RUNNING, VM_END_RESET, VCPU_RUNNING, BH_CTL_BUILDING);
	expect_state(VM_RUNNING, VM_END_CRASH, VCPU_PARKED, BH_CTL_STOPPING);
	expect_state(VM_STOPPED, VM_END_CRASH, VCPU_PARKED, BH_CTL_CRASHED);
	expect_state(VM_STOPPED, VM_END_POWER_OFF, VCPU_PARKED, BH_CTL_STOPPED);
}

/* A static guest that is paused, until it ends */
static void test_paused_static(void **state)
{
	guests[1].still.stands = true;
	expect_state(VM_RUNNING, VM_END_NONE, VCPU_PAUSED, BH_CTL_PAUSED);
	button = true;
	assert_int_equal(run(control_end, 9, BH_CTL_END_BUTTON),
			 -BH_CTL_ESTATE);
	assert_int_equal(run(control_end, 9, BH_CTL_END_STOP), CONTROL_LATER);
	expect_state(VM_RUNNING, VM_END_POWER_OFF, VCPU_PAUSED,
		     BH_CTL_STOPPING);
}

/* One that stands for its debugger does not hear its button, either */
static void test_button_of_debugged(void **state)
{
	button = true;
	guests[1].debug.mode = VM_DEBUG_STANDS;
	assert_int_equal(run(control_end, 9, BH_CTL_END_BUTTON),
			 -BH_CTL_ESTATE);
	guests[1].debug.mode = VM_NOT_DEBUGGED;
	assert_int_equal(run(control_end, 9, BH_CTL_END_BUTTON), 0);
}

/* One that runs again says why it had to, and how often */
static void test_restarts(void **state)
{
	const struct bh_ctl_guest *g = (void *)c.out;

	expect_state(VM_RUNNING, VM_END_NONE, VCPU_HALTED, BH_CTL_RUNNING);
	assert_int_equal(g->restarts, 0);
	guests[1].lives = 1;
	guests[1].end_reason = "its kernel panicked";
	assert_int_equal(run(control_guests, 8, 0), 0);
	assert_string_equal(g->reason, "started again: its kernel panicked");
	assert_int_equal(g->restarts, 1);
	guests[1].lives = 12;
	assert_int_equal(run(control_guests, 8, 0), 0);
	assert_string_equal(g->reason, "started again 12 times, last: its "
				       "kernel panicked");
	guests[1].end = VM_END_CRASH;
	assert_int_equal(run(control_guests, 8, 0), 0);
	assert_string_equal(g->reason, "its kernel panicked");
	guests[1].lives = ~0u;
	guests[1].end = VM_END_NONE;
	guests[1].end_reason = "a reason that is longer than there is room for";
	assert_int_equal(run(control_guests, 8, 0), 0);
	assert_int_equal(strlen(g->reason), sizeof(g->reason) - 1);
	guests[1].lives = 0;
}

static void test_vcpus(void **state)
{
	const struct bh_ctl_vcpu *v = (void *)c.out;
	u64 next = 0;

	vcpus[0][3].activity = VCPU_SLEEPS;
	vcpus[0][4].activity = VCPU_WAIT_SIPI;
	vcpus[0][5].activity = VCPU_PARKED;
	while (next < VCPUS) {
		assert_int_equal(run(control_vcpus, 10, next), 0);
		assert_int_equal(c.call.result[0], VCPUS);
		assert_true(c.call.bytes > 0);
		for (u32 i = 0; i < c.call.bytes / sizeof(*v); i++, next++) {
			assert_int_equal(v[i].id, next);
			assert_int_equal(v[i].core, next % 2);
			assert_int_equal(v[i].run_ticks, next + 1);
			assert_int_equal(v[i].exits, next + 2);
			assert_int_equal(v[i].state, next == 3   ? 1
						     : next == 4 ? 2
						     : next == 5 ? 3
								 : 0);
		}
	}
	assert_int_equal(run(control_vcpus, 10, ~0ull), 0);
	assert_int_equal(c.call.bytes, 0);
	assert_int_equal(run(control_vcpus, 11, 0), -BH_CTL_ENOENT);
	assert_int_equal(run(control_vcpus, 0, 0), -BH_CTL_ENOENT);
}

static enum privileged_word said;

void privileged_say(enum privileged_word word)
{
	said = word;
}

static void test_announce(void **state)
{
	said = PRIVILEGED_SILENT;
	assert_int_equal(run(control_announce, BH_CTL_ANNOUNCES, 0),
			 -BH_CTL_EINVAL);
	assert_int_equal(run(control_announce, ~0ull, 0), -BH_CTL_EINVAL);
	assert_int_equal(said, PRIVILEGED_SILENT);
	assert_int_equal(run(control_announce, BH_CTL_WILL_ANNOUNCE, 0), 0);
	assert_int_equal(said, PRIVILEGED_TELLS);
	assert_int_equal(run(control_announce, BH_CTL_SHUTS_DOWN, 0), 0);
	assert_int_equal(said, PRIVILEGED_ANNOUNCED);
}

static void test_exits(void **state)
{
	const u64 *sums = (void *)c.out;

	assert_int_equal(run(control_exits, 10, 0), 0);
	assert_int_equal(c.call.bytes, EXIT_KINDS * 8);
	assert_int_equal(sums[EXIT_CPUID], VCPUS * 2);
	assert_int_equal(sums[EXIT_HLT], VCPUS * (VCPUS - 1) / 2);
	assert_int_equal(sums[EXIT_RDMSR], 0);
	assert_int_equal(run(control_exits, 10, EXIT_HLT), 0);
	assert_int_equal(c.call.bytes, (EXIT_KINDS - EXIT_HLT) * 8);
	assert_int_equal(sums[0], VCPUS * (VCPUS - 1) / 2);
	assert_int_equal(run(control_exits, 10, ~0ull), 0);
	assert_int_equal(c.call.bytes, 0);
	assert_int_equal(run(control_exits, 5, 0), -BH_CTL_ENOENT);
}

static void test_machine(void **state)
{
	const struct bh_ctl_info *info = (void *)c.out;
	const struct bh_ctl_core *core = (void *)c.out;
	const char *names = (char *)c.out;

	c.ram_bytes = control_ram_bytes();
	c.features = 5;
	assert_int_equal(c.ram_bytes, 614 + OWNER_HYPERVISOR + 1 + OWNER_FREE +
					      1 + OWNER_FILES + 1);
	assert_int_equal(run(control_info, 0, 0), 0);
	assert_int_equal(c.call.bytes, sizeof(*info));
	assert_int_equal(info->cores, 2);
	assert_int_equal(info->nodes, 1);
	assert_int_equal(info->guests, GUESTS);
	assert_int_equal(info->features, 5);
	assert_string_equal(info->build, "Bulkhead 7");
	assert_int_equal(info->pool_bytes, 14);
	assert_int_equal(info->pool_free_bytes, 9);
	assert_int_equal(info->hypervisor_free_bytes,
			 FAKE_SPARE_PAGES * PAGE_SIZE);
	assert_int_equal(run(control_pool, 1, 0), 0);
	assert_int_equal(c.call.bytes, sizeof(struct bh_ctl_range));
	assert_int_equal(c.call.result[0], 2);
	assert_int_equal(((struct bh_ctl_range *)c.out)->base, 1);
	assert_int_equal(run(control_pool, ~0ull, 0), 0);
	assert_int_equal(c.call.bytes, 0);
	assert_int_equal(run(control_cores, 0, 0), 0);
	assert_int_equal(c.call.bytes, 2 * sizeof(*core));
	assert_int_equal(core[1].id, 1);
	assert_int_equal(core[1].idle_ticks, 1001);
	assert_int_equal(core[1].host_ticks, 77);
	assert_int_equal(core[1].longest_ticks, 51);
	assert_int_equal(core[1].too_long, 1);
	assert_int_equal(core[0].smis, BH_CTL_NO_SMIS);
	assert_int_equal(run(control_cores, ~0ull, 0), 0);
	assert_int_equal(c.call.bytes, 0);
	assert_int_equal(run(control_exit_names, EXIT_HLT, 0), 0);
	assert_string_equal(names, exit_name(EXIT_HLT));
	assert_string_equal(names + strlen(names) + 1, exit_name(EXIT_RDMSR));
	assert_int_equal(run(control_exit_names, ~0ull, 0), 0);
	assert_int_equal(c.call.bytes, 0);
}

static void test_end(void **state)
{
	assert_int_equal(run(control_end, 4, BH_CTL_END_STOP), -BH_CTL_ENOENT);
	assert_int_equal(run(control_end, 8, BH_CTL_END_STOP), -BH_CTL_ESTATIC);
	assert_int_equal(run(control_end, 9, BH_CTL_END_DESTROY),
			 -BH_CTL_ESTATIC);
	assert_int_equal(run(control_end, 9, 99), -BH_CTL_EINVAL);
	assert_int_equal(run(control_end, 9, BH_CTL_END_BUTTON),
			 -BH_CTL_ESTATE);
	button = true;
	assert_int_equal(run(control_end, 9, BH_CTL_END_BUTTON), 0);
	assert_int_equal(fake_vm_ends, 0);
	assert_int_equal(run(control_end, 9, BH_CTL_END_STOP), CONTROL_LATER);
	assert_int_equal(fake_vm_ends, 1);
	guests[1].end = VM_END_POWER_OFF;
	assert_int_equal(run(control_end, 9, BH_CTL_END_RESET), -BH_CTL_ESTATE);
	assert_int_equal(fake_vm_ends, 1);
	guests[1].end = VM_END_NONE;
	for (u32 i = 1; i < CONTROL_WAITS; i++)
		assert_int_equal(run(control_end, 9, BH_CTL_END_STOP),
				 CONTROL_LATER);
	assert_int_equal(run(control_end, 9, BH_CTL_END_STOP), -BH_CTL_EBUSY);
	assert_int_equal(fake_vm_ends, CONTROL_WAITS);
}

static void begin_end(enum bh_ctl_end how, u32 tag)
{
	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = 9;
	c.call.command.arg[1] = how;
	c.call.command.tag = tag;
	assert_int_equal(control_end(&c, &c.call), CONTROL_LATER);
}

static void expect_event(u32 i, u16 type, u64 arg)
{
	assert_true(i < event_count);
	assert_int_equal(events[i].type, type);
	if (type == BH_CTL_EVENT_ANSWER) {
		assert_int_equal(events[i].tag, arg);
		return;
	}
	assert_int_equal(events[i].arg[0], 9);
	assert_int_equal(events[i].arg[1], arg);
}

static void test_stop_events(void **state)
{
	control_guests_forget(&c);
	look();
	assert_int_equal(event_count, 0);
	begin_end(BH_CTL_END_STOP, 55);
	guests[1].end = VM_END_POWER_OFF;
	look();
	assert_int_equal(event_count, 1);
	expect_event(0, BH_CTL_EVENT_STATE, BH_CTL_STOPPING);
	look();
	assert_int_equal(event_count, 0);
	guests[1].state = VM_STOPPED;
	control_guests_look(&c); /* nobody says that it changed */
	assert_int_equal(event_count, 0);
	look();
	assert_int_equal(event_count, 2);
	expect_event(0, BH_CTL_EVENT_STATE, BH_CTL_STOPPED);
	expect_event(1, BH_CTL_EVENT_ANSWER, 55);
	assert_int_equal(c.waiting, 0);
}

/* It runs again before anybody has seen it stop */
static void test_reset_events(void **state)
{
	control_guests_forget(&c);
	begin_end(BH_CTL_END_RESET, 56);
	look();
	assert_int_equal(event_count, 0);
	guests[1].tsc_start = 5;
	look();
	assert_int_equal(event_count, 1);
	expect_event(0, BH_CTL_EVENT_ANSWER, 56);
	begin_end(BH_CTL_END_RESET, 57);
	guests[1].end = VM_END_RESET;
	look();
	expect_event(0, BH_CTL_EVENT_STATE, BH_CTL_BUILDING);
	guests[1].end = VM_END_NONE;
	guests[1].tsc_start = 6;
	look();
	assert_int_equal(event_count, 2);
	expect_event(1, BH_CTL_EVENT_ANSWER, 57);
}

/* One that has stopped: the answer is of the life that begins */
static void test_start_again_events(void **state)
{
	control_guests_forget(&c);
	guests[1].state = VM_STOPPED;
	guests[1].end = VM_END_POWER_OFF;
	look();
	assert_int_equal(run(control_end, 9, BH_CTL_END_STOP), -BH_CTL_ESTATE);
	assert_int_equal(run(control_end, 9, BH_CTL_END_DESTROY),
			 -BH_CTL_ESTATIC);
	begin_end(BH_CTL_END_RESET, 58);
	assert_int_equal(starts, 1);
	look();
	assert_int_equal(event_count, 1);
	expect_event(0, BH_CTL_EVENT_STATE, BH_CTL_BUILDING);
	guests[1].runs = true;
	guests[1].tsc_start = 7;
	look();
	assert_int_equal(event_count, 2);
	expect_event(0, BH_CTL_EVENT_STATE, BH_CTL_RUNNING);
	expect_event(1, BH_CTL_EVENT_ANSWER, 58);
	/* The machine ends: answered all the same */
	guests[1].state = VM_STOPPED;
	guests[1].end = VM_END_POWER_OFF;
	look();
	starts_fail = true;
	begin_end(BH_CTL_END_RESET, 59);
	starts_fail = false;
	look();
	expect_event(0, BH_CTL_EVENT_ANSWER, 59);
}

static s32 given(s32 (*handler)(struct control *, struct control_call *),
		 u32 bytes)
{
	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = 9;
	c.call.command.tag = 70 + dynamic_calls;
	c.call.command.out = 0x5000;
	c.call.out_bytes = 50;
	c.call.in_bytes = bytes;
	waiting = c.waiting;
	for (steps = 1;; steps++) {
		s32 status = handler(&c, &c.call);

		if (status != CONTROL_GOES_ON)
			return status;
		/* What others do meanwhile */
		memset(c.in, 0xee, 4);
		strcpy(c.why.text, "");
	}
}

/* What is given must be as long as it says */
static void test_create(void **state)
{
	struct bh_ctl_create *make = (void *)c.in;
	u32 bytes = sizeof(*make) + 2 * sizeof(make->ranges[0]) + 4;

	make->definition_bytes = 4;
	make->range_count = 2;
	make->ranges[1].size = 0x22;
	memcpy(&make->ranges[2], "text", 4);
	assert_int_equal(given(control_create_guest, bytes), CONTROL_LATER);
	assert_int_equal(dynamic_calls, 1);
	for (u32 i = 0; i < bytes; i++)
		assert_int_equal(given(control_create_guest, i),
				 -BH_CTL_EINVAL);
	assert_int_equal(given(control_create_guest, bytes + 1),
			 -BH_CTL_EINVAL);
	make->range_count = ~0u;
	assert_int_equal(given(control_create_guest, bytes), -BH_CTL_EINVAL);
	make->range_count = 2;
	make->definition_bytes = ~0u;
	assert_int_equal(given(control_create_guest, bytes), -BH_CTL_EINVAL);
	assert_int_equal(dynamic_calls, 1);
	make->definition_bytes = 4;
	create_status = -BH_CTL_EEXIST;
	assert_int_equal(given(control_create_guest, bytes), -BH_CTL_EEXIST);
	assert_int_equal(steps, 1);
	assert_string_equal(sentence_of_error, "not even begun");
	assert_int_equal(c.waiting, 1);
}

/* Each call does one step of it, and the one wait is for all of them */
static void test_create_steps(void **state)
{
	struct bh_ctl_create *make = (void *)c.in;
	struct bh_ctl_create was = { .definition_bytes = 4, .range_count = 2 };
	u32 bytes = sizeof(*make) + 2 * sizeof(make->ranges[0]) + 4;

	for (u32 i = 0; i < 2; i++) {
		*make = was;
		make->ranges[1].size = 0x22;
		memcpy(&make->ranges[2], "text", 4);
		create_steps = 9;
		dynamic_status = i ? -BH_CTL_ENOMEM : 0;
		assert_int_equal(given(control_create_guest, bytes),
				 i ? -BH_CTL_ENOMEM : CONTROL_LATER);
		assert_int_equal(steps, 1 + 9 + 1);
		assert_int_equal(c.waiting, 1); /* of the first */
		assert_int_equal(dynamic_tag % CONTROL_WAITS, i);
	}
	assert_string_equal(sentence_of_error, "as it was told to");
}

static void test_start(void **state)
{
	struct bh_ctl_file *files = (void *)c.in;

	strcpy(files[1].name, "second");
	assert_int_equal(given(control_start, 2 * sizeof(*files)),
			 CONTROL_LATER);
	assert_int_equal(given(control_start, sizeof(*files) + 1),
			 -BH_CTL_EINVAL);
	assert_int_equal(dynamic_calls, 1);
}

/* Answers by number, whatever tags the driver chose; those of a device that was
 * closed meanwhile reach nobody */
static void test_dynamic_news(void **state)
{
	u32 first, second;

	guests[1].dynamic = (void *)&guests[1];
	dynamic_is = BH_CTL_DEFINED;
	control_guests_forget(&c);
	c.call.command.arg[1] = BH_CTL_END_STOP;
	assert_int_equal(given(control_end, 0), CONTROL_LATER);
	first = dynamic_tag;
	assert_int_equal(given(control_end, 0), CONTROL_LATER);
	second = dynamic_tag;
	assert_int_not_equal(first, second);
	assert_int_equal(fake_vm_ends, 0);
	news[0] = (struct bh_ctl_event){ .type = BH_CTL_EVENT_STATE,
					 .arg = { 9, BH_CTL_STOPPED } };
	news[1] = (struct bh_ctl_event){ .type = BH_CTL_EVENT_ANSWER,
					 .tag = second,
					 .status = -BH_CTL_ESTATE,
					 .arg = { 9 } };
	news[2] = news[1];
	news[3] = (struct bh_ctl_event){ .type = BH_CTL_EVENT_ANSWER,
					 .tag = first ^ 64 };
	news_count = 4;
	news_lost = true;
	look();
	assert_int_equal(losses, 1);
	assert_int_equal(event_count, 2);
	expect_event(0, BH_CTL_EVENT_STATE, BH_CTL_STOPPED);
	expect_event(1, BH_CTL_EVENT_ANSWER, 71);
	assert_int_equal(events[1].status, -BH_CTL_ESTATE);
	assert_int_equal(events[1].bytes, 4);
	assert_string_equal(written, "news");
	assert_int_equal(c.waiting, 1);
	assert_int_equal(given(control_pause, 0), CONTROL_LATER);
	assert_int_equal(c.waiting, 2);
	/* The button is answered at once, and the end of a pause */
	dynamic_status = 1;
	assert_int_equal(given(control_end, 0), 0);
	assert_int_equal(given(control_resume, 0), 0);
	assert_int_equal(c.waiting, 2);
	dynamic_status = -BH_CTL_ESTATE;
	assert_int_equal(given(control_pause, 0), -BH_CTL_ESTATE);
	assert_int_equal(given(control_resume, 0), -BH_CTL_ESTATE);
	assert_int_equal(c.waiting, 2);
	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = 9;
	c.call.command.arg[1] = 99;
	assert_int_equal(control_end(&c, &c.call), -BH_CTL_EINVAL);
}

static void test_consoles(void **state)
{
	assert_int_equal(run(control_console_read, 10, 5), 0);
	assert_int_equal(c.call.bytes, BH_CTL_OUT_MAX);
	assert_int_equal(c.call.result[0], 6);
	assert_int_equal(c.call.result[1], 99);
	assert_int_equal(run(control_console_read, 0, 5), 0); /* the log */
	assert_int_equal(c.call.result[0], 5);
	assert_int_equal(run(control_console_read, 9, 0), -BH_CTL_ENOENT);
	assert_int_equal(run(control_console_read, 77, 0), -BH_CTL_ENOENT);
	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = 8;
	c.call.in_bytes = 5;
	memcpy(c.in, "hello", 5);
	room = 3;
	assert_int_equal(control_console_type(&c, &c.call), 0);
	assert_int_equal(c.call.result[0], 3);
	assert_memory_equal(typed, "hel", 3);
	/* Only so many at once */
	room = sizeof(typed);
	typed_count = 0;
	c.call.in_bytes = BH_CTL_IN_MAX;
	assert_int_equal(control_console_type(&c, &c.call), 0);
	assert_in_range(c.call.result[0], 16, 64);
}

static void test_console_events(void **state)
{
	spoken[0] = spoken[1] = spoken[2] = spoken[3] = true;
	control_consoles_look(&c);
	assert_int_equal(event_count, 0);
	any_spoken = true;
	control_consoles_look(&c);
	assert_int_equal(event_count, 3);
	assert_int_equal(events[0].arg[0], 0);
	assert_int_equal(events[1].arg[0], 10);
	assert_int_equal(events[2].arg[0], 8);
	assert_int_equal(events[2].type, BH_CTL_EVENT_CONSOLE);
	control_consoles_look(&c);
	assert_int_equal(event_count, 3);
}

/* As many as there can be, all but the first GUESTS of no interest */
static void crowd_make(void)
{
	static struct vcpu vcpu;

	for (u32 i = GUESTS; i < VM_MAX; i++) {
		struct vm *vm = calloc(1, vm_bytes(0));

		assert_non_null(vm);
		vm->id = (u16)i;
		vm->number = 100 + i;
		vm->state = VM_RUNNING;
		vm->runs = true;
		vm->vcpu_count = 1;
		vm->vcpus[0] = &vcpu;
		vms[i] = vm;
	}
	vm_count = VM_MAX;
}

static int crowd_free(void **state)
{
	for (u32 i = GUESTS; i < VM_MAX; i++)
		free(vms[i]);
	return 0;
}

/* One that was asked for begins in a millisecond; true: it is that late now */
static bool next_round(struct control_round *r,
		       bool (*looks)(struct control *self))
{
	if (!control_round_waits(r))
		return false;
	assert_true(r->next_tsc);
	r->next_tsc = ~0ull;
	assert_false(looks(&c));
	assert_true(control_round_waits(r));
	r->next_tsc = 0;
	return true;
}

/* Each call looks at a few. Who speaks behind them is told of in the next
 * round, and nobody twice. */
static void test_crowd_of_consoles(void **state)
{
	u32 calls = 0;
	bool more;

	crowd_make();
	memset(spoken, 1, sizeof(spoken));
	any_spoken = true;
	do {
		consoles_asked = 0;
		more = control_consoles_look(&c);
		assert_true(consoles_asked <= 32);
		if (!calls++) {
			spoken[1] = any_spoken = true;
			assert_true(more);
		}
	} while (more || next_round(&c.consoles, control_consoles_look));
	assert_int_equal(calls, 2 * VM_MAX / 32);
	/* All but the one that has no console; the log; and one again */
	assert_int_equal(event_count, VM_MAX - 1 + 1 + 1);
	assert_int_equal(events[event_count - 1].arg[0], 10);
	assert_false(control_consoles_look(&c));
}

static u32 told_of(u64 id, enum bh_ctl_state state)
{
	u32 n = 0;

	for (u32 i = 0; i < event_count; i++)
		n += events[i].type == BH_CTL_EVENT_STATE &&
		     events[i].arg[0] == id && events[i].arg[1] == state;
	return n;
}

/* Each call looks at a few guests. What changes behind them, and who waits for
 * it, is told of in the next round; nothing is twice. */
static void test_crowd_of_guests(void **state)
{
	u32 calls = 0, before;
	bool more;

	crowd_make();
	c.changed = true;
	do {
		before = event_count;
		more = control_guests_look(&c);
		assert_true(event_count - before <= 16 + 2);
		if (++calls == 3) {
			begin_end(BH_CTL_END_STOP, 58);
			guests[1].end = VM_END_POWER_OFF;
			guests[1].state = VM_STOPPED;
			vms[VM_MAX - 1]->end = VM_END_POWER_OFF;
			c.changed = true;
		}
		assert_int_equal(more, calls % (VM_MAX / 16) != 0);
	} while (more || next_round(&c.guests, control_guests_look));
	/* All but those that were known; the one that stops, and its answer */
	assert_int_equal(event_count, VM_MAX - GUESTS + 2);
	assert_int_equal(told_of(9, BH_CTL_STOPPED), 1);
	expect_event(event_count - 1, BH_CTL_EVENT_ANSWER, 58);
	assert_int_equal(told_of(99 + VM_MAX, BH_CTL_STOPPING), 1);
	assert_int_equal(told_of(99 + VM_MAX, BH_CTL_RUNNING), 0);
	assert_false(control_guests_look(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_guests, setup),
		cmocka_unit_test_setup(test_little_room, setup),
		cmocka_unit_test_setup(test_guest_goes, setup),
		cmocka_unit_test_setup(test_states, setup),
		cmocka_unit_test_setup(test_paused_static, setup),
		cmocka_unit_test_setup(test_button_of_debugged, setup),
		cmocka_unit_test_setup(test_restarts, setup),
		cmocka_unit_test_setup(test_vcpus, setup),
		cmocka_unit_test_setup(test_exits, setup),
		cmocka_unit_test_setup(test_announce, setup),
		cmocka_unit_test_setup(test_machine, setup),
		cmocka_unit_test_setup(test_end, setup),
		cmocka_unit_test_setup(test_stop_events, setup),
		cmocka_unit_test_setup(test_reset_events, setup),
		cmocka_unit_test_setup(test_start_again_events, setup),
		cmocka_unit_test_setup(test_create, setup),
		cmocka_unit_test_setup(test_create_steps, setup),
		cmocka_unit_test_setup(test_start, setup),
		cmocka_unit_test_setup(test_dynamic_news, setup),
		cmocka_unit_test_setup(test_consoles, setup),
		cmocka_unit_test_setup(test_console_events, setup),
		cmocka_unit_test_setup_teardown(test_crowd_of_consoles, setup,
						crowd_free),
		cmocka_unit_test_setup_teardown(test_crowd_of_guests, setup,
						crowd_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
