/* SOURCES: arch/x86/machine/smp_call.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rendezvous of cores that are threads: all come, one is off, one does not
 * come, one comes late. Core 0 is the test itself.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "arch/x86/cpu/percpu.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/tsc.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/panic.h"
#include "tests/unit/test.h"

#define CORES     4u
#define MANY      35u /* a group, and three of the next */
#define LIMIT_SEC 60
#define ROUNDS    10u
/* A busy machine may leave a thread aside for long: a wait ends in milliseconds
 * where the test wants its end, and else never */
#define HASTY_TICKS   100000000ull
#define SLOW_TICKS    4000000000ull
#define PATIENT_TICKS (1ull << 50)

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count = CORES;

static struct pcpu cores[MANY];
static _Thread_local struct pcpu *self;
static pthread_t threads[MANY];
static u32 deaf; /* the core that does not look; 0: all do */
static bool over;
static u32 hasty;                             /* so many waits from now on */
static u32 waits;                             /* so many have begun */
static u32 changes, behind[MANY], sent[MANY]; /* by core */
static u32 slow; /* the core that stays in its first IPI; 0: none */

struct pcpu *this_cpu(void)
{
	return self;
}

u64 ns_to_tsc(u64 ns)
{
	u32 left = hasty;

	__atomic_add_fetch(&waits, 1, __ATOMIC_SEQ_CST);
	hasty -= left ? 1 : 0;
	if (!left)
		return PATIENT_TICKS;
	return pcpu_count == MANY && left == 1 ? SLOW_TICKS : HASTY_TICKS;
}

bool lapic_ready(void)
{
	return true;
}

void lapic_send_ipi(u32 apic_id, u8 vector)
{
	sent[self->id]++;
	/* Until the caller has told all, and waited for who does not come */
	while (slow && slow == self->id && READ_ONCE(waits) < 3)
		sched_yield();
}

void lapic_send_nmi(u32 apic_id)
{
}

static void *run(void *arg)
{
	self = arg;
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
		if (__atomic_load_n(&deaf, __ATOMIC_SEQ_CST) != self->id)
			smp_take_call();
		sched_yield();
	}
	return NULL;
}

static int start(u32 count)
{
	pcpu_count = count;
	memset(cores, 0, sizeof(cores));
	memset(behind, 0, sizeof(behind));
	memset(sent, 0, sizeof(sent));
	changes = deaf = waits = slow = 0;
	over = false;
	hasty = 0;
	fake_log_reset();
	alarm(LIMIT_SEC);
	for (u32 i = 0; i < pcpu_count; i++) {
		cores[i].id = i;
		cores[i].apic_id = 0x10 + i;
		cores[i].online = true;
		pcpus[i] = &cores[i];
	}
	self = &cores[0];
	for (u32 i = 1; i < pcpu_count; i++)
		if (pthread_create(&threads[i], NULL, run, &cores[i]))
			return -1;
	return 0;
}

static int setup(void **state)
{
	return start(CORES);
}

static int setup_many(void **state)
{
	return start(MANY);
}

static int teardown(void **state)
{
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	for (u32 i = 1; i < pcpu_count; i++)
		pthread_join(threads[i], NULL);
	alarm(0);
	return 0;
}

/* Everybody stands still, and nobody has gone on */
static int change(void *arg)
{
	assert_int_equal(this_cpu()->id, 0);
	for (u32 i = 0; i < pcpu_count; i++)
		assert_int_equal(behind[i], changes);
	changes++;
	return *(int *)arg;
}

static void after(void *arg)
{
	behind[this_cpu()->id]++;
}

static void silence(u32 core)
{
	__atomic_store_n(&deaf, core, __ATOMIC_SEQ_CST);
}

static void test_all_come(void **state)
{
	int result = 0;

	for (u32 i = 1; i <= ROUNDS; i++) {
		assert_int_equal(smp_rendezvous(change, after, &result), 0);
		for (u32 c = 0; c < pcpu_count; c++)
			assert_int_equal(behind[c], i);
	}
	result = -EBUSY;
	assert_int_equal(smp_rendezvous(change, NULL, &result), -EBUSY);
	assert_int_equal(changes, ROUNDS + 1);
	assert_int_equal(behind[1], ROUNDS);
	assert_int_equal(fake_log_lines, 0);
}

/* A core that stopped, or that could not be used: nobody waits for it */
static void test_one_is_off(void **state)
{
	int result = 0;

	__atomic_store_n(&cores[2].online, false, __ATOMIC_SEQ_CST);
	silence(2);
	assert_int_equal(smp_rendezvous(NULL, after, &result), 0);
	assert_int_equal(behind[1], 1);
	assert_int_equal(behind[2], 0);
	assert_int_equal(cores[2].pending, 0);
	assert_int_equal(sent[0], 2);
}

/* It is named, nothing is done, and what was for it never reaches it */
static void test_one_is_silent(void **state)
{
	int result = 0;

	silence(3);
	hasty = 1;
	assert_int_equal(smp_rendezvous(change, after, &result), -ETIMEDOUT);
	assert_int_equal(changes, 0);
	for (u32 i = 0; i < pcpu_count; i++)
		assert_int_equal(behind[i], 0);
	assert_non_null(strstr(fake_log_alarm, "core 3 (APIC id 19)"));
	assert_int_equal(cores[3].pending, 0);
	/* The next one is for all again */
	silence(0);
	assert_int_equal(smp_rendezvous(change, after, &result), 0);
	assert_int_equal(behind[3], 1);
}

/* Two call at once: each serves the other's first */
static void *second_caller(void *arg)
{
	int result = 0;

	self = arg;
	for (u32 i = 0; i < ROUNDS; i++)
		assert_int_equal(smp_rendezvous(NULL, after, &result), 0);
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
		smp_take_call();
		sched_yield();
	}
	return NULL;
}

static void test_two_callers(void **state)
{
	int result = 0;

	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	pthread_join(threads[1], NULL);
	pthread_join(threads[2], NULL);
	pthread_join(threads[3], NULL);
	__atomic_store_n(&over, false, __ATOMIC_SEQ_CST);
	pthread_create(&threads[1], NULL, second_caller, &cores[1]);
	pthread_create(&threads[2], NULL, run, &cores[2]);
	pthread_create(&threads[3], NULL, run, &cores[3]);
	for (u32 i = 0; i < ROUNDS; i++)
		assert_int_equal(smp_rendezvous(NULL, after, &result), 0);
	while (READ_ONCE(behind[0]) < 2 * ROUNDS) {
		smp_take_call();
		sched_yield();
	}
	assert_int_equal(fake_log_lines, 0);
}

static u32 sent_by_all(void)
{
	u32 sum = 0;

	for (u32 i = 0; i < pcpu_count; i++)
		sum += sent[i];
	return sum;
}

/* Of many none tells all: the caller its group and one of each other, and that
 * one the rest of its own */
static void test_many(void **state)
{
	int result = 0;

	assert_int_equal(smp_rendezvous(change, after, &result), 0);
	for (u32 i = 0; i < MANY; i++)
		assert_int_equal(behind[i], 1);
	assert_int_equal(sent[0], 31 + 1);
	assert_int_equal(sent[32], 2);
	assert_int_equal(sent_by_all(), MANY - 1);
}

/* One that should tell others is silent: they come all the same, it is named,
 * and who is told once more afterwards does nothing twice */
static void test_teller_is_silent(void **state)
{
	int result = 0;

	silence(32);
	hasty = 2;
	assert_int_equal(smp_rendezvous(change, after, &result), -ETIMEDOUT);
	assert_int_equal(changes, 0);
	assert_non_null(strstr(fake_log_alarm, "core 32 (APIC id 48)"));
	assert_int_equal(fake_log_lines, 1);
	silence(0);
	/* Told of a meeting that is over */
	for (u32 i = 1; i < MANY; i++)
		pcpu_kick(&cores[i], 1u << 31 | PCPU_CALL);
	cores[0].pending = PCPU_CALL;
	smp_take_call();
	assert_int_equal(smp_rendezvous(change, after, &result), 0);
	smp_call_run();
	for (u32 i = 0; i < MANY; i++)
		assert_int_equal(behind[i], 1);
}

/* One that tells others has begun, and is told again meanwhile: it is waited
 * for, and not called off behind its back */
static void test_teller_is_slow(void **state)
{
	int result = 0;

	slow = 32;
	hasty = 2;
	assert_int_equal(smp_rendezvous(change, after, &result), 0);
	assert_int_equal(fake_log_lines, 0);
	for (u32 i = 0; i < MANY; i++)
		assert_int_equal(behind[i], 1);
	assert_int_equal(cores[32].left, cores[32].met);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_all_come),
		T(test_one_is_off),
		T(test_one_is_silent),
		T(test_two_callers),
		cmocka_unit_test_setup_teardown(test_many, setup_many,
						teardown),
		cmocka_unit_test_setup_teardown(test_teller_is_silent,
						setup_many, teardown),
		cmocka_unit_test_setup_teardown(test_teller_is_slow, setup_many,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
