/* SOURCES: hv/run/loop.c arch/x86/cpu/guest_barrier.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The run loop: whatever keeps a core from entering a guest, it looks at its
 * timer; and on the way of an exit it does not. */
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/smp.h"
#include "hv/core/meter.h"
#include "hv/core/quiesce.h"
#include "hv/core/retire.h"
#include "hv/core/stretch.h"
#include "hv/emulate/emulate.h"
#include "hv/run/event.h"
#include "hv/run/exit.h"
#include "hv/run/loop.h"
#include "hv/run/nmi.h"
#include "hv/vm/reap.h"
#include "hv/vm/vcpu.h"
#include "tests/unit/fakes/vm.h"

#define TOO_MANY 1000u

/* What keeps the vCPU from its entry */
static enum {
	NOTHING,
	FLOOD,  /* events come as fast as they are taken */
	BLOCKS, /* it blocks and is woken at once, again and again */
} hindrance;

static struct vcpu *const v = &fake_vcpus[0];
static struct pcpu *const cpu = &fake_pcpus[0];
static enum meter_form form;
static u32 turns, delivers, late, watched, rare, idles;
static struct vcpu_meter meter;
static u32 pauses, prepared, polls, entries, picks;
static u32 entries_max, picks_max, looks;
static jmp_buf over;

static bool busy_exit;  /* something is to do behind the next exit */
static bool irq_before; /* and a host interrupt came 1,000,000 ticks before */
static u32 passes;

void quiesce_pass(void (*act)(void))
{
	assert_ptr_equal(act, reap_here);
	passes++;
}

void reap_here(void)
{
}

void nmi_serve(void)
{
}

bool vcpu_prepare(struct vcpu *vcpu)
{
	if (++prepared > TOO_MANY)
		longjmp(over, 1);
	vcpu->events = hindrance != NOTHING;
	if (hindrance == BLOCKS)
		cpu->pending |= PCPU_RESCHED;
	return hindrance != BLOCKS;
}

/* The slice has ended */
void stretch_look(void)
{
	polls++;
	cpu->pending |= PCPU_RESCHED;
}

struct sched_entity *sched_pick(void)
{
	if (++picks > picks_max)
		longjmp(over, 1);
	return &v->entity;
}

void fake_run(struct vcpu_hw *hw);
void fake_run(struct vcpu_hw *hw)
{
	hw->exit.kind = EXIT_IRQ;
	if (busy_exit)
		v->events = 1;
	if (irq_before)
		cpu->irq_since = rdtsc() - 1000000;
	busy_exit = irq_before = false;
	if (++entries == entries_max)
		longjmp(over, 1);
}

/* In the place of hv/core/enter.asm */
__asm__(".text\n"
	".globl vcpu_enter\n"
	"vcpu_enter:\n"
	"	jmp	fake_run\n");

static const struct vcpu_ops ops;
const struct vcpu_ops *vcpu_ops = &ops;

static enum verdict resume(struct vcpu *vcpu, const struct vcpu_exit *e)
{
	return VERDICT_RESUME;
}

const struct exit_row exit_table[EXIT_KINDS] = {
	[EXIT_IRQ] = { resume, resume, false },
};

enum verdict exit_unknown(struct vcpu *vcpu, const struct vcpu_exit *e)
{
	abort();
}

void exit_vectoring(struct vcpu *vcpu)
{
	abort();
}

void exit_give_way(struct vcpu *vcpu, enum verdict verdict)
{
	abort();
}

void exit_injects(struct vcpu *vcpu, bool noted)
{
	abort();
}

void retire_wrap_rip(struct vcpu *vcpu)
{
}

void retire_insn(struct vcpu *vcpu)
{
}

u8 insn_exit_length(struct vcpu *vcpu, enum exit_kind kind)
{
	abort();
}

void smp_call_run(void)
{
}

void console_take_key(void)
{
}

void irq_look_for_retired(void)
{
	looks++;
}

void vcpu_take_core(struct pcpu *c, struct vcpu *vcpu)
{
	c->current = vcpu;
}

void vcpu_leave_core(struct pcpu *c)
{
}

enum meter_form meter_form(struct vcpu *vcpu)
{
	return form;
}

void meter_turn(struct vcpu *vcpu)
{
	turns++;
}

void meter_delivers(struct vcpu *vcpu, u64 since)
{
	delivers++;
}

u32 meter_rare(struct pcpu *c, u64 ticks)
{
	rare++;
	c->rare_ticks = ticks;
	return meter_bucket(ticks);
}

u64 meter_since_irq(struct pcpu *c)
{
	u64 since = c->irq_since;

	c->irq_since = 0;
	return since;
}

void meter_exit_late(struct pcpu *c, struct vcpu *vcpu)
{
	late++;
	meter_exit(c, vcpu);
}

void watch_entry(void)
{
	watched++;
}

void watch_exited(struct pcpu *c)
{
	watched++;
}

void watch_exit(struct pcpu *c, struct vcpu *vcpu)
{
	watched++;
}

void meter_idle(u64 since)
{
	idles++;
}

void stretch_entered(void)
{
}

void stretch_pause(void)
{
	pauses++;
}

void stretch_go_on(void)
{
}

static int setup(void **state)
{
	fake_vm_init(1);
	memset(cpu, 0, sizeof(*cpu));
	hindrance = NOTHING;
	form = METER_COUNTED;
	memset(&meter, 0, sizeof(meter));
	v->meter = &meter;
	turns = delivers = late = watched = rare = idles = 0;
	pauses = prepared = polls = entries = picks = looks = 0;
	entries_max = picks_max = TOO_MANY;
	return 0;
}

/* Until one of the limits is reached */
static void run(void)
{
	if (!setjmp(over))
		vcpu_loop();
}

/* As with a guest's vCPU that is built, or that others post to without end */
static void test_flood(void **state)
{
	hindrance = FLOOD;
	v->events = 1;
	picks_max = 10;
	run();
	assert_in_range(prepared, 10, 20);
	assert_int_equal(entries, 0);
	assert_int_equal(picks, 11);
	assert_in_range(polls, 9, 16);
}

static void test_blind_turns(void **state)
{
	hindrance = BLOCKS;
	v->events = 1;
	picks_max = 100;
	run();
	assert_int_equal(entries, 0);
	assert_in_range(polls, 10, 100);
}

/* What an exit does not need costs it nothing */
static void test_hot(void **state)
{
	v->events = 1; /* taken before the first entry */
	entries_max = 100;
	run();
	assert_int_equal(entries, 100);
	assert_int_equal(prepared, 1);
	assert_int_equal(picks, 1);
	assert_int_equal(polls, 0);
	assert_int_equal(pauses, 0);
}

static void test_retired_vectors(void **state)
{
	cpu->pending = PCPU_VECTORS;
	entries_max = 10;
	run();
	assert_int_equal(entries, 10);
	assert_int_equal(looks, 1);
}

static void test_pass(void **state)
{
	passes = 0;
	cpu->pending = PCPU_PASS;
	entries_max = 10;
	run();
	assert_int_equal(entries, 10);
	assert_int_equal(passes, 1);
}

/* Each form counts and times what it is for, and nothing else */
static void test_forms(void **state)
{
	static const struct {
		enum meter_form form;
		u32 counted, timed, watched;
	} rows[] = {
		{ METER_BARE, 0, 0, 0 },
		{ METER_COUNTED, 100, 0, 0 },
		{ METER_TIMED, 100, 99, 0 },
		{ METER_WATCHED, 100, 0, 299 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct bh_ctl_histogram *h;
		u64 count = 0;

		setup(state);
		form = rows[i].form;
		v->events = 1;
		entries_max = 101; /* the last one has no exit */
		run();
		assert_int_equal(prepared, 1);
		assert_int_equal(polls, 0);
		assert_int_equal(pauses, 0);
		assert_int_equal(v->exits[EXIT_IRQ], rows[i].counted);
		h = &meter.histogram[BH_CTL_HISTOGRAM_EXITS + EXIT_IRQ];
		for (u32 n = 0; n < BH_CTL_BUCKETS; n++)
			count += h->count[n];
		assert_int_equal(count, rows[i].timed ? 100 : 0);
		assert_int_equal(h->ticks, cpu->host_ticks);
		assert_int_equal(!!h->ticks, !!rows[i].timed);
		assert_in_range(rare, !!rows[i].timed, rows[i].timed);
		assert_int_equal(watched, rows[i].watched ? 301 : 0);
		assert_int_equal(turns, form >= METER_TIMED);
		assert_int_equal(delivers, form >= METER_TIMED);
		assert_int_equal(late, 0);
	}
}

/* An exit that brings work: it ends when that is done */
static void test_late(void **state)
{
	form = METER_TIMED;
	hindrance = FLOOD;
	v->events = 0;
	entries_max = 2;
	picks_max = 3;
	busy_exit = true;
	run();
	assert_int_equal(late, 1);
	assert_int_equal(v->exits[EXIT_IRQ], 1);
}

/* What SVM has served before the exit is seen is the exit's */
static void test_since_irq(void **state)
{
	form = METER_TIMED;
	irq_before = true;
	entries_max = 2;
	run();
	assert_int_equal(v->exits[EXIT_IRQ], 1);
	assert_in_range(cpu->host_ticks, 1000000, ~0ull);
	assert_int_equal(cpu->irq_since, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_flood, setup),
		cmocka_unit_test_setup(test_blind_turns, setup),
		cmocka_unit_test_setup(test_hot, setup),
		cmocka_unit_test_setup(test_retired_vectors, setup),
		cmocka_unit_test_setup(test_pass, setup),
		cmocka_unit_test_setup(test_forms, setup),
		cmocka_unit_test_setup(test_late, setup),
		cmocka_unit_test_setup(test_since_irq, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
