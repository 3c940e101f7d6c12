/* SPDX-License-Identifier: BSD-2-Clause */
/* See socket.h. A child gives up its rights, connects, and hands the connection
 * back. */
#include "tools/bhd/socket.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECT_MS 1000

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int connect_now(const char *path, struct failure *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return failed(f, FAIL_DEFINITION,
			      "the path of the socket %.200s is too long: it "
			      "has at most %zu bytes",
			      path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !connect(fd, (const void *)&address, sizeof(address)))
		return fd;
	failed(f, FAIL_OTHER,
	       "%.200s: %s; start the back-end that listens there", path,
	       strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* @fd may be -1 */
static void hand_back(int to, int fd, const struct failure *f)
{
	struct iovec part = { (void *)f, sizeof(*f) };
	union control control = { .bytes = { 0 } };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	_exit(sendmsg(to, &m, 0) < 0);
}

static int take(int from, struct failure *f)
{
	struct pollfd p = { .fd = from, .events = POLLIN };
	struct iovec part = { f, sizeof(*f) };
	union control control = { .bytes = { 0 } };
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes) };
	const struct cmsghdr *c;
	int fd = -1;

	if (poll(&p, 1, CONNECT_MS) != 1 ||
	    recvmsg(from, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*f))
		return failed(f, FAIL_TIMEOUT, "its socket is not connected");
	f->text[sizeof(f->text) - 1] = 0;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int socket_connect(const char *path, uid_t uid, gid_t gid,
		   int (*rights)(uid_t uid, gid_t gid, struct failure *f),
		   struct failure *f)
{
	struct failure own = { 0 };
	int ends[2], fd;
	pid_t pid;

	if (uid == geteuid())
		return connect_now(path, f);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return failed(f, FAIL_NO_ROOM, "no sockets: %s",
			      strerror(errno));
	pid = fork();
	if (!pid)
		hand_back(ends[1],
			  rights(uid, gid, &own) ? -1 : connect_now(path, &own),
			  &own);
	close(ends[1]);
	fd = pid < 0 ? failed(f, FAIL_NO_ROOM, "no process: %s",
			      strerror(errno))
		     : take(ends[0], f);
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return fd;
}
