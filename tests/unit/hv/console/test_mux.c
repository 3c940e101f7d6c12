/* SOURCES: hv/console/mux.c hv/console/queue.c hv/console/filter.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* A thousand guests that all say more than the terminal takes: whoever settles
 * them does some at a time, and none is forgotten. One console's life is in
 * test_console.c. */
#include "tests/unit/fakes/vdev.h"

#include "drivers/console/fbcon.h"
#include "hv/console/priv.h"
#include "hv/console/queue.h"

#define GUESTS    1000u
#define CALLS_MAX 8u /* of devices, in one go */
#define LOOKS_MAX 512u
#define TOLD_MAX  32u /* losses */

struct console con;
static struct speaker speakers[GUESTS + 1];
static struct out_queue queue;
static u32 called[GUESTS + 1], calls, looks, put_count;

void console_lock(void)
{
}

void console_unlock(void)
{
}

bool output_put(u32 id, const char *s, u32 len)
{
	put_count++;
	return queue_put(&queue, id, s, len);
}

bool output_roomy(u32 id)
{
	looks++;
	return queue_roomy(&queue, id);
}

bool output_begin(void)
{
	return false;
}

void output_start(void)
{
}

void history_show(const struct speaker *sp)
{
}

void scroll_note(const struct speaker *log)
{
}

void scroll_end(void)
{
}

void screen_draw_soon(void)
{
}

void fbcon_write(const char *s, size_t len)
{
}

void mux_spoken(struct speaker *sp)
{
}

/* A guest that has waited has more to say */
static void ready(void *dev)
{
	called[(struct speaker *)dev - speakers]++;
	calls++;
}

static int fresh(void **state)
{
	static char rings[GUESTS + 1][64];

	memset(&con, 0, sizeof(con));
	memset(called, 0, sizeof(called));
	for (u32 i = 0; i <= GUESTS; i++) {
		speakers[i] = (struct speaker){
			.id = i,
			.device = { .dev = &speakers[i], .ready = ready },
			.ring = rings[i],
			.ring_bytes = sizeof(rings[i]),
		};
		snprintf(speakers[i].name, sizeof(speakers[i].name), "g%u", i);
		con.speakers[i] = &speakers[i];
	}
	con.count = GUESTS + 1;
	con.focus = con.count; /* all of them */
	queue_share_out(&queue, con.count);
	queue_clear(&queue);
	return 0;
}

static void drain(u32 bytes)
{
	char buf[4096];

	while (bytes && queue_take(&queue, buf, MIN(bytes, sizeof(buf))))
		bytes -= MIN(bytes, sizeof(buf));
	calls = looks = put_count = 0;
	console_drained();
	assert_true(calls <= CALLS_MAX && looks <= LOOKS_MAX);
	assert_true(put_count <= 2 * TOLD_MAX);
}

static void test_all_wait(void **state)
{
	u32 goes = 0;

	for (u32 i = 1; i <= GUESTS; i++)
		mux_speak(&speakers[i], "a line of some length\n", 22);
	for (u32 i = 1; i <= GUESTS; i++)
		assert_false(mux_roomy(&speakers[i]));
	assert_true(con.unsettled);
	drain(0);
	assert_int_equal(calls, 0);
	for (; con.unsettled && goes < 1000; goes++)
		drain(2000);
	for (u32 i = 1; i <= GUESTS; i++) {
		assert_false(speakers[i].waits || speakers[i].lost);
		assert_int_equal(called[i], 1);
	}
	assert_true(goes > GUESTS / CALLS_MAX);
}

/* The queue was cleared: all have room at once, and much is lost */
static void test_all_lost(void **state)
{
	u32 goes = 0;

	for (u32 k = 0; k < 2; k++)
		for (u32 i = 1; i <= GUESTS; i++)
			mux_speak(&speakers[i], "a line of some length\n", 22);
	queue_clear(&queue);
	for (; con.unsettled && goes < 1000; goes++)
		drain(QUEUE_BYTES);
	for (u32 i = 1; i <= GUESTS; i++)
		assert_false(speakers[i].lost);
	assert_true(goes >= GUESTS / TOLD_MAX / 2);
}

static struct speaker *settle_until(void)
{
	struct speaker *ready = NULL;

	for (u32 i = 0; i < 40 && !ready; i++)
		ready = mux_settle();
	return ready;
}

/* Somebody behind whom the round has passed comes to wait */
static void test_waits_again(void **state)
{
	speakers[1].waits = speakers[500].waits = true;
	con.unsettled = true;
	assert_ptr_equal(settle_until(), &speakers[1]);
	speakers[1].waits = false;
	assert_ptr_equal(settle_until(), &speakers[500]);
	speakers[500].waits = false;
	while (queue_put(&queue, 2, "xxxxxxxx", 8))
		;
	assert_false(mux_roomy(&speakers[2]));
	assert_null(settle_until());
	assert_true(con.unsettled);
	queue_clear(&queue);
	assert_ptr_equal(settle_until(), &speakers[2]);
	speakers[2].waits = false;
	assert_null(settle_until());
	assert_false(con.unsettled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_wait, fresh),
		cmocka_unit_test_setup(test_all_lost, fresh),
		cmocka_unit_test_setup(test_waits_again, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
