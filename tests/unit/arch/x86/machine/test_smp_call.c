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
#define LIMIT_SEC 60
#define ROUNDS    10u
/* A busy machine may leave a thread aside for long: a wait ends in milliseconds
 * where the test wants its end, and else never */
#define HASTY_TICKS   100000000ull
#define PATIENT_TICKS (1ull << 50)

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count = CORES;

static struct pcpu cores[CORES];
static _Thread_local struct pcpu *self;
static pthread_t threads[CORES];
static u32 deaf; /* mask of cores that do not look */
static bool over;
static bool hasty; /* the next wait */
static u32 changes, behind[CORES], ipis;

struct pcpu *this_cpu(void)
{
	return self;
}

u64 ns_to_tsc(u64 ns)
{
	bool is_hasty = hasty;

	hasty = false;
	return is_hasty ? HASTY_TICKS : PATIENT_TICKS;
}

bool lapic_ready(void)
{
	return true;
}

void lapic_send_ipi(u32 apic_id, u8 vector)
{
	__atomic_fetch_add(&ipis, 1, __ATOMIC_SEQ_CST);
}

void lapic_send_nmi(u32 apic_id)
{
}

static void *run(void *arg)
{
	self = arg;
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
		if (!(__atomic_load_n(&deaf, __ATOMIC_SEQ_CST) >> self->id & 1))
			smp_take_call();
		sched_yield();
	}
	return NULL;
}

static int setup(void **state)
{
	memset(cores, 0, sizeof(cores));
	memset(behind, 0, sizeof(behind));
	changes = ipis = deaf = 0;
	over = false;
	hasty = false;
	fake_log_reset();
	alarm(LIMIT_SEC);
	for (u32 i = 0; i < CORES; i++) {
		cores[i].id = i;
		cores[i].apic_id = 0x10 + i;
		cores[i].online = true;
		pcpus[i] = &cores[i];
	}
	self = &cores[0];
	for (u32 i = 1; i < CORES; i++)
		if (pthread_create(&threads[i], NULL, run, &cores[i]))
			return -1;
	return 0;
}

static int teardown(void **state)
{
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	for (u32 i = 1; i < CORES; i++)
		pthread_join(threads[i], NULL);
	alarm(0);
	return 0;
}

/* Everybody stands still, and nobody has gone on */
static int change(void *arg)
{
	assert_int_equal(this_cpu()->id, 0);
	for (u32 i = 0; i < CORES; i++)
		assert_int_equal(behind[i], changes);
	changes++;
	return *(int *)arg;
}

static void after(void *arg)
{
	behind[this_cpu()->id]++;
}

static void silence(u32 mask)
{
	__atomic_store_n(&deaf, mask, __ATOMIC_SEQ_CST);
}

static void test_all_come(void **state)
{
	int result = 0;

	for (u32 i = 1; i <= ROUNDS; i++) {
		assert_int_equal(smp_rendezvous(change, after, &result), 0);
		for (u32 c = 0; c < CORES; c++)
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
	silence(1u << 2);
	assert_int_equal(smp_rendezvous(NULL, after, &result), 0);
	assert_int_equal(behind[1], 1);
	assert_int_equal(behind[2], 0);
	assert_int_equal(cores[2].pending, 0);
	assert_int_equal(ipis, 2);
}

/* It is named, nothing is done, and what was for it never reaches it */
static void test_one_is_silent(void **state)
{
	int result = 0;

	silence(1u << 3);
	hasty = true;
	assert_int_equal(smp_rendezvous(change, after, &result), -ETIMEDOUT);
	assert_int_equal(changes, 0);
	for (u32 i = 0; i < CORES; i++)
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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_all_come),
		T(test_one_is_off),
		T(test_one_is_silent),
		T(test_two_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
