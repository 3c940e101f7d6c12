/* SOURCES: hv/console/code.c lib/qr.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The panic's code on the screen: where it stands, how large its modules are,
 * and what it says, which is compared with the encoder's own code of the text
 */
#include "drivers/console/fbcon.h"
#include "hv/console/console.h"
#include "lib/log.h"
#include "lib/qr.h"
#include "tests/unit/test.h"

#include <stdlib.h>

static struct log_sink *sink;
static u32 width, height, text_height;
static u8 *pixels; /* 0: untouched, 1: light, 2: dark */

void log_add_sink(struct log_sink *s)
{
	sink = s;
}

bool fbcon_pixels(u32 *w, u32 *h, u32 *t)
{
	*w = width;
	*h = height;
	*t = text_height;
	return width;
}

void fbcon_fill(const struct fb_rect *r, bool light)
{
	assert_true(r->x + r->width <= width && r->y + r->height <= height);
	for (u32 y = r->y; y < r->y + r->height; y++)
		memset(pixels + (size_t)y * width + r->x, light ? 1 : 2,
		       r->width);
}

static void say(enum log_level level, const char *line)
{
	sink->write(sink, level, line, strlen(line));
}

static void screen(u32 w, u32 h, u32 text)
{
	width = w;
	height = h;
	text_height = text;
	free(pixels);
	pixels = calloc(w, h ? h : 1);
}

/* The first lines, as far as the code goes */
static void expect(const char *text, u32 version, u32 px, u32 top)
{
	static struct qr q;
	u32 len = MIN((u32)strlen(text), qr_capacity(version));
	u32 side, left;

	assert_int_equal(qr_encode(&q, text, len, version), 0);
	side = (q.side + 2 * QR_QUIET) * px;
	left = width - side;
	for (u32 y = 0; y < height; y++) {
		for (u32 x = 0; x < width; x++) {
			u32 my = (y - top) / px, mx = (x - left) / px;
			bool in = x >= left && y >= top && y < top + side;
			bool dark = in && my >= QR_QUIET && mx >= QR_QUIET &&
				    my < QR_QUIET + q.side &&
				    mx < QR_QUIET + q.side &&
				    q.dark[my - QR_QUIET][mx - QR_QUIET];

			assert_int_equal(pixels[(size_t)y * width + x],
					 dark ? 2
					 : in ? 1
					      : 0);
		}
	}
}

static void test_code(void **state)
{
	char text[2000] = "Bulkhead 1\nfirst\n", line[100];

	console_code_init("Bulkhead 1");
	say(LOG_ERROR, "[1.0 0] panic: not of a panic\n");
	say(LOG_PANIC, "[1.0 0 linux:1] panic: first\n");
	screen(0, 0, 0);
	console_show_code();
	/* Version 1 has 21 modules, and 29 with what is around them */
	screen(1280, 800, 300);
	console_show_code();
	expect(text, 25, 500 / 29, 800 - 29 * (500 / 29));
	for (u32 i = 0; i < 60; i++) {
		snprintf(line, sizeof(line), "[1.0 0] panic: register %u\n", i);
		say(LOG_PANIC, line);
		snprintf(line, sizeof(line), "register %u\n", i);
		strcat(text, line);
	}
	screen(1280, 800, 500);
	console_show_code();
	expect(text, 25, 4, 0);
	/* Smaller screens hold less of it */
	screen(800, 600, 500);
	console_show_code();
	expect(text, 25, 3, 0);
	screen(640, 480, 100);
	console_show_code();
	expect(text, 18, 3, 480 - 97 * 3);
	/* And text without end is cut */
	for (u32 i = 0; i < 60; i++)
		say(LOG_PANIC, line);
	screen(60, 60, 60);
	console_show_code();
	for (u32 i = 0; i < 60 * 60; i++)
		assert_int_equal(pixels[i], 0);
	free(pixels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
