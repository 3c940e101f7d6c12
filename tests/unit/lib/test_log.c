/* SOURCES: lib/log.c lib/log_ring.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines, their sinks and lock, rate limits, and the ring over a reset */
#include <pthread.h>

#include "lib/log.h"
#include "lib/log_ring.h"
#include "tests/unit/test.h"

static char out[8192];
static size_t out_len;
static u32 locks;
static enum log_level last_level;

static void sink_write(struct log_sink *self, enum log_level level,
		       const char *line, size_t len)
{
	assert_int_equal(locks, 1);
	assert_true(out_len + len < sizeof(out));
	memcpy(out + out_len, line, len);
	out_len += len;
	out[out_len] = '\0';
	last_level = level;
}

static struct log_sink sink = { .write = sink_write };

static size_t prefix(char *buf, size_t size)
{
	return (size_t)snprintf(buf, size, "1.5 0 linux:1");
}

static u64 lock(void)
{
	return locks++;
}

static void unlock(u64 cookie)
{
	locks--;
	assert_int_equal(locks, cookie);
}

static int setup(void **state)
{
	static const struct log_env env = { prefix, lock, unlock };
	static bool added;

	log_set_env(&env);
	if (!added)
		log_add_sink(&sink);
	added = true;
	out_len = 0;
	return 0;
}

static void test_line(void **state)
{
	log_info("tag", "value %d", 7);
	assert_string_equal(out, "[1.5 0 linux:1] tag: value 7\n");
	assert_int_equal(last_level, LOG_INFO);
}

static void test_levels(void **state)
{
	log_warn("t", "x");
	log_error("t", "y\n");
	assert_string_equal(out, "[1.5 0 linux:1] t: warning: x\n"
				 "[1.5 0 linux:1] t: error: y\n");
}

static void test_long_line_is_cut(void **state)
{
	char big[2000];

	memset(big, 'z', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_info("t", "%s", big);
	assert_int_equal(out_len, 511);
	assert_int_equal(out[out_len - 1], '\n');
}

static void test_ratelimit(void **state)
{
	struct ratelimit rl = { 0 };
	u32 passed = 0;

	for (u64 i = 0; i < 1000; i++)
		passed += ratelimit_pass(&rl, 5000, 100, 4);
	assert_int_equal(passed, 4);
	assert_false(ratelimit_pass(&rl, 5099, 100, 4));
	assert_true(ratelimit_pass(&rl, 5100, 100, 4));
	assert_false(ratelimit_pass(&rl, 5101, 100, 4));
	/* Long quiet: the whole burst again, not more */
	for (passed = 0; ratelimit_pass(&rl, 1000000, 100, 4);)
		passed++;
	assert_int_equal(passed, 4);
	assert_false(ratelimit_pass(&rl, 0, 0, 0));
}

#define RACE_TICKS    400000u
#define RACE_INTERVAL 10u
#define RACE_BURST    3u

static struct ratelimit raced;
static u64 race_clock; /* a tick a call, of either thread */

static void *race(void *arg)
{
	u32 *passed = arg;
	u64 now;

	while ((now = __atomic_fetch_add(&race_clock, 1, __ATOMIC_RELAXED)) <
	       RACE_TICKS)
		*passed +=
			ratelimit_pass(&raced, now, RACE_INTERVAL, RACE_BURST);
	return NULL;
}

/* Two cores at once: no line too many, and none lost for ever */
static void test_ratelimit_of_two_cores(void **state)
{
	u32 passed[2] = { 0 };
	pthread_t other;

	assert_int_equal(pthread_create(&other, NULL, race, &passed[1]), 0);
	race(&passed[0]);
	pthread_join(other, NULL);
	assert_in_range(passed[0] + passed[1], RACE_TICKS / RACE_INTERVAL,
			RACE_TICKS / RACE_INTERVAL + RACE_BURST);
}

static void keep(const char *line, size_t len)
{
	out_len += (size_t)snprintf(out + out_len, sizeof(out) - out_len,
				    "%.*s\n", (int)len, line);
}

#define RING 4096

static void dump_previous(void)
{
	out_len = 0;
	out[0] = '\0';
	log_ring_dump_previous(keep);
}

static void dump_now(void)
{
	out_len = 0;
	out[0] = '\0';
	log_ring_dump(keep);
}

static void test_ring_over_resets(void **state)
{
	char *ram = malloc(RING);

	memset(ram, 0x5a, RING);
	assert_false(log_ring_attach(ram, RING));
	dump_previous();
	assert_string_equal(out, "");
	log_ring_write("boot one\n", 9);
	/* A reset: only the memory stays */
	assert_true(log_ring_attach(ram, RING));
	log_ring_write("boot two\n", 9);
	dump_previous();
	assert_non_null(strstr(out, "boot one\n"));
	assert_null(strstr(out, "boot two\n"));
	dump_now();
	assert_non_null(strstr(out, "boot two\n"));
	assert_true(log_ring_attach(ram, RING));
	dump_previous();
	assert_non_null(strstr(out, "boot two\n"));
	/* Leave the module on memory that stays */
	static char rest[RING];
	log_ring_attach(rest, RING);
	free(ram);
}

/* What the loader and the next boot see of the one before */
static void test_ring_tells_its_end(void **state)
{
	static char ram[RING];
	struct log_ring_view v;
	char text[64];

	memset(ram, 0, RING);
	assert_false(log_ring_look(ram, RING, &v));
	log_ring_attach(ram, RING);
	assert_false(log_ring_look(ram, LOG_RING_MIN_SIZE, &v));
	log_ring_write("a\x1b\nb\n", 5);
	assert_true(log_ring_look(ram, RING, &v));
	assert_int_equal(v.end, LOG_END_CUT);
	assert_false(v.saved);
	log_ring_end(LOG_END_PANIC);
	log_ring_set_saved(ram);
	assert_true(log_ring_look(ram, RING, &v));
	assert_int_equal(v.end, LOG_END_PANIC);
	assert_true(v.saved);
	assert_int_equal(log_ring_copy(&v, text, 4), 2);
	assert_memory_equal(text, "b\n", 2);
	assert_true(log_ring_attach(ram, RING));
	assert_int_equal(log_ring_previous()->end, LOG_END_PANIC);
	log_ring_write("c\n", 2);
	log_ring_end(LOG_END_ORDERLY);
	assert_true(log_ring_look(ram, RING, &v));
	assert_int_equal(v.end, LOG_END_ORDERLY);
	assert_false(v.saved);
	/* The old one is still as it was */
	assert_true(log_ring_copy(log_ring_previous(), text, sizeof(text)) >=
		    5);
	assert_non_null(strstr(text, "a.\nb\n"));
}

static void test_ring_wraps(void **state)
{
	static char ram[1024];
	char line[32];

	log_ring_attach(ram, sizeof(ram));
	for (int i = 0; i < 500; i++)
		log_ring_write(line, (size_t)snprintf(line, sizeof(line),
						      "line %d\n", i));
	dump_now();
	assert_null(strstr(out, "line 0\n"));
	assert_non_null(strstr(out, "line 498\nline 499\n"));
	assert_true(out_len <= sizeof(ram) / 2 + 1);
}

static void test_ring_survives_garbage(void **state)
{
	static char ram[RING], good[RING];

	log_ring_attach(good, RING);
	log_ring_write("hello\n", 6);
	for (u32 byte = 0; byte < 128; byte++) {
		for (u32 bit = 0; bit < 8; bit++) {
			memcpy(ram, good, RING);
			ram[byte] ^= (char)(1 << bit);
			/* Whatever it thinks of it: no access goes outside */
			log_ring_attach(ram, RING);
			dump_previous();
			dump_now();
		}
	}
}

static void test_ring_filters_text(void **state)
{
	static char ram[RING];

	log_ring_attach(ram, RING);
	log_ring_write("a\x1b[2Jb\r\n", 8);
	dump_now();
	assert_non_null(strstr(out, "a.[2Jb.\n"));
}

static void test_ring_too_small(void **state)
{
	char ram[100];

	assert_false(log_ring_attach(ram, sizeof(ram)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_line, setup),
		cmocka_unit_test_setup(test_levels, setup),
		cmocka_unit_test_setup(test_long_line_is_cut, setup),
		cmocka_unit_test(test_ratelimit),
		cmocka_unit_test(test_ratelimit_of_two_cores),
		cmocka_unit_test(test_ring_over_resets),
		cmocka_unit_test(test_ring_tells_its_end),
		cmocka_unit_test(test_ring_wraps),
		cmocka_unit_test(test_ring_survives_garbage),
		cmocka_unit_test(test_ring_filters_text),
		cmocka_unit_test(test_ring_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
