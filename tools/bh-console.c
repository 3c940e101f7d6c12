/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bh-console: the consoles of all guests and the hypervisor's log, from inside
 * the privileged guest, by the console port (include/bulkhead/console_port.h).
 * Linux, x86-64, libc. Over 400 lines: a program is one file.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <termios.h>
#include <unistd.h>

#include "include/bulkhead/console_port.h"
#include "include/bulkhead/cpuid.h"
#include "lib/replay.h"

#define PORTS     4
#define LEAVE_KEY 0x1d /* Ctrl-] */
/* Ctrl-\\, on the guest's own console: there the hypervisor keeps Ctrl-] */
#define LEAVE_KEY_OWN 0x1c
#define IDLE_MS       40
#define BUSY_MS       2 /* what is typed waits for room */
#define TYPED_BYTES   256
#define OUT_BYTES     4096
#define WHY_BYTES     256
#define END           (~0ull)

/* A terminal as a program that ended in the middle of something leaves it: no
 * sequence open, main screen, no reports, plain text */
#define TERMINAL_RESET                                                         \
	"\x18\x0f\x1b[!p\x1b[?7h\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l"  \
	"\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[m"

static u16 port;
static volatile sig_atomic_t told_to_end;
static struct termios before;
static bool is_raw;

static void terminal_restore(void)
{
	if (!is_raw)
		return;
	is_raw = false;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

static __noreturn __printf(1, 2) void die(const char *fmt, ...)
{
	va_list ap;

	terminal_restore();
	fputs("bh-console: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* One call of the port: RBX, RCX, RSI, RDI and R8, before and after */
struct call {
	u32 eax;
	u64 word[5];
};

static void port_call(struct call *c, u32 what)
{
	register u64 r8 __asm__("r8") = 0;

	c->eax = what;
	__asm__ volatile("inl %%dx, %%eax"
			 : "+a"(c->eax), "+b"(c->word[0]), "+c"(c->word[1]),
			   "+S"(c->word[2]), "+D"(c->word[3]), "+r"(r8)
			 : "d"(port)
			 : "memory");
	c->word[4] = r8;
	if (c->eax == BH_CONSOLE_NONE)
		die("the hypervisor has no such console or call; install the "
		    "program of its release");
}

static struct call ask(u32 what, u64 rbx, u64 rcx)
{
	struct call c = { .word = { rbx, rcx } };

	port_call(&c, what);
	return c;
}

static void find_hypervisor(void)
{
	u32 a, b, c, d;

	__cpuid(1, a, b, c, d);
	if (c >> 31)
		__cpuid(BH_CPUID_BASE, a, b, c, d);
	if (b != BH_CPUID_SIGNATURE_EBX || c != BH_CPUID_SIGNATURE_ECX ||
	    d != BH_CPUID_SIGNATURE_EDX)
		die("this system does not run under Bulkhead");
	if (a < BH_CPUID_CONSOLE)
		die("this Bulkhead is older than the program and has no "
		    "console port; update it");
	__cpuid(BH_CPUID_INFO, a, b, c, d);
	if (!(b & BH_CPUID_PRIVILEGED))
		die("this is an isolated guest; only the privileged one "
		    "reaches the consoles");
	__cpuid(BH_CPUID_CONSOLE, a, b, c, d);
	if (!a)
		die("the hypervisor found no free port for the consoles; its "
		    "log says so, and Ctrl-] shows it");
	if (b != BH_CONSOLE_VERSION)
		die("the hypervisor's console port has version %u and this "
		    "program knows %u; install the program of its release",
		    b, BH_CONSOLE_VERSION);
	port = (u16)a;
}

static void open_port(void)
{
	find_hypervisor();
	if (!ioperm(port, PORTS, 1))
		return;
	if (errno == EPERM && geteuid())
		die("only root may use the console port; use sudo");
	if (errno == EPERM)
		die("the kernel gives no I/O ports away; root needs "
		    "CAP_SYS_RAWIO, and the kernel no lockdown");
	die("the console port cannot be opened: %s", strerror(errno));
}

static u32 console_count(void)
{
	return ask(BH_CONSOLE_COUNT, 0, 0).eax;
}

/* Returns the flags; @name has BH_CONSOLE_BYTES + 1 */
static u32 console_about(u32 id, char *name)
{
	struct call c = ask(BH_CONSOLE_ABOUT, id, 0);

	memcpy(name, c.word, BH_CONSOLE_BYTES);
	name[BH_CONSOLE_BYTES] = 0;
	return c.eax;
}

static void console_why(u32 id, char *why, u32 size)
{
	u32 at = 0;

	while (at + BH_CONSOLE_BYTES < size) {
		struct call c = ask(BH_CONSOLE_WHY, id, at);
		u32 n = MIN(c.eax, (u32)BH_CONSOLE_BYTES);

		if (!n)
			break;
		memcpy(why + at, c.word, n);
		at += n;
	}
	why[at] = 0;
}

static void list(void)
{
	u32 shown = (u32)ask(BH_CONSOLE_COUNT, 0, 0).word[0];
	u32 count = console_count();

	for (u32 i = 0; i < count; i++) {
		char name[BH_CONSOLE_BYTES + 1], why[WHY_BYTES] = "";
		u32 flags = console_about(i, name);
		const char *what = flags & BH_CONSOLE_LOG   ? "the hypervisor"
				   : flags & BH_CONSOLE_OWN ? "this guest"
							    : "isolated guest";

		if (flags & BH_CONSOLE_ENDED)
			console_why(i, why, sizeof(why));
		printf("%-16s %s%s%s%s\n", name, what,
		       flags & BH_CONSOLE_ENDED ? ", ended: " : "", why,
		       i == shown || shown == count
			       ? " (on the machine's terminal)"
			       : "");
	}
}

/* By name, or by its number in the list */
static u32 find(const char *wanted)
{
	u32 count = console_count();
	char name[BH_CONSOLE_BYTES + 1], *end;
	unsigned long number = strtoul(wanted, &end, 10);

	for (u32 i = 0; i < count; i++) {
		console_about(i, name);
		if (!strcmp(name, wanted))
			return i;
	}
	if (!*wanted || *end || number >= count)
		die("there is no console %s; bh-console alone lists them",
		    wanted);
	return (u32)number;
}

static void write_all(const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);

		if (n < 0 && errno == EINTR && !told_to_end)
			continue;
		if (n <= 0)
			die("what the console says cannot be written: %s",
			    strerror(errno));
		bytes += n;
		len -= (size_t)n;
	}
}

/* One console that is shown: what comes from it and what goes to it */
struct session {
	u32 id;
	bool read_only, history_only, typed_end;
	int leave_key;     /* 0: none */
	u64 at, live_from; /* positions; before the latter it is history */
	struct replay filter;
	u32 typed_len;
	u8 typed[TYPED_BYTES];
};

static void show_loss(u64 lost)
{
	char text[64];

	write_all(text,
		  (size_t)snprintf(text, sizeof(text),
				   "\r\n(%llu bytes are lost)\r\n", lost));
}

/* History is filtered: this terminal's answers to old questions would be typed
 * there. Returns the length of @out, which is large enough. */
static u32 render(struct session *s, const u8 *bytes, u32 n, char *out)
{
	u32 len = 0;

	for (u32 i = 0; i < n; i++, s->at++) {
		if (s->at == s->live_from)
			len += replay_end(&s->filter, out + len);
		if (s->at < s->live_from)
			len += replay_byte(&s->filter, bytes[i], out + len);
		else
			out[len++] = (char)bytes[i];
	}
	return len;
}

/* What it has said since; false: nothing */
static bool show_new(struct session *s)
{
	char out[OUT_BYTES];
	bool any = false;
	u32 len = 0;

	while (!told_to_end) {
		struct call c = ask(BH_CONSOLE_READ, s->id, s->at);
		u32 n = MIN(c.eax, (u32)BH_CONSOLE_BYTES);

		if (s->history_only && s->at >= s->live_from)
			n = 0;
		if (n && c.word[0] > s->at) {
			write_all(out, len);
			len = 0;
			if (s->at)
				show_loss(c.word[0] - s->at);
			s->at = c.word[0];
		}
		len += render(s, (const u8 *)&c.word[1], n, out + len);
		any |= n;
		if (n &&
		    len + 2 * REPLAY_OUT_MAX + BH_CONSOLE_BYTES < OUT_BYTES)
			continue;
		write_all(out, len);
		len = 0;
		if (!n)
			break;
	}
	return any;
}

/* What waits is typed as far as there is room for it */
static void type_waiting(struct session *s)
{
	u32 done = 0;

	while (done < s->typed_len &&
	       ask(BH_CONSOLE_TYPE, s->id, s->typed[done]).eax)
		done++;
	memmove(s->typed, s->typed + done, s->typed_len - done);
	s->typed_len -= done;
}

/* False: the key to leave was typed */
static bool take_typed(struct session *s)
{
	ssize_t n = read(STDIN_FILENO, s->typed + s->typed_len,
			 TYPED_BYTES - s->typed_len);
	u8 *leave = NULL;

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		s->typed_end = true;
		return true;
	}
	if (s->leave_key)
		leave = memchr(s->typed + s->typed_len, s->leave_key,
			       (size_t)n);
	if (leave)
		n = leave - (s->typed + s->typed_len);
	if (!s->read_only)
		s->typed_len += (u32)n;
	return !leave;
}

static void follow(struct session *s)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	bool stays = true;

	while (stays && !told_to_end) {
		bool any = show_new(s);
		bool full = s->typed_len == TYPED_BYTES;
		int wait = any ? 0 : s->typed_len ? BUSY_MS : IDLE_MS;

		in.fd = full || s->typed_end ? -1 : STDIN_FILENO;
		if (poll(&in, 1, wait) > 0)
			stays = take_typed(s);
		type_waiting(s);
	}
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

/* Keys go to the console as they are; to a console that is only read go none,
 * and Ctrl-C ends the program */
static void terminal_raw(bool read_only)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before))
		return;
	raw = before;
	cfmakeraw(&raw);
	if (read_only)
		raw.c_lflag |= ISIG;
	is_raw = !tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

/* What is said on the caller's own console comes back to it without end */
static bool is_own_console(int fd)
{
	const char *name = ttyname(fd);

	return name &&
	       (!strcmp(name, "/dev/ttyS0") || !strcmp(name, "/dev/console"));
}

static void show(u32 id, bool read_only, bool history_only)
{
	struct session s = { .id = id,
			     .read_only = read_only,
			     .history_only = history_only };
	char name[BH_CONSOLE_BYTES + 1];
	u32 flags = console_about(id, name);

	s.live_from = ask(BH_CONSOLE_READ, id, END).word[0];
	if (history_only) {
		show_new(&s);
		return;
	}
	if ((flags & BH_CONSOLE_OWN) && is_own_console(STDOUT_FILENO))
		die("%s is this console itself; use a terminal of SSH, or -d",
		    name);
	catch_signals();
	terminal_raw(read_only);
	if (is_raw && is_own_console(STDIN_FILENO))
		s.leave_key = LEAVE_KEY_OWN;
	else if (is_raw)
		s.leave_key = LEAVE_KEY;
	if (is_raw)
		fprintf(stderr, "--- %s%s --- Ctrl-%c leaves ---\r\n", name,
			read_only ? ", read only" : "",
			s.leave_key == LEAVE_KEY ? ']' : '\\');
	follow(&s);
	if (is_raw && isatty(STDOUT_FILENO))
		write_all(TERMINAL_RESET "\r\n", sizeof(TERMINAL_RESET) + 1);
	terminal_restore();
}

static void focus(const char *name)
{
	u32 id = strcmp(name, "all") ? find(name) : console_count();

	for (u32 i = 0; i < 100; i++) {
		if (ask(BH_CONSOLE_FOCUS, id, 0).eax)
			return;
		usleep(IDLE_MS * 1000);
	}
	die("the machine's terminal does not turn to %s; try again", name);
}

static void usage(FILE *to)
{
	fputs("bh-console                list the consoles: the hypervisor's "
	      "log and each guest's\n"
	      "bh-console [-r] NAME      show what was said, then what is; "
	      "type there; Ctrl-] leaves\n"
	      "bh-console -d NAME        show what was said, and end\n"
	      "bh-console -f NAME|all    the machine's terminal shows it\n"
	      "  -r, --read-only   keys do nothing but leave\n"
	      "  -d, --dump        no more than what was said already\n"
	      "  -f, --focus       as Ctrl-] does there\n",
	      to);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "read-only", no_argument, NULL, 'r' },
		{ "dump", no_argument, NULL, 'd' },
		{ "focus", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool read_only = false;
	int what = 0, c;

	while ((c = getopt_long(argc, argv, "rdfh", options, NULL)) != -1) {
		if (c == 'r')
			read_only = true;
		else if (c == 'd' || c == 'f')
			what = c;
		else {
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	if (argc - optind > 1 || (argc == optind && (what || read_only))) {
		usage(stderr);
		return 2;
	}
	open_port();
	if (argc == optind)
		list();
	else if (what == 'f')
		focus(argv[optind]);
	else
		show(find(argv[optind]), read_only, what == 'd');
	return 0;
}
