/* SOURCES: arch/x86/machine/ucode_intel.c tests/unit/arch/x86/machine/ucode_file.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Made-up files of Intel's microcode: the update that is taken, and each kind
 * of damage */
#include "include/hw/microcode.h"
#include "tests/unit/arch/x86/machine/ucode_file.h"

#define SIGNATURE 0x000806c1u
#define OTHER     0x000806c2u
#define FLAG      0x80u
#define HEADER    ((u32)sizeof(struct ucode_intel_header))

static int setup(void **state)
{
	ucode_file_init(ucode_intel_find,
			(struct ucode_cpu){ SIGNATURE, FLAG, 0x10 });
	return 0;
}

static u32 sum(const void *data, u32 bytes)
{
	u32 total = 0;

	for (u32 i = 0; i < bytes / 4; i++)
		total += ((const u32 *)data)[i];
	return total;
}

/* Intel. The update at @h is given the checksum that it needs */
static void seal(struct ucode_intel_header *h, u32 total)
{
	h->checksum = 0;
	h->checksum = 0 - sum(h, total);
}

static struct ucode_intel_header *add(u32 signature, u32 flags, u32 revision)
{
	struct ucode_intel_header *h = (void *)(file.bytes + used);

	*h = (struct ucode_intel_header){
		.header_version = 1,
		.revision = revision,
		.date = 0x11292026,
		.signature = signature,
		.loader_revision = 1,
		.flags = flags,
		.data_bytes = 1024 - HEADER,
		.total_bytes = 1024,
	};
	memset(h + 1, (int)revision, h->data_bytes);
	seal(h, 1024);
	used += 1024;
	return h;
}

/* An update of 2 KiB whose table has @count signatures for CPUs that are not
 * the header's */
static struct ucode_intel_table *add_table(u32 count, u32 revision)
{
	struct ucode_intel_header *h = add(OTHER, FLAG, revision);
	u32 bytes = (u32)sizeof(struct ucode_intel_table) + count * 12;
	struct ucode_intel_table *t;

	h->total_bytes = 2048;
	h->data_bytes = 2048 - HEADER - bytes;
	used += 1024;
	t = (void *)((u8 *)(h + 1) + h->data_bytes);
	seal(h, 2048);
	t->count = count;
	for (u32 i = 0; i < count; i++) {
		struct ucode_intel_signature *s = &t->signatures[i];

		s->signature = i ? SIGNATURE + 0x100 * i : SIGNATURE;
		s->flags = FLAG;
		s->checksum = h->signature + h->flags + h->checksum -
			      s->signature - s->flags;
	}
	t->checksum = 0 - sum(t, bytes);
	return t;
}

static void the_newest_for_the_cpu_is_taken(void **state)
{
	add(OTHER, FLAG, 0x99);
	add(SIGNATURE, FLAG, 0x11);
	add(SIGNATURE, FLAG | 1, 0x13);
	add(SIGNATURE, FLAG, 0x12);
	assert_null(look());
	assert_ptr_equal(best.data, file.bytes + 2048);
	assert_int_equal(best.bytes, 1024);
	assert_int_equal(best.revision, 0x13);
}

static void none_is_taken_that_is_not_newer_or_for_another(void **state)
{
	add(SIGNATURE, FLAG, 0x10);
	add(SIGNATURE, FLAG, 0x0f);
	add(SIGNATURE, 0xff & ~FLAG, 0x20);
	add(OTHER, FLAG, 0x20);
	assert_null(look());
	assert_null(best.data);
	used = 0;
	assert_null(look());
	assert_null(best.data);
}

/* One that is negative is for a laboratory, and older than all others */
static void revisions_have_a_sign(void **state)
{
	add(SIGNATURE, FLAG, 0x80000020);
	assert_null(look());
	assert_null(best.data);
	cpu.revision = 0x80000030;
	add(SIGNATURE, FLAG, 1);
	assert_null(look());
	assert_int_equal(best.revision, 1);
}

static void cpus_without_platform_ids_need_no_flag(void **state)
{
	cpu.flags = 0;
	add(SIGNATURE, 1, 0x20);
	assert_null(look());
	assert_null(best.data);
	add(SIGNATURE, 0, 0x20);
	assert_null(look());
	assert_ptr_equal(best.data, file.bytes + 1024);
}

static void sizes_of_zero_are_the_old_ones(void **state)
{
	struct ucode_intel_header *h = add(SIGNATURE, FLAG, 0x20);

	used = 2048;
	h->data_bytes = 0;
	h->total_bytes = 77;
	seal(h, 2048);
	assert_null(look());
	assert_int_equal(best.bytes, 2048);
}

static void the_table_names_other_cpus(void **state)
{
	add_table(3, 0x20);
	assert_null(look());
	assert_ptr_equal(best.data, file.bytes);
	cpu.signature = SIGNATURE + 0x200;
	assert_null(look());
	assert_non_null(best.data);
	cpu.signature = SIGNATURE + 0x300;
	assert_null(look());
	assert_null(best.data);
}

/* A good one before it does not count either */
static void damage_is_found(void **state)
{
	struct ucode_intel_header *h;

	add(SIGNATURE, FLAG, 0x20);
	h = add(SIGNATURE, FLAG, 0x21);
	used -= 1;
	refused("is cut short");
	used -= 1024 - HEADER;
	refused("is cut short");
	used = 2048;
	file.bytes[1500] ^= 1;
	refused("has an update with a wrong checksum");
	file.bytes[1500] ^= 1;
	h->header_version = 2;
	refused("has an update of an unknown format");
	h->header_version = 1;
	h->loader_revision = 0;
	refused("has an update of an unknown format");
}

static void sizes_that_lie_are_refused(void **state)
{
	struct ucode_intel_header *h = add(SIGNATURE, FLAG, 0x20);

	h->data_bytes = 0xfffffffc;
	refused("has an update of a wrong size");
	h->data_bytes = 1024 - HEADER + 4;
	refused("has an update of a wrong size");
	h->data_bytes = 1024 - HEADER - 2;
	refused("has an update of a wrong size");
	h->data_bytes = 16;
	h->total_bytes = 0;
	refused("has an update of a wrong size");
	h->total_bytes = 1000;
	refused("has an update of a wrong size");
	h->total_bytes = 0xfffffc00;
	refused("is cut short");
}

static void damaged_tables_are_refused(void **state)
{
	struct ucode_intel_table *t = add_table(2, 0x20);

	t->signatures[1].flags ^= 4;
	seal((void *)file.bytes, 2048);
	refused("has a signature table with a wrong checksum");
	t->checksum -= 4;
	seal((void *)file.bytes, 2048);
	refused("has a signature with a wrong checksum");
	t->count = 3;
	seal((void *)file.bytes, 2048);
	refused("has a signature table of a wrong size");
	t->count = 0x15555557; /* times 12: 32 bits wrap */
	seal((void *)file.bytes, 2048);
	refused("has a signature table of a wrong size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_newest_for_the_cpu_is_taken, setup),
		cmocka_unit_test_setup(
			none_is_taken_that_is_not_newer_or_for_another, setup),
		cmocka_unit_test_setup(revisions_have_a_sign, setup),
		cmocka_unit_test_setup(cpus_without_platform_ids_need_no_flag,
				       setup),
		cmocka_unit_test_setup(sizes_of_zero_are_the_old_ones, setup),
		cmocka_unit_test_setup(the_table_names_other_cpus, setup),
		cmocka_unit_test_setup(damage_is_found, setup),
		cmocka_unit_test_setup(sizes_that_lie_are_refused, setup),
		cmocka_unit_test_setup(damaged_tables_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
