/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads, see threads.h */
#include "tests/unit/fakes/threads.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define LIMIT_SEC 60

static struct {
	pthread_t thread;
	u32 id;
} threads[THREADS_MAX];
static void (*job)(u32 id);
static pthread_barrier_t all_there;

static void *run(void *arg)
{
	pthread_barrier_wait(&all_there);
	job(*(const u32 *)arg);
	return NULL;
}

void threads_run(u32 count, void (*fn)(u32 id))
{
	assert_in_range(count, 1, THREADS_MAX);
	job = fn;
	alarm(LIMIT_SEC);
	assert_int_equal(pthread_barrier_init(&all_there, NULL, count), 0);
	for (u32 i = 0; i < count; i++) {
		threads[i].id = i;
		assert_int_equal(pthread_create(&threads[i].thread, NULL, run,
						&threads[i].id),
				 0);
	}
	for (u32 i = 0; i < count; i++)
		pthread_join(threads[i].thread, NULL);
	pthread_barrier_destroy(&all_there);
	alarm(0);
}

void threads_yield(void)
{
	sched_yield();
}
