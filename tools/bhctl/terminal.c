/* SPDX-License-Identifier: BSD-2-Clause */
/* See terminal.h */
#include "tools/bhctl/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define BYTES 4096

/* A terminal as a program that ended in the middle of something leaves it: no
 * sequence open, main screen, no reports, plain text */
#define TERMINAL_RESET                                                         \
	"\x18\x0f\x1b[!p\x1b[?7h\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l"  \
	"\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[m\r\n"

static volatile sig_atomic_t told_to_end;
static char last_said;
static struct termios before;

bool terminal_is_own(int fd)
{
	const char *name = ttyname(fd);

	return name &&
	       (!strcmp(name, "/dev/ttyS0") || !strcmp(name, "/dev/console"));
}

char terminal_leave_letter(void)
{
	return terminal_is_own(STDIN_FILENO) ? '\\' : ']';
}

static void end_soon(int number)
{
	told_to_end = 1;
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = end_soon };

	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaction(numbers[i], &act, NULL);
}

/* Keys as they are; where none are typed, Ctrl-C ends it, too */
static bool raw_begin(bool types)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before))
		return false;
	raw = before;
	cfmakeraw(&raw);
	if (!types)
		raw.c_lflag |= ISIG;
	return !tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR && !told_to_end)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* What the guest said */
static int show(const char *bytes, size_t len)
{
	if (len)
		last_said = bytes[len - 1];
	return write_all(STDOUT_FILENO, bytes, len);
}

/* False: the key to leave, or the line is gone */
static bool take_keys(int fd, bool raw, bool types, bool *at_end)
{
	char keys[BYTES];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
	const char *leave;

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		*at_end = true;
		return true;
	}
	leave = raw ? memchr(keys, terminal_leave_letter() & 0x1f, (size_t)n)
		    : NULL;
	if (leave)
		n = leave - keys;
	if (types && write_all(fd, keys, (size_t)n))
		return false;
	return !leave;
}

static int not_written(struct failure *f)
{
	return failed(f, FAIL_OTHER, "what it says cannot be written: %s",
		      strerror(errno));
}

/* False: it has ended */
static bool take_said(int fd, struct failure *f)
{
	char bytes[BYTES];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	if (!show(bytes, (size_t)n))
		return true;
	(void)not_written(f);
	return false;
}

static int follow(int fd, bool raw, bool types, struct failure *f)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN },
			      { .fd = STDIN_FILENO, .events = POLLIN } };
	bool at_end = false;

	f->kind = FAIL_NONE;
	while (!told_to_end) {
		p[1].fd = at_end ? -1 : STDIN_FILENO;
		if (poll(p, ARRAY_SIZE(p), -1) < 0)
			continue;
		if (p[0].revents && !take_said(fd, f))
			break;
		if (p[1].revents && !take_keys(fd, raw, types, &at_end))
			break;
	}
	return f->kind == FAIL_NONE ? 0 : -1;
}

/* What follows is somebody else's, and begins in a line of its own */
static int leave(bool raw)
{
	const char *end = raw && isatty(STDOUT_FILENO) ? TERMINAL_RESET
			  : last_said != '\n'          ? "\n"
						       : "";

	return write_all(STDOUT_FILENO, end, strlen(end));
}

int terminal_show(struct link *l, bool types, struct failure *f)
{
	bool raw;
	int err;

	last_said = '\n';
	catch_signals();
	raw = raw_begin(types);
	err = show(l->in, l->in_len) ? not_written(f)
				     : follow(l->fd, raw, types, f);
	if (leave(raw) && !err)
		err = not_written(f);
	if (raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	return err;
}
