/* SOURCES: hv/core/meter.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Histograms: where a time goes, what a turn and a delivery note, and what is
 * forgotten when they were off or the guest has started anew. */
#include "hv/core/meter.h"

#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/trace.h"
#include "hv/core/stretch.h"
#include "mm/pmm.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/vm.h"

void (*irq_begins_hook)(u8 vector);

static struct vcpu *const v = &fake_vcpus[0];
static struct pcpu *const cpu = &fake_pcpus[0];
static bool measured, no_memory;
static u32 entered, interrupts, allocations;
static struct bh_ctl_trace records[16];
static u32 record_count;

void stretch_switch(bool on)
{
	measured = on;
}

bool stretch_is_measured(void)
{
	return measured;
}

u64 stretch_limit(void)
{
	return 100000;
}

void stretch_entered(void)
{
	entered++;
}

void stretch_interrupt(void)
{
	interrupts++;
}

void stretch_pause(void)
{
}

void stretch_go_on(void)
{
}

void *pmm_alloc(struct budget *b, u32 order)
{
	assert_ptr_equal(b, v->hw.budget);
	if (no_memory)
		return NULL;
	allocations++;
	return calloc(1, PAGE_SIZE << order);
}

void pmm_free(struct budget *b, void *va, u32 order)
{
	assert_ptr_equal(b, v->hw.budget);
	allocations -= va != NULL;
	free(va);
}

void trace_put(const struct bh_ctl_trace *record)
{
	if (!cpu->trace)
		return;
	assert_true(record_count < ARRAY_SIZE(records));
	records[record_count++] = *record;
}

void trace_now(enum bh_ctl_trace_event event, u32 kind, u64 arg)
{
	trace_put(&(struct bh_ctl_trace){
		.event = (u16)event, .kind = (u16)kind, .arg = arg });
}

static struct bh_ctl_histogram *of(u32 i)
{
	return &v->meter->histogram[i];
}

static u64 sum(u32 i)
{
	u64 n = 0;

	for (u32 b = 0; b < BH_CTL_BUCKETS; b++)
		n += of(i)->count[b];
	return n;
}

static int setup(void **state)
{
	fake_vm_init(1);
	memset(cpu, 0, sizeof(*cpu));
	v->hw.budget = &fake_vm.budget;
	v->entity.steal_tsc = 500;
	measured = no_memory = false;
	entered = interrupts = record_count = 0;
	meter_switch(BH_CTL_METERING_HISTOGRAMS);
	assert_int_equal(meter_form(v), METER_TIMED);
	meter_turn(v);
	return 0;
}

static int teardown(void **state)
{
	meter_destroy(v);
	assert_int_equal(allocations, 0);
	meter_trace(false);
	meter_switch(BH_CTL_METERING_COUNTERS);
	return 0;
}

/* A bucket holds what is below 64 << i; the inline code finds the same one */
static void test_buckets(void **state)
{
	u64 most = (64ull << (BH_CTL_BUCKETS - 2)) - 1;

	assert_int_equal(meter_bucket(0), 0);
	for (u32 i = 0; i < BH_CTL_BUCKETS - 1; i++) {
		assert_int_equal(meter_bucket((64ull << i) - 1), i);
		assert_int_equal(meter_bucket(64ull << i), i + 1);
	}
	assert_int_equal(meter_bucket(~0ull), BH_CTL_BUCKETS - 1);
	for (u64 ticks = 1 << 16; ticks < most; ticks *= 3) {
		u32 i = BH_CTL_HISTOGRAM_EXITS + EXIT_MMIO;
		u64 before = of(i)->ticks, now;

		v->hw.exit.kind = EXIT_MMIO;
		cpu->rare_ticks = most;
		memset(of(i)->count, 0, sizeof(of(i)->count));
		cpu->exit_since = rdtsc() - ticks;
		meter_exit(cpu, v);
		now = of(i)->ticks - before;
		assert_in_range(now, ticks, ~0ull);
		assert_int_equal(of(i)->count[meter_bucket(now)], 1);
		assert_int_equal(sum(i), 1);
	}
}

/* The first of its length, and each that is too long for a stretch */
static void test_rare(void **state)
{
	assert_int_equal(meter_rare(cpu, 5000), meter_bucket(5000));
	assert_int_equal(cpu->rare_ticks, 5000);
	assert_int_equal(entered, 0); /* it leaves the core */
	cpu->in_guest = true;
	(void)meter_rare(cpu, 7000);
	assert_int_equal(cpu->rare_ticks, 7000);
	assert_int_equal(entered, 1);
	assert_int_equal(meter_rare(cpu, ~0ull), BH_CTL_BUCKETS - 1);
	assert_int_equal(cpu->rare_ticks, stretch_limit());
}

static void test_forms(void **state)
{
	struct trace_ring ring;

	meter_switch(BH_CTL_METERING_OFF);
	assert_int_equal(meter_form(v), METER_BARE);
	assert_null(irq_begins_hook);
	assert_false(meter_listens);
	meter_switch(BH_CTL_METERING_COUNTERS);
	assert_int_equal(meter_form(v), METER_COUNTED);
	measured = true; /* by the manifest */
	assert_int_equal(meter_form(v), METER_WATCHED);
	measured = false;
	cpu->trace = &ring;
	meter_trace(true);
	assert_int_equal(meter_form(v), METER_WATCHED);
	assert_non_null(irq_begins_hook);
	assert_true(meter_listens);
	meter_switch(BH_CTL_METERING_HISTOGRAMS);
	assert_int_equal(meter_form(v), METER_WATCHED);
	cpu->trace = NULL;
	meter_trace(false);
	assert_int_equal(meter_form(v), METER_TIMED);
	assert_true(meter_listens);
}

static void test_no_memory(void **state)
{
	meter_destroy(v);
	no_memory = true;
	fake_log_reset();
	assert_int_equal(meter_form(v), METER_WATCHED); /* for the stretches */
	assert_non_null(strstr(fake_log_last, "guest test"));
	measured = false;
	assert_int_equal(meter_form(v), METER_COUNTED);
	no_memory = false;
	assert_int_equal(meter_form(v), METER_TIMED);
}

/* What it waited since its last turn, if it did */
static void test_wait(void **state)
{
	assert_int_equal(sum(BH_CTL_HISTOGRAM_WAIT), 0);
	meter_turn(v);
	assert_int_equal(sum(BH_CTL_HISTOGRAM_WAIT), 0);
	v->entity.steal_tsc += 1000;
	meter_turn(v);
	assert_int_equal(of(BH_CTL_HISTOGRAM_WAIT)->ticks, 1000);
	assert_int_equal(of(BH_CTL_HISTOGRAM_WAIT)->count[meter_bucket(1000)],
			 1);
	/* Off meanwhile: that wait is nobody's */
	meter_switch(BH_CTL_METERING_OFF);
	v->entity.steal_tsc += 1000;
	meter_switch(BH_CTL_METERING_HISTOGRAMS);
	meter_turn(v);
	assert_int_equal(sum(BH_CTL_HISTOGRAM_WAIT), 1);
	/* Another life */
	fake_vm.tsc_start++;
	meter_turn(v);
	assert_int_equal(sum(BH_CTL_HISTOGRAM_WAIT), 0);
	assert_int_equal(of(BH_CTL_HISTOGRAM_WAIT)->ticks, 0);
}

static void deliver(u64 since)
{
	v->delivered =
		(struct vcpu_event){ .type = EVENT_EXTINT, .vector = 0x60 };
	meter_delivers(v, since);
	assert_int_equal(v->delivered.type, EVENT_NONE);
}

/* From who asked first, else from the exit */
static void test_interrupt(void **state)
{
	const struct bh_ctl_histogram *h = of(BH_CTL_HISTOGRAM_INTERRUPT);

	meter_delivers(v, rdtsc());
	assert_int_equal(sum(BH_CTL_HISTOGRAM_INTERRUPT), 0);
	deliver(rdtsc() - 5000);
	assert_in_range(h->ticks, 5000, 5000 + MIB(64));
	assert_int_equal(sum(BH_CTL_HISTOGRAM_INTERRUPT), 1);
	/* It had waited for its core: not known since when */
	deliver(0);
	assert_int_equal(sum(BH_CTL_HISTOGRAM_INTERRUPT), 1);
	meter_asked(v, true);
	assert_int_not_equal(v->meter->asked, 0);
	v->meter->asked -= GIB(4);
	meter_asked(v, true); /* the first one counts */
	deliver(rdtsc());
	assert_in_range(h->ticks, GIB(4), GIB(8));
	assert_int_equal(v->meter->asked, 0);
	/* What was asked was something else */
	meter_asked(v, false);
	meter_delivers(v, rdtsc());
	assert_int_equal(v->meter->asked, 0);
	/* Another core's clock is ahead */
	meter_asked(v, false);
	v->meter->asked += GIB(4);
	deliver(0);
	assert_int_equal(h->count[0], 1);
}

/* The first of an entry counts, and none of a core without a guest in it */
static void test_host_interrupt(void **state)
{
	u64 first;

	irq_begins_hook(0x31);
	assert_int_equal(cpu->irq_since, 0);
	cpu->in_guest = true;
	irq_begins_hook(0x31);
	first = cpu->irq_since;
	assert_int_not_equal(first, 0);
	irq_begins_hook(0x32);
	assert_int_equal(cpu->irq_since, first);
	assert_int_equal(interrupts, 3);
	meter_exited(cpu);
	assert_int_equal(cpu->exit_since, first);
	assert_int_equal(cpu->irq_since, 0);
}

static void test_trace(void **state)
{
	static const u16 events[] = {
		BH_CTL_TRACE_SWITCH, BH_CTL_TRACE_ENTRY,     BH_CTL_TRACE_EXIT,
		BH_CTL_TRACE_INJECT, BH_CTL_TRACE_INTERRUPT, BH_CTL_TRACE_WAKE,
		BH_CTL_TRACE_IDLE,
	};
	struct trace_ring ring;

	cpu->trace = &ring;
	meter_trace(true);
	meter_turn(v);
	meter_delivers(v, 0);
	v->hw.exit.kind = EXIT_PORT;
	watch_entry();
	watch_exited(cpu);
	watch_exit(cpu, v);
	deliver(cpu->exit_since);
	irq_begins_hook(0x31);
	meter_asked(v, true);
	meter_asked(v, false);
	meter_idle(rdtsc() - 1000);
	assert_int_equal(record_count, ARRAY_SIZE(events));
	for (u32 i = 0; i < record_count; i++)
		assert_int_equal(records[i].event, events[i]);
	assert_int_equal(records[2].kind, EXIT_PORT);
	assert_int_equal(records[2].tsc, cpu->exit_since);
	assert_int_equal(records[2].guest, vm_number(&fake_vm));
	assert_int_equal(records[3].kind, 0x60);
	assert_int_equal(records[4].kind, 0x31);
	assert_in_range(records[6].arg, 1000, ~0ull);
	/* Histograms are metered beside it */
	assert_int_equal(sum(BH_CTL_HISTOGRAM_EXITS + EXIT_PORT), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_buckets),        TEST(test_rare),
		TEST(test_forms),          TEST(test_no_memory),
		TEST(test_wait),           TEST(test_interrupt),
		TEST(test_host_interrupt), TEST(test_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
