/* SOURCES: boot/common/facts.c boot/common/mptable.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loaders find out: cores from an MP table, an MADT behind an RSDP,
 * the order of the modules */
/* clang-format off */
/* clang-format on */
#include "boot/common/facts.h"
#include "boot/common/mptable.h"
#include "lib/string.h"
#include "tests/unit/test.h"

#define HEADER               44
#define CHECKSUM_AT          7
#define FLOATING_CHECKSUM_AT 10

static struct boot_info bi;

static int setup(void **state)
{
	memset(&bi, 0, sizeof(bi));
	return 0;
}

static void fix_sum(u8 *p, u32 len, u32 at)
{
	u8 sum = 0;

	p[at] = 0;
	for (u32 i = 0; i < len; i++)
		sum = (u8)(sum + p[i]);
	p[at] = (u8)-sum;
}

/* Two cores on, one off, a bus, an IOAPIC: 3 * 20 + 2 * 8 bytes */
static u32 make_table(u8 *t)
{
	static const u8 cpu_ids[] = { 0, 4, 6 }, cpu_flags[] = { 3, 1, 0 };
	const u32 len = HEADER + 3 * 20 + 2 * 8;
	u8 *e = t + HEADER;

	memset(t, 0, len);
	memcpy(t, "PCMP", 4);
	t[4] = (u8)len;
	t[34] = 5;
	for (u32 i = 0; i < 3; i++, e += 20) {
		e[1] = cpu_ids[i];
		e[3] = cpu_flags[i];
	}
	e[0] = 1;
	e += 8;
	e[0] = 2;
	e[3] = 1;
	e[6] = 0xc0;
	e[7] = 0xfe;
	fix_sum(t, len, CHECKSUM_AT);
	return len;
}

static void test_mptable_takes(void **state)
{
	u8 t[256];

	make_table(t);
	facts_add_cpu(&bi, 4); /* the boot core comes first */
	assert_true(mptable_take(&bi, t));
	assert_int_equal(bi.cpu_count, 2);
	assert_int_equal(bi.cpu_apic_ids[0], 4);
	assert_int_equal(bi.cpu_apic_ids[1], 0);
	assert_int_equal(bi.mp_ioapic_base, 0xfec00000);
}

static void test_mptable_damaged(void **state)
{
	u8 t[256];
	u32 len = make_table(t);

	t[HEADER + 1]++;
	assert_false(mptable_take(&bi, t));
	make_table(t);
	t[HEADER] = 77; /* an entry of no known type */
	fix_sum(t, len, CHECKSUM_AT);
	assert_false(mptable_take(&bi, t));
	make_table(t);
	t[34] = 200; /* more entries than fit */
	fix_sum(t, len, CHECKSUM_AT);
	assert_false(mptable_take(&bi, t));
	assert_int_equal(bi.cpu_count, 0);
}

static void test_mptable_noise(void **state)
{
	srand(1);
	for (u32 n = 0; n < 5000; n++) {
		u8 *t = malloc(256);
		u32 len = make_table(t);
		u8 *exact = malloc(len);

		t[8 + (u32)rand() % (len - 8)] = (u8)rand();
		fix_sum(t, len, CHECKSUM_AT);
		memcpy(exact, t, len);
		(void)!mptable_take(&bi, exact);
		free(exact);
		free(t);
	}
}

static void test_floating(void **state)
{
	u8 area[1024] = { 0 };
	u8 *f = area + 0x40;

	assert_null(mptable_find(area, sizeof(area)));
	memcpy(f, "_MP_", 4);
	f[6] = 0x10;
	f[8] = 1;
	assert_null(mptable_find(area, sizeof(area)));
	fix_sum(f, 16, FLOATING_CHECKSUM_AT);
	assert_ptr_equal(mptable_find(area, sizeof(area)), f);
	assert_int_equal(mptable_address(f), 0x100000);
	assert_null(mptable_find(area, 0x40));
	f[11] = 5; /* a default configuration has no table */
	assert_int_equal(mptable_address(f), 0);
}

struct acpi {
	u8 rsdp[36], xsdt[36 + 8], rsdt[36 + 4], table[36];
};

static void put64(u8 *at, u64 v)
{
	memcpy(at, &v, sizeof(v));
}

static void test_madt(void **state)
{
	static struct acpi a;
	u64 rsdp = (u64)a.rsdp;

	memset(&a, 0, sizeof(a));
	assert_false(facts_has_madt(0));
	assert_false(facts_has_madt(rsdp));
	memcpy(a.rsdp, "RSD PTR ", 8);
	a.rsdp[15] = 2;
	put64(a.rsdp + 24, (u64)a.xsdt);
	memcpy(a.xsdt, "XSDT", 4);
	a.xsdt[4] = sizeof(a.xsdt);
	put64(a.xsdt + 36, (u64)a.table);
	memcpy(a.table, "FACP", 4);
	assert_false(facts_has_madt(rsdp));
	memcpy(a.table, "APIC", 4);
	assert_true(facts_has_madt(rsdp));
	a.xsdt[4] = 8; /* shorter than a header */
	assert_false(facts_has_madt(rsdp));
}

static void test_modules_sorted(void **state)
{
	static const char *const names[] = { "vmlinuz", "bulkhead.conf",
					     "initrd.img", "a" };

	for (u32 i = 0; i < 4; i++) {
		strcpy(bi.modules[i].name, names[i]);
		bi.modules[i].size = i;
	}
	bi.module_count = 4;
	facts_sort_modules(&bi);
	assert_string_equal(bi.modules[0].name, "a");
	assert_int_equal(bi.modules[0].size, 3);
	assert_string_equal(bi.modules[1].name, "bulkhead.conf");
	assert_string_equal(bi.modules[3].name, "vmlinuz");
}

static void test_cpus_and_masks(void **state)
{
	u8 shift, bits;

	for (u32 i = 0; i < 2 * BOOT_MAX_CPUS; i++) {
		facts_add_cpu(&bi, i);
		facts_add_cpu(&bi, i);
	}
	assert_int_equal(bi.cpu_count, BOOT_MAX_CPUS);
	facts_mask_to_field(0x00ff0000, &shift, &bits);
	assert_int_equal(shift, 16);
	assert_int_equal(bits, 8);
	facts_mask_to_field(0, &shift, &bits);
	assert_int_equal(bits, 0);
}

static void test_framebuffer(void **state)
{
	const struct facts_screen good = { .base = 0x80000000,
					   .width = 1024,
					   .height = 768,
					   .line_pixels = 1088,
					   .red = 0xff0000,
					   .green = 0xff00,
					   .blue = 0xff,
					   .other = 0xff000000 };
	struct boot_framebuffer fb = { .width = 7 };
	struct facts_screen s;

	assert_true(facts_framebuffer(&good, &fb));
	assert_int_equal(fb.bpp, 32);
	assert_int_equal(fb.stride_bytes, 4352);
	assert_int_equal(fb.size, 4352 * 768);
	assert_int_equal(fb.red_shift, 16);
	assert_int_equal(fb.blue_bits, 8);
	/* 24 bits, and 10 for each color */
	s = good;
	s.other = 0;
	assert_true(facts_framebuffer(&s, &fb));
	assert_int_equal(fb.bpp, 24);
	assert_int_equal(fb.stride_bytes, 3264);
	s = good;
	s.red = 0x3ff00000;
	s.green = 0xffc00;
	s.blue = 0x3ff;
	s.other = 0xc0000000;
	assert_true(facts_framebuffer(&s, &fb));
	assert_int_equal(fb.bpp, 32);
	assert_int_equal(fb.green_shift, 10);
	assert_int_equal(fb.red_bits, 10);

	/* What cannot be drawn on changes nothing */
	fb.width = 7;
#define REFUSED(change)                                                        \
	do {                                                                   \
		s = good;                                                      \
		change;                                                        \
		assert_false(facts_framebuffer(&s, &fb));                      \
		assert_int_equal(fb.width, 7);                                 \
	} while (0)
	REFUSED(s.base = 0);
	REFUSED(s.width = 0);
	REFUSED(s.height = 0);
	REFUSED(s.width = 0xffffffff);
	REFUSED(s.height = 20000);
	REFUSED(s.line_pixels = 1023);
	REFUSED(s.line_pixels = 0xffffffff);
	REFUSED(s.red = 0);
	REFUSED(s.green = 0xf0f0);
	REFUSED(s.blue = 0x1ff);
	REFUSED({
		s.red = 0xf800;
		s.green = 0x7e0;
		s.blue = 0x1f;
		s.other = 0;
	});
}

static void test_crash_files(void **state)
{
	assert_true(facts_is_crash_file("crash-001.txt"));
	assert_true(facts_is_crash_file("CRASH-999.TXT"));
	assert_false(facts_is_crash_file("crash-001.txt2"));
	assert_false(facts_is_crash_file("crash-01.txt"));
	assert_false(facts_is_crash_file("crash-00a.txt"));
	assert_false(facts_is_crash_file("crash"));
	assert_false(facts_is_crash_file(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_mptable_takes, setup),
		cmocka_unit_test_setup(test_mptable_damaged, setup),
		cmocka_unit_test_setup(test_mptable_noise, setup),
		cmocka_unit_test_setup(test_floating, setup),
		cmocka_unit_test_setup(test_madt, setup),
		cmocka_unit_test_setup(test_modules_sorted, setup),
		cmocka_unit_test_setup(test_cpus_and_masks, setup),
		cmocka_unit_test(test_framebuffer),
		cmocka_unit_test(test_crash_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
