/* SOURCES: hv/vm/dynamic.c hv/vm/dynamic_life.c hv/vm/still.c hv/vm/pause.c hv/vm/kept.c hv/vm/news.c hv/vm/life.c hv/vm/privileged.c hv/vm/work.c hv/vm/zero.c hv/core/vm.c hv/core/fan.c hv/core/slots.c hv/manifest/parse.c hv/manifest/keys.c hv/manifest/lookup.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a dynamic guest (docs/lifecycle.md): every way from state to
 * state, every refusal, what is told of it; and that its memory is granted,
 * taken away and zero when it has to be.
 *
 * Over 400 lines: one machine of fakes, and each way through the table.
 */
#include "hv/vm/dynamic.h"

#include "hv/assign/passthrough.h"
#include "hv/console/console.h"
#include "hv/core/quiesce.h"
#include "hv/device/pc/vpm.h"
#include "hv/irq/vlapic.h"
#include "hv/load/load.h"
#include "hv/load/staged.h"
#include "hv/policy/cpuid.h"
#include "hv/pv/kvm_pv.h"
#include "hv/time/vtimer.h"
#include "hv/vm/create.h"
#include "hv/vm/devices.h"
#include "hv/vm/dynamic_priv.h"
#include "hv/vm/grant.h"
#include "hv/vm/life.h"
#include "hv/vm/machine_end.h"
#include "hv/vm/pause.h"
#include "hv/vm/plan.h"
#include "hv/vm/pool.h"
#include "hv/vm/reap.h"
#include "hv/vm/stats.h"
#include "hv/vm/vcpu.h"
#include "hv/vm/work.h"
#include "lib/errno.h"
#include "tests/unit/fakes/guest_ram.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/served.h"
#include "tests/unit/fakes/timer.h"
#include "tests/unit/fakes/tsc.h"
#include "tests/unit/fakes/window.h"

#define RAM   MIB(4)
#define BASE  MIB(64)
#define TURNS 100000u

static const char web[] = "[guest web]\nkernel = k\nmemory = 4M\nvcpus = 2\n";
static const struct bh_ctl_range range = { .base = BASE, .size = RAM };
static const struct bh_ctl_file file = { "k", MIB(2), 1000 };

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;

void window_flush(void)
{
}

static struct vcpu *const boot = &fake_vcpus[0];
static bool granted[2], touched, passed, taken, pool_is_clean, ending;
static bool stand;          /* no core passes */
static bool shares;         /* it may be granted as it is */
static bool timer_is_armed; /* of a device */
static bool devices_stop;   /* and it waits for them */
static u32 passes, alive, ever, loads, freed_ids, maps;
static int load_error, take_error, begin_error;
static u32 steps, left_to_free;
static bool fail_last;
static int check_error;
static const char *staged_wrong;

/* --- what is told of it --- */

/*
 * tests/build.mk puts these two before the real ones. News of a state is noted
 * under the lock that the state changes under: whoever sees the state then
 * notes what follows behind it. But for the first state, before which nobody
 * has the guest, and the last.
 */
void __real_news_add_state(u64 id, enum bh_ctl_state state);
void __real_news_state(u64 id, enum bh_ctl_state state);
void __wrap_news_add_state(u64 id, enum bh_ctl_state state);
void __wrap_news_state(u64 id, enum bh_ctl_state state);

void __wrap_news_add_state(u64 id, enum bh_ctl_state state)
{
	assert_int_not_equal(fake_vm.lock.next, fake_vm.lock.owner);
	assert_int_equal(fake_vm.dynamic->state, state);
	__real_news_add_state(id, state);
}

void __wrap_news_state(u64 id, enum bh_ctl_state state)
{
	assert_true(state == BH_CTL_BUILDING || state == BH_CTL_GONE);
	__real_news_state(id, state);
}

/* --- what it is made of --- */

static void destroy(void)
{
	u16 id = fake_vm.id;

	while (!dynamic_give_memory_back(&fake_vm))
		;
	dynamic_detach(&fake_vm);
	assert_int_equal(fake_vm.budget.used_pages, 0);
	freed_ids++;
	fake_vm.id = id;
}

int vm_make_begin(struct vm_making *m, const struct vm_order *order)
{
	static u64 number;

	if (begin_error)
		return begin_error;
	fake_vm_init(2);
	fake_vm.id = 5;
	fake_vm.number = number++;
	fake_vm.slot_count = 1;
	fake_vm.slots[0] = (struct vm_slot){ .size = RAM };
	strcpy(fake_vm.name, order->config->name);
	assert_int_equal(dynamic_attach(&fake_vm, order), 0);
	*m = (struct vm_making){ .vm = &fake_vm };
	return 0;
}

/* Its memory, and then @steps of no interest */
int vm_make_step(struct vm_making *m)
{
	int err = m->stage ? 0 : dynamic_take_memory(m->vm);

	assert_null(vms[fake_vm.id]);
	m->stage += !err;
	if (err)
		return err;
	if (m->stage > steps && fail_last)
		return -ENOMEM;
	if (m->stage <= steps)
		return VM_GOES_ON;
	vms[fake_vm.id] = &fake_vm;
	vm_count = fake_vm.id + 1u;
	return 0;
}

bool vm_free_step(struct vm *vm)
{
	assert_null(vms[vm->id]);
	if (left_to_free && left_to_free--)
		return false;
	if (!dynamic_give_memory_back(vm))
		return false;
	destroy();
	return true;
}

static void (*unborn_freed)(const struct vm_farewell *f);

void reap_unborn(struct vm *vm, void (*when_freed)(const struct vm_farewell *f))
{
	assert_ptr_equal(vm, &fake_vm);
	assert_null(unborn_freed);
	unborn_freed = when_freed;
}

static const char *manifest_has; /* a guest of that name, or NULL */
bool plan_has_guest(const char *name)
{
	return manifest_has && !strcmp(manifest_has, name);
}

bool plan_check_dynamic(struct guest_config *g,
			void (*report)(const char *sentence))
{
	if (g->firmware[0])
		report("no firmware");
	return !g->firmware[0];
}

u32 pool_range_count(void)
{
	return 1;
}

int pool_check(const struct bh_ctl_range *r, u32 count)
{
	return check_error;
}

int pool_take(const struct bh_ctl_range *r, u32 count, u16 vm, bool *clean)
{
	assert_int_equal(count, 1);
	assert_memory_equal(r, &range, sizeof(range));
	*clean = pool_is_clean;
	taken = !take_error;
	return take_error;
}

static bool ram_is_zero(void)
{
	return !fake_ram[0] && !memcmp(fake_ram, fake_ram + 1, RAM - 1);
}

static bool is_granted(void)
{
	assert_int_equal(granted[0], granted[1]);
	return granted[0];
}

void pool_give_back(const struct bh_ctl_range *r, u16 vm, bool clean)
{
	assert_true(taken);
	assert_true(clean && ram_is_zero());
	assert_false(is_granted());
	taken = false;
}

bool grant_unit(u64 base)
{
	bool was = touched;

	assert_true(shares || ram_is_zero());
	granted[(base - BASE) / POOL_UNIT] = true;
	touched = false;
	return was;
}

void grant_end(u64 base)
{
	granted[(base - BASE) / POOL_UNIT] = false;
	passed = false;
}

struct quiesce quiesce_ask(void)
{
	passes++;
	return (struct quiesce){ .number = 0 };
}

/* At the second look */
bool quiesce_over(struct quiesce *q)
{
	passed = !stand && q->number++;
	return passed;
}

void reap(struct vm *vm, void (*freed)(const struct vm_farewell *f))
{
	struct vm_farewell farewell = vm->reap.farewell;

	assert_int_equal(boot->activity, VCPU_PARKED);
	assert_false(timer_is_armed);
	vms[vm->id] = NULL;
	destroy();
	freed(&farewell);
}

const char *staged_note(struct vm *vm, struct staged *s,
			const struct bh_ctl_file *list, u32 count)
{
	return staged_wrong;
}

int staged_map(struct vm *vm)
{
	assert_false(is_granted());
	assert_true(passed);
	return maps++ % 2 ? 0 : -EAGAIN;
}

void staged_unmap(struct vm *vm)
{
}

int load_guest(struct vm *vm)
{
	loads++;
	return load_error;
}

bool load_step(struct vm *vm)
{
	return true;
}

void load_abandon(struct vm *vm)
{
}

/* A command that may set it to work comes later: its event would be lost */
void vcpu_park(struct vcpu *v)
{
	assert_int_not_equal(dynamic_state(v->vm), BH_CTL_STOPPED);
	v->activity = VCPU_PARKED;
}

void sched_block(struct sched_entity *e)
{
	fail();
}

void sched_wake(struct sched_entity *e)
{
	fail();
}

void pcpu_kick(struct pcpu *cpu, u32 bits)
{
	fail();
}

/* Only for its devices */
void vcpu_block(struct vcpu *v)
{
	assert_true(devices_stop);
	assert_true(is_granted());
	assert_non_null(fake_timer); /* which comes */
	fake_timer = NULL;
}

void vcpu_post(struct vcpu *v, u32 event_bits)
{
	v->events |= event_bits;
}

static bool listens;

bool vpm_power_button(struct vm *vm)
{
	return listens;
}

void machine_guest_made(void)
{
	alive++;
	ever++;
}

static void (*at_last)(void); /* another core does, when a guest has ended */

void machine_guest_ended(const struct vm *vm)
{
	assert_int_equal(fake_vm.state, VM_STOPPED);
	assert_true(alive--);
	if (at_last)
		at_last();
}

bool machine_is_ending(void)
{
	return ending;
}

void machine_end(enum machine_end how)
{
	fail();
}

void vtimer_stop_all(struct vm *vm)
{
	assert_int_equal(boot->activity, VCPU_PARKED);
	timer_is_armed = false;
}

void devices_reset(struct vm *vm)
{
}

void vlapic_late_forget(struct vcpu *v)
{
}

void exit_stats_log(const struct vm *vm)
{
}

void cpuid_renew_rate(struct vm *vm)
{
}

void console_guest_starts(struct vm *vm)
{
}

void console_guest_restarts(const struct vm *vm)
{
	fail();
}

bool passthrough_quiet_step(struct vm *vm, u64 *until)
{
	fail();
	return true;
}

/* --- a machine of one guest --- */

static struct dynamic_why why;
static u64 id;

static int setup(void **state)
{
	struct bh_ctl_event e;
	bool lost;

	if (vms[5])
		dynamic_detach(&fake_vm); /* the last one's */
	fake_ram_init(RAM, 0xaa);
	fake_windows_init(fake_ram, RAM);
	memset(vms, 0, sizeof(vms));
	vm_count = 0;
	vm_privileged = &fake_vm;
	granted[0] = granted[1] = touched = stand = ending = listens = false;
	pool_is_clean = passed = shares = devices_stop = false;
	served_fake_looks = served_fake_ends = 0;
	alive = load_error = take_error = loads = maps = ever = 0;
	check_error = begin_error = 0;
	taken = false;
	fail_last = false;
	steps = left_to_free = 0;
	staged_wrong = NULL;
	at_last = NULL;
	dynamic_on_news(NULL);
	while (dynamic_news(&e, &why, &lost))
		;
	return 0;
}

static void events_of(struct vcpu *v)
{
	u32 events = v->events;

	v->events = 0;
	if (events & VE_START)
		v->activity = v->id ? VCPU_WAIT_SIPI : VCPU_WORKING;
	if ((events & VE_PAUSE) && !(events & VE_STOP))
		pause_take(v);
	if (v->activity != VCPU_PARKED && (events & VE_STOP))
		vm_vcpu_parked(v);
	else if (v->activity == VCPU_WORKING)
		vm_work_step(v);
}

/* Until nothing is left to do but to run */
static void go_on(void)
{
	for (u32 i = 0; i < TURNS && vms[5]; i++) {
		if (!boot->events && !fake_vcpus[1].events &&
		    boot->activity != VCPU_WORKING)
			return;
		events_of(boot);
		if (vms[5])
			events_of(&fake_vcpus[1]);
	}
	assert_null(vms[5]);
}

static s32 begin_create(const char *text, const struct bh_ctl_range *r,
			u32 count)
{
	return dynamic_create(text, (u32)strlen(text), r, count, &why);
}

static s32 step_create(void)
{
	return dynamic_create_step(77, &id, &why);
}

static s32 go_on_create(void)
{
	s32 status;

	do
		status = step_create();
	while (status == DYNAMIC_GOES_ON);
	return status;
}

static void create(void)
{
	assert_int_equal(begin_create(web, &range, 1), 0);
	assert_int_equal(go_on_create(), 0);
	assert_true(id > 5);
}

static void expect_state(enum bh_ctl_state state)
{
	struct bh_ctl_event e;
	bool lost;

	assert_true(dynamic_news(&e, &why, &lost));
	assert_false(lost);
	assert_int_equal(e.type, BH_CTL_EVENT_STATE);
	assert_int_equal(e.tag, (u32)id);
	assert_int_equal(e.arg[0], id);
	assert_int_equal(e.arg[1], state);
	if (state != BH_CTL_GONE && vms[5])
		assert_int_equal(vm_number(&fake_vm), id);
}

static void expect_answer(u32 tag, s32 status)
{
	struct bh_ctl_event e;
	bool lost;

	assert_true(dynamic_news(&e, &why, &lost));
	assert_int_equal(e.type, BH_CTL_EVENT_ANSWER);
	assert_int_equal(e.tag, tag);
	assert_int_equal(e.status, status);
	assert_int_equal(e.bytes, strlen(why.text));
	assert_int_equal(!e.bytes, !status);
}

static void expect_nothing(void)
{
	struct bh_ctl_event e;
	bool lost;

	assert_false(dynamic_news(&e, &why, &lost));
}

static enum bh_ctl_state now(void)
{
	return dynamic_state(&fake_vm);
}

/* Ways to a state, from none */
static void defined(void)
{
	create();
	go_on();
	assert_int_equal(now(), BH_CTL_DEFINED);
	assert_true(is_granted() && ram_is_zero());
	expect_state(BH_CTL_BUILDING);
	expect_state(BH_CTL_DEFINED);
	expect_answer(77, 0);
	assert_int_equal(alive, 0);
}

static void running(void)
{
	defined();
	fake_ram[MIB(2)] = 0x33; /* its file */
	assert_int_equal(dynamic_start(id, &file, 1, 78, &why), 0);
	go_on();
	assert_int_equal(now(), BH_CTL_RUNNING);
	assert_int_equal(boot->activity, VCPU_RUNNING);
	assert_int_equal(fake_vcpus[1].activity, VCPU_WAIT_SIPI);
	expect_state(BH_CTL_BUILDING);
	expect_state(BH_CTL_RUNNING);
	expect_answer(78, 0);
	assert_false(is_granted());
	assert_int_equal(fake_ram[MIB(2)], 0x33); /* nothing was zeroed */
	assert_int_equal(alive, 1);
	memset(fake_ram, 0x77, RAM);
}

static void ends(enum vm_end how)
{
	vm_end(&fake_vm, how, "a reason");
	go_on();
}

static void crashed(void)
{
	running();
	ends(VM_END_CRASH);
	assert_int_equal(now(), BH_CTL_CRASHED);
	expect_state(BH_CTL_CRASHED);
	assert_int_equal(fake_ram[1], 0x77); /* to be looked at */
	assert_int_equal(alive, 0);
}

static void stopped(void)
{
	running();
	ends(VM_END_POWER_OFF);
	assert_int_equal(now(), BH_CTL_STOPPED);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_STOPPED);
	assert_true(ram_is_zero());
	assert_false(is_granted());
	assert_int_equal(alive, 0);
}

static void (*const to_state[])(void) = {
	[BH_CTL_DEFINED] = defined,
	[BH_CTL_RUNNING] = running,
	[BH_CTL_STOPPED] = stopped,
	[BH_CTL_CRASHED] = crashed,
};

static void end(enum bh_ctl_end how, s32 status)
{
	assert_int_equal(dynamic_end(id, how, 99, &why), status);
	if (status)
		assert_true(strlen(why.text) > 10);
	go_on();
}

/* --- the tests --- */

static void test_all_ways(void **state)
{
	setup(state);
	running();
	end(BH_CTL_END_STOP, 0);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_STOPPED);
	expect_answer(99, 0);
	end(BH_CTL_END_RESET, 0);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_DEFINED);
	expect_answer(99, 0);
	assert_true(is_granted() && ram_is_zero());
	end(BH_CTL_END_DESTROY, 0);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_GONE);
	expect_answer(99, 0);
	expect_nothing();
	assert_false(taken);
}

/* From any state, and the id names nothing afterwards */
static void test_destroy(void **state)
{
	for (u32 s = 0; s < ARRAY_SIZE(to_state); s++) {
		if (!to_state[s])
			continue;
		setup(state);
		to_state[s]();
		end(BH_CTL_END_DESTROY, 0);
		assert_null(vms[5]);
		expect_state(BH_CTL_STOPPING);
		expect_state(BH_CTL_GONE);
		expect_answer(99, 0);
		expect_nothing();
		assert_int_equal(alive, 0);
		assert_int_equal(dynamic_end(id, BH_CTL_END_STOP, 1, &why),
				 -BH_CTL_ENOENT);
		assert_int_equal(dynamic_start(id, &file, 1, 1, &why),
				 -BH_CTL_ENOENT);
	}
}

/* share = memory: granted again when all is loaded, and until it ends */
static void sharing(void)
{
	static const char text[] = "[guest web]\nkernel = k\nmemory = 4M\n"
				   "vcpus = 2\nshare = memory\n";

	assert_int_equal(begin_create(text, &range, 1), 0);
	assert_int_equal(go_on_create(), 0);
	go_on();
	assert_true(is_granted());
	shares = true;
	assert_int_equal(dynamic_start(id, &file, 1, 78, &why), 0);
	assert_true(dynamic_is_granted(&fake_vm));
}

static void runs_and_shares(void)
{
	sharing();
	go_on();
	assert_int_equal(now(), BH_CTL_RUNNING);
	assert_true(is_granted() && dynamic_is_granted(&fake_vm));
	memset(fake_ram, 0x77, RAM);
}

/* No byte of it becomes zero before the privileged guest has let go */
static void expect_let_go_first(void)
{
	for (u32 i = 0; i < TURNS && boot->activity != VCPU_PARKED; i++) {
		if (boot->activity == VCPU_WORKING && !fake_ram[0])
			assert_true(passed && !is_granted());
		events_of(boot);
		events_of(&fake_vcpus[1]);
	}
	go_on();
	assert_false(dynamic_is_granted(&fake_vm));
	assert_true(ram_is_zero() && !is_granted());
}

static void test_share(void **state)
{
	setup(state);
	runs_and_shares();
	/* A unit that was touched while it was loaded: each core passes */
	assert_int_equal(dynamic_end(id, BH_CTL_END_STOP, 99, &why), 0);
	expect_let_go_first();
	assert_int_equal(now(), BH_CTL_STOPPED);
	setup(state);
	sharing();
	for (u32 i = 0; i < TURNS && !loads; i++)
		events_of(boot);
	assert_int_equal(loads, 1);
	touched = true;
	passes = 0;
	go_on();
	assert_int_equal(now(), BH_CTL_RUNNING);
	assert_int_equal(passes, 1);
	/* What has crashed stays as it was, and may be read */
	memset(fake_ram, 0x77, RAM);
	ends(VM_END_CRASH);
	assert_int_equal(now(), BH_CTL_CRASHED);
	assert_true(is_granted() && fake_ram[RAM - 1] == 0x77);
	assert_int_equal(dynamic_end(id, BH_CTL_END_STOP, 99, &why), 0);
	go_on();
	assert_true(ram_is_zero() && !is_granted());
}

/* Its back-ends have the memory until they say that they have not */
static void test_devices_stop(void **state)
{
	setup(state);
	runs_and_shares();
	devices_stop = true;
	served_fake_looks = 3;
	assert_int_equal(dynamic_end(id, BH_CTL_END_DESTROY, 99, &why), 0);
	go_on();
	assert_int_equal(served_fake_ends, 1);
	assert_int_equal(served_fake_looks, 0);
	assert_null(vms[5]);
}

/* It may end between any two of its steps to its first instruction */
static void test_share_destroyed(void **state)
{
	bool ran = false;

	for (u32 n = 0; !ran; n++) {
		setup(state);
		sharing();
		for (u32 i = 0; i < n; i++)
			events_of(boot);
		ran = now() == BH_CTL_RUNNING;
		memset(fake_ram, 0x77, RAM);
		assert_int_equal(dynamic_end(id, BH_CTL_END_DESTROY, 99, &why),
				 0);
		go_on();
		assert_null(vms[5]);
		assert_false(taken || granted[0] || granted[1]);
		assert_int_equal(alive, 0);
	}
}

/* RESET gives the memory back to be filled again */
static void test_reset(void **state)
{
	static const enum bh_ctl_state from[] = { BH_CTL_RUNNING,
						  BH_CTL_STOPPED,
						  BH_CTL_CRASHED };

	for (u32 i = 0; i < ARRAY_SIZE(from); i++) {
		setup(state);
		to_state[from[i]]();
		end(BH_CTL_END_RESET, 0);
		expect_state(BH_CTL_STOPPING);
		expect_state(BH_CTL_DEFINED);
		expect_answer(99, 0);
		assert_true(is_granted() && ram_is_zero());
		assert_int_equal(dynamic_start(id, &file, 1, 78, &why), 0);
		go_on();
		assert_int_equal(now(), BH_CTL_RUNNING);
		assert_int_equal(alive, 1);
	}
	/* By itself: told, so that somebody fills it again */
	setup(state);
	running();
	ends(VM_END_RESET);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_DEFINED);
	expect_nothing();
	assert_true(is_granted() && ram_is_zero());
	assert_null(fake_timer);
}

static void test_stop(void **state)
{
	setup(state);
	crashed();
	end(BH_CTL_END_STOP, 0);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_STOPPED);
	expect_answer(99, 0);
	assert_true(ram_is_zero());
}

static void paused(void)
{
	running();
	boot->activity = VCPU_HALTED;
	fake_vcpus[1].activity = VCPU_RUNNING;
	assert_int_equal(dynamic_pause(id, 79, &why), 0);
	events_of(boot);
	assert_int_equal(now(), BH_CTL_RUNNING);
	assert_int_equal(dynamic_resume(id, &why), -BH_CTL_EBUSY);
	go_on();
	assert_int_equal(now(), BH_CTL_PAUSED);
	assert_int_equal(boot->activity, VCPU_PAUSED);
	assert_int_equal(fake_vcpus[1].activity, VCPU_PAUSED);
	expect_state(BH_CTL_PAUSED);
	expect_answer(79, 0);
	assert_int_equal(alive, 1);
}

static void test_pause(void **state)
{
	setup(state);
	paused();
	assert_int_equal(dynamic_pause(id, 80, &why), -BH_CTL_ESTATE);
	assert_int_equal(dynamic_start(id, &file, 1, 80, &why), -BH_CTL_ESTATE);
	assert_int_equal(dynamic_resume(id, &why), 1);
	events_of(boot);
	events_of(&fake_vcpus[1]);
	assert_int_equal(now(), BH_CTL_RUNNING);
	expect_state(BH_CTL_RUNNING);
	expect_nothing();
	/* As they were, and they look for what came meanwhile */
	assert_int_equal(boot->activity, VCPU_HALTED);
	assert_int_equal(fake_vcpus[1].activity, VCPU_RUNNING);
	assert_int_equal(boot->events, VE_IRQ);
	assert_int_equal(dynamic_resume(id, &why), -BH_CTL_ESTATE);
	for (u32 how = BH_CTL_END_STOP; how <= BH_CTL_END_DESTROY; how++) {
		setup(state);
		paused();
		end((enum bh_ctl_end)how, 0);
		expect_state(BH_CTL_STOPPING);
		expect_state(how == BH_CTL_END_STOP    ? BH_CTL_STOPPED
			     : how == BH_CTL_END_RESET ? BH_CTL_DEFINED
						       : BH_CTL_GONE);
		expect_answer(99, 0);
		assert_int_equal(alive, 0);
	}
	/* Again, before any vCPU has heard that it may go on, or one has */
	for (u32 heard = 0; heard < 2; heard++) {
		setup(state);
		paused();
		assert_int_equal(dynamic_resume(id, &why), 1);
		if (heard)
			events_of(boot);
		assert_int_equal(dynamic_pause(id, 83, &why), 0);
		go_on();
		assert_int_equal(now(), BH_CTL_PAUSED);
		expect_state(BH_CTL_RUNNING);
		expect_state(BH_CTL_PAUSED);
		expect_answer(83, 0);
		assert_int_equal(dynamic_resume(id, &why), 1);
		events_of(boot);
		events_of(&fake_vcpus[1]);
		assert_int_equal(boot->activity, VCPU_HALTED);
		assert_int_equal(fake_vcpus[1].activity, VCPU_RUNNING);
	}
	/* It ends before it stands */
	setup(state);
	running();
	assert_int_equal(dynamic_pause(id, 81, &why), 0);
	ends(VM_END_CRASH);
	expect_answer(81, -BH_CTL_ESTATE);
	expect_state(BH_CTL_CRASHED);
	assert_int_equal(dynamic_pause(id, 82, &why), -BH_CTL_ESTATE);
	assert_int_equal(dynamic_resume(id, &why), -BH_CTL_ESTATE);
}

static void test_refusals(void **state)
{
	setup(state);
	defined();
	end(BH_CTL_END_STOP, -BH_CTL_ESTATE);
	end(BH_CTL_END_RESET, -BH_CTL_ESTATE);
	end(BH_CTL_END_BUTTON, -BH_CTL_ESTATE);
	end((enum bh_ctl_end)4, -BH_CTL_EINVAL);
	end((enum bh_ctl_end) - 1, -BH_CTL_EINVAL);
	setup(state);
	running();
	assert_int_equal(dynamic_start(id, &file, 1, 1, &why), -BH_CTL_ESTATE);
	end(BH_CTL_END_BUTTON, -BH_CTL_ESTATE); /* it does not listen */
	listens = true;
	end(BH_CTL_END_BUTTON, 1);
	assert_int_equal(now(), BH_CTL_RUNNING);
	setup(state);
	stopped();
	assert_int_equal(dynamic_start(id, &file, 1, 1, &why), -BH_CTL_ESTATE);
	end(BH_CTL_END_STOP, -BH_CTL_ESTATE);
	setup(state);
	crashed();
	assert_int_equal(dynamic_start(id, &file, 1, 1, &why), -BH_CTL_ESTATE);
	end(BH_CTL_END_BUTTON, -BH_CTL_ESTATE);
	expect_nothing();
	assert_int_equal(dynamic_end(0, BH_CTL_END_STOP, 1, &why),
			 -BH_CTL_ENOENT);
	assert_int_equal(dynamic_end(~0ull, BH_CTL_END_STOP, 1, &why),
			 -BH_CTL_ENOENT);
	assert_int_equal(dynamic_end(id + VM_MAX, BH_CTL_END_STOP, 1, &why),
			 -BH_CTL_ENOENT);
}

static void test_static(void **state)
{
	setup(state);
	fake_vm_init(1);
	vms[0] = &fake_vm;
	vm_count = 1;
	assert_ptr_equal(vm_numbered(1), &fake_vm);
	assert_int_equal(dynamic_end(1, BH_CTL_END_STOP, 1, &why),
			 -BH_CTL_ESTATIC);
	assert_int_equal(dynamic_start(1, &file, 1, 1, &why), -BH_CTL_ESTATIC);
}

static s32 try(const char *text, struct bh_ctl_range r, u32 count)
{
	s32 status = begin_create(text, &r, count);

	return status ? status : go_on_create();
}

static void test_bad_definitions(void **state)
{
	struct bh_ctl_range small = { BASE, MIB(2), 0, 0 };
	struct bh_ctl_range large = { BASE, MIB(6), 0, 0 };

	setup(state);
	assert_int_equal(
		try("[guest a]\nkernel=k\nmemory=4M\nfoo=1\n", range, 1),
		-BH_CTL_EINVAL);
	assert_non_null(strstr(why.text, "definition:4: unknown key 'foo'"));
	assert_int_equal(try("", range, 1), -BH_CTL_EINVAL);
	assert_non_null(strstr(why.text, "no guest is defined"));
	assert_int_equal(try("[hypervisor]\nmeasure=yes\n", range, 1),
			 -BH_CTL_EINVAL);
	assert_int_equal(try("[guest a]\nkernel=k\nmemory=4M\n"
			     "[guest b]\nkernel=k\nmemory=4M\n",
			     range, 1),
			 -BH_CTL_EINVAL);
	assert_int_equal(try("[guest a]\nfirmware=k\nmemory=4M\n", range, 1),
			 -BH_CTL_EINVAL);
	assert_string_equal(why.text, "no firmware");
	assert_int_equal(try(web, small, 1), -BH_CTL_EINVAL);
	assert_int_equal(try(web, large, 1), -BH_CTL_EINVAL);
	assert_int_equal(try(web, range, 0), -BH_CTL_EINVAL);
	assert_int_equal(try(web, range, DYNAMIC_RANGES + 1), -BH_CTL_EINVAL);
	take_error = -EBUSY;
	assert_int_equal(try(web, range, 1), -BH_CTL_EBUSY);
	take_error = 0;
	check_error = -EINVAL;
	assert_int_equal(try(web, range, 1), -BH_CTL_EINVAL);
	begin_error = -ENOMEM;
	assert_int_equal(try(web, range, 1), -BH_CTL_ENOMEM);
	assert_non_null(strstr(why.text, "larger guest-count"));
	begin_error = -ENOSPC;
	assert_int_equal(try(web, range, 1), -BH_CTL_ENOMEM);
	assert_non_null(strstr(why.text, "1024 guests"));
	vm_privileged = NULL;
	assert_int_equal(try(web, range, 1), -BH_CTL_ENOMEM);
	expect_nothing();
}

/* A thousand names take their steps, and so does one of them that is the same:
 * before there is memory for the guest */
static void test_crowd_of_names(void **state)
{
	static const u32 places[] = { 0, 31, 32, 500, VM_MAX - 1 };
	static struct vm *crowd[VM_MAX];
	u32 n;

	setup(state);
	pool_is_clean = true;
	fake_ram_init(RAM, 0);
	fake_windows_init(fake_ram, RAM);
	for (u32 i = 0; i < VM_MAX; i++) {
		crowd[i] = calloc(1, vm_bytes(0));
		assert_non_null(crowd[i]);
		snprintf(crowd[i]->name, sizeof(crowd[i]->name), "web%u", i);
	}
	memcpy(vms, crowd, sizeof(vms));
	vms[5] = NULL; /* the next one's */
	vm_count = VM_MAX;
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		strcpy(crowd[places[i]]->name, "web");
		assert_int_equal(begin_create(web, &range, 1), 0);
		for (n = 1; step_create() == DYNAMIC_GOES_ON; n++)
			assert_false(taken);
		/* And one in which it is taken apart */
		assert_int_equal(n, places[i] / 32 + 2);
		assert_non_null(strstr(why.text, "there already"));
		strcpy(crowd[places[i]]->name, "other");
	}
	assert_int_equal(begin_create(web, &range, 1), 0);
	for (n = 1; step_create() == DYNAMIC_GOES_ON; n++)
		assert_false(taken);
	assert_int_equal(n, VM_MAX / 32 + 1);
	go_on();
	assert_int_equal(now(), BH_CTL_DEFINED);
	for (u32 i = 0; i < VM_MAX; i++)
		free(crowd[i]);
	memset(vms, 0, sizeof(vms));
	vms[5] = &fake_vm;
	vm_count = 6;
}

/* A step of the guest's making in each call, and nobody knows it before the
 * last; one that fails is gone before that is said */
static void test_made_in_steps(void **state)
{
	setup(state);
	steps = 7;
	assert_int_equal(begin_create(web, &range, 1), 0);
	assert_false(taken);
	for (u32 i = 0; i < 7; i++) {
		assert_int_equal(step_create(), DYNAMIC_GOES_ON);
		assert_null(vms[5]);
		assert_true(taken);
		expect_nothing();
	}
	assert_int_equal(step_create(), 0);
	assert_int_equal(now(), BH_CTL_BUILDING);
	go_on();
	assert_int_equal(now(), BH_CTL_DEFINED);
	setup(state);
	steps = 7;
	fail_last = true;
	left_to_free = 3;
	pool_is_clean = true;
	fake_ram_init(RAM, 0);
	fake_windows_init(fake_ram, RAM);
	assert_int_equal(begin_create(web, &range, 1), 0);
	for (u32 i = 0; i < 8 + 3; i++) {
		assert_int_equal(step_create(), DYNAMIC_GOES_ON);
		assert_true(taken);
	}
	assert_int_equal(step_create(), -BH_CTL_ENOMEM);
	assert_false(taken);
	assert_null(vms[5]);
	expect_nothing();
}

/* Its client goes at any step: reap.c has it, and the next comes after that */
static void test_abandoned(void **state)
{
	for (u32 at = 0; at < 8; at++) {
		setup(state);
		pool_is_clean = true;
		fake_ram_init(RAM, 0);
		fake_windows_init(fake_ram, RAM);
		steps = 4;
		fail_last = at > 5;
		left_to_free = 2;
		assert_int_equal(begin_create(web, &range, 1), 0);
		for (u32 i = 0; i < at % 5; i++)
			assert_int_equal(step_create(), DYNAMIC_GOES_ON);
		dynamic_create_abandon();
		assert_non_null(unborn_freed);
		dynamic_create_abandon();
		assert_int_equal(begin_create(web, &range, 1), -BH_CTL_EBUSY);
		while (!vm_free_step(&fake_vm))
			;
		unborn_freed(&fake_vm.reap.farewell);
		unborn_freed = NULL;
		assert_false(taken);
		left_to_free = 0;
		fail_last = false;
		create();
		go_on();
		assert_int_equal(now(), BH_CTL_DEFINED);
		dynamic_create_abandon(); /* it is whole */
		assert_null(unborn_freed);
	}
}

/* Nothing is done before all cores have let go */
static void test_waits_for_cores(void **state)
{
	setup(state);
	defined();
	stand = true;
	assert_int_equal(dynamic_start(id, &file, 1, 78, &why), 0);
	for (u32 i = 0; i < 1000; i++)
		events_of(boot);
	assert_int_equal(loads, 0);
	assert_int_equal(now(), BH_CTL_BUILDING);
	/* A second command waits for the first, but for DESTROY */
	assert_int_equal(dynamic_end(id, BH_CTL_END_STOP, 1, &why),
			 -BH_CTL_EBUSY);
	stand = false;
	go_on();
	assert_int_equal(now(), BH_CTL_RUNNING);
	/* The privileged guest touched it: cores may know the scratch frame */
	setup(state);
	touched = true;
	passes = 0;
	defined();
	assert_int_equal(passes, 1);
	setup(state);
	passes = 0;
	defined();
	assert_int_equal(passes, 0);
}

/* In the middle of whatever is done for it */
static void test_destroy_early(void **state)
{
	setup(state);
	create();
	events_of(boot);
	end(BH_CTL_END_DESTROY, 0);
	expect_state(BH_CTL_BUILDING);
	expect_answer(77, -BH_CTL_ESTATE);
	expect_state(BH_CTL_GONE);
	expect_answer(99, 0);
	expect_nothing();
	setup(state);
	defined();
	assert_int_equal(dynamic_start(id, &file, 1, 78, &why), 0);
	events_of(boot);
	assert_int_equal(dynamic_end(id, BH_CTL_END_DESTROY, 98, &why), 0);
	end(BH_CTL_END_DESTROY, -BH_CTL_EBUSY); /* once is enough */
	expect_state(BH_CTL_BUILDING);
	expect_answer(78, -BH_CTL_ESTATE);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_GONE);
	expect_answer(98, 0);
	assert_int_equal(alive, 0);
}

/* What another core does as soon as it is told of @other_at */
static enum bh_ctl_state other_at;
static void (*other_core)(void);

static void told(void)
{
	void (*does)(void) = other_core;

	if (!does || now() != other_at)
		return;
	other_core = NULL;
	does();
}

static void starts(void)
{
	assert_int_equal(dynamic_start(id, &file, 1, 78, &why), 0);
}

static void resets(void)
{
	assert_int_equal(dynamic_end(id, BH_CTL_END_RESET, 99, &why), 0);
}

static void destroys(void)
{
	assert_int_equal(dynamic_end(id, BH_CTL_END_DESTROY, 99, &why), 0);
}

/* The boot vCPU is not through with its step yet */
static void test_start_at_once(void **state)
{
	setup(state);
	running();
	other_at = BH_CTL_DEFINED;
	other_core = starts;
	dynamic_on_news(told);
	ends(VM_END_RESET);
	assert_null(other_core);
	assert_int_equal(now(), BH_CTL_RUNNING);
	assert_false(is_granted());
}

/* A command that comes as soon as a state is told has an answer of its own */
static void test_reset_at_once(void **state)
{
	setup(state);
	running();
	other_at = BH_CTL_STOPPED;
	other_core = resets;
	dynamic_on_news(told);
	ends(VM_END_POWER_OFF);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_STOPPED);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_DEFINED);
	expect_answer(99, 0);
	expect_nothing();
}

/* STOP is what it says, when the guest has just begun a reset of its own */
static void test_stop_behind_own_reset(void **state)
{
	setup(state);
	running();
	vm_end(&fake_vm, VM_END_RESET, "by itself");
	assert_int_equal(dynamic_end(id, BH_CTL_END_STOP, 99, &why), 0);
	go_on();
	assert_int_equal(now(), BH_CTL_STOPPED);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_STOPPED);
	expect_answer(99, 0);
	expect_nothing();
	/* And a reset of its own is one again afterwards */
	assert_int_equal(dynamic_end(id, BH_CTL_END_RESET, 99, &why), 0);
	go_on();
	assert_int_equal(now(), BH_CTL_DEFINED);
	assert_int_equal(dynamic_start(id, &file, 1, 78, &why), 0);
	go_on();
	ends(VM_END_RESET);
	assert_int_equal(now(), BH_CTL_DEFINED);
}

/* A name of the manifest's is taken, whether that guest was started or not */
static void test_name_of_manifest(void **state)
{
	setup(state);
	manifest_has = "web";
	assert_int_equal(begin_create(web, &range, 1), -BH_CTL_EEXIST);
	assert_non_null(strstr(why.text, "manifest"));
	manifest_has = "other";
	assert_int_equal(begin_create(web, &range, 1), 0);
	assert_int_equal(go_on_create(), 0);
	manifest_has = NULL;
}

/* While others are told that it has crashed */
static void test_destroy_at_once(void **state)
{
	setup(state);
	running();
	at_last = destroys;
	ends(VM_END_CRASH);
	assert_null(vms[5]);
	expect_state(BH_CTL_CRASHED);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_GONE);
	expect_answer(99, 0);
	expect_nothing();
}

/* DESTROY is answered when the guest is gone, whatever else it does first */
static void test_destroy_is_last(void **state)
{
	setup(state);
	running();
	assert_int_equal(dynamic_pause(id, 79, &why), 0);
	end(BH_CTL_END_DESTROY, 0);
	expect_answer(79, -BH_CTL_ESTATE);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_GONE);
	expect_answer(99, 0);
	expect_nothing();
	setup(state);
	defined();
	load_error = -ENOEXEC;
	assert_int_equal(dynamic_start(id, &file, 1, 78, &why), 0);
	while (fake_vm.end != VM_END_NOT_LOADED)
		events_of(boot);
	end(BH_CTL_END_DESTROY, 0);
	expect_state(BH_CTL_BUILDING);
	expect_answer(78, -BH_CTL_ESTATE);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_GONE);
	expect_answer(99, 0);
	expect_nothing();
}

/* A vCPU set a device's timer just before it parked as the last one */
static void test_late_timer(void **state)
{
	setup(state);
	running();
	assert_int_equal(dynamic_end(id, BH_CTL_END_DESTROY, 99, &why), 0);
	events_of(boot);
	events_of(&fake_vcpus[1]);
	assert_true(boot->events & VE_START);
	events_of(boot); /* takes VE_VTIMER with it */
	assert_int_equal(boot->activity, VCPU_WORKING);
	timer_is_armed = true;
	go_on();
	assert_null(vms[5]);
}

static void test_not_loaded(void **state)
{
	setup(state);
	defined();
	staged_wrong = "two files overlap";
	assert_int_equal(dynamic_start(id, &file, 1, 78, &why), -BH_CTL_EFILE);
	assert_string_equal(why.text, "two files overlap");
	assert_int_equal(now(), BH_CTL_DEFINED);
	staged_wrong = NULL;
	load_error = -ENOEXEC;
	assert_int_equal(dynamic_start(id, &file, 1, 79, &why), 0);
	go_on();
	expect_state(BH_CTL_BUILDING);
	expect_answer(79, -BH_CTL_EFILE);
	expect_state(BH_CTL_STOPPING);
	expect_state(BH_CTL_DEFINED);
	assert_true(is_granted() && ram_is_zero());
	assert_int_equal(alive, 0);
	load_error = 0;
	assert_int_equal(dynamic_start(id, &file, 1, 80, &why), 0);
	go_on();
	assert_int_equal(now(), BH_CTL_RUNNING);
}

static void test_machine_ends(void **state)
{
	setup(state);
	defined();
	ending = true;
	assert_int_equal(dynamic_start(id, &file, 1, 78, &why), 0);
	go_on();
	assert_int_equal(alive, 0);
	assert_int_equal(ever, 1);
}

/* What is not taken is lost, the oldest first, and that is told. But answers
 * are waited for. */
static void test_news(void **state)
{
	u32 count = 0, answers = 0;
	struct bh_ctl_event e;
	bool lost;

	setup(state);
	for (u32 i = 0; i < 30; i++) {
		create();
		go_on();
		end(BH_CTL_END_DESTROY, 0);
	}
	assert_true(dynamic_news(&e, &why, &lost));
	assert_true(lost);
	do {
		if (e.type == BH_CTL_EVENT_ANSWER)
			assert_int_equal(e.tag, answers++ % 2 ? 99 : 77);
		count++;
		assert_true(dynamic_news(&e, &why, &lost) || count == 64);
		assert_false(lost);
	} while (count < 64);
	assert_int_equal(answers, 60);
	create();
	dynamic_forget_news();
	expect_nothing();
}

/* Guests come and go; all that was taken is given back */
static void test_cycles(void **state)
{
	u32 live;

	setup(state);
	live = fake_pool_live;
	for (u32 i = 0; i < 1000; i++) {
		u64 last = id;

		create();
		assert_true(id != last);
		assert_int_equal(fake_pool_live, live + 1);
		go_on();
		end(BH_CTL_END_DESTROY, 0);
		assert_int_equal(fake_pool_live, live);
		dynamic_forget_news();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_ways),
		cmocka_unit_test(test_destroy),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_devices_stop),
		cmocka_unit_test(test_share_destroyed),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_bad_definitions),
		cmocka_unit_test(test_made_in_steps),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_waits_for_cores),
		cmocka_unit_test(test_destroy_early),
		cmocka_unit_test(test_start_at_once),
		cmocka_unit_test(test_reset_at_once),
		cmocka_unit_test(test_stop_behind_own_reset),
		cmocka_unit_test(test_name_of_manifest),
		cmocka_unit_test(test_crowd_of_names),
		cmocka_unit_test(test_destroy_at_once),
		cmocka_unit_test(test_destroy_is_last),
		cmocka_unit_test(test_late_timer),
		cmocka_unit_test(test_not_loaded),
		cmocka_unit_test(test_machine_ends),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_cycles),
	};

	return cmocka_run_group_tests(tests, NULL, setup);
}
