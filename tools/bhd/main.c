/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bhd: the daemon of the privileged guest that owns Bulkhead's control device
 * (docs/bhctl.md). Its death leaves the guests alone; the next one finds them.
 *
 *   bhd [--socket PATH] [--state FOLDER] [--metrics FILE]
 *   bhd --check
 *   bhd --version
 *
 * SIGUSR2: from now on each reset of this system is announced; SIGUSR1: the one
 * that comes now is meant. bhd-announce.service sends both, so that a reset
 * that nobody announced starts this guest again, alone (docs/lifecycle.md).
 *
 * Exit status: 0 after another signal; else as bhctl's.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "include/bulkhead/version.h"
#include "tools/bhd/bhd.h"
#include "tools/bhd/listen.h"
#include "tools/bhd/metrics.h"
#include "tools/bhd/rights.h"
#include "tools/control/guests.h"
#include "tools/control/vfio.h"
#include "tools/control/wire.h"

#define STATE_FOLDER "/var/lib/bulkhead"
/* As many as bhd.service gives it */
#define FILES_MAX 16384
/* Nobody notices it who looks on */
#define CONSOLE_REST_S 0.005

struct options {
	const char *socket, *state, *metrics;
	bool check;
};

static void usage(FILE *to)
{
	fputs("bhd [--socket PATH] [--state FOLDER] [--metrics FILE]\n"
	      "  --socket   where bhctl finds it; " WIRE_SOCKET "\n"
	      "  --state    definitions and consoles; " STATE_FOLDER "\n"
	      "  --metrics  Prometheus text; " METRICS_FILE
	      ", where its folder "
	      "is\n"
	      "bhd --check   is this Bulkhead's privileged guest?\n"
	      "bhd --version\n",
	      to);
}

static void options_read(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "state", required_argument, NULL, 'd' },
		{ "metrics", required_argument, NULL, 'm' },
		{ "check", no_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .socket = WIRE_SOCKET, .state = STATE_FOLDER };
	if (!access(METRICS_FOLDER, W_OK))
		o->metrics = METRICS_FILE;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 's') {
			o->socket = optarg;
		} else if (c == 'd') {
			o->state = optarg;
		} else if (c == 'm') {
			o->metrics = optarg;
		} else if (c == 'c') {
			o->check = true;
		} else if (c == 'V') {
			puts("bhd " BULKHEAD_VERSION);
			exit(0);
		} else {
			usage(c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : FAIL_USAGE);
		}
	}
	if (optind < argc) {
		usage(stderr);
		exit(FAIL_USAGE);
	}
}

/* systemd's notification protocol, sd_notify(3) */
static void tell_systemd(const char *what)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (!path || !*path || strlen(path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, path);
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			  strlen(path));
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, what, strlen(what), MSG_NOSIGNAL, (const void *)&to,
		   len) < 0)
		fprintf(stderr, "bhd: systemd cannot be told: %m\n");
	close(fd);
}

/* A console that is kept has a file open: more than 1,024, which a process is
 * given at first, where there are so many guests */
static void more_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= FILES_MAX)
		return;
	r.rlim_cur = MIN(r.rlim_max, (rlim_t)FILES_MAX);
	setrlimit(RLIMIT_NOFILE, &r);
}

static void on_signal(struct ev_loop *loop, ev_signal *w, int events)
{
	ev_break(loop, EVBREAK_ALL);
}

static void on_announce(struct ev_loop *loop, ev_signal *w, int events)
{
	struct bhd *b = w->data;
	struct failure f;

	if (control_announce(&b->ring,
			     w->signum == SIGUSR1 ? BH_CTL_SHUTS_DOWN
						  : BH_CTL_WILL_ANNOUNCE,
			     &f))
		fprintf(stderr, "bhd: %s\n", f.text);
}

static void run(struct bhd *b)
{
	static const struct {
		int number;
		void (*fn)(struct ev_loop *loop, ev_signal *w, int events);
	} rows[] = { { SIGINT, on_signal },
		     { SIGTERM, on_signal },
		     { SIGUSR1, on_announce },
		     { SIGUSR2, on_announce } };
	ev_signal signals[ARRAY_SIZE(rows)];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		ev_signal_init(&signals[i], rows[i].fn, rows[i].number);
		signals[i].data = b;
		ev_signal_start(b->loop, &signals[i]);
	}
	tell_systemd("READY=1");
	ev_run(b->loop, 0);
	tell_systemd("STOPPING=1");
}

int main(int argc, char **argv)
{
	static struct bhd b;
	struct options o;
	struct metrics m;
	struct listen l;
	struct device *d;
	struct failure f;

	options_read(&o, argc, argv);
	if (o.check) {
		if (bulkhead_check(&f))
			goto out_fail;
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	more_files();
	umask(027);
	mkdir(o.state, 0750);
	b.folder = o.state;
	b.rights = rights_drop;
	b.rest_s = CONSOLE_REST_S;
	if (vfio_open(&d, true, &f) || bhd_start(&b, ev_loop_new(0), d, &f))
		goto out_fail;
	if (listen_start(&l, &b, o.socket, &f)) {
		bhd_stop(&b);
		goto out_fail;
	}
	if (o.metrics)
		metrics_start(&m, &b, o.metrics);
	run(&b);
	if (o.metrics)
		metrics_stop(&m);
	listen_stop(&l);
	bhd_stop(&b);
	return 0;
out_fail:
	fprintf(stderr, "bhd: %s\n", f.text);
	return (int)f.kind;
}
