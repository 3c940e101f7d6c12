/* SPDX-License-Identifier: BSD-2-Clause */
/* See dax.h */
#include "tests/unit/fakes/dax.h"

#include <fcntl.h>
#include <unistd.h>

char fake_dax_folder[64];
struct fake_dax fake_daxes[FAKE_DAX_MAX];
u32 fake_dax_count;
bool fake_dax_fails;

/* The loader opens /dev/NAME */
static void path_of(const char *name, char *path, size_t size)
{
	snprintf(path, size, "/dev/%s", name);
}

int dax_carve(const struct bh_ctl_range *range, char name[DAX_NAME_BYTES],
	      struct failure *f)
{
	static u32 number;
	char path[DAX_NAME_BYTES + 8];
	int fd;

	if (fake_dax_fails)
		return failed(f, FAIL_OTHER, "no dax today");
	assert_true(fake_dax_count < FAKE_DAX_MAX);
	for (u32 i = 0; i < fake_dax_count; i++)
		assert_true(
			fake_daxes[i].range.base + fake_daxes[i].range.size <=
				range->base ||
			range->base + range->size <= fake_daxes[i].range.base);
	assert_true(snprintf(name, DAX_NAME_BYTES, "..%.24s/m%u",
			     fake_dax_folder, number++ % 100) < DAX_NAME_BYTES);
	path_of(name, path, sizeof(path));
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)range->size), 0);
	close(fd);
	fake_daxes[fake_dax_count].range = *range;
	strcpy(fake_daxes[fake_dax_count++].name, name);
	return 0;
}

void dax_release(const char *name)
{
	char path[DAX_NAME_BYTES + 8];

	for (u32 i = 0; i < fake_dax_count; i++) {
		if (strcmp(fake_daxes[i].name, name))
			continue;
		path_of(name, path, sizeof(path));
		unlink(path);
		fake_daxes[i] = fake_daxes[--fake_dax_count];
		return;
	}
	fail_msg("there is no %s", name);
}

bool dax_is(const char *name, const struct bh_ctl_range *range)
{
	for (u32 i = 0; i < fake_dax_count; i++)
		if (!strcmp(fake_daxes[i].name, name))
			return fake_daxes[i].range.base == range->base &&
			       fake_daxes[i].range.size == range->size;
	return false;
}

void fake_dax_read(u64 offset, void *bytes, size_t count)
{
	char path[DAX_NAME_BYTES + 8];
	int fd;

	assert_true(fake_dax_count > 0);
	path_of(fake_daxes[fake_dax_count - 1].name, path, sizeof(path));
	fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, bytes, count, (off_t)offset), count);
	close(fd);
}
