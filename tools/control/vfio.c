/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See vfio.h. In this order: the function is found in sysfs and bound to
 * vfio-pci; its group joins a container; memory is mapped; MSI-X is on; only
 * then may the caller open the ring (ring_open()). Over 400 lines: each step
 * has its sentence of what is missing.
 */
#include "tools/control/vfio.h"

#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/bulkhead/cpuid.h"
#include "tools/control/files.h"

#define PCI       "/sys/bus/pci/devices"
#define VFIO_PCI  "/sys/bus/pci/drivers/vfio-pci"
#define UNSAFE    "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
#define NAME_SIZE 64
/* Where the device sees the ring's memory: any address below 16 TiB would do */
#define IOVA 0x10000000ull

/* PCI Local Bus 3.0 6.2.2 *Device Control*: I/O space, memory, bus master */
#define COMMAND       4
#define COMMAND_BITS  7u
#define BIND_TRIES    100
#define BIND_WAIT_US  20000
#define GROUP_TRIES   40
#define GROUP_WAIT_US 50000

#define VECTORS_PER_CPU 64u

struct vfio {
	struct device device;
	int container, group, fd;
	u64 registers; /* BAR 0's place in @fd */
	bool queues;   /* vectors of guests' queues are wanted, too */
};

static struct vfio *vfio_of(struct device *d)
{
	return container_of(d, struct vfio, device);
}

int bulkhead_check(struct failure *f)
{
	u32 a, b = 0, c, d;

	__cpuid(1, a, b, c, d);
	b = 0;
	if (c >> 31)
		__cpuid(BH_CPUID_BASE, a, b, c, d);
	if (b != BH_CPUID_SIGNATURE_EBX || c != BH_CPUID_SIGNATURE_ECX ||
	    d != BH_CPUID_SIGNATURE_EDX)
		return failed(
			f, FAIL_NO_BULKHEAD,
			"this machine does not run Bulkhead; start it from "
			"the boot menu (bulkhead-try)");
	__cpuid(BH_CPUID_INFO, a, b, c, d);
	if (!(b & BH_CPUID_PRIVILEGED))
		return failed(f, FAIL_NO_BULKHEAD,
			      "this is an isolated guest of Bulkhead; only the "
			      "privileged one has the control device");
	return 0;
}

bool module_load(const char *name)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDERR_FILENO);
		execl("/sbin/modprobe", "modprobe", "-q", name, NULL);
		execlp("modprobe", "modprobe", "-q", name, NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool is_control(const char *bdf)
{
	char vendor[NAME_SIZE], device[NAME_SIZE];

	return !file_line(vendor, sizeof(vendor), PCI "/%s/vendor", bdf) &&
	       !file_line(device, sizeof(device), PCI "/%s/device", bdf) &&
	       strtoul(vendor, NULL, 16) == BH_CTL_PCI_VENDOR &&
	       strtoul(device, NULL, 16) == BH_CTL_PCI_DEVICE;
}

/* The function's address in sysfs */
static int function_find(char *bdf, struct failure *f)
{
	const struct dirent *e;
	DIR *dir = opendir(PCI);
	bool found = false;

	while (dir && !found && (e = readdir(dir))) {
		if (strlen(e->d_name) >= NAME_SIZE || !is_control(e->d_name))
			continue;
		strcpy(bdf, e->d_name);
		found = true;
	}
	if (dir)
		closedir(dir);
	return found ? 0
		     : failed(f, FAIL_NO_BULKHEAD,
			      "this Bulkhead offers no control device: it is "
			      "older than these tools, or its log says why");
}

static bool is_bound(const char *bdf)
{
	char driver[NAME_SIZE];

	return !link_name(driver, sizeof(driver), PCI "/%s/driver", bdf) &&
	       !strcmp(driver, "vfio-pci");
}

/* Gives the function to vfio-pci, and takes it from what else has it */
static int function_bind(const char *bdf, struct failure *f)
{
	int err;

	if (is_bound(bdf))
		return 0;
	if (access(VFIO_PCI, F_OK) && !module_load("vfio-pci") &&
	    access(VFIO_PCI, F_OK))
		return failed(
			f, FAIL_NO_BULKHEAD,
			"the kernel has no vfio-pci; load it (modprobe "
			"vfio-pci) or install a kernel that has the module");
	err = file_set("vfio-pci", PCI "/%s/driver_override", bdf);
	if (err == -EACCES || err == -EPERM)
		return failed(
			f, FAIL_DENIED,
			"only root may open the control device; use sudo, "
			"or start bhd (systemctl start bhd)");
	file_set(bdf, PCI "/%s/driver/unbind", bdf);
	file_set(bdf, "/sys/bus/pci/drivers_probe");
	for (u32 i = 0; i < BIND_TRIES && !is_bound(bdf); i++)
		usleep(BIND_WAIT_US);
	return is_bound(bdf)
		       ? 0
		       : failed(f, FAIL_NO_BULKHEAD,
				"vfio-pci does not take the control device "
				"%s; the kernel's log says why",
				bdf);
}

/* A bhd that was killed lets go of it a moment later */
static int group_wait(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	for (u32 i = 0; i < GROUP_TRIES && fd < 0 && errno == EBUSY; i++) {
		usleep(GROUP_WAIT_US);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	return fd;
}

static int group_open(struct vfio *v, const char *bdf, struct failure *f)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char group[NAME_SIZE], path[2 * NAME_SIZE];

	if (link_name(group, sizeof(group), PCI "/%s/iommu_group", bdf))
		return failed(f, FAIL_NO_BULKHEAD,
			      "the kernel did not start the control device's "
			      "remapping unit; boot it without intel_iommu=off "
			      "and iommu=off");
	v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (v->container < 0)
		return failed(f,
			      errno == EACCES || errno == EPERM
				      ? FAIL_DENIED
				      : FAIL_NO_BULKHEAD,
			      "/dev/vfio/vfio cannot be opened: %s; load the "
			      "module vfio_iommu_type1, and be root",
			      strerror(errno));
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	v->group = group_wait(path);
	if (v->group < 0 && errno == EBUSY)
		return failed(f, FAIL_NO_BULKHEAD,
			      "another program has the control device open; if "
			      "it is bhd, its socket is not where bhctl looks");
	if (v->group < 0)
		return failed(f,
			      errno == EACCES || errno == EPERM ? FAIL_DENIED
								: FAIL_OTHER,
			      "%s cannot be opened: %s; be root", path,
			      strerror(errno));
	if (ioctl(v->group, VFIO_GROUP_GET_STATUS, &status) ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return failed(f, FAIL_OTHER,
			      "vfio holds its group %s for unusable; another "
			      "driver has a device of it",
			      group);
	return 0;
}

/* The unit remaps no interrupts, and VFIO wants to be told that this is known.
 * The hypervisor guards the function's messages. */
static int container_join(struct vfio *v, struct failure *f)
{
	if (ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container))
		return failed(
			f, FAIL_OTHER,
			"vfio does not take the control device's group: %s",
			strerror(errno));
	file_set("Y", UNSAFE);
	if (!ioctl(v->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return 0;
	if (errno == EPERM)
		return failed(f, FAIL_DENIED,
			      "vfio wants vfio_iommu_type1."
			      "allow_unsafe_interrupts=1 and it cannot be set; "
			      "add it to the kernel's command line");
	return failed(f, FAIL_NO_BULKHEAD,
		      "vfio has no IOMMU of type 1: %s; load the module "
		      "vfio_iommu_type1",
		      strerror(errno));
}

static int memory_map(struct vfio *v, struct failure *f)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = IOVA,
		.size = RING_MEMORY_BYTES,
	};
	void *memory = mmap(NULL, RING_MEMORY_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return failed(f, FAIL_NO_ROOM, "no memory for the ring");
	/* A child would get a copy that the device does not see */
	madvise(memory, RING_MEMORY_BYTES, MADV_DONTFORK);
	v->device.memory = memory;
	v->device.iova = IOVA;
	map.vaddr = (uintptr_t)memory;
	if (!ioctl(v->container, VFIO_IOMMU_MAP_DMA, &map))
		return 0;
	return failed(f, FAIL_NO_ROOM,
		      "the ring's memory cannot be locked: %s; raise the limit "
		      "of locked memory (ulimit -l) to 1024 KiB",
		      strerror(errno));
}

static int command_set(struct vfio *v, struct failure *f)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX
	};
	struct vfio_region_info bar = { .argsz = sizeof(bar),
					.index = BH_CTL_BAR_REGS };
	u16 command = 0;

	if (ioctl(v->fd, VFIO_DEVICE_GET_REGION_INFO, &config) ||
	    ioctl(v->fd, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    bar.size < BH_CTL_DOORBELL + sizeof(u32))
		return failed(
			f, FAIL_OTHER,
			"vfio does not show the control device's registers");
	v->registers = bar.offset;
	if (pread(v->fd, &command, sizeof(command),
		  (off_t)config.offset + COMMAND) == sizeof(command)) {
		command |= COMMAND_BITS;
		if (pwrite(v->fd, &command, sizeof(command),
			   (off_t)config.offset + COMMAND) == sizeof(command))
			return 0;
	}
	return failed(
		f, FAIL_OTHER,
		"the control device's command register cannot be written");
}

static u32 vfio_read(struct device *d, enum bh_ctl_reg reg)
{
	const struct vfio *v = vfio_of(d);
	u32 value;

	if (pread(v->fd, &value, sizeof(value), (off_t)v->registers + reg) !=
	    sizeof(value))
		return ~0u;
	return value;
}

static void vfio_write(struct device *d, enum bh_ctl_reg reg, u32 value)
{
	const struct vfio *v = vfio_of(d);

	/* A write that fails leaves the command unanswered: that is noticed */
	if (pwrite(v->fd, &value, sizeof(value), (off_t)v->registers + reg) < 0)
		return;
}

static void vfio_wait(struct device *d, int ms)
{
	struct pollfd p = { .fd = d->event_fd, .events = POLLIN };
	u64 count;

	if (poll(&p, 1, ms) > 0 && read(d->event_fd, &count, sizeof(count)) < 0)
		return;
}

/* @fds: @count of them from vector @start on. 0, or what the kernel says: a
 * positive number is how many vectors it has. */
static int irqs_set(const struct vfio *v, u32 start, const s32 *fds, u32 count)
{
	struct {
		struct vfio_irq_set set;
		s32 fds[BH_CTL_VECTORS];
	} irq = {
		.set = {
			.argsz = (u32)(sizeof(irq.set) +
				       count * sizeof(irq.fds[0])),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD |
				 VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_MSIX_IRQ_INDEX,
			.start = start,
			.count = count,
		},
	};

	memcpy(irq.fds, fds, count * sizeof(irq.fds[0]));
	return ioctl(v->fd, VFIO_DEVICE_SET_IRQS, &irq);
}

/* Linux 6.1 adds none later. Each CPU has some 200 for all devices. */
static u32 vectors_wanted(const struct vfio *v)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	u32 features = v->device.ops->read((struct device *)&v->device,
					   BH_CTL_FEATURES);

	if (!v->queues || !(features & BH_CTL_FEATURE_DEVICES))
		return 1;
	return MIN(1 + VECTORS_PER_CPU * (u32)MAX(cpus, 1L),
		   (u32)BH_CTL_VECTORS);
}

/* Where the kernel has not so many, half of them */
static int events_on(struct vfio *v, struct failure *f)
{
	s32 fds[BH_CTL_VECTORS];
	u32 count = vectors_wanted(v);

	v->device.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	memset(fds, 0xff, sizeof(fds));
	fds[BH_CTL_VECTOR_EVENTS] = v->device.event_fd;
	for (; v->device.event_fd >= 0 && count; count /= 2) {
		if (irqs_set(v, 0, fds, count))
			continue;
		v->device.vectors = count;
		return 0;
	}
	return failed(f, FAIL_OTHER,
		      "the control device's interrupt cannot be had: %s",
		      strerror(errno));
}

static int vfio_vector_set(struct device *d, u32 vector, int fd)
{
	return irqs_set(vfio_of(d), vector, &fd, 1) ? -1 : 0;
}

static int vfio_doorbell_set(struct device *d, u32 number, int fd)
{
	const struct vfio *v = vfio_of(d);
	struct vfio_device_ioeventfd event = {
		.argsz = sizeof(event),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = v->registers + BH_CTL_DOORBELL,
		.data = number,
		.fd = fd,
	};

	return ioctl(v->fd, VFIO_DEVICE_IOEVENTFD, &event);
}

static void vfio_close(struct device *d)
{
	struct vfio *v = vfio_of(d);
	const int fds[] = { v->device.event_fd, v->fd, v->group, v->container };

	for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (d->memory)
		munmap(d->memory, RING_MEMORY_BYTES);
	free(v);
}

static const struct device_ops ops = {
	.read = vfio_read,
	.write = vfio_write,
	.wait = vfio_wait,
	.vector_set = vfio_vector_set,
	.doorbell_set = vfio_doorbell_set,
	.close = vfio_close,
};

static int device_get(struct vfio *v, const char *bdf, struct failure *f)
{
	v->fd = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (v->fd < 0)
		return failed(f, FAIL_OTHER,
			      "vfio does not hand out the control device: %s",
			      strerror(errno));
	return 0;
}

int vfio_open(struct device **d, bool queues, struct failure *f)
{
	struct vfio *v = malloc(sizeof(*v));
	char bdf[NAME_SIZE];

	if (!v)
		return failed(f, FAIL_NO_ROOM, "no memory for the device");
	*v = (struct vfio){ .device = { .ops = &ops, .event_fd = -1 },
			    .container = -1,
			    .group = -1,
			    .fd = -1,
			    .queues = queues };
	if (bulkhead_check(f) || function_find(bdf, f) ||
	    function_bind(bdf, f) || group_open(v, bdf, f) ||
	    container_join(v, f) || device_get(v, bdf, f) ||
	    command_set(v, f) || memory_map(v, f) || events_on(v, f)) {
		vfio_close(&v->device);
		return -1;
	}
	*d = &v->device;
	return 0;
}
