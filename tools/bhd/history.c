/* SPDX-License-Identifier: BSD-2-Clause */
/* See history.h */
#include "tools/bhd/history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_FORMAT "%016llx-%llx-%016llx.log"
#define FOLDER_MODE 0750
#define FILE_MODE   0640

static int file_path(const struct history *h, u64 start, char *path)
{
	int n = snprintf(path, PATH_MAX, "%s/" FILE_FORMAT, h->folder, h->boot,
			 h->id, start);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* A file's name as its numbers; false: it is none of ours */
static bool name_read(const char *name, u64 *boot, u64 *id, u64 *start)
{
	int used = 0;

	return sscanf(name, "%16llx-%llx-%16llx.log%n", boot, id, start,
		      &used) == 3 &&
	       used && !name[used];
}

static int by_start(const void *a, const void *b)
{
	const struct history_file *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void drop_first(struct history *h)
{
	char path[PATH_MAX];

	if (!file_path(h, h->files[0].start, path))
		unlink(path);
	h->count--;
	memmove(h->files, h->files + 1, h->count * sizeof(h->files[0]));
}

static void file_add(struct history *h, u64 start, u64 bytes)
{
	if (h->count == HISTORY_FILES)
		drop_first(h);
	h->files[h->count++] = (struct history_file){ start, bytes };
	qsort(h->files, h->count, sizeof(h->files[0]), by_start);
}

/* Of guests before it that had its name, the newest file stays */
static void others_trim(const struct history *h, const char *name,
			time_t *newest, char *kept)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", h->folder, name) >=
		    (int)sizeof(path) ||
	    stat(path, &st))
		return;
	if (st.st_mtime < *newest) {
		unlink(path);
		return;
	}
	if (*kept)
		unlink(kept);
	*newest = st.st_mtime;
	strcpy(kept, path);
}

static void folder_scan(struct history *h)
{
	DIR *dir = opendir(h->folder);
	const struct dirent *e;
	char path[PATH_MAX], kept[PATH_MAX] = "";
	time_t newest = 0;
	struct stat st;

	while (dir && (e = readdir(dir))) {
		u64 boot, id, start;

		if (!name_read(e->d_name, &boot, &id, &start))
			continue;
		if (boot != h->boot || id != h->id)
			others_trim(h, e->d_name, &newest, kept);
		else if (!file_path(h, start, path) && !stat(path, &st))
			file_add(h, start, (u64)st.st_size);
	}
	if (dir)
		closedir(dir);
}

void history_open(struct history *h, const char *folder, const char *name,
		  u64 boot, u64 id)
{
	char path[PATH_MAX];

	memset(h, 0, sizeof(*h));
	h->fd = -1;
	h->boot = boot;
	h->id = id;
	if (!folder || asprintf(&h->folder, "%s/%s", folder, name) < 0) {
		h->folder = NULL;
		return;
	}
	mkdir(folder, FOLDER_MODE);
	mkdir(h->folder, FOLDER_MODE);
	folder_scan(h);
	if (h->count && !file_path(h, h->files[h->count - 1].start, path))
		h->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
}

static void file_end(struct history *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

void history_close(struct history *h)
{
	file_end(h);
	free(h->folder);
	h->folder = NULL;
}

u64 history_end(const struct history *h)
{
	const struct history_file *last;

	if (!h->count)
		return 0;
	last = &h->files[h->count - 1];
	return last->start + last->bytes;
}

u64 history_next(const struct history *h, u64 at, bool *found)
{
	*found = true;
	for (u32 i = 0; i < h->count; i++)
		if (at < h->files[i].start + h->files[i].bytes)
			return MAX(at, h->files[i].start);
	*found = false;
	return at;
}

static int file_begin(struct history *h, u64 at)
{
	char path[PATH_MAX];

	file_end(h);
	if (file_path(h, at, path))
		return -1;
	h->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC,
		     FILE_MODE);
	if (h->fd >= 0)
		file_add(h, at, 0);
	return h->fd >= 0 ? 0 : -1;
}

/* One sentence for each time that it begins to fail */
static void append_failed(struct history *h)
{
	if (!h->failed)
		fprintf(stderr,
			"bhd: %s: %s; what this console says is not kept\n",
			h->folder, strerror(errno));
	h->failed = true;
	file_end(h);
}

void history_append(struct history *h, u64 at, const u8 *bytes, u32 count)
{
	bool goes_on = h->fd >= 0 && h->count && at == history_end(h) &&
		       h->files[h->count - 1].bytes < HISTORY_FILE_BYTES;
	ssize_t n;

	if (!h->folder || !count)
		return;
	if (!goes_on && file_begin(h, at)) {
		append_failed(h);
		return;
	}
	n = write(h->fd, bytes, count);
	if (n > 0)
		h->files[h->count - 1].bytes += (u64)n;
	if (n == (ssize_t)count)
		h->failed = false;
	else
		append_failed(h);
}

u32 history_read(const struct history *h, u64 at, u8 *bytes, u32 count)
{
	for (u32 i = 0; i < h->count; i++) {
		const struct history_file *f = &h->files[i];
		char path[PATH_MAX];
		ssize_t n = 0;
		int fd;

		if (at < f->start || at >= f->start + f->bytes ||
		    file_path(h, f->start, path))
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return 0;
		n = pread(fd, bytes, MIN((u64)count, f->start + f->bytes - at),
			  (off_t)(at - f->start));
		close(fd);
		return n > 0 ? (u32)n : 0;
	}
	return 0;
}
