/* SOURCES: tools/control/files.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that must be there, or not, after the power has failed */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "tools/control/files.h"

static char folder[] = "/tmp/bh-files.XXXXXX";
static char path[64];
static u32 files_synced, folders_synced;
static bool there; /* @path, when its folder was last written to disk */

/* Instead of the C library's */
int fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode)) {
		folders_synced++;
		there = !access(path, F_OK);
	} else {
		files_synced++;
	}
	return 0;
}

static int begin(void **state)
{
	files_synced = folders_synced = 0;
	return 0;
}

static int make_folder(void **state)
{
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.json", folder);
	return 0;
}

static int remove_folder(void **state)
{
	return rmdir(folder);
}

static void test_replace(void **state)
{
	size_t len;
	char *text;

	for (u32 i = 1; i <= 2; i++) {
		assert_int_equal(file_replace(path, "text", 4, 0600), 0);
		assert_int_equal(files_synced, i);
		assert_int_equal(folders_synced, i);
		assert_true(there);
	}
	text = file_read(path, 4, &len);
	assert_non_null(text);
	assert_string_equal(text, "text");
	free(text);
}

/* Of the file that the test before left */
static void test_remove(void **state)
{
	assert_int_equal(file_remove(path), 0);
	assert_int_equal(folders_synced, 1);
	assert_false(there);
	assert_int_equal(access(path, F_OK), -1);
	/* One that is gone may still be on disk */
	assert_int_equal(file_remove(path), 0);
	assert_int_equal(folders_synced, 2);
}

static void test_cannot_remove(void **state)
{
	assert_int_equal(file_remove(folder), -EISDIR);
	assert_int_equal(file_remove("/nowhere/at/all"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_replace, begin),
		cmocka_unit_test_setup(test_remove, begin),
		cmocka_unit_test_setup(test_cannot_remove, begin),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
