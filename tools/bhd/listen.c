/* SPDX-License-Identifier: BSD-2-Clause */
/* See listen.h */
#include "tools/bhd/listen.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/bhd/client.h"

#define BACKLOG 16
/* More at once, and the newest are hung up on */
#define CLIENTS_MAX 200

static u32 client_count(const struct bhd *b)
{
	u32 n = 0;

	for (const struct client *c = b->clients; c; c = c->next)
		n++;
	return n;
}

static void on_connect(struct ev_loop *loop, ev_io *w, int events)
{
	struct listen *l = w->data;
	struct ucred who;
	socklen_t len = sizeof(who);
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (client_count(l->bhd) >= CLIENTS_MAX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len)) {
		close(fd);
		return;
	}
	(void)client_new(l->bhd, fd, who.uid, who.gid);
}

static bool somebody_answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers = fd >= 0 &&
		       !connect(fd, (const void *)address, sizeof(*address));

	if (fd >= 0)
		close(fd);
	return answers;
}

static int bind_there(struct listen *l, const struct sockaddr_un *address,
		      struct failure *f)
{
	const struct group *group = getgrnam(LISTEN_GROUP);
	mode_t mask;
	int err;

	if (somebody_answers(address))
		return failed(f, FAIL_STATE, "another bhd runs at %s", l->path);
	unlink(l->path);
	/* Nobody gets in before the group is set */
	mask = umask(0177);
	err = bind(l->fd, (const void *)address, sizeof(*address));
	umask(mask);
	if (!err && group)
		err = chown(l->path, (uid_t)-1, group->gr_gid) ||
		      chmod(l->path, 0660);
	if (err || listen(l->fd, BACKLOG))
		return failed(
			f, FAIL_OTHER,
			"the socket %s cannot be made: %s; make its folder "
			"and be root",
			l->path, strerror(errno));
	return 0;
}

int listen_start(struct listen *l, struct bhd *b, const char *path,
		 struct failure *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return failed(f, FAIL_USAGE, "the socket's path is too long");
	strcpy(address.sun_path, path);
	*l = (struct listen){ .bhd = b, .path = path };
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return failed(f, FAIL_OTHER, "no socket: %s", strerror(errno));
	if (bind_there(l, &address, f)) {
		close(l->fd);
		return -1;
	}
	ev_io_init(&l->io, on_connect, l->fd, EV_READ);
	l->io.data = l;
	ev_io_start(b->loop, &l->io);
	return 0;
}

void listen_stop(struct listen *l)
{
	ev_io_stop(l->bhd->loop, &l->io);
	close(l->fd);
	unlink(l->path);
}
