/* SOURCES: */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The intrusive list */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/list.h"

struct item {
	int value;
	struct list node;
};

static struct item items[4];
static struct list head = LIST_INIT(head);

static int setup(void **state)
{
	(void)state;
	list_init(&head);
	for (int i = 0; i < 4; i++) {
		items[i].value = i;
		list_init(&items[i].node);
	}
	return 0;
}

/* The values in order, as decimal digits after a 1 */
static int order(void)
{
	int n = 1;

	list_for_each(pos, &head) n =
		n * 10 + list_entry(pos, struct item, node)->value;
	return n;
}

static void test_order(void **state)
{
	(void)state;
	assert_true(list_empty(&head));
	list_add_tail(&head, &items[1].node);
	list_add_tail(&head, &items[2].node);
	list_add_head(&head, &items[0].node);
	list_add_before(&items[2].node, &items[3].node);
	assert_false(list_empty(&head));
	assert_int_equal(order(), 10132);
}

static void test_delete(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		list_add_tail(&head, &items[i].node);
	list_del(&items[1].node);
	assert_true(list_empty(&items[1].node));
	assert_int_equal(order(), 1023);
	list_del(&items[1].node);
	list_del(&items[0].node);
	list_del(&items[3].node);
	assert_int_equal(order(), 12);
	list_del(&items[2].node);
	assert_true(list_empty(&head));
}

static void test_delete_while_walking(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		list_add_tail(&head, &items[i].node);
	list_for_each_safe(
		pos, &head) if (list_entry(pos, struct item, node)->value & 1)
		list_del(pos);
	assert_int_equal(order(), 102);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_delete, setup),
		cmocka_unit_test_setup(test_delete_while_walking, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
