/* SOURCES: boot/common/image.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's ELF file as a loader checks it: any damage is refused with a
 * reason, and a good file lands in memory whole */
/* clang-format off */
/* clang-format on */
#include "boot/common/image.h"
#include "include/hw/elf.h"
#include "lib/string.h"
#include "tests/unit/test.h"

#define TEXT_OFFSET 0x1000
#define DATA_OFFSET 0x2000
#define FILE_BYTES  0x3000
#define BSS_BYTES   0x1800

static u8 file[FILE_BYTES] __attribute__((aligned(16)));
static struct elf64_header *const eh = (void *)file;
static struct elf64_phdr *const ph = (void *)(file + sizeof(*eh));
static struct image_header *const ih = (void *)(file + TEXT_OFFSET);

static int setup(void **state)
{
	memset(file, 0, sizeof(file));
	*eh = (struct elf64_header){ .ident = { .magic = ELF_MAGIC,
						.class = ELF_CLASS64,
						.data = ELF_LSB,
						.type = ELF_ET_EXEC,
						.machine = ELF_EM_X86_64 },
				     .phoff = sizeof(*eh),
				     .phentsize = sizeof(*ph),
				     .phnum = 2 };
	ph[0] = (struct elf64_phdr){ .type = ELF_PT_LOAD,
				     .flags = ELF_PF_X,
				     .offset = TEXT_OFFSET,
				     .vaddr = IMAGE_LINK_BASE,
				     .filesz = 0x1000,
				     .memsz = 0x1000 };
	ph[1] = (struct elf64_phdr){ .type = ELF_PT_LOAD,
				     .offset = DATA_OFFSET,
				     .vaddr = IMAGE_LINK_BASE + 0x1000,
				     .filesz = 0x1000,
				     .memsz = 0x1000 + BSS_BYTES };
	*ih = (struct image_header){ .magic = IMAGE_MAGIC,
				     .version = IMAGE_HEADER_VERSION,
				     .size = sizeof(*ih),
				     .entry = IMAGE_LINK_BASE + 0x100 };
	memset(file + DATA_OFFSET, 0x5a, 0x1000);
	return 0;
}

static const char *check(u64 size)
{
	struct hv_image img;

	return image_check(file, size, &img);
}

static void test_good(void **state)
{
	struct hv_image img;

	assert_null(image_check(file, sizeof(file), &img));
	assert_int_equal(img.bytes, 0x4000);
	assert_int_equal(img.entry, IMAGE_LINK_BASE + 0x100);
}

static void test_places_segments_and_bss(void **state)
{
	u8 *dst = malloc(0x4000);

	memset(dst, 0xff, 0x4000);
	image_place(file, dst, 0x4000);
	assert_memory_equal(dst, ih, sizeof(*ih));
	assert_int_equal(dst[0x1000], 0x5a);
	assert_int_equal(dst[0x1fff], 0x5a);
	for (u32 i = 0x2000; i < 0x4000; i++)
		assert_int_equal(dst[i], 0);
	free(dst);
}

/* As the linker places it, behind bytes that no segment has */
static void test_zeros_apart(void **state)
{
	const u64 at = 0x8000, bytes = at + BSS_BYTES;
	struct hv_image img;
	u8 *dst;

	ph[1].vaddr = IMAGE_LINK_BASE + at;
	ph[1].filesz = 0;
	ph[1].memsz = BSS_BYTES;
	assert_null(image_check(file, sizeof(file), &img));
	assert_int_equal(img.bytes, ALIGN_UP(bytes, PAGE_SIZE));
	dst = malloc(img.bytes);
	memset(dst, 0xff, img.bytes);
	image_place(file, dst, img.bytes);
	assert_memory_equal(dst, ih, sizeof(*ih));
	for (u64 i = 0x1000; i < img.bytes; i++)
		assert_int_equal(dst[i], 0);
	free(dst);
}

/* Any cut is refused, and nothing behind the cut is read (ASan) */
static void test_every_length(void **state)
{
	for (u64 len = 0; len < sizeof(file); len += 7) {
		u8 *copy = malloc(len ? len : 1);
		struct hv_image img;

		memcpy(copy, file, len);
		assert_non_null(image_check(copy, len, &img));
		free(copy);
	}
}

static void refuse(void *field, u64 value, size_t bytes)
{
	u64 old = 0;

	memcpy(&old, field, bytes);
	memcpy(field, &value, bytes);
	assert_non_null(check(sizeof(file)));
	memcpy(field, &old, bytes);
	assert_null(check(sizeof(file)));
}
#define REFUSE(field, value) refuse(&(field), (value), sizeof(field))

static void test_file_header(void **state)
{
	REFUSE(eh->ident.magic, 0);
	REFUSE(eh->ident.class, 1);
	REFUSE(eh->ident.data, 2);
	REFUSE(eh->ident.type, 3);
	REFUSE(eh->ident.machine, 3);
	REFUSE(eh->phentsize, 32);
	REFUSE(eh->phnum, 0);
	REFUSE(eh->phnum, 0xffff);
	REFUSE(eh->phoff, ~7ull);
	REFUSE(eh->phoff, sizeof(file) - 8);
	REFUSE(eh->phoff, sizeof(*eh) + 4);
}

static void test_segments(void **state)
{
	REFUSE(ph[0].vaddr, 0x200000);
	REFUSE(ph[0].vaddr, IMAGE_LINK_BASE - 0x1000);
	REFUSE(ph[1].vaddr, IMAGE_LINK_BASE);
	REFUSE(ph[1].vaddr, IMAGE_LINK_BASE + 0x9000);
	REFUSE(ph[1].offset, ~0ull);
	REFUSE(ph[1].offset, sizeof(file) - 0x800);
	REFUSE(ph[1].filesz, ~0ull);
	REFUSE(ph[1].memsz, 0x800);
	REFUSE(ph[1].memsz, ~0ull);
	REFUSE(ph[1].memsz, IMAGE_MAX_BYTES);
}

static void test_image_header(void **state)
{
	REFUSE(ih->magic, 0);
	REFUSE(ih->version, 99);
	REFUSE(ih->size, 8);
	REFUSE(ih->entry, 0);
	REFUSE(ih->entry, IMAGE_LINK_BASE + 0x1000);
	REFUSE(ih->entry, IMAGE_LINK_BASE + 0x4000);
	REFUSE(ph[0].flags, 0);
}

/* Noise in the headers: no read outside the file, whatever the answer */
static void test_noise(void **state)
{
	srand(1);
	for (u32 n = 0; n < 20000; n++) {
		u32 at = (u32)rand() % (sizeof(*eh) + 2 * sizeof(*ph));
		u8 *copy = malloc(sizeof(file));
		struct hv_image img;

		memcpy(copy, file, sizeof(file));
		copy[at] = (u8)rand();
		copy[(at + (u32)rand() % 8) % sizeof(file)] = (u8)rand();
		if (!image_check(copy, sizeof(file), &img)) {
			u8 *dst = malloc(img.bytes);

			image_place(copy, dst, img.bytes);
			free(dst);
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, setup),
		cmocka_unit_test_setup(test_places_segments_and_bss, setup),
		cmocka_unit_test_setup(test_zeros_apart, setup),
		cmocka_unit_test_setup(test_every_length, setup),
		cmocka_unit_test_setup(test_file_header, setup),
		cmocka_unit_test_setup(test_segments, setup),
		cmocka_unit_test_setup(test_image_header, setup),
		cmocka_unit_test_setup(test_noise, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
