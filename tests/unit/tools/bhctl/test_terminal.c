/* SOURCES: tools/bhctl/terminal.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What bhctl console writes where it is no terminal that it writes to */
#include "tests/unit/test.h"
/* clang-format off */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
/* clang-format on */
#include "tools/bhctl/terminal.h"

static int saved[2]; /* standard input and output */

/* Neither is a terminal in a test */
static int begin(void **state)
{
	int null = open("/dev/null", O_RDONLY);

	saved[0] = dup(STDIN_FILENO);
	saved[1] = dup(STDOUT_FILENO);
	assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
	return close(null);
}

static int end(void **state)
{
	assert_int_equal(dup2(saved[0], STDIN_FILENO), STDIN_FILENO);
	close(saved[0]);
	return close(saved[1]);
}

/* terminal_show() to @to. bhd sends @later, and the line ends. */
static int show_to(int to, const char *at_once, const char *later,
		   struct failure *f)
{
	struct link l = { .in = (char *)at_once, .in_len = strlen(at_once) };
	int line[2], err;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, line), 0);
	assert_int_equal(write(line[1], later, strlen(later)), strlen(later));
	close(line[1]);
	l.fd = line[0];
	fflush(stdout);
	assert_int_equal(dup2(to, STDOUT_FILENO), STDOUT_FILENO);
	err = terminal_show(&l, false, f);
	assert_int_equal(dup2(saved[1], STDOUT_FILENO), STDOUT_FILENO);
	close(line[0]);
	return err;
}

static void test_line_ends(void **state)
{
	static const struct {
		const char *at_once, *later, *shown;
	} rows[] = {
		{ "a", "", "a\n" },
		{ "", "", "" },
		{ "", "login: ", "login: \n" },
		{ "login: ", "", "login: \n" },
		{ "login: ", "root\n", "login: root\n" },
		{ "a\n", "b\r\n", "a\nb\r\n" },
		{ "a\n", "b", "a\nb\n" },
	};
	struct failure f;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char shown[64] = "";
		int to[2];

		assert_int_equal(pipe(to), 0);
		assert_int_equal(
			show_to(to[1], rows[i].at_once, rows[i].later, &f), 0);
		close(to[1]);
		assert_true(read(to[0], shown, sizeof(shown) - 1) >= 0);
		close(to[0]);
		assert_string_equal(shown, rows[i].shown);
	}
}

static void test_full(void **state)
{
	int full = open("/dev/full", O_WRONLY);
	struct failure f;

	assert_true(full >= 0);
	assert_int_equal(show_to(full, "", "login: ", &f), -1);
	assert_int_equal(f.kind, FAIL_OTHER);
	assert_non_null(strstr(f.text, "cannot be written: No space"));
	close(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, begin, end)
		T(test_line_ends),
		T(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
