/* SPDX-License-Identifier: BSD-2-Clause */
/* See backend.h. The child opens and judges the image with its new rights, and
 * becomes qemu-storage-daemon; what it finds wrong it says by the status pipe,
 * which closes with the exec. Over 400 lines: one process, from its files to
 * its end. */
#include "tools/bhd/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bhd/image.h"
#include "tools/control/files.h"
#include "tools/control/wire.h"

#define PROGRAM    "qemu-storage-daemon"
#define PATIENCE_S 30. /* what it has begun, it finishes */
#define BACKLOG    4
#define LEAVE_MS   5000
/* The child's files: standard ones, then these, the last of which goes with the
 * exec */
#define LISTEN_FD 3
#define STATUS_FD 4
#define ABOVE_FD  64

#define PROCESS_BYTES 128

/* --- the child --- */

static char *json_line(struct json_object *o)
{
	return strdup(
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
}

static void add_cache(struct json_object *o, const struct device_spec *s)
{
	struct json_object *cache = json_object_new_object();

	wire_add(cache, "direct", json_object_new_boolean(s->direct));
	wire_add(o, "cache", cache);
	wire_add(o, "read-only", json_object_new_boolean(s->readonly));
	wire_add_string(o, "discard", "unmap");
}

/* The format is said, so that nobody guesses it from what the guest wrote */
static char *blockdev_text(const struct device_spec *s,
			   enum image_format format, bool is_disk)
{
	struct json_object *file = json_object_new_object();
	struct json_object *o = json_object_new_object();

	wire_add_string(file, "driver", is_disk ? "host_device" : "file");
	wire_add_string(file, "filename", s->path);
	add_cache(file, s);
	wire_add_string(o, "driver", format == IMAGE_QCOW2 ? "qcow2" : "raw");
	wire_add_string(o, "node-name", "disk");
	add_cache(o, s);
	wire_add(o, "file", file);
	return json_line(o);
}

static char *export_text(const struct device_spec *s)
{
	struct json_object *address = json_object_new_object();
	struct json_object *o = json_object_new_object();
	char fd[16];

	snprintf(fd, sizeof(fd), "%d", LISTEN_FD);
	wire_add_string(address, "type", "fd");
	wire_add_string(address, "str", fd);
	wire_add_string(o, "type", "vhost-user-blk");
	wire_add_string(o, "id", "disk");
	wire_add_string(o, "node-name", "disk");
	wire_add(o, "addr", address);
	wire_add(o, "writable", json_object_new_boolean(!s->readonly));
	wire_add_number(o, "num-queues", s->queues);
	return json_line(o);
}

static int become(const struct backend *b, pid_t parent, struct failure *f)
{
	enum image_format format;
	struct stat st;

	if (b->rights(b->uid, b->gid, f))
		return -1;
	/* Other rights, and it is forgotten */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	if (image_check(b->spec, &format, f))
		return -1;
	execlp(PROGRAM, PROGRAM, "--blockdev",
	       blockdev_text(b->spec, format,
			     !stat(b->spec->path, &st) && S_ISBLK(st.st_mode)),
	       "--export", export_text(b->spec), NULL);
	if (errno == ENOENT)
		return failed(f, FAIL_OTHER,
			      "there is no " PROGRAM "; install the package "
			      "qemu-system-common");
	return failed(f, FAIL_OTHER, PROGRAM " cannot be started: %s",
		      strerror(errno));
}

/* Each of @fds, which may be any numbers, gets its own */
static void files_place(const int *fds, u32 count)
{
	int high[STATUS_FD + 1];

	for (u32 i = 0; i < count; i++)
		high[i] = fcntl(fds[i], F_DUPFD, ABOVE_FD);
	for (u32 i = 0; i < count; i++)
		if (high[i] < 0 || dup2(high[i], (int)i) < 0)
			_exit(1);
	fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC);
	if (close_range(count, ~0u, 0))
		_exit(1);
}

static __noreturn void child_main(const struct backend *b, pid_t parent,
				  int listener, int status, int errors)
{
	const int fds[] = { open("/dev/null", O_RDONLY), errors, errors,
			    listener, status };
	struct failure f = { 0 };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	files_place(fds, ARRAY_SIZE(fds));
	if (!backend_keep(b, getpid(), &f))
		(void)become(b, parent, &f);
	if (write(STATUS_FD, &f, sizeof(f)) < 0)
		_exit(2);
	_exit(1);
}

/* --- its files --- */

static int folder_open(const struct backend *b)
{
	mkdir(b->folder, 0700);
	return open(b->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* However long the folder's path is, an address has room for this */
static int socket_address(const struct backend *b, int folder,
			  struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return snprintf(address->sun_path, sizeof(address->sun_path),
			"/proc/self/fd/%d/%.48s.sock", folder, b->name);
}

static int listen_there(const struct backend *b, int folder)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	socket_address(b, folder, &address);
	unlink(address.sun_path);
	if (!bind(fd, (const void *)&address, sizeof(address)) &&
	    !listen(fd, BACKLOG))
		return fd;
	close(fd);
	return -1;
}

int backend_connect(const struct backend *b, struct failure *f)
{
	struct sockaddr_un address;
	int folder = folder_open(b);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	socket_address(b, folder, &address);
	if (folder >= 0 && fd >= 0 &&
	    !connect(fd, (const void *)&address, sizeof(address))) {
		close(folder);
		return fd;
	}
	failed(f, FAIL_OTHER, "its back-end takes no connection: %s",
	       strerror(errno));
	if (folder >= 0)
		close(folder);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- which process it is --- */

/* A number may be another's later, a process is told apart by its start and the
 * kernel's too. @text is empty: there is no such process. Its name, which may
 * hold anything, ends at the last parenthesis: proc_pid_stat(5). */
static void process_text(pid_t pid, char *text, size_t size)
{
	char path[32], stat[1024], boot[64] = "", state;
	unsigned long long start;
	const char *at;
	ssize_t n;
	int fd;

	*text = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	stat[n < 0 ? 0 : n] = 0;
	at = strrchr(stat, ')');
	if (!at || sscanf(at,
			  ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
			  "%*u %*u %*d %*d %*d %*d %*d %*d %llu",
			  &state, &start) != 2)
		return;
	if (state != 'Z' && state != 'X' &&
	    !file_line(boot, sizeof(boot), "/proc/sys/kernel/random/boot_id"))
		snprintf(text, size, "%d %llu %s", pid, start, boot);
}

static int process_file(const struct backend *b, char *path)
{
	mkdir(b->folder, 0700);
	return snprintf(path, PATH_MAX, "%s/%s.pid", b->folder, b->name) <
			       PATH_MAX
		       ? 0
		       : -1;
}

int backend_keep(const struct backend *b, pid_t pid, struct failure *f)
{
	char path[PATH_MAX], text[PROCESS_BYTES];
	int err = -EINVAL;

	process_text(pid, text, sizeof(text));
	if (*text && !process_file(b, path))
		err = file_replace(path, text, strlen(text), 0600);
	return err ? failed(f, FAIL_OTHER,
			    "which process its back-end is cannot be kept: %s",
			    strerror(-err))
		   : 0;
}

void backend_forget(const struct backend *b)
{
	char path[PATH_MAX];

	if (!process_file(b, path))
		(void)file_remove(path);
}

/* 0: it is no more */
static pid_t process_kept(const struct backend *b)
{
	char kept[PROCESS_BYTES] = "", text[PROCESS_BYTES];
	char path[PATH_MAX];
	pid_t pid;

	if (process_file(b, path) || file_line(kept, sizeof(kept), "%s", path))
		return 0;
	pid = atoi(kept);
	if (pid <= 1)
		return 0;
	process_text(pid, text, sizeof(text));
	return strcmp(kept, text) ? 0 : pid;
}

bool backend_remains(const struct backend *b)
{
	return process_kept(b) != 0;
}

/* The process is still the one that is kept when it is held */
void backend_kill_remains(const struct backend *b)
{
	pid_t pid = process_kept(b);
	int fd = pid ? pidfd_open(pid, 0) : -1;

	if (fd < 0)
		return;
	if (process_kept(b) == pid) {
		fprintf(stderr,
			"bhd: %s: its back-end of before does not end; it is "
			"killed\n",
			b->label);
		pidfd_send_signal(fd, SIGKILL, NULL, 0);
	}
	close(fd);
}

/* --- bhd --- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void forget(struct backend *b)
{
	ev_io_stop(b->loop, &b->exit);
	ev_io_stop(b->loop, &b->output);
	ev_timer_stop(b->loop, &b->patience);
	close_fd(&b->pidfd);
	close_fd(&b->status);
	close_fd(&b->errors);
	b->pid = 0;
}

static void line_end(struct backend *b)
{
	b->line[b->line_bytes] = 0;
	b->line_bytes = 0;
	text_clean(b->line);
	if (!*b->line)
		return;
	strcpy(b->said, b->line);
	fprintf(stderr, "bhd: %s: %s\n", b->label, b->said);
}

/* What there is to read now; false: no more comes */
static bool output_take(struct backend *b)
{
	char text[BACKEND_LINE_BYTES];
	ssize_t n = read(b->errors, text, sizeof(text));

	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n' || b->line_bytes + 1 == sizeof(b->line))
			line_end(b);
		if (text[i] != '\n')
			b->line[b->line_bytes++] = text[i];
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void on_output(struct ev_loop *loop, ev_io *w, int events)
{
	if (!output_take(w->data))
		ev_io_stop(loop, w);
}

/* Of one that nobody stopped, and of one that says why */
static void why(struct backend *b, int status, struct failure *f)
{
	struct failure own;
	const char *words = strstr(b->said, PROGRAM ": ");

	if (read(b->status, &own, sizeof(own)) == (ssize_t)sizeof(own)) {
		*f = own;
		f->text[sizeof(f->text) - 1] = 0;
		return;
	}
	if (WIFSIGNALED(status)) {
		failed(f, FAIL_OTHER, PROGRAM " was ended by signal %d",
		       WTERMSIG(status));
		return;
	}
	failed(f, FAIL_OTHER, PROGRAM " has ended: %.300s",
	       words      ? words + strlen(PROGRAM ": ")
	       : *b->said ? b->said
			  : "it says nothing");
}

static void on_ended(struct ev_loop *loop, ev_io *w, int events)
{
	struct backend *b = w->data;
	struct failure f = { 0 };
	int status;

	if (waitpid(b->pid, &status, WNOHANG) != b->pid)
		return;
	for (u32 i = 0; i < 64 && b->errors >= 0; i++)
		if (!output_take(b) || errno == EAGAIN)
			break;
	if (!b->stopping || (WIFEXITED(status) && WEXITSTATUS(status)))
		why(b, status, &f);
	forget(b);
	b->ended(b, &f);
}

static void on_patience(struct ev_loop *loop, ev_timer *w, int events)
{
	const struct backend *b = w->data;

	fprintf(stderr, "bhd: %s: its back-end does not end; it is killed\n",
		b->label);
	kill(b->pid, SIGKILL);
}

static void watch(struct backend *b)
{
	fcntl(b->errors, F_SETFL, O_NONBLOCK);
	fcntl(b->status, F_SETFL, O_NONBLOCK);
	ev_io_init(&b->exit, on_ended, b->pidfd, EV_READ);
	ev_io_init(&b->output, on_output, b->errors, EV_READ);
	ev_timer_init(&b->patience, on_patience, PATIENCE_S, PATIENCE_S);
	b->exit.data = b->output.data = b->patience.data = b;
	ev_io_start(b->loop, &b->exit);
	ev_io_start(b->loop, &b->output);
	b->line_bytes = 0;
	b->said[0] = 0;
	b->stopping = false;
}

/* The child's ends of pipes are @errors and @status */
static int spawn(struct backend *b, int listener, struct failure *f)
{
	int errors[2] = { -1, -1 }, status[2] = { -1, -1 };
	pid_t parent = getpid();

	if (!pipe2(errors, O_CLOEXEC) && !pipe2(status, O_CLOEXEC))
		b->pid = fork();
	else
		b->pid = -1;
	if (!b->pid)
		child_main(b, parent, listener, status[1], errors[1]);
	b->pidfd = b->pid > 0 ? pidfd_open(b->pid, 0) : -1;
	close_fd(&errors[1]);
	close_fd(&status[1]);
	b->errors = errors[0];
	b->status = status[0];
	if (b->pidfd >= 0)
		return 0;
	failed(f, FAIL_NO_ROOM, "no process for its back-end: %s",
	       strerror(errno));
	if (b->pid > 0) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	b->pid = 0;
	close_fd(&b->errors);
	close_fd(&b->status);
	return -1;
}

int backend_start(struct backend *b, struct failure *f)
{
	int folder = -1, listener = -1, err = -1;

	b->pid = 0;
	b->pidfd = b->status = b->errors = -1;
	if (backend_remains(b))
		return failed(f, FAIL_STATE,
			      "its back-end of before has not ended yet");
	folder = folder_open(b);
	if (folder < 0)
		return failed(f, FAIL_OTHER, "%.300s: %s", b->folder,
			      strerror(errno));
	listener = listen_there(b, folder);
	if (listener < 0) {
		failed(f, FAIL_OTHER, "no socket for its back-end: %s",
		       strerror(errno));
		goto out;
	}
	err = spawn(b, listener, f);
	if (err)
		goto out;
	watch(b);
out:
	close_fd(&listener);
	close_fd(&folder);
	return err;
}

void backend_stop(struct backend *b)
{
	if (!b->pid || b->stopping)
		return;
	b->stopping = true;
	kill(b->pid, SIGTERM);
	ev_timer_start(b->loop, &b->patience);
}

void backend_hurry(const struct backend *b)
{
	if (b->pid)
		kill(b->pid, SIGTERM);
}

void backend_leave(struct backend *b)
{
	struct pollfd p = { .fd = b->pidfd, .events = POLLIN };

	if (!b->pid)
		return;
	kill(b->pid, SIGTERM);
	if (poll(&p, 1, LEAVE_MS) != 1)
		kill(b->pid, SIGKILL);
	while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
		;
	forget(b);
}
