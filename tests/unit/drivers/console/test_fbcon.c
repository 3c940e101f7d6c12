/* SOURCES: drivers/console/font8x16.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The framebuffer console on a framebuffer in host memory, whose every byte
 * outside ASan guards: text is read back from the pixels */
#define rdtsc machine_rdtsc
#include "arch/x86/machine/tsc.h"
#undef rdtsc
#include "drivers/console/font8x16.h"
#include "tests/unit/fakes/ioremap.h"
#include "tests/unit/test.h"

#define FB_HPA     0xc0000000ull
#define NEVER      (~0ull)
#define CELL_TICKS 100u

/* A cell takes so long, and so does each look */
static u64 now;

static u64 rdtsc(void)
{
	return now += CELL_TICKS;
}

#include "drivers/console/fbcon.c"

static u8 *fb_mem;
static bool mapped_ready;
static struct boot_framebuffer fb;

bool hostmap_ready(void)
{
	return mapped_ready;
}

/* The loader's map has the framebuffer, until hostmap_init() */
void *early_map(hpa_t hpa, u64 size)
{
	assert_false(mapped_ready);
	assert_int_equal(hpa.v, FB_HPA);
	assert_int_equal(size, (u64)fb.stride_bytes * fb.height);
	return fb_mem;
}

static void start(u32 width, u32 height, u32 stride, u8 bpp)
{
	fb = (struct boot_framebuffer){ .base = FB_HPA,
					.size = (u64)stride * height,
					.width = width,
					.height = height,
					.stride_bytes = stride,
					.bpp = bpp,
					.red_shift = 16,
					.green_shift = 8,
					.red_bits = 8,
					.green_bits = 8,
					.blue_bits = 8 };
	free(fb_mem);
	fb_mem = malloc((size_t)stride * height);
	memset(fb_mem, 0xee, (size_t)stride * height);
	fake_ioremap_reset();
	fake_ioremap_add(FB_HPA, fb_mem, (u64)stride * height);
	mapped_ready = true;
	fbcon_init(&fb);
}

static bool pixel_at(u32 x, u32 y)
{
	const u8 *p = fb_mem + (u64)y * fb.stride_bytes + x * (fb.bpp / 8u);

	assert_true(p[0] == p[1] && p[1] == p[2]); /* gray */
	assert_true(p[0] == 0 || p[0] == 0xc0);
	return p[0];
}

/* The character whose glyph stands in the cell; '\0': none */
static char cell_read(u32 column, u32 row, u32 scale)
{
	for (u32 g = 0; g < FONT_GLYPHS; g++) {
		bool same = true;

		for (u32 i = 0; same && i < FONT_WIDTH * FONT_HEIGHT; i++) {
			u32 x = i % FONT_WIDTH, y = i / FONT_WIDTH;
			bool set = font8x16[g][y] >> (7 - x) & 1;

			same = pixel_at((column * FONT_WIDTH + x) * scale,
					(row * FONT_HEIGHT + y) * scale) == set;
		}
		if (same)
			return (char)(g + FONT_FIRST);
	}
	return '\0';
}

static void expect(u32 row, const char *text, u32 scale)
{
	for (u32 i = 0; text[i]; i++)
		assert_int_equal(cell_read(i, row, scale), text[i]);
}

static void say(const char *s)
{
	fbcon_write(s, strlen(s));
	while (fbcon_draw(NEVER))
		;
	assert_false(fbcon_stale());
}

/* Only what changed is drawn, however much was written since */
static void test_draws_changes(void **state)
{
	start(80, 64, 320, 32);
	say("same\n\nold");
	memset(fb_mem, 0x11, 320 * FONT_HEIGHT);
	fbcon_write("\rnew", 4);
	expect(2, "old", 1);
	assert_true(fbcon_stale());
	fbcon_draw(NEVER);
	assert_false(fbcon_stale());
	expect(2, "new", 1);
	assert_int_equal(fb_mem[0], 0x11); /* row 0 was left alone */
	fbcon_draw(NEVER);
	assert_int_equal(fake_ioremaps, 1);
}

/* What scrolls past between two drawings costs none */
static void test_draws_once(void **state)
{
	start(80, 64, 320, 32);
	for (u32 i = 0; i < 1000; i++)
		fbcon_write("0123456789\n", 11);
	assert_int_equal(fake_ioremaps, 0);
	fbcon_draw(NEVER);
	expect(2, "0123456789", 1);
	memset(fb_mem, 0x11, 320 * 64);
	fbcon_write("0123456789\n", 11); /* the screen looks the same */
	fbcon_draw(NEVER);
	assert_int_equal(fb_mem[0], 0x11);
}

static void test_text(void **state)
{
	start(160, 64, 160 * 4 + 12, 32);
	say("Hi, {~}\r\nnext\tT\bU\n");
	expect(0, "Hi, {~}             ", 1);
	expect(1, "next    U           ", 1);
	expect(2, "                    ", 1);
	assert_int_equal(fake_ioremaps, 1);
	/* The rest of each line is not ours */
	assert_int_equal(fb_mem[160 * 4], 0xee);
}

static void test_glyphs_differ(void **state)
{
	for (u32 a = 0; a < FONT_GLYPHS; a++)
		for (u32 b = 0; b < a; b++)
			assert_memory_not_equal(font8x16[a], font8x16[b],
						FONT_HEIGHT);
}

static void test_wrap_and_scroll(void **state)
{
	char line[8];

	start(80, 64, 320, 32); /* 10 x 4: scrolls by one */
	say("0123456789abc\n");
	expect(0, "0123456789", 1);
	expect(1, "abc       ", 1);
	for (u32 i = 0; i < 50; i++) {
		snprintf(line, sizeof(line), "%02u\n", i);
		say(line);
	}
	expect(0, "47        ", 1);
	expect(1, "48        ", 1);
	expect(2, "49        ", 1);
	expect(3, "          ", 1);
}

static void test_24_bits(void **state)
{
	start(83, 50, 251, 24); /* odd everything */
	say("24bit\xc3\x1b[1;31mX\x1b[0m");
	expect(0, "24bit?X   ", 1);
}

static void test_large(void **state)
{
	start(2560, 64, 2560 * 4, 32);
	say("big");
	expect(0, "big ", 2);
}

static void test_before_the_map(void **state)
{
	start(80, 64, 320, 32);
	mapped_ready = false;
	fbcon_write("early\n", 6);
	fbcon_draw(NEVER);
	assert_int_equal(fake_ioremaps, 0);
	assert_int_equal(fb_mem[0], 0xee);
	mapped_ready = true;
	say("late");
	expect(0, "early     ", 1);
	expect(1, "late      ", 1);
}

/* The boot ends before there is a map of our own: what was said is seen */
static void test_machine_stops_early(void **state)
{
	start(80, 64, 320, 32);
	mapped_ready = false;
	fbcon_write("why\n", 4);
	fbcon_draw(NEVER);
	assert_int_equal(fb_mem[0], 0xee);
	fbcon_early();
	say("stop");
	assert_int_equal(fake_ioremaps, 0);
	expect(0, "why       ", 1);
	expect(1, "stop      ", 1);
}

static u32 steps_to_draw(u64 ticks)
{
	u32 steps = 1;

	while (fbcon_draw(now + ticks))
		steps++;
	assert_false(fbcon_stale());
	return steps;
}

/* A step ends with its time, however slow the screen is, and draws a cell even
 * where that has passed */
static void test_steps(void **state)
{
	static const u64 times[] = { 0, CELL_TICKS, 10 * CELL_TICKS };

	for (u32 i = 0; i < ARRAY_SIZE(times); i++) {
		u64 cells = MAX(times[i] / CELL_TICKS, 1ull);

		start(1024, 768, 4096, 32);
		say("\n");
		for (u32 n = 0; n < 300; n++)
			fbcon_write("M", 1);
		assert_in_range(steps_to_draw(times[i]), 300 / cells,
				300 / cells + 48);
		assert_int_equal(steps_to_draw(times[i]), 1);
		expect(1, "MMMMMMMM", 1);
		expect(3, "MMMMMMMM", 1);
	}
}

/* While guests run: what another has drawn goes a little at a time */
static void test_take_back(void **state)
{
	start(80, 64, 320, 32);
	fbcon_take_back(); /* ours already: nothing is lost */
	say("ours");
	fbcon_release();
	memset(fb_mem, 0x11, 320 * 64);
	fbcon_take_back();
	assert_int_equal(fb_mem[0], 0x11);
	assert_true(fbcon_stale());
	say("again");
	expect(0, "again     ", 1);
	expect(3, "          ", 1);
}

static void test_escapes(void **state)
{
	start(160, 64, 640, 32);
	say("a\x1b(Bb\x1b[?25lc\x1b[!pd\x1b[12\x18"
	    "e\x1b=f\x18g");
	expect(0, "abcdefg ", 1);
}

static void test_release(void **state)
{
	start(80, 64, 320, 32);
	say("ours");
	fbcon_release();
	memset(fb_mem, 0x11, 320 * 64);
	say("hidden");
	assert_int_equal(fb_mem[0], 0x11);
	assert_false(fbcon_stale());
	fbcon_reclaim();
	/* What was written before is still drawn */
	fbcon_write("last\n", 5);
	fbcon_release();
	assert_true(fbcon_stale());
	say("hidden");
	expect(0, "last      ", 1);
	expect(1, "          ", 1);
	fbcon_reclaim();
	say("panic");
	expect(0, "panic     ", 1);
	expect(3, "          ", 1);
	fbcon_reclaim(); /* ours already: nothing is lost */
	expect(0, "panic     ", 1);
}

static void silent(void)
{
	fbcon_init(&fb);
	say("nothing");
	assert_int_equal(fake_ioremaps, 0);
}

static void test_bad_facts(void **state)
{
	start(80, 64, 320, 32);
	fb.base = 0;
	silent();
	start(80, 64, 320, 32);
	fb.bpp = 16;
	silent();
	start(80, 64, 320, 32);
	fb.stride_bytes = 319;
	silent();
	start(80, 64, 320, 32);
	fb.width = 4;
	silent();
	start(80, 64, 320, 32);
	fb.width = ~0u;
	fb.stride_bytes = ~0u;
	silent();
	start(80, 64, 320, 32);
	fb.red_shift = 77;
	silent();
}

/* Pixels of the text's color and black, at any depth; none outside */
static void test_fill(void **state)
{
	const struct fb_rect all = { 0, 0, 90, 64 }, some = { 10, 20, 7, 3 };
	const struct fb_rect outside[] = { { 0, 0, 91, 1 },
					   { 0, 60, 1, 5 },
					   { 1, 0, UINT32_MAX, 1 },
					   { 91, 0, 0, 1 } };
	u32 width, height, text_height;

	for (u8 bpp = 24; bpp <= 32; bpp = (u8)(bpp + 8)) {
		start(90, 64, 90 * bpp / 8, bpp);
		fbcon_write("one\ntwo", 7);
		assert_true(fbcon_pixels(&width, &height, &text_height));
		assert_int_equal(width, 90);
		assert_int_equal(height, 64);
		assert_int_equal(text_height, 2 * FONT_HEIGHT);
		fbcon_fill(&all, true);
		fbcon_fill(&some, false);
		for (u32 i = 0; i < ARRAY_SIZE(outside); i++)
			fbcon_fill(&outside[i], false);
		for (u32 y = 0; y < 64; y++)
			for (u32 x = 0; x < 90; x++)
				assert_int_equal(pixel_at(x, y),
						 x < 10 || x > 16 || y < 20 ||
							 y > 22);
		fbcon_release();
		assert_false(fbcon_pixels(&width, &height, &text_height));
		fbcon_reclaim();
	}
	fbcon_init(&(struct boot_framebuffer){ .base = 0 });
	assert_false(fbcon_pixels(&width, &height, &text_height));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_draws_changes),
		cmocka_unit_test(test_draws_once),
		cmocka_unit_test(test_glyphs_differ),
		cmocka_unit_test(test_wrap_and_scroll),
		cmocka_unit_test(test_24_bits),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_before_the_map),
		cmocka_unit_test(test_machine_stops_early),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_take_back),
		cmocka_unit_test(test_bad_facts),
		cmocka_unit_test(test_fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
