/* SOURCES: tools/bhd/bhd.c tools/bhd/client.c tools/bhd/console.c tools/bhd/index.c tools/bhd/events.c tools/bhd/history.c tools/bhd/request.c tools/bhd/look.c tools/bhd/inspect.c tools/bhd/last_exits.c lib/last_exit_text.c tools/bhd/debug.c tools/bhd/act.c tools/bhd/life.c tools/bhd/launch.c tools/bhd/store.c tools/bhd/devices.c tools/bhd/device_unit.c tools/bhd/device_queues.c tools/control/device_spec.c tools/bhd/backend.c tools/bhd/image.c tools/bhd/socket.c tools/bhd/vhost_user.c tools/bhd/loader.c tools/bhd/metrics.c tools/control/definition.c tools/control/place.c tools/control/files.c hv/manifest/parse.c hv/manifest/keys.c hv/manifest/lookup.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/printf.c tools/control/ring.c tools/control/guests.c tools/control/inspect.c tools/control/fail.c tools/control/wire.c lib/replay.c lib/string.c tools/bhd/stats.c tools/bhd/trace.c tools/control/meter.c tools/bhd/look_audit.c tools/control/audit.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks of guests that bhd makes, served by the host's own qemu-storage-daemon,
 * which is a package that scripts/setup installs: the test is the driver, in
 * guest memory that is a file. The control device is in this process. Over 400
 * lines: the driver, and all that becomes of one disk.
 */
#include "tests/unit/fakes/bhd.h"
#include "tests/unit/fakes/dax.h"
/* clang-format off */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
/* clang-format on */
#include "tools/bhd/devices_priv.h"
#include "tools/bhd/life_priv.h"

#define RAM_BYTES    MIB(64)
#define DISK_BYTES   MIB(1)
#define SECTOR       512u
#define WAIT_TRIES   1000 /* 10 ms apart */
#define QUEUE_SIZE   8u
#define AT_TABLE     MIB(8)
#define AT_AVAILABLE (MIB(8) + 4096)
#define AT_USED      (MIB(8) + 8192)
#define AT_HEAD      MIB(9)
#define AT_STATUS    (MIB(9) + 64)
#define AT_DATA      (MIB(9) + 4096)
#define IN           0u /* virtio 1.2 5.2.6 *Device Operation* */
#define OUT          1u

static int fd;
static const char *guest_name;
static char request[4096];
static u8 *ram;
static u16 available, used;

static const char *path_of(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", bhd_folder, name);
	return path;
}

static void file_write(const char *name, const void *bytes, size_t count,
		       size_t size)
{
	int file = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(file, bytes, count), count);
	assert_int_equal(ftruncate(file, (off_t)size), 0);
	close(file);
}

static int begin(void **state)
{
	bhd_begin(state);
	strcpy(fake_dax_folder, bhd_folder);
	fake_dax_count = 0;
	fake_dax_fails = false;
	ram = NULL;
	guest_name = "web";
	available = used = 0;
	file_write("vmlinuz", "k", 1, 4096);
	file_write("disk.img", "first", 5, DISK_BYTES);
	fd = connect_new();
	return 0;
}

static int end(void **state)
{
	close(fd);
	if (ram)
		munmap(ram, RAM_BYTES);
	return bhd_end(state);
}

static const char *answer(void)
{
	static char all[65536];
	size_t len = 0;

	*all = 0;
	for (u32 i = 0; i < WAIT_TRIES; i++) {
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s",
					heard(fd));
		if (strstr(all, "{\"reply\"") || strstr(all, "{\"error\""))
			return all;
		usleep(10000);
	}
	fail_msg("no answer: %s", all);
	return NULL;
}

/* What bhctl create says of a guest with these lines more */
static const char *create(const char *name, const char *more)
{
	snprintf(request, sizeof(request),
		 "{\"protocol\":1,\"do\":\"create\",\"stays\":true,"
		 "\"file\":\"web.conf\",\"folder\":\"%s\",\"definition\":"
		 "\"[guest %s]\\nkernel = vmlinuz\\nmemory = 64M\\n"
		 "share = memory\\n%s\"}\n",
		 bhd_folder, name, more);
	say(fd, request);
	return answer();
}

static void expect_fine(const char *text)
{
	if (!strstr(text, "{\"reply\"") || !strstr(text, "\"warnings\":[]"))
		fail_msg("%s", text);
}

static void expect_warned(const char *text, const char *why)
{
	if (!strstr(text, "{\"reply\"") || !strstr(text, why))
		fail_msg("%s, not %s", text, why);
}

static void memory_map(void)
{
	char path[DAX_NAME_BYTES + 8];
	int file;

	snprintf(path, sizeof(path), "/dev/%s",
		 fake_daxes[fake_dax_count - 1].name);
	file = open(path, O_RDWR);
	ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		   0);
	close(file);
	assert_true(ram != MAP_FAILED);
}

static struct fake_served *served(void)
{
	return &fake_find(fake, guest_name)->served[0];
}

/* The driver has made queue 0, as it goes with DRIVER_OK */
static void queue_make(void)
{
	struct fake_served *s = served();

	memory_map();
	/* No EVENT_IDX: each buffer is told of */
	s->about.accepted = (s->about.features & ~BIT(29)) | BIT(32);
	s->about.flags |= BH_CTL_DEVICE_READY;
	s->queues[0] = (struct bh_ctl_queue){ .size = QUEUE_SIZE,
					      .flags = BH_CTL_QUEUE_LIVE,
					      .desc = AT_TABLE,
					      .driver = AT_AVAILABLE,
					      .device = AT_USED };
	fake_device_news(fake, guest_name, 0);
	for (u32 i = 0; i < WAIT_TRIES && !s->queues[0].doorbell; i++)
		wait_seconds(fd, 0.01);
	assert_int_not_equal(s->queues[0].doorbell, 0);
}

static void descriptor(u32 i, u64 address, u32 bytes, u16 flags)
{
	struct {
		u64 address;
		u32 bytes;
		u16 flags, next;
	} d = { address, bytes, flags, (u16)(i + 1) };

	memcpy(ram + AT_TABLE + i * sizeof(d), &d, sizeof(d));
}

static u16 word_at(u64 at)
{
	u16 word;

	memcpy(&word, ram + at, sizeof(word));
	return word;
}

/* A sector from or to AT_DATA; the driver's notification is the vector's
 * event, and the interrupt the doorbell's */
static void transfer(u32 type, u64 sector)
{
	const struct bh_ctl_queue *q = &served()->queues[0];
	struct {
		u32 type, reserved;
		u64 sector;
	} head = { type, 0, sector };
	struct pollfd p = { .fd = fake->doorbells[q->doorbell],
			    .events = POLLIN };
	u64 one = 1;
	u16 next = available + 1;

	memcpy(ram + AT_HEAD, &head, sizeof(head));
	ram[AT_STATUS] = 0xff;
	descriptor(0, AT_HEAD, sizeof(head), 1);
	descriptor(1, AT_DATA, SECTOR, type == IN ? 3 : 1);
	descriptor(2, AT_STATUS, 1, 2);
	memset(ram + AT_AVAILABLE + 4 + 2 * (available % QUEUE_SIZE), 0, 2);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(ram + AT_AVAILABLE + 2, &next, sizeof(next));
	available = next;
	assert_int_equal(write(fake->vectors[q->vector], &one, sizeof(one)), 8);
	for (u32 i = 0; i < WAIT_TRIES && word_at(AT_USED + 2) == used; i++)
		wait_seconds(fd, 0.01);
	assert_int_equal(word_at(AT_USED + 2), (u16)(used + 1));
	used++;
	assert_int_equal(ram[AT_STATUS], 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(read(p.fd, &one, sizeof(one)), 8);
}

/* Its driver or its end takes queue 0 away */
static void queue_stop(void)
{
	struct fake_served *s = served();
	u32 stops = s->stops;

	s->queues[0].flags = BH_CTL_QUEUE_STOPS;
	s->about.flags |= BH_CTL_DEVICE_STOPS;
	fake_device_news(fake, guest_name, 0);
	for (u32 i = 0; i < WAIT_TRIES && s->stops == stops; i++)
		wait_seconds(fd, 0.01);
	assert_int_equal(s->stops, stops + 1);
	s->about.flags &= ~BH_CTL_DEVICE_STOPS;
}

static void expect_file(const char *name, size_t at, const char *text)
{
	char there[16] = "";
	int file = open(path_of(name), O_RDONLY);

	assert_int_equal(pread(file, there, strlen(text), (off_t)at),
			 strlen(text));
	close(file);
	assert_string_equal(there, text);
}

static pid_t backend_pid(void)
{
	const struct guest *g = bhd.life->guests;

	while (strcmp(g->definition.config.name, guest_name))
		g = g->next;
	return g->devices.units[0].backend.pid;
}

/* --- tests --- */

static void test_serves(void **state)
{
	u64 sectors;

	expect_fine(create("web", "disk = disk.img\\n"));
	assert_int_equal(served()->offers, 1);
	memcpy(&sectors, served()->offer.config, sizeof(sectors));
	assert_int_equal(sectors, DISK_BYTES / SECTOR);
	/* Its own features and its rings', without the protocol's */
	assert_false(served()->offer.features & (BIT(11) | BIT(26) | BIT(30)));
	queue_make();
	transfer(IN, 0);
	assert_string_equal(ram + AT_DATA, "first");
	strcpy((char *)ram + AT_DATA, "second");
	transfer(OUT, 3);
	memset(ram + AT_DATA, 0, SECTOR);
	transfer(IN, 3);
	assert_string_equal(ram + AT_DATA, "second");
	queue_stop();
	assert_int_equal(backend_pid(), 0);
	expect_file("disk.img", 3 * SECTOR, "second");
}

/* A driver that begins anew, such as the kernel's behind a firmware's */
static void test_driver_again(void **state)
{
	expect_fine(create("web", "disk = disk.img,cache=writeback\\n"));
	for (u32 i = 0; i < 3; i++) {
		queue_make();
		transfer(IN, 0);
		assert_string_equal(ram + AT_DATA, "first");
		queue_stop();
		memset(ram + AT_TABLE, 0, 3 * 4096);
		available = used = 0;
		munmap(ram, RAM_BYTES);
	}
	ram = NULL;
}

/* One that does nothing else gets a process ever later */
static void test_driver_without_end(void **state)
{
	expect_fine(create("web", "disk = disk.img\\n"));
	for (u32 i = 0; i < 9; i++) {
		queue_make();
		queue_stop();
		munmap(ram, RAM_BYTES);
	}
	ram = NULL;
	served()->queues[0].flags = BH_CTL_QUEUE_LIVE;
	fake_device_news(fake, guest_name, 0);
	wait_seconds(fd, 0.3);
	assert_int_equal(backend_pid(), 0);
	queue_make();
	transfer(IN, 0);
	queue_stop();
}

/* Each in its turn, whoever has the most news */
static void test_turns(void **state)
{
	struct guest *first, *second;

	expect_fine(create("a", "disk = disk.img,readonly\\n"));
	expect_fine(create("b", "disk = disk.img,readonly\\n"));
	turn();
	first = bhd.life->guests;
	second = first->next;
	for (u32 i = 0; i < 2; i++) {
		first->devices.news = true;
		second->devices.news |= !i;
		assert_true(devices_work(&bhd));
	}
	assert_false(second->devices.news);
}

static void test_backend_dies(void **state)
{
	pid_t before;

	expect_fine(create("web", "disk = disk.img,format=raw\\n"));
	queue_make();
	transfer(IN, 0);
	before = backend_pid();
	assert_int_equal(kill(before, SIGKILL), 0);
	for (u32 i = 0; i < WAIT_TRIES && backend_pid() == before; i++)
		wait_seconds(fd, 0.01);
	for (u32 i = 0; i < WAIT_TRIES && !backend_pid(); i++)
		wait_seconds(fd, 0.01);
	for (u32 i = 0; i < WAIT_TRIES && !served()->queues[0].doorbell; i++)
		wait_seconds(fd, 0.01);
	memset(ram + AT_DATA, 0, SECTOR);
	/* The interrupt that may have been lost */
	assert_int_equal(read(fake->doorbells[served()->queues[0].doorbell],
			      (u64[]){ 0 }, 8),
			 8);
	transfer(IN, 0);
	assert_string_equal(ram + AT_DATA, "first");
	queue_stop();
}

/* A queue without a back-end has no doorbell that another's would need */
static void test_other_dies(void **state)
{
	file_write("a.img", "first", 5, DISK_BYTES);
	guest_name = "a";
	expect_fine(create("a", "disk = a.img\\n"));
	queue_make();
	unlink(path_of("a.img"));
	assert_int_equal(kill(backend_pid(), SIGKILL), 0);
	for (u32 i = 0; i < WAIT_TRIES && backend_pid(); i++)
		wait_seconds(fd, 0.01);
	wait_seconds(fd, 0.1);
	assert_int_equal(served()->queues[0].doorbell, 0);
	munmap(ram, RAM_BYTES);
	guest_name = "web";
	expect_fine(create("web", "disk = disk.img\\n"));
	queue_make();
	transfer(IN, 0);
	queue_stop();
}

/* What a driver did while the control device was closed */
static void test_device_again(void **state)
{
	struct fake_served *s;

	expect_fine(create("web", "disk = disk.img\\n"));
	memory_map();
	s = served();
	s->about.accepted = (s->about.features & ~BIT(29)) | BIT(32);
	s->about.flags |= BH_CTL_DEVICE_READY;
	s->queues[0] = (struct bh_ctl_queue){ .size = QUEUE_SIZE,
					      .flags = BH_CTL_QUEUE_LIVE,
					      .desc = AT_TABLE,
					      .driver = AT_AVAILABLE,
					      .device = AT_USED };
	fake->status = BH_CTL_OVERRUN;
	for (u32 i = 0; i < WAIT_TRIES && !s->queues[0].doorbell; i++)
		wait_seconds(fd, 0.01);
	assert_int_not_equal(s->queues[0].doorbell, 0);
	transfer(IN, 0);
	queue_stop();
}

static void test_next_bhd(void **state)
{
	expect_fine(create("web", "disk = disk.img\\n"));
	queue_make();
	transfer(IN, 0);
	close(fd);
	bhd_again_stop();
	served()->queues[0].vector = served()->queues[0].doorbell = 0;
	for (u32 i = 1; i < FAKE_VECTORS; i++)
		assert_int_equal(fake->vectors[i], -1);
	bhd_again_start();
	fd = connect_new();
	for (u32 i = 0; i < WAIT_TRIES && !served()->queues[0].doorbell; i++)
		wait_seconds(fd, 0.01);
	assert_int_not_equal(served()->queues[0].doorbell, 0);
	assert_int_equal(read(fake->doorbells[served()->queues[0].doorbell],
			      (u64[]){ 0 }, 8),
			 8);
	strcpy((char *)ram + AT_DATA, "second");
	transfer(OUT, 1);
	queue_stop();
	expect_file("disk.img", SECTOR, "second");
}

/* A process that does not end by SIGTERM */
static pid_t stubborn(void)
{
	pid_t pid = fork();

	if (!pid) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
	return pid;
}

/* A back-end of a bhd that died, which does not end, neither */
static void test_remains(void **state)
{
	const struct backend b = { .folder = path_of("back-ends"),
				   .name = "web.0" };
	pid_t pid = stubborn();
	struct failure f;

	assert_int_equal(backend_keep(&b, pid, &f), 0);
	expect_fine(create("web", "disk = disk.img\\n"));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), pid);
}

/* A number alone, as somebody else's process may have, kills nobody */
static void test_not_another(void **state)
{
	pid_t pid = stubborn();
	char text[16];

	snprintf(text, sizeof(text), "%d\n", pid);
	assert_int_equal(mkdir(path_of("back-ends"), 0700), 0);
	file_write("back-ends/web.0.pid", text, strlen(text), strlen(text));
	expect_fine(create("web", "disk = disk.img\\n"));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A guest without its disk runs, and who made it is told */
static void test_warned(void **state)
{
	static const u8 chain[104] = {
		'Q', 'F', 'I', 0xfb, [7] = 3, [15] = 96, [19] = 5
	};

	expect_warned(create("a", "disk = none.img\\n"), "guest a: disk 0: ");
	expect_warned(create("b", "disk = none.img\\n"),
		      "none.img: No such file or directory");
	file_write("empty", "", 0, 0);
	expect_warned(create("c", "disk = empty\\n"), "is empty and no image");
	expect_warned(create("d", "disk = disk.img,format=qcow2\\n"),
		      "is no qcow2 image");
	file_write("chain.qcow2", chain, sizeof(chain), 4096);
	expect_warned(create("e", "disk = chain.qcow2\\n"),
		      "leads to another file");
	turn();
	assert_int_equal(fake_find(fake, "a")->about.state, BH_CTL_RUNNING);
	assert_int_equal(fake_find(fake, "a")->served[0].offers, 0);
}

static void test_more_warnings(void **state)
{
	static const u8 chain[104] = { 'Q',        'F',        'I',
				       0xfb,       [7] = 3,    [15] = 96,
				       [19] = 5,   [96] = 'b', [97] = 'a',
				       [98] = 's', [99] = 'e', [100] = '1' };

	file_write("chain", chain, sizeof(chain), 4096);
	expect_warned(create("a", "disk = chain,format=qcow2\\n"),
		      "base1: No such file");
	expect_fine(create("b", "disk = disk.img\\n"));
	expect_warned(create("c", "disk = disk.img\\n"),
		      "is a disk of guest b; end it");
	expect_warned(create("d", "disk = disk.img\\ndisk = chain\\n"),
		      "guest d: disk 1: ");
}

static void test_refused(void **state)
{
	const char *text = create("a", "disk = disk.img,fast\\n");

	assert_non_null(strstr(text, "{\"error\""));
	assert_non_null(strstr(text, "web.conf:5: fast: no such option"));
	assert_null(fake_find(fake, "a"));
}

/* A back-end that somebody has started listens in the folder */
static pid_t somebody_starts(void)
{
	char file[256], export[256];
	pid_t pid;

	snprintf(file, sizeof(file), "driver=file,node-name=disk,filename=%s",
		 path_of("disk.img"));
	snprintf(export, sizeof(export),
		 "type=vhost-user-blk,id=disk,node-name=disk,writable=on,"
		 "addr.type=unix,addr.path=%s",
		 path_of("disk.sock"));
	pid = fork();
	if (!pid) {
		execlp("qemu-storage-daemon", "qemu-storage-daemon",
		       "--blockdev", file, "--export", export, NULL);
		_exit(1);
	}
	for (u32 i = 0; i < WAIT_TRIES && access(path_of("disk.sock"), F_OK);
	     i++)
		usleep(10000);
	return pid;
}

static void test_socket(void **state)
{
	pid_t pid = somebody_starts();

	expect_warned(create("a", "vhost-user = none.sock,type=2,config=60\\n"),
		      "start the back-end that listens there");
	expect_fine(
		create("web", "vhost-user = disk.sock,type=2,config=60\\n"));
	for (u32 i = 0; i < 2; i++) {
		queue_make();
		transfer(IN, 0);
		assert_string_equal(ram + AT_DATA, "first");
		queue_stop();
		memset(ram + AT_TABLE, 0, 3 * 4096);
		available = used = 0;
		munmap(ram, RAM_BYTES);
	}
	ram = NULL;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* Somebody's back-end that hangs has the guest's memory until it has ended */
static void test_socket_hangs(void **state)
{
	pid_t pid = somebody_starts();
	struct fake_served *s;

	expect_fine(
		create("web", "vhost-user = disk.sock,type=2,config=60\\n"));
	queue_make();
	transfer(IN, 0);
	s = served();
	kill(pid, SIGSTOP);
	s->queues[0].flags = BH_CTL_QUEUE_STOPS;
	s->about.flags |= BH_CTL_DEVICE_STOPS;
	fake_device_news(fake, guest_name, 0);
	wait_seconds(fd, 7.);
	assert_int_equal(s->stops, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (u32 i = 0; i < WAIT_TRIES && !s->stops; i++)
		wait_seconds(fd, 0.01);
	assert_int_equal(s->stops, 1);
}

/* The guest writes a header of qcow2 without any other file, and a size of its
 * own: its raw image stays raw, and is refused before it is read otherwise */
static void test_turns_qcow2(void **state)
{
	static const u8 header[104] = { 'Q', 'F', 'I', 0xfb, [7] = 2 };

	file_write("disk.img", header, sizeof(header), DISK_BYTES);
	expect_warned(create("a", "disk = disk.img\\n"),
		      "is not named so, as a guest could have written");
	file_write("disk.qcow2", "first", 5, DISK_BYTES);
	expect_warned(create("b", "disk = disk.qcow2\\n"), "is no qcow2 image");
	expect_fine(create("web", "disk = disk.img,format=raw\\n"));
	queue_make();
	transfer(IN, 0);
	assert_memory_equal(ram + AT_DATA, header, sizeof(header));
	queue_stop();
}

/* Two of one guest: the one that is wrong is not there, the other is */
static void test_two(void **state)
{
	expect_warned(create("web", "disk = disk.img\\ndisk = none.img\\n"),
		      "guest web: disk 1: ");
	assert_int_equal(served()->offers, 1);
	queue_make();
	transfer(IN, 0);
	assert_string_equal(ram + AT_DATA, "first");
	queue_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_serves, begin, end),
		cmocka_unit_test_setup_teardown(test_driver_again, begin, end),
		cmocka_unit_test_setup_teardown(test_driver_without_end, begin,
						end),
		cmocka_unit_test_setup_teardown(test_turns, begin, end),
		cmocka_unit_test_setup_teardown(test_backend_dies, begin, end),
		cmocka_unit_test_setup_teardown(test_other_dies, begin, end),
		cmocka_unit_test_setup_teardown(test_device_again, begin, end),
		cmocka_unit_test_setup_teardown(test_next_bhd, begin, end),
		cmocka_unit_test_setup_teardown(test_remains, begin, end),
		cmocka_unit_test_setup_teardown(test_not_another, begin, end),
		cmocka_unit_test_setup_teardown(test_warned, begin, end),
		cmocka_unit_test_setup_teardown(test_more_warnings, begin, end),
		cmocka_unit_test_setup_teardown(test_refused, begin, end),
		cmocka_unit_test_setup_teardown(test_socket_hangs, begin, end),
		cmocka_unit_test_setup_teardown(test_turns_qcow2, begin, end),
		cmocka_unit_test_setup_teardown(test_two, begin, end),
		cmocka_unit_test_setup_teardown(test_socket, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
