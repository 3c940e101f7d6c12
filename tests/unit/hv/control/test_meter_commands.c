/* SOURCES: hv/control/meter.c hv/control/trace.c arch/x86/machine/trace.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about what is metered and traced: what they give, what they refuse,
 * and that rings are freed once no core holds one. Over 400 lines: a trace's
 * life, with its end wherever it may come. */
#include "arch/x86/machine/trace.h"
#include "hv/control/priv.h"
#include "hv/core/meter.h"
#include "hv/core/quiesce.h"
#include "mm/pmm.h"
#include "tests/unit/fakes/vm.h"

#define VCPUS 4
#define ID    7

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count = 2;

static struct control c;
static struct vcpu_meter meters[VCPUS];
static u32 steps, looks, pages, most_pages, switches;
static bool cores_hang, tracing;

struct vm *vm_numbered(u64 id)
{
	return id == ID ? &fake_vm : NULL;
}

s32 control_error(struct control *self, struct control_call *call,
		  enum bh_ctl_error error, const char *sentence)
{
	assert_true(strlen(sentence) > 10);
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

/* The cores let go at the third look */
struct quiesce quiesce_ask(void)
{
	looks = 0;
	return (struct quiesce){ 0 };
}

bool quiesce_over(struct quiesce *q)
{
	return !cores_hang && ++looks >= 3;
}

void meter_switch(enum bh_ctl_metering what)
{
	metering = what;
	switches++;
}

void meter_trace(bool on)
{
	tracing = on;
}

static void *take(struct budget *b, u32 order, int fill)
{
	assert_ptr_equal(b, &pmm_self);
	if (pages + (1u << order) > most_pages)
		return NULL;
	pages += 1u << order;
	return memset(malloc(PAGE_SIZE << order), fill, PAGE_SIZE << order);
}

/* In one piece: some 25 us */
void *pmm_alloc(struct budget *b, u32 order)
{
	assert_true(order <= 6);
	return take(b, order, 0);
}

void *pmm_alloc_as_is(struct budget *b, u32 order)
{
	return take(b, order, 0x5a);
}

/* Not while a core may write there */
void pmm_free(struct budget *b, void *va, u32 order)
{
	assert_true(!tracing && !fake_pcpus[0].trace);
	assert_true(!va || looks >= 3 || !looks);
	pages -= va ? 1u << order : 0;
	free(va);
}

struct budget pmm_self;

static s32 run(s32 (*handler)(struct control *, struct control_call *),
	       u64 arg0, u64 arg1, u64 arg2)
{
	s32 status;

	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = arg0;
	c.call.command.arg[1] = arg1;
	c.call.command.arg[2] = arg2;
	c.call.out_bytes = BH_CTL_OUT_MAX;
	steps = 0;
	do {
		status = handler(&c, &c.call);
		steps++;
	} while (status == CONTROL_GOES_ON);
	return status;
}

static int setup(void **state)
{
	fake_vm_init(VCPUS);
	memset(meters, 0, sizeof(meters));
	for (u32 i = 0; i < VCPUS; i++)
		fake_vcpus[i].vm = &fake_vm;
	for (u32 i = 0; i < pcpu_count; i++)
		pcpus[i] = &fake_pcpus[i];
	cores_hang = false;
	most_pages = 1000;
	switches = 0;
	metering = BH_CTL_METERING_COUNTERS;
	return 0;
}

static void test_metering(void **state)
{
	assert_int_equal(run(control_metering, BH_CTL_METERING_ASK, 0, 0), 0);
	assert_int_equal(c.call.result[0], BH_CTL_METERING_COUNTERS);
	assert_int_equal(switches, 0);
	assert_int_equal(
		run(control_metering, BH_CTL_METERING_HISTOGRAMS, 0, 0), 0);
	assert_int_equal(c.call.result[0], BH_CTL_METERING_HISTOGRAMS);
	assert_int_equal(switches, 1);
	assert_int_equal(steps, 3); /* until all cores know */
	assert_int_equal(run(control_metering, BH_CTL_METERINGS, 0, 0),
			 -BH_CTL_EINVAL);
	assert_int_equal(switches, 1);
	/* One that hangs is not waited for without end */
	cores_hang = true;
	assert_int_equal(run(control_metering, BH_CTL_METERING_OFF, 0, 0), 0);
	assert_true(steps > 1);
}

static void test_histograms(void **state)
{
	const struct bh_ctl_histogram *h = (void *)c.out;
	u32 at_once = BH_CTL_OUT_MAX / sizeof(*h);

	for (u32 i = 0; i < VCPUS; i++) {
		meters[i].histogram[0].count[3] = i + 1;
		meters[i].histogram[METER_HISTOGRAMS - 1].ticks = 10;
		fake_vcpus[i].meter = i == 2 ? NULL : &meters[i];
	}
	meters[3].started = 1; /* of a life before */
	assert_int_equal(run(control_histograms, ID, 1, 0), 0);
	assert_int_equal(c.call.result[0], METER_HISTOGRAMS);
	assert_int_equal(c.call.bytes, at_once * sizeof(*h));
	assert_int_equal(h[0].count[3], 2);
	assert_int_equal(run(control_histograms, ID, 2, 0), 0);
	assert_int_equal(h[0].count[3], 0);
	assert_int_equal(run(control_histograms, ID, BH_CTL_ALL_VCPUS, 0), 0);
	assert_int_equal(h[0].count[3], 1 + 2);
	assert_int_equal(run(control_histograms, ID, BH_CTL_ALL_VCPUS,
			     METER_HISTOGRAMS - 1),
			 0);
	assert_int_equal(c.call.bytes, sizeof(*h));
	assert_int_equal(h[0].ticks, 20);
	assert_int_equal(run(control_histograms, ID, 0, ~0ull), 0);
	assert_int_equal(c.call.bytes, 0);
	assert_int_equal(run(control_histograms, ID, VCPUS, 0), -BH_CTL_EINVAL);
	assert_int_equal(run(control_histograms, ID + 1, 0, 0), -BH_CTL_ENOENT);
}

/* More vCPUs than a step sums */
static void test_many(void **state)
{
	static struct vcpu many[20];

	fake_vm.vcpu_count = ARRAY_SIZE(many);
	meters[0].histogram[0].ticks = 1;
	for (u32 i = 0; i < ARRAY_SIZE(many); i++) {
		many[i].vm = &fake_vm;
		many[i].meter = &meters[0];
		fake_vm.vcpus[i] = &many[i];
	}
	assert_int_equal(run(control_histograms, ID, BH_CTL_ALL_VCPUS, 0), 0);
	assert_int_equal(((struct bh_ctl_histogram *)c.out)->ticks, 20);
	assert_int_equal(steps, 3);
}

static void test_trace(void **state)
{
	const struct bh_ctl_trace *t = (void *)c.out;

	assert_int_equal(run(control_trace_read, 0, 0, 0), -BH_CTL_ESTATE);
	assert_int_equal(run(control_trace, 0, 0, 0), 0); /* none to end */
	assert_int_equal(run(control_trace, 1, 256, 0), 0);
	assert_true(tracing && fake_pcpus[0].trace && fake_pcpus[1].trace);
	assert_int_equal(pages, 1 + 2 * 2);
	assert_int_equal(run(control_trace, 1, 256, 0), -BH_CTL_ESTATE);
	for (u32 i = 0; i < 300; i++)
		trace_now(BH_CTL_TRACE_COMMAND, i, 0);
	assert_int_equal(run(control_trace_read, 0, 0, 0), 0);
	assert_int_equal(c.call.result[0], 300 - 255);
	assert_int_equal(c.call.result[1], 300);
	assert_int_equal(c.call.bytes, BH_CTL_OUT_MAX);
	assert_int_equal(t[0].kind, 300 - 255);
	assert_int_equal(run(control_trace_read, 1, 0, 0), 0);
	assert_int_equal(c.call.bytes, 0);
	assert_int_equal(run(control_trace_read, 2, 0, 0), -BH_CTL_EINVAL);
	assert_int_equal(run(control_trace, 0, 0, 0), 0);
	assert_false(tracing);
	assert_int_equal(pages, 0);
	assert_int_equal(run(control_trace, 2, 0, 0), -BH_CTL_EINVAL);
}

static bool is_written(const struct bh_ctl_trace *t, u32 i)
{
	return t->kind == (u16)i && t->event == BH_CTL_TRACE_COMMAND &&
	       !t->guest && !t->vcpu && t->arg == 7;
}

/* The largest: each record that is read was written, and no other byte of what
 * was there before */
static void test_trace_large(void **state)
{
	const struct bh_ctl_trace *t = (void *)c.out;

	most_pages = 2000;
	assert_int_equal(run(control_trace, 1, BH_CTL_TRACE_MAX, 0), 0);
	for (u32 written = 0; written < 4; written++) {
		assert_int_equal(run(control_trace_read, 0, 0, 0), 0);
		assert_int_equal(c.call.bytes / sizeof(*t), written);
		for (u32 i = 0; i < written; i++)
			assert_true(is_written(&t[i], i));
		trace_now(BH_CTL_TRACE_COMMAND, written, 7);
	}
	assert_int_equal(run(control_trace, 0, 0, 0), 0);
	assert_int_equal(pages, 0);
}

static void test_trace_refused(void **state)
{
	static const u64 bad[] = { 0, 255, 300, 131072, ~0ull };

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(run(control_trace, 1, bad[i], 0),
				 -BH_CTL_EINVAL);
	assert_int_equal(pages, 0);
	/* Memory for one core of two: all goes back, and then it may come */
	most_pages = 4;
	assert_int_equal(run(control_trace, 1, 256, 0), -BH_CTL_ENOMEM);
	assert_int_equal(pages, 0);
	most_pages = 0;
	assert_int_equal(run(control_trace, 1, 256, 0), -BH_CTL_ENOMEM);
	most_pages = 5;
	assert_int_equal(run(control_trace, 1, 256, 0), 0);
	assert_int_equal(run(control_trace, 0, 0, 0), 0);
}

/* While a core hangs its ring stays; once it answers, all goes */
static void test_trace_kept(void **state)
{
	assert_int_equal(run(control_trace, 1, 256, 0), 0);
	cores_hang = true;
	assert_int_equal(run(control_trace, 0, 0, 0), -BH_CTL_EBUSY);
	assert_false(tracing);
	assert_int_equal(pages, 5);
	assert_int_equal(run(control_trace_read, 0, 0, 0), -BH_CTL_ESTATE);
	assert_int_equal(run(control_trace, 1, 256, 0), -BH_CTL_EBUSY);
	cores_hang = false;
	assert_int_equal(run(control_trace, 0, 0, 0), 0);
	assert_int_equal(pages, 0);
}

/* Its memory does not wait for the next trace, nor for a core that hangs */
static void test_trace_freed(void **state)
{
	assert_false(control_trace_look());
	assert_int_equal(run(control_trace, 1, 256, 0), 0);
	assert_false(control_trace_look()); /* it goes on */
	assert_int_equal(pages, 5);
	cores_hang = true;
	control_trace_end();
	assert_true(control_trace_look()); /* the cores are told */
	assert_false(control_trace_look());
	assert_false(fake_pcpus[0].trace || fake_pcpus[1].trace);
	assert_int_equal(pages, 5);
	cores_hang = false;
	looks = 2;
	assert_true(control_trace_look());
	assert_int_equal(pages, 3);
	assert_true(control_trace_look());
	assert_false(control_trace_look());
	assert_int_equal(pages, 0);
	assert_int_equal(run(control_trace, 1, 256, 0), 0);
	assert_int_equal(run(control_trace, 0, 0, 0), 0);
}

/* Its reader has gone: the cores write no more, and the next one may begin */
static void test_trace_left(void **state)
{
	control_trace_end(); /* there is none */
	assert_int_equal(run(control_trace, 1, 256, 0), 0);
	control_trace_end();
	assert_false(tracing);
	assert_int_equal(run(control_trace_read, 0, 0, 0), -BH_CTL_ESTATE);
	assert_int_equal(run(control_trace, 1, 512, 0), 0);
	assert_true(tracing && fake_pcpus[0].trace);
	assert_int_equal(run(control_trace, 1, 256, 0), -BH_CTL_ESTATE);
	/* A core that hangs keeps it */
	control_trace_end();
	cores_hang = true;
	assert_int_equal(run(control_trace, 1, 256, 0), -BH_CTL_EBUSY);
	cores_hang = false;
	assert_int_equal(run(control_trace, 1, 256, 0), 0);
	control_trace_end();
	assert_int_equal(run(control_trace, 0, 0, 0), 0);
	assert_int_equal(pages, 0);
}

/* Gone between two steps of its beginning */
static void test_trace_half_left(void **state)
{
	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = 1;
	c.call.command.arg[1] = 256;
	assert_int_equal(control_trace(&c, &c.call), CONTROL_GOES_ON);
	assert_true(pages > 0);
	control_trace_end();
	assert_int_equal(run(control_trace, 1, 256, 0), 0);
	assert_int_equal(run(control_trace, 0, 0, 0), 0);
	assert_int_equal(pages, 0);
}

#define PLACES 10u /* between steps, of which there are fewer */

static void call_trace(u64 on)
{
	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = on;
	c.call.command.arg[1] = 256;
}

/* All steps of TRACE @on, with looks before those that are in @where */
static void run_looked_at(u64 on, u32 where)
{
	s32 status;

	call_trace(on);
	for (u32 i = 0; i < 30; i++) {
		if (i < PLACES && where & BIT(i))
			(void)control_trace_look();
		status = control_trace(&c, &c.call);
		if (status != CONTROL_GOES_ON)
			break;
	}
	assert_int_equal(status, 0);
	assert_int_equal(tracing, on);
	assert_int_equal(pages, on ? 5 : 0);
	for (u32 i = 0; i < pcpu_count; i++)
		assert_int_equal(!!fake_pcpus[i].trace, on);
}

/* An end that is begun by one is done by the other as far as it gets, in any
 * order; then a trace begins as ever */
static void test_trace_looked_at(void **state)
{
	for (u32 where = 0; where < BIT(PLACES); where++) {
		run_looked_at(1, where);
		control_trace_end();
		run_looked_at(1, where);
		run_looked_at(0, where);
	}
}

/* A beginning or an end is given up after so many steps */
static void test_trace_given_up(void **state)
{
	for (u32 where = 0; where < BIT(PLACES); where++) {
		u32 after = where % 8, on = where / 8 % 2;

		if (!on)
			run_looked_at(1, where);
		call_trace(on);
		for (u32 i = 0; i < after; i++)
			if (control_trace(&c, &c.call) != CONTROL_GOES_ON)
				break;
		control_trace_end();
		run_looked_at(1, where);
		run_looked_at(0, where);
	}
}

/* The command that ended it was answered EBUSY; the looks end it */
static void test_trace_busy(void **state)
{
	for (u32 count = 0; count < 8; count++) {
		assert_int_equal(run(control_trace, 1, 256, 0), 0);
		cores_hang = true;
		assert_int_equal(run(control_trace, 0, 0, 0), -BH_CTL_EBUSY);
		cores_hang = false;
		for (u32 i = 0; i < count; i++)
			(void)control_trace_look();
		run_looked_at(1, ~0u);
		run_looked_at(0, 0);
	}
}

/* Memory is short, and the driver goes while what was made is freed */
static void test_trace_short_left(void **state)
{
	for (u32 after = 1; after < 5; after++) {
		most_pages = 4;
		call_trace(1);
		for (u32 i = 0; i < after; i++)
			if (control_trace(&c, &c.call) != CONTROL_GOES_ON)
				break;
		control_trace_end();
		most_pages = 5;
		run_looked_at(1, after);
		run_looked_at(0, 0);
	}
}

#define MANY 200u
static struct pcpu many_cores[MANY];

static u32 traced_cores(void)
{
	u32 count = 0;

	for (u32 i = 0; i < MANY; i++)
		count += many_cores[i].trace != NULL;
	return count;
}

/* So many cores are told at once, whoever does it */
static void expect_few(u32 *before)
{
	u32 now = traced_cores();

	assert_in_range(now > *before ? now - *before : *before - now, 0, 64);
	*before = now;
}

static void run_expect_few(u64 on, u32 *before)
{
	s32 status;

	call_trace(on);
	do {
		status = control_trace(&c, &c.call);
		expect_few(before);
	} while (status == CONTROL_GOES_ON);
	assert_int_equal(status, 0);
	assert_int_equal(*before, on ? MANY : 0);
}

static void test_trace_many_cores(void **state)
{
	u32 before = 0;

	for (u32 i = 0; i < MANY; i++)
		pcpus[i] = &many_cores[i];
	pcpu_count = MANY;
	run_expect_few(1, &before);
	run_expect_few(0, &before);
	run_expect_few(1, &before);
	control_trace_end();
	expect_few(&before);
	for (u32 i = 0; i < 2 * MANY; i++) {
		(void)control_trace_look();
		expect_few(&before);
	}
	assert_int_equal(before, 0);
	assert_int_equal(pages, 0);
	pcpu_count = 2;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_metering, setup),
		cmocka_unit_test_setup(test_histograms, setup),
		cmocka_unit_test_setup(test_many, setup),
		cmocka_unit_test_setup(test_trace, setup),
		cmocka_unit_test_setup(test_trace_large, setup),
		cmocka_unit_test_setup(test_trace_refused, setup),
		cmocka_unit_test_setup(test_trace_kept, setup),
		cmocka_unit_test_setup(test_trace_left, setup),
		cmocka_unit_test_setup(test_trace_half_left, setup),
		cmocka_unit_test_setup(test_trace_freed, setup),
		cmocka_unit_test_setup(test_trace_looked_at, setup),
		cmocka_unit_test_setup(test_trace_given_up, setup),
		cmocka_unit_test_setup(test_trace_busy, setup),
		cmocka_unit_test_setup(test_trace_short_left, setup),
		cmocka_unit_test_setup(test_trace_many_cores, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
