/* SOURCES: hv/console/queue.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The output queue: order, shares, wrap-around, against a model */
#include "hv/console/queue.h"
#include "tests/unit/test.h"

static struct out_queue q;

static int fresh(void **state)
{
	memset(&q, 0, sizeof(q));
	return 0;
}

static void test_order(void **state)
{
	char out[32] = "";

	queue_share_out(&q, 3);
	assert_true(queue_empty(&q));
	assert_int_equal(queue_take(&q, out, sizeof(out)), 0);
	assert_true(queue_put(&q, 1, "one ", 4));
	assert_true(queue_put(&q, 2, "two ", 4));
	assert_true(queue_put(&q, 1, "th", 2));
	assert_true(queue_put(&q, 1, "ree", 3));
	assert_int_equal(queue_take(&q, out, 6), 6);
	assert_memory_equal(out, "one tw", 6);
	assert_int_equal(queue_take(&q, out, sizeof(out)), 7);
	assert_memory_equal(out, "o three", 7);
	assert_true(queue_empty(&q));
	for (u32 i = 0; i < QUEUE_OWNERS; i++)
		assert_int_equal(q.used[i], 0);
}

/* A flood fills its own share and nobody else's */
static void test_shares(void **state)
{
	char out[16];
	u32 n = 0;

	queue_share_out(&q, 3);
	assert_int_equal(q.share[0], QUEUE_BYTES / 2);
	assert_int_equal(q.share[1], QUEUE_SHARE_MAX);
	assert_true(queue_roomy(&q, 1));
	while (queue_put(&q, 1, "x", 1))
		n++;
	assert_int_equal(n, QUEUE_SHARE_MAX - QUEUE_PIECE_COST);
	assert_false(queue_roomy(&q, 1));
	assert_true(queue_roomy(&q, 2));
	assert_true(queue_put(&q, 2, "mine", 4));
	assert_true(queue_put(&q, 0, "ours", 4));
	assert_false(queue_put(&q, 1, "x", 1));
	assert_int_equal(queue_take(&q, out, sizeof(out)), sizeof(out));
	/* Nobody adds to the piece in front of another's: a new one costs */
	assert_false(queue_put(&q, 1, "x", 1));
	while (!queue_roomy(&q, 1))
		queue_take(&q, out, sizeof(out));
	assert_true(queue_put(&q, 1, "x", 1));
	queue_clear(&q);
	assert_true(queue_empty(&q));
	assert_true(queue_roomy(&q, 1));
}

/* All of them together use what there is and not more */
static void test_all_full(void **state)
{
	static char out[QUEUE_BYTES];
	u32 put = 0;

	queue_share_out(&q, QUEUE_OWNERS);
	for (bool some = true; some;) {
		some = false;
		for (u32 i = 0; i < QUEUE_OWNERS; i++)
			if (queue_put(&q, i, "\n", 1)) {
				some = true;
				put++;
			}
	}
	/* The last owner alone was left, and its pieces became one */
	assert_true(put > QUEUE_BYTES / (QUEUE_PIECE_COST + 1) / 2);
	assert_true(q.piece_head - q.piece_tail <= QUEUE_PIECES);
	assert_int_equal(queue_take(&q, out, sizeof(out)), put);
	/* An owner that is not there has no room */
	queue_share_out(&q, 2);
	assert_false(queue_put(&q, 2, "x", 1));
}

/* A thousand guests: each has room for lines, and together they leave the
 * hypervisor its half */
static void test_crowd(void **state)
{
	static const char line[300];
	static char out[sizeof(line)];
	u32 put = 0;

	queue_share_out(&q, 1001);
	for (u32 i = 1; i <= 1000; i++)
		put += queue_put(&q, i, line, sizeof(line));
	assert_int_equal(put,
			 QUEUE_BYTES / 2 / (sizeof(line) + QUEUE_PIECE_COST));
	/* No guest has room by now, whatever it has said itself */
	assert_false(queue_put(&q, 1000, line, sizeof(line)));
	assert_false(queue_roomy(&q, 1000) || queue_roomy(&q, 1));
	assert_false(queue_fits(&q, 1000, 200));
	while (queue_put(&q, 0, line, sizeof(line)))
		;
	assert_true(q.used[0] > QUEUE_BYTES / 2 - 400);
	assert_true(q.piece_head - q.piece_tail <= QUEUE_PIECES);
	/* With room for all, there is some for each */
	for (u32 i = 0; i < put; i++)
		assert_int_equal(queue_take(&q, out, sizeof(out)), sizeof(out));
	assert_int_equal(q.guests_used, 0);
	assert_true(queue_roomy(&q, 1000) && queue_put(&q, 1000, line, 300));
	queue_clear(&q);
	assert_true(queue_fits(&q, 1, 800) && !queue_fits(&q, 1, 1000));
}

/* Random traffic, every byte compared */
static void test_model(void **state)
{
	static u8 model[1 << 20];
	u32 in = 0, out = 0, refused = 0;
	char buf[700];

	srand(7);
	queue_share_out(&q, 9);
	for (u32 i = 0; i < 20000 && in < sizeof(model) - 1000; i++) {
		u32 owner = (u32)rand() % 9, n = (u32)rand() % sizeof(buf);

		for (u32 k = 0; k < n; k++)
			buf[k] = (char)rand();
		if (!queue_put(&q, owner, buf, n)) {
			refused++;
		} else {
			memcpy(model + in, buf, n);
			in += n;
		}
		n = queue_take(&q, buf, (u32)rand() % sizeof(buf));
		assert_memory_equal(model + out, buf, n);
		out += n;
	}
	assert_true(refused > 10);
	while ((refused = queue_take(&q, buf, sizeof(buf)))) {
		assert_memory_equal(model + out, buf, refused);
		out += refused;
	}
	assert_int_equal(in, out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, fresh),
		cmocka_unit_test_setup(test_shares, fresh),
		cmocka_unit_test_setup(test_all_full, fresh),
		cmocka_unit_test_setup(test_crowd, fresh),
		cmocka_unit_test_setup(test_model, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
