/* SOURCES: arch/x86/machine/ucode_amd.c tests/unit/arch/x86/machine/ucode_file.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Made-up containers of AMD's microcode: the patch that is taken, and each kind
 * of damage */
#include "include/hw/microcode.h"
#include "tests/unit/arch/x86/machine/ucode_file.h"

#define SIGNATURE 0x00a20f12u
#define ID        0xa212u

static void put(const void *data, u32 bytes)
{
	memcpy(file.bytes + used, data, bytes);
	used += bytes;
}

static void put_word(u32 word)
{
	put(&word, sizeof(word));
}

static void add_container(u32 signature, u16 id)
{
	const struct ucode_amd_equivalence rows[] = {
		{ 0x00800f12, 0, 0, 0x8012, 0 },
		{ signature, 0, 0, id, 0 },
		{ 0 },
	};

	put_word(UCODE_AMD_MAGIC);
	put_word(UCODE_AMD_EQUIVALENCES);
	put_word(sizeof(rows));
	put(rows, sizeof(rows));
}

/* Returns where the patch begins */
static u32 add_patch(u16 id, u32 revision, u32 bytes)
{
	const struct ucode_amd_patch p = { .revision = revision,
					   .processor_id = id };
	u32 at;

	put_word(UCODE_AMD_PATCH);
	put_word(bytes);
	at = used;
	put(&p, sizeof(p));
	used += bytes - (u32)sizeof(p);
	return at;
}

static int setup(void **state)
{
	ucode_file_init(ucode_amd_find,
			(struct ucode_cpu){ SIGNATURE, 0, 0x0a201200 });
	return 0;
}

static void the_newest_patch_by_the_table_is_taken(void **state)
{
	u32 at;

	add_container(0x00600f12, 0x6012);
	add_patch(0x6012, 0x0a2012ff, 256);
	add_container(SIGNATURE, ID);
	add_patch(0x8012, 0x0a2012fe, 256);
	add_patch(ID, 0x0a201205, 256);
	at = add_patch(ID, 0x0a201207, 320);
	add_patch(ID, 0x0a201206, 256);
	assert_null(look());
	assert_ptr_equal(best.data, file.bytes + at);
	assert_int_equal(best.bytes, 320);
	assert_int_equal(best.revision, 0x0a201207);
}

static void no_patch_for_another_cpu_or_an_older_one(void **state)
{
	add_container(SIGNATURE, ID);
	add_patch(ID, 0x0a201200, 256);
	add_patch(ID, 0x0a2011ff, 256);
	add_container(0x00a20f10, ID); /* the same id means another CPU here */
	add_patch(ID, 0x0a2012ff, 256);
	assert_null(look());
	assert_null(best.data);
}

static void no_patch_of_a_chipset(void **state)
{
	struct ucode_amd_patch *p;

	add_container(SIGNATURE, ID);
	p = (void *)(file.bytes + add_patch(ID, 0x0a201207, 256));
	p->north_bridge = 1;
	assert_null(look());
	assert_null(best.data);
	p->north_bridge = 0;
	p->south_bridge = 1;
	assert_null(look());
	assert_null(best.data);
}

static void a_row_of_zeros_ends_the_table(void **state)
{
	u8 *row;

	add_container(SIGNATURE, ID);
	row = file.bytes + 12;
	add_patch(ID, 0x0a201207, 256);
	memset(row, 0, 16);
	assert_null(look());
	assert_null(best.data);
}

static void old_families_take_small_patches_only(void **state)
{
	static const struct {
		u32 signature, bytes;
		bool fits;
	} rows[] = {
		{ 0x00100f42, 2048, true }, { 0x00100f42, 2052, false },
		{ 0x00500f10, 1824, true }, { 0x00500f10, 1828, false },
		{ 0x00600f12, 4096, true },
	};

	for (u32 i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup(NULL);
		cpu.signature = rows[i].signature;
		add_container(rows[i].signature, ID);
		add_patch(ID, 0x0a201207, rows[i].bytes);
		assert_int_equal(!look(), rows[i].fits);
		assert_int_equal(!!best.data, rows[i].fits);
	}
}

static void a_cut_container_is_refused(void **state)
{
	u32 all, table;

	add_container(SIGNATURE, ID);
	table = used;
	add_patch(ID, 0x0a201207, 256);
	all = used;
	for (used = 1; used < all; used++) {
		if (used == table)
			continue; /* a container without patches */
		assert_non_null(look());
		assert_null(best.data);
	}
}

static void damaged_containers_are_refused(void **state)
{
	u32 patch;

	put_word(0x12345678);
	refused("is no container of microcode");
	setup(NULL);
	add_container(SIGNATURE, ID);
	patch = used;
	add_patch(ID, 0x0a201207, 256);
	file.words[1] = 1;
	refused("has no table of processors");
	file.words[1] = 0;
	file.words[2] -= 4;
	refused("has no table of processors");
	file.words[2] = 0xfffffff0;
	refused("is cut short");
	file.words[2] = 48;
	file.words[patch / 4] = 2;
	refused("has a section of an unknown type");
	file.words[patch / 4] = 1;
	file.words[patch / 4 + 1] = 63;
	refused("has a patch of a wrong size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_newest_patch_by_the_table_is_taken,
				       setup),
		cmocka_unit_test_setup(no_patch_for_another_cpu_or_an_older_one,
				       setup),
		cmocka_unit_test_setup(no_patch_of_a_chipset, setup),
		cmocka_unit_test_setup(a_row_of_zeros_ends_the_table, setup),
		cmocka_unit_test_setup(old_families_take_small_patches_only,
				       setup),
		cmocka_unit_test_setup(a_cut_container_is_refused, setup),
		cmocka_unit_test_setup(damaged_containers_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
