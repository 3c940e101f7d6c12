/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on the linear framebuffer, see fbcon.h. Called by the console mux, which
 * serializes, so that there is no lock here.
 *
 * Text goes into cells in RAM; fbcon_draw() brings the screen up to them and
 * draws the cells that differ. The framebuffer is only written to, because
 * reading it is slow. Text that comes before hostmap_init() waits in the cells
 * until the framebuffer can be mapped. A screen that is full moves up by a
 * quarter, so that a long log costs little.
 */
#include "drivers/console/fbcon.h"

#include "drivers/console/font8x16.h"
#include "lib/string.h"
#include "mm/hostmap.h"
#include "mm/pt.h"

#define MAX_COLUMNS  240u
#define MAX_ROWS     100u
#define LARGE_WIDTH  2560u /* from here on every pixel of a glyph is 2 x 2 */
#define SIDE_MAX     16384u
#define SCROLL_SHARE 4u
#define TAB_COLUMNS  8u
#define GRAY         0xc0u /* text, of 255 in each color */
#define ESC          0x1b

/* Escape sequences of terminals are swallowed */
enum escape { ESCAPE_NONE, ESCAPE_START, ESCAPE_CSI };

static struct {
	struct boot_framebuffer fb;
	u8 *va; /* NULL: not mapped yet */
	bool usable, released, failed;
	u32 scale, columns, rows;
	u32 x, y;
	u32 pixel; /* text color in the framebuffer's format */
	enum escape escape;
	/* Four pixels of 32 bits for each four bits of a glyph */
	u64 quad[16][2];
	u32 dirty_from, dirty_to; /* rows to look at; none: from == to */
	char cells[MAX_ROWS][MAX_COLUMNS];
	char drawn[MAX_ROWS][MAX_COLUMNS]; /* what is on the screen */
} con;

static bool fb_sane(const struct boot_framebuffer *fb)
{
	u32 bytes = fb->bpp / 8u;

	if (!fb->base || (fb->bpp != 24 && fb->bpp != 32))
		return false;
	if (fb->width < FONT_WIDTH || fb->width > SIDE_MAX ||
	    fb->height < FONT_HEIGHT || fb->height > SIDE_MAX)
		return false;
	if (fb->red_shift > 24 || fb->green_shift > 24 || fb->blue_shift > 24)
		return false;
	return fb->stride_bytes / bytes >= fb->width &&
	       fb->stride_bytes <= SIDE_MAX * 8 &&
	       (u64)fb->stride_bytes * fb->height <= GIB(1);
}

static u32 color_part(u8 shift, u8 bits)
{
	/* The top @bits of 8; more than 8 keep the rest zero */
	return bits >= 8 ? GRAY << shift : (GRAY >> (8 - bits)) << shift;
}

static u64 pixel_pair(u32 bits)
{
	return (bits & 2 ? con.pixel : 0) |
	       (bits & 1 ? (u64)con.pixel << 32 : 0);
}

static void cells_clear(void)
{
	memset(con.cells, ' ', sizeof(con.cells));
	con.x = 0;
	con.y = 0;
	con.dirty_from = 0;
	con.dirty_to = con.rows;
}

void fbcon_init(const struct boot_framebuffer *fb)
{
	con.fb = *fb;
	con.va = NULL;
	con.usable = fb_sane(fb);
	if (!con.usable)
		return;
	con.scale = fb->width >= LARGE_WIDTH ? 2 : 1;
	con.columns = MIN(fb->width / (FONT_WIDTH * con.scale), MAX_COLUMNS);
	con.rows = MIN(fb->height / (FONT_HEIGHT * con.scale), MAX_ROWS);
	con.usable = con.columns && con.rows;
	con.pixel = color_part(fb->red_shift, fb->red_bits) |
		    color_part(fb->green_shift, fb->green_bits) |
		    color_part(fb->blue_shift, fb->blue_bits);
	for (u32 i = 0; i < ARRAY_SIZE(con.quad); i++) {
		con.quad[i][0] = pixel_pair(i >> 2);
		con.quad[i][1] = pixel_pair(i & 3);
	}
	cells_clear();
}

/* The glyph's row as 32-bit pixels; framebuffer rows are 4-byte aligned */
static void row_fast(u8 *at, u8 bits)
{
	const u64 *left = con.quad[bits >> 4], *right = con.quad[bits & 15];
	struct pixels {
		u64 v[4];
	} __packed *to = (void *)at;

	to->v[0] = left[0];
	to->v[1] = left[1];
	to->v[2] = right[0];
	to->v[3] = right[1];
}

/* Any depth and scale, a byte at a time */
static void row_slow(u8 *at, u8 bits)
{
	u32 bytes = con.fb.bpp / 8u;

	for (u32 i = 0; i < FONT_WIDTH * con.scale; i++) {
		bool set = bits >> (FONT_WIDTH - 1 - i / con.scale) & 1;
		u32 pixel = set ? con.pixel : 0;

		for (u32 b = 0; b < bytes; b++)
			*at++ = (u8)(pixel >> (8 * b));
	}
}

static void cell_draw(u32 x, u32 y)
{
	u32 code = (u8)con.cells[y][x] - FONT_FIRST;
	u32 scale = con.scale;
	u64 stride = con.fb.stride_bytes;
	u64 left = (u64)x * FONT_WIDTH * scale * (con.fb.bpp / 8u);
	u8 *at = con.va + y * FONT_HEIGHT * scale * stride + left;
	bool fast = con.fb.bpp == 32 && scale == 1;
	const u8 *glyph;

	glyph = font8x16[code < FONT_GLYPHS ? code : '?' - FONT_FIRST];
	for (u32 line = 0; fast && line < FONT_HEIGHT; line++)
		row_fast(at + line * stride, glyph[line]);
	for (u32 line = 0; !fast && line < FONT_HEIGHT * scale; line++)
		row_slow(at + line * stride, glyph[line / scale]);
}

/* To black, by the string instruction: the fastest there is without SSE */
static void screen_clear(void)
{
	for (u32 y = 0; y < con.fb.height; y++)
		memset(con.va + (u64)y * con.fb.stride_bytes, 0,
		       con.fb.width * (con.fb.bpp / 8u));
	memset(con.drawn, ' ', sizeof(con.drawn));
}

/* Map at first use after hostmap_init(); false: not now */
static bool screen_ready(void)
{
	if (con.va)
		return true;
	if (con.failed || !hostmap_ready())
		return false;
	con.va = ioremap(HPA(con.fb.base),
			 (u64)con.fb.stride_bytes * con.fb.height,
			 PT_R | PT_W | PT_WC);
	con.failed = !con.va;
	if (con.va)
		screen_clear();
	return con.va;
}

static void row_draw(u32 y)
{
	for (u32 x = 0; x < con.columns; x++) {
		if (con.drawn[y][x] == con.cells[y][x])
			continue;
		con.drawn[y][x] = con.cells[y][x];
		cell_draw(x, y);
	}
}

bool fbcon_stale(void)
{
	return con.usable && !con.released && con.dirty_from < con.dirty_to;
}

void fbcon_draw(void)
{
	if (!fbcon_stale() || !screen_ready())
		return;
	for (u32 y = con.dirty_from; y < con.dirty_to; y++)
		row_draw(y);
	con.dirty_from = con.rows;
	con.dirty_to = 0;
}

static void scroll(void)
{
	u32 up = MAX(con.rows / SCROLL_SHARE, 1u);

	memmove(con.cells[0], con.cells[up],
		(con.rows - up) * sizeof(con.cells[0]));
	memset(con.cells[con.rows - up], ' ', up * sizeof(con.cells[0]));
	con.y -= up;
	con.dirty_from = 0;
	con.dirty_to = con.rows;
}

static void line_feed(void)
{
	con.x = 0;
	if (++con.y == con.rows)
		scroll();
}

/* True while the byte belongs to an escape sequence (ECMA-48, 5.3 and 5.4) */
static bool escape_take(char c)
{
	if (c == ESC) {
		con.escape = ESCAPE_START;
		return true;
	}
	if (con.escape == ESCAPE_NONE)
		return false;
	if (con.escape == ESCAPE_START)
		con.escape = c == '[' ? ESCAPE_CSI : ESCAPE_NONE;
	else if (c >= '@' && c <= '~')
		con.escape = ESCAPE_NONE;
	return true;
}

static void print(char c)
{
	if (con.x == con.columns)
		line_feed();
	con.cells[con.y][con.x++] = c;
	con.dirty_from = MIN(con.dirty_from, con.y);
	con.dirty_to = MAX(con.dirty_to, con.y + 1);
}

static void put(char c)
{
	if (escape_take(c))
		return;
	if (c == '\n')
		line_feed();
	else if (c == '\r')
		con.x = 0;
	else if (c == '\b')
		con.x -= con.x ? 1 : 0;
	else if (c == '\t')
		con.x = MIN((con.x / TAB_COLUMNS + 1) * TAB_COLUMNS,
			    con.columns - 1);
	else if (c >= ' ' && c <= '~')
		print(c);
	else if ((u8)c >= 0x80)
		print('?');
}

void fbcon_write(const char *s, size_t len)
{
	if (!con.usable || con.released)
		return;
	for (size_t i = 0; i < len; i++)
		put(s[i]);
}

void fbcon_release(void)
{
	con.released = true;
}

void fbcon_reclaim(void)
{
	if (!con.usable || !con.released)
		return;
	con.released = false;
	con.escape = ESCAPE_NONE;
	cells_clear();
	if (con.va)
		screen_clear();
}
