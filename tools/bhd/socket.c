/* SPDX-License-Identifier: BSD-2-Clause */
/* See socket.h */
#include "tools/bhd/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int socket_connect(const char *path, struct failure *f)
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
