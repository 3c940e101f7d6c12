/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a panic says, as a QR code on the screen, for a person without a serial
 * line. A sink of the log keeps the lines; console_show_code() draws. Both run
 * on the core that panics, so there is no lock but the log's.
 */
#include "drivers/console/fbcon.h"
#include "hv/console/console.h"
#include "lib/log.h"
#include "lib/qr.h"
#include "lib/string.h"

#define TEXT_MAX     1280u /* more than the largest code holds */
#define MODULE_MIN   3u    /* pixels of a module, for a camera */
#define SHARE_HEIGHT 5 / 8 /* of the screen, at most */
#define SHARE_WIDTH  1 / 2

static char text[TEXT_MAX];
static u32 text_len;
static struct qr code;

static void append(const char *s, size_t len)
{
	len = MIN(len, TEXT_MAX - text_len);
	memcpy(text + text_len, s, len);
	text_len += (u32)len;
}

/* What stands before the text is the same in all lines */
static void code_write(struct log_sink *self, enum log_level level,
		       const char *line, size_t len)
{
	static const char tag[] = "panic: ";
	size_t skip = 0, tag_len = sizeof(tag) - 1;

	if (level != LOG_PANIC)
		return;
	while (skip + tag_len < len && memcmp(line + skip, tag, tag_len))
		skip++;
	if (skip + tag_len >= len)
		return;
	append(line + skip + tag_len, len - skip - tag_len);
}

void console_code_init(const char *title)
{
	static struct log_sink sink = { .write = code_write };

	append(title, strlen(title));
	append("\n", 1);
	log_add_sink(&sink);
}

/* The largest code whose modules a camera can tell apart on @pixels */
static u32 version_for(u32 pixels)
{
	u32 version = 0, modules;

	for (modules = 17 + 4 + 2 * QR_QUIET;
	     version < QR_VERSION_MAX && modules * MODULE_MIN <= pixels;
	     modules += 4)
		version++;
	return version;
}

/* Dark is what the text is not */
static void draw(u32 left, u32 top, u32 px)
{
	u32 side = (code.side + 2 * QR_QUIET) * px;
	const struct fb_rect all = { left, top, side, side };

	fbcon_fill(&all, true);
	for (u32 y = 0; y < code.side; y++) {
		for (u32 x = 0; x < code.side; x++) {
			const struct fb_rect module = {
				left + (x + QR_QUIET) * px,
				top + (y + QR_QUIET) * px, px, px
			};

			if (code.dark[y][x])
				fbcon_fill(&module, false);
		}
	}
}

void console_show_code(void)
{
	u32 width, height, text_height, room, side, version;

	if (!fbcon_pixels(&width, &height, &text_height))
		return;
	room = MIN(height * SHARE_HEIGHT, width * SHARE_WIDTH);
	version = version_for(room);
	if (!version || qr_encode(&code, text,
				  MIN(text_len, qr_capacity(version)), version))
		return;
	side = (code.side + 2 * QR_QUIET) * (room / (code.side + 2 * QR_QUIET));
	/* Where the panic's own lines are not */
	draw(width - side, text_height < height / 2 ? height - side : 0,
	     room / (code.side + 2 * QR_QUIET));
}
