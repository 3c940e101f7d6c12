/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nvme_virt DEVICE CONTROLLER RESOURCE ACTION COUNT: NVMe's Virtualization
 * Management command (NVMe 1.4, 5.22), which a controller wants before its
 * virtual functions work. In the initrd of tests/system/devices.py, built with
 * no C library. RESOURCE 0: queues, 1: interrupts. ACTION 1: the primary's
 * flexible share, 7: offline, 8: a secondary's share, 9: online.
 */
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define VIRT_MGMT 0x1c
#define WORDS     6

static long call3(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

static uint32_t number(const char *s)
{
	uint32_t n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (uint32_t)(*s - '0');
	return n;
}

/* 0: the controller took the command */
static long run(char **argv)
{
	struct nvme_admin_cmd cmd = { .opcode = VIRT_MGMT };
	long fd = call3(__NR_open, (long)argv[1], O_RDONLY, 0);

	if (fd < 0)
		return 2;
	cmd.cdw10 =
		number(argv[2]) << 16 | number(argv[3]) << 8 | number(argv[4]);
	cmd.cdw11 = number(argv[5]);
	return call3(__NR_ioctl, fd, (long)NVME_IOCTL_ADMIN_CMD, (long)&cmd) !=
	       0;
}

/* The stack as the kernel leaves it: argc, then argv */
__attribute__((used)) void start(long *stack)
{
	long code = stack[0] == WORDS ? run((char **)(stack + 1)) : 2;

	call3(__NR_exit, code, 0, 0);
	__builtin_unreachable();
}

__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call start");
