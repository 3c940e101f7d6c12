/* SOURCES: lib/cpio.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in archives, whole and damaged */
#include "lib/cpio.h"
#include "lib/errno.h"
#include "tests/unit/test.h"

#define NAME "kernel/x86/microcode/GenuineIntel.bin"

static u8 archive[4096];
static u32 used;
static struct cpio_file found;

static int setup(void **state)
{
	memset(archive, 0, sizeof(archive));
	used = 0;
	found = (struct cpio_file){ NULL };
	return 0;
}

static void pad(void)
{
	used = (used + 3) & ~3u;
}

static void add_sized(const char *name, u32 name_bytes, const char *data,
		      u32 bytes)
{
	used += (u32)sprintf((char *)archive + used,
			     "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x"
			     "%08x%08x%08x",
			     1, 0x81a4, 0, 0, 1, 0, bytes, 0, 0, 0, 0,
			     name_bytes, 0);
	memcpy(archive + used, name, strlen(name) + 1);
	used += name_bytes;
	pad();
	memcpy(archive + used, data, strlen(data));
	used += (u32)strlen(data);
	pad();
}

static void add(const char *name, const char *data)
{
	add_sized(name, (u32)strlen(name) + 1, data, (u32)strlen(data));
}

static int find(void)
{
	return cpio_find(archive, used, NAME, &found);
}

static void finds_a_file_among_others(void **state)
{
	add("kernel", "");
	add("kernel/x86/microcode", "");
	add("kernel/x86/microcode/.enuineIntel.aligned", "odd");
	add(NAME, "update");
	add("TRAILER!!!", "");
	assert_int_equal(find(), 0);
	assert_int_equal(found.size, 6);
	assert_memory_equal(found.data, "update", 6);
}

static void finds_it_behind_a_trailer_and_zeros(void **state)
{
	add("TRAILER!!!", "");
	used += 512;
	add(NAME, "second");
	assert_int_equal(find(), 0);
	assert_memory_equal(found.data, "second", 6);
}

static void a_name_that_begins_alike_is_another(void **state)
{
	add(NAME "x", "a");
	add("kernel/x86/microcode/GenuineIntel.bi", "b");
	assert_int_equal(find(), -ENOENT);
}

static void stops_where_no_header_is(void **state)
{
	static const u8 gzip[] = { 0x1f, 0x8b, 8, 0 };

	memcpy(archive, gzip, sizeof(gzip));
	used = sizeof(gzip);
	assert_int_equal(find(), -ENOENT);
	add(NAME, "never seen");
	assert_int_equal(find(), -ENOENT);
	assert_int_equal(cpio_find(archive, 0, NAME, &found), -ENOENT);
}

static void a_cut_archive_has_no_file_of_it(void **state)
{
	u32 all;

	add("a", "bc");
	add(NAME, "twelve bytes");
	all = used;
	for (used = 0; used < all; used++)
		assert_true(find() != 0);
	used = all;
	assert_int_equal(find(), 0);
}

static void sizes_that_lie_are_refused(void **state)
{
	add_sized(NAME, 0, "", 0);
	assert_int_equal(find(), -EINVAL);
	setup(NULL);
	add_sized(NAME, sizeof(NAME), "data", 0xffffffff);
	assert_int_equal(find(), -EINVAL);
	setup(NULL);
	add_sized(NAME, sizeof(NAME), "data", 4);
	memcpy(archive + 6 + 11 * 8, "ffffffff", 8);
	assert_int_equal(find(), -EINVAL);
}

static void digits_are_hexadecimal_of_either_case(void **state)
{
	add(NAME, "forty-two characters are 2A in hexadecimal");
	memcpy(archive + 6 + 6 * 8, "0000002A", 8);
	assert_int_equal(find(), 0);
	assert_int_equal(found.size, 42);
	archive[6 + 6 * 8 + 7] = 'G';
	assert_int_equal(find(), -EINVAL);
	archive[6 + 6 * 8 + 7] = '/';
	assert_int_equal(find(), -EINVAL);
	archive[6 + 6 * 8 + 7] = 0;
	assert_int_equal(find(), -EINVAL);
}

static void a_name_ends_with_a_zero(void **state)
{
	add_sized(NAME "x", sizeof(NAME), "", 0);
	assert_int_equal(find(), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_a_file_among_others, setup),
		cmocka_unit_test_setup(finds_it_behind_a_trailer_and_zeros,
				       setup),
		cmocka_unit_test_setup(a_name_that_begins_alike_is_another,
				       setup),
		cmocka_unit_test_setup(stops_where_no_header_is, setup),
		cmocka_unit_test_setup(a_cut_archive_has_no_file_of_it, setup),
		cmocka_unit_test_setup(sizes_that_lie_are_refused, setup),
		cmocka_unit_test_setup(digits_are_hexadecimal_of_either_case,
				       setup),
		cmocka_unit_test_setup(a_name_ends_with_a_zero, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
