/* SPDX-License-Identifier: BSD-2-Clause */
/* See files.h */
#include "tools/control/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes @path of the variable arguments; runs on in the caller */
#define PATH_MAKE(path, fmt)                                                   \
	do {                                                                   \
		va_list ap;                                                    \
		int n;                                                         \
		va_start(ap, fmt);                                             \
		n = vsnprintf(path, sizeof(path), fmt, ap);                    \
		va_end(ap);                                                    \
		if (n < 0 || (size_t)n >= sizeof(path))                        \
			return -ENAMETOOLONG;                                  \
	} while (0)

int file_line(char *text, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	ssize_t got;
	int fd;

	PATH_MAKE(path, fmt);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, size - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return (int)got;
	text[got] = 0;
	text[strcspn(text, "\n")] = 0;
	return 0;
}

int file_set(const char *text, const char *fmt, ...)
{
	char path[PATH_MAX];
	int fd, err = 0;

	PATH_MAKE(path, fmt);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int link_name(char *name, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t got;

	PATH_MAKE(path, fmt);
	got = readlink(path, target, sizeof(target) - 1);
	if (got < 0)
		return -errno;
	target[got] = 0;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (strlen(last) >= size)
		return -ENAMETOOLONG;
	strcpy(name, last);
	return 0;
}

static int write_whole(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

/* What was done to the name is on disk after this */
static int folder_sync(const char *path)
{
	char folder[PATH_MAX];
	char *slash;
	int fd, err = 0;

	if (snprintf(folder, sizeof(folder), "%s", path) >= (int)sizeof(folder))
		return -ENAMETOOLONG;
	slash = strrchr(folder, '/');
	if (!slash)
		return 0;
	*slash = 0;
	fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

int file_replace(const char *path, const char *text, size_t len,
		 unsigned int mode)
{
	char temporary[PATH_MAX];
	int fd, err;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
	    (int)sizeof(temporary))
		return -ENAMETOOLONG;
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	err = write_whole(fd, text, len);
	close(fd);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err) {
		unlink(temporary);
		return err;
	}
	return folder_sync(path);
}

int file_remove(const char *path)
{
	if (unlink(path) && errno != ENOENT)
		return -errno;
	return folder_sync(path);
}

static char *fd_read(int fd, size_t max, size_t *len)
{
	char *text = malloc(max + 1);

	*len = 0;
	while (text) {
		ssize_t n = read(fd, text + *len, max + 1 - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || *len + (size_t)n > max) {
			int err = n < 0 ? errno : EFBIG;

			free(text);
			errno = err;
			return NULL;
		}
		*len += (size_t)n;
		if (!n)
			break;
	}
	if (text)
		text[*len] = 0;
	return text;
}

char *file_read(const char *path, size_t max, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text;
	int err;

	if (fd < 0)
		return NULL;
	text = fd_read(fd, max, len);
	err = errno;
	close(fd);
	errno = err;
	return text;
}
