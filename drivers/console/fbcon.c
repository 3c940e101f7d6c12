/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on the linear framebuffer, see fbcon.h. Called by the console mux, which
 * serializes, so that there is no lock here.
 *
 * Text goes into cells in RAM; fbcon_draw() brings the screen up to them and
 * draws the cells that differ, for some time at a time. The framebuffer is only
 * written to, because reading it is slow. Text that comes before hostmap_init()
 * waits in the cells until the framebuffer can be mapped, unless the machine
 * stops: then the loader's map will do. A screen that is full moves up by a
 * quarter, so that a long log costs little. The rows of cells are a ring: to
 * move up is to begin it further on. Over 400 lines: cells and pixels are one
 * state.
 */
#include "drivers/console/fbcon.h"

#include "arch/x86/machine/tsc.h"
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
#define CAN          0x18
#define ESC          0x1b

/* Escape sequences of terminals are swallowed */
enum escape { ESCAPE_NONE, ESCAPE_START, ESCAPE_CSI };

static struct {
	struct boot_framebuffer fb;
	u8 *va; /* NULL: not mapped yet */
	bool usable, released, failed;
	bool early; /* draw through the loader's map, too */
	u32 scale, columns, rows;
	u32 x, y;
	u32 pixel; /* text color in the framebuffer's format */
	enum escape escape;
	/* Four pixels of 32 bits for each four bits of a glyph */
	u64 quad[16][2];
	u32 dirty_from, dirty_to; /* rows to look at; none: from == to */
	u32 top;                  /* the row of cells that is the first */
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
	/* The top @bits of 8; of more than 8 those below are zero */
	return bits >= 8 ? GRAY << (bits - 8) << shift
			 : (GRAY >> (8 - bits)) << shift;
}

static u64 pixel_pair(u32 bits)
{
	return (bits & 2 ? con.pixel : 0) |
	       (bits & 1 ? (u64)con.pixel << 32 : 0);
}

static void cells_clear(void)
{
	memset(con.cells, ' ', sizeof(con.cells));
	con.top = 0;
	con.x = 0;
	con.y = 0;
	con.dirty_from = 0;
	con.dirty_to = con.rows;
}

void fbcon_init(const struct boot_framebuffer *fb)
{
	con.fb = *fb;
	con.va = NULL;
	con.early = false;
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

/* Any depth and scale, a pixel or a byte at a time */
static void row_slow(u8 *at, u8 bits)
{
	bool whole = con.fb.bpp == 32;

	for (u32 i = 0; i < FONT_WIDTH * con.scale; i++) {
		bool set = bits >> (FONT_WIDTH - 1 - i / con.scale) & 1;
		u32 pixel = set ? con.pixel : 0;

		if (whole)
			*(u32 *)(void *)at = pixel;
		for (u32 b = 0; !whole && b < 3; b++)
			at[b] = (u8)(pixel >> (8 * b));
		at += whole ? 4 : 3;
	}
}

static char *row_at(u32 y)
{
	return con.cells[(con.top + y) % con.rows];
}

/* By words; else any depth and scale, by bytes */
static bool draws_fast(void)
{
	return con.fb.bpp == 32 && con.scale == 1;
}

static void cell_draw(u32 x, u32 y, char c)
{
	u32 code = (u8)c - FONT_FIRST;
	u32 scale = con.scale;
	u64 stride = con.fb.stride_bytes;
	u64 left = (u64)x * FONT_WIDTH * scale * (con.fb.bpp / 8u);
	u8 *at = con.va + y * FONT_HEIGHT * scale * stride + left;
	bool fast = draws_fast();
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

static void *screen_map(void)
{
	u64 bytes = (u64)con.fb.stride_bytes * con.fb.height;

	if (!hostmap_ready())
		return early_map(HPA(con.fb.base), bytes);
	return ioremap(HPA(con.fb.base), bytes, PT_R | PT_W | PT_WC);
}

/* Map at first use after hostmap_init(); false: not now */
static bool screen_ready(void)
{
	if (con.va)
		return true;
	if (con.failed || (!hostmap_ready() && !con.early))
		return false;
	con.va = screen_map();
	con.failed = !con.va;
	if (con.va)
		screen_clear();
	return con.va;
}

/* Draws what differs in row @y, at least one cell of it; false: the time was up
 * first */
static bool row_draw(u32 y, u64 until)
{
	const char *row = row_at(y);

	for (u32 x = 0; x < con.columns; x++) {
		if (con.drawn[y][x] == row[x])
			continue;
		con.drawn[y][x] = row[x];
		cell_draw(x, y, row[x]);
		if (rdtsc() >= until)
			return false;
	}
	return true;
}

bool fbcon_stale(void)
{
	return con.usable && !con.failed && con.dirty_from < con.dirty_to;
}

bool fbcon_draw(u64 until)
{
	if (!fbcon_stale() || !screen_ready())
		return false;
	do {
		if (!row_draw(con.dirty_from, until))
			return true;
		con.dirty_from++;
	} while (con.dirty_from < con.dirty_to && rdtsc() < until);
	if (con.dirty_from < con.dirty_to)
		return true;
	con.dirty_from = con.rows;
	con.dirty_to = 0;
	return false;
}

static void scroll(void)
{
	u32 up = MAX(con.rows / SCROLL_SHARE, 1u);

	for (u32 y = 0; y < up; y++)
		memset(row_at(y), ' ', sizeof(con.cells[0]));
	con.top = (con.top + up) % con.rows;
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
	bool start = con.escape == ESCAPE_START;

	if (c == ESC || c == CAN) {
		con.escape = c == ESC ? ESCAPE_START : ESCAPE_NONE;
		return true;
	}
	if (con.escape == ESCAPE_NONE)
		return false;
	if (start && c == '[')
		con.escape = ESCAPE_CSI;
	else if (c >= (start ? '0' : '@') && c <= '~')
		con.escape = ESCAPE_NONE;
	return true;
}

static void row_dirty(void)
{
	con.dirty_from = MIN(con.dirty_from, con.y);
	con.dirty_to = MAX(con.dirty_to, con.y + 1);
}

static void print(char c)
{
	if (con.x == con.columns)
		line_feed();
	row_at(con.y)[con.x++] = c;
	row_dirty();
}

static void put(char c)
{
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

/* Eight characters that are printed, all of them */
static bool all_print(const char *s)
{
	const u64 each = 0x0101010101010101ull;
	u64 w;

	__builtin_memcpy(&w, s, sizeof(w));
	/* From 80h on, below 20h, DEL */
	return !((w | (w - ' ' * each) | (w + each)) & 0x80 * each);
}

/* How many of the @len bytes go beside each other into this row's cells */
static size_t run_length(const char *s, size_t len)
{
	size_t n = 0;

	len = MIN(len, con.columns - con.x);
	while (n + 8 <= len && all_print(s + n))
		n += 8;
	while (n < len && s[n] >= ' ' && s[n] <= '~')
		n++;
	return n;
}

static void print_run(const char *s, size_t n)
{
	memcpy(row_at(con.y) + con.x, s, n);
	con.x += (u32)n;
	row_dirty();
}

/* How many of the @len bytes are of escape sequences, before one that is not */
static size_t escape_run(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && escape_take(s[n]))
		n++;
	return n;
}

/* Some text, or a control; the bytes it is */
static size_t text_run(const char *s, size_t len)
{
	size_t n = run_length(s, len);

	if (n) {
		print_run(s, n);
		return n;
	}
	put(*s);
	return 1;
}

void fbcon_write(const char *s, size_t len)
{
	if (!con.usable || con.released)
		return;
	while (len) {
		size_t n = escape_run(s, len);

		if (!n)
			n = text_run(s, len);
		s += n;
		len -= n;
	}
}

bool fbcon_size(u32 *columns, u32 *rows)
{
	*columns = con.columns;
	*rows = con.rows;
	return con.usable && !con.failed && !con.released;
}

void fbcon_clear(void)
{
	if (!con.usable || con.released)
		return;
	con.escape = ESCAPE_NONE;
	cells_clear();
}

bool fbcon_pixels(u32 *width, u32 *height, u32 *text_height)
{
	if (!con.usable || con.released || !screen_ready())
		return false;
	*width = con.fb.width;
	*height = con.fb.height;
	*text_height = (con.y + 1) * FONT_HEIGHT * con.scale;
	return true;
}

void fbcon_fill(const struct fb_rect *r, bool light)
{
	u32 bytes = con.fb.bpp / 8u, pixel = light ? con.pixel : 0;

	if (r->x > con.fb.width || r->width > con.fb.width - r->x ||
	    r->y > con.fb.height || r->height > con.fb.height - r->y)
		return;
	for (u32 y = r->y; y < r->y + r->height; y++) {
		u8 *at = con.va + (u64)y * con.fb.stride_bytes +
			 (u64)r->x * bytes;

		for (u32 x = 0; x < r->width; x++, at += bytes)
			for (u32 b = 0; b < bytes; b++)
				at[b] = (u8)(pixel >> (8 * b));
	}
}

void fbcon_early(void)
{
	con.early = true;
}

void fbcon_release(void)
{
	con.released = true;
}

void fbcon_take_back(void)
{
	if (!con.usable || !con.released)
		return;
	con.released = false;
	con.escape = ESCAPE_NONE;
	cells_clear();
	memset(con.drawn, 0, sizeof(con.drawn)); /* no cell has that */
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
