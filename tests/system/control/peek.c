/* SPDX-License-Identifier: BSD-2-Clause */
/* peek DEVICE OFFSET BYTES: what a device-DAX file has there, which cannot be
 * read but mapped, on standard output. Whole units of 2 MiB are mapped. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define UNIT (2ul << 20)

int main(int argc, char **argv)
{
	size_t offset, bytes, mapped;
	char *memory;
	int fd;

	if (argc != 4)
		return 2;
	offset = strtoul(argv[2], NULL, 0);
	bytes = strtoul(argv[3], NULL, 0);
	mapped = (offset + bytes + UNIT - 1) / UNIT * UNIT;
	fd = open(argv[1], O_RDWR);
	memory = fd < 0 ? MAP_FAILED
			: mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED,
			       fd, 0);
	if (memory == MAP_FAILED) {
		perror(argv[1]);
		return 1;
	}
	return fwrite(memory + offset, 1, bytes, stdout) != bytes;
}
