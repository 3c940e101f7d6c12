/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See loader.h. The child maps the guest's devices, gives up its rights, then
 * reads. Both ends speak struct message over a pipe, whole ones: they are
 * shorter than PIPE_BUF.
 */
#include "tools/bhd/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hv/core/pc_map.h"

#define PART_BYTES MIB(2)
/* Where files may lie: not in the first MiB, and not on both sides of 2 GiB.
 * Those that stay take whole units of what is RAM, not all. */
#define LOW_BEGIN   MIB(1)
#define UNIT        MIB(2)
#define LOW_END     GIB(2)
#define FIRST_FD    3    /* behind standard error */
#define MESSAGE_MAX 4096 /* PIPE_BUF */

struct message {
	bool last;
	u64 done, total;
	struct failure failure;
	u32 count;
	struct bh_ctl_file files[DEFINITION_FILES_MAX];
};
static_assert(sizeof(struct message) <= MESSAGE_MAX, "written in one piece");

/* From the top down, the last file highest */
int loader_plan(const u64 *sizes, u32 count, u32 stay, u64 memory, u64 *offsets)
{
	u64 end = memory;

	for (u32 i = count; i--;) {
		if (sizes[i] > memory)
			return -1;
		if (stay && i + stay + 1 == count)
			end = ALIGN_DOWN(end, UNIT);
		/* In the guest's addresses there is a hole here */
		if (end > LOW_END && end - LOW_END < sizes[i])
			end = LOW_END;
		if (end < LOW_BEGIN ||
		    end - LOW_BEGIN < ALIGN_UP(sizes[i], PAGE_SIZE))
			return -1;
		end -= ALIGN_UP(sizes[i], PAGE_SIZE);
		offsets[i] = end;
	}
	return stay && offsets[count - stay] < UNIT ? -1 : 0;
}

/* --- the child --- */

struct child {
	const struct loader *loader;
	int pipe;
	u8 *memory[PLACE_MAX];
	int fds[DEFINITION_FILES_MAX];
	u64 sizes[DEFINITION_FILES_MAX], offsets[DEFINITION_FILES_MAX];
	struct message message;
};

static void send_message(const struct child *c)
{
	if (write(c->pipe, &c->message, sizeof(c->message)) !=
	    (ssize_t)sizeof(c->message))
		_exit(1);
}

static int map_memory(struct child *c)
{
	const struct place *p = c->loader->place;
	struct failure *f = &c->message.failure;

	for (u32 i = 0; i < p->count; i++) {
		char path[DAX_NAME_BYTES + 8];
		void *m;
		int fd;

		snprintf(path, sizeof(path), "/dev/%s", c->loader->dax[i]);
		fd = open(path, O_RDWR | O_CLOEXEC);
		m = fd < 0 ? MAP_FAILED
			   : mmap(NULL, p->ranges[i].size,
				  PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (m == MAP_FAILED)
			return failed(f, FAIL_OTHER,
				      "the guest's memory %s cannot be mapped: "
				      "%s",
				      path, strerror(errno));
		c->memory[i] = m;
		close(fd);
	}
	return 0;
}

static int open_file(struct child *c, u32 i)
{
	const struct definition_file *file = &c->loader->definition->files[i];
	struct failure *f = &c->message.failure;
	struct stat st;

	c->fds[i] = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (c->fds[i] < 0)
		return failed(f, FAIL_DEFINITION, "%.300s: %s", file->path,
			      strerror(errno));
	if (fstat(c->fds[i], &st) || !S_ISREG(st.st_mode) || !st.st_size)
		return failed(f, FAIL_DEFINITION,
			      "%.300s is empty or no file; name another",
			      file->path);
	c->sizes[i] = (u64)st.st_size;
	return 0;
}

static int check_firmware(struct child *c)
{
	const struct definition *d = c->loader->definition;
	u32 last = d->file_count - 1;

	if (!d->firmware || pc_is_firmware_size(c->sizes[last]))
		return 0;
	return failed(&c->message.failure, FAIL_DEFINITION,
		      "%.300s is no firmware: its size must be a multiple of "
		      "4 KiB from 64 KiB to 16 MiB; name another file",
		      d->files[last].path);
}

/* @count bytes of @fd to @offset of the guest's memory, as far as one device
 * goes; the bytes read, 0 at the end, or -1 */
static ssize_t read_part(const struct child *c, int fd, u64 offset, u64 count)
{
	const struct place *p = c->loader->place;

	for (u32 i = 0; i < p->count; i++) {
		if (offset < p->ranges[i].size)
			return read(fd, c->memory[i] + offset,
				    MIN(count, p->ranges[i].size - offset));
		offset -= p->ranges[i].size;
	}
	errno = EFAULT;
	return -1;
}

static int copy_file(struct child *c, u32 i)
{
	const struct definition_file *file = &c->loader->definition->files[i];
	struct message *m = &c->message;
	u64 at = 0;

	while (at < c->sizes[i]) {
		ssize_t n = read_part(c, c->fds[i], c->offsets[i] + at,
				      MIN(c->sizes[i] - at, PART_BYTES));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(&m->failure, FAIL_DEFINITION,
				      "%.300s: %s", file->path,
				      n ? strerror(errno)
					: "it has become shorter");
		at += (u64)n;
		m->done += (u64)n;
		send_message(c);
	}
	snprintf(m->files[i].name, sizeof(m->files[i].name), "%s", file->name);
	m->files[i].offset = c->offsets[i];
	m->files[i].size = c->sizes[i];
	m->count = i + 1;
	return 0;
}

static int load(struct child *c)
{
	const struct definition *d = c->loader->definition;
	u64 memory = 0;

	if (map_memory(c) || c->loader->rights(c->loader->uid, c->loader->gid,
					       &c->message.failure))
		return -1;
	/* Other rights, and it is forgotten */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (u32 i = 0; i < d->file_count; i++) {
		if (open_file(c, i))
			return -1;
		c->message.total += c->sizes[i];
	}
	if (check_firmware(c))
		return -1;
	for (u32 i = 0; i < c->loader->place->count; i++)
		memory += c->loader->place->ranges[i].size;
	if (loader_plan(c->sizes, d->file_count, d->stay_count, memory,
			c->offsets))
		return failed(&c->message.failure, FAIL_DEFINITION,
			      "guest %s has %llu MiB and its files %llu MiB; "
			      "give it more memory",
			      d->config.name, memory >> 20,
			      c->message.total >> 20);
	for (u32 i = 0; i < d->file_count; i++)
		if (copy_file(c, i))
			return -1;
	return 0;
}

/* What bhd has open is not the loader's: the device would not be free when bhd
 * dies, nor would a guest's console end */
static int close_others(int fd)
{
	if (dup2(fd, FIRST_FD) < 0)
		_exit(1);
	if (close_range(FIRST_FD + 1, ~0u, 0))
		_exit(1);
	return FIRST_FD;
}

static __noreturn void child_main(const struct loader *l, int fd)
{
	static struct child c;

	c.loader = l;
	c.pipe = close_others(fd);
	c.message.failure.kind = FAIL_NONE;
	(void)load(&c);
	c.message.last = true;
	send_message(&c);
	_exit(0);
}

/* --- bhd --- */

static void reap(struct loader *l)
{
	ev_io_stop(l->loop, &l->io);
	close(l->fd);
	while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
		;
	l->pid = 0;
}

static void on_message(struct ev_loop *loop, ev_io *w, int events)
{
	struct loader *l = w->data;
	struct message m;
	ssize_t n = read(l->fd, &m, sizeof(m));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n != (ssize_t)sizeof(m)) {
		m.last = true;
		failed(&m.failure, FAIL_OTHER,
		       "the loader died; the kernel's log says why");
	}
	if (!m.last) {
		l->progress(l, m.done, m.total);
		return;
	}
	reap(l);
	l->done(l, &m.failure, m.files, MIN(m.count, DEFINITION_FILES_MAX));
}

int loader_start(struct loader *l, struct ev_loop *loop, struct failure *f)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return failed(f, FAIL_OTHER, "no pipe: %s", strerror(errno));
	l->loop = loop;
	l->pid = fork();
	if (!l->pid) {
		close(ends[0]);
		child_main(l, ends[1]);
	}
	close(ends[1]);
	l->fd = ends[0];
	if (l->pid < 0) {
		close(l->fd);
		l->pid = 0;
		return failed(f, FAIL_NO_ROOM, "no process for the loader: %s",
			      strerror(errno));
	}
	fcntl(l->fd, F_SETFL, O_NONBLOCK);
	ev_io_init(&l->io, on_message, l->fd, EV_READ);
	l->io.data = l;
	ev_io_start(loop, &l->io);
	return 0;
}

void loader_stop(struct loader *l)
{
	if (!l->pid)
		return;
	kill(l->pid, SIGKILL);
	reap(l);
}
