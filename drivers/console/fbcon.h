/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on the framebuffer that the loader found: an 8x16 font, scrolling. Any
 * core; the console mux (hv/console) serializes, and a panic has it to itself.
 * Nothing happens without a usable framebuffer.
 */
#ifndef DRIVERS_CONSOLE_FBCON_H
#define DRIVERS_CONSOLE_FBCON_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/* Takes @fb, whose base may be 0: none. Boot CPU, once, also before
 * hostmap_init(): text then waits until the framebuffer can be mapped. */
void fbcon_init(const struct boot_framebuffer *fb);
/* Adds @len bytes to the text that the screen is to show; drops them while
 * released. LF begins a new line, escape sequences are swallowed. */
void fbcon_write(const char *s, size_t len);
/* Has text been written that the screen does not show yet? */
bool fbcon_stale(void);
/* Draws cells that changed, whatever scrolled past in between: at least one,
 * and others while the TSC is below @until. By time, as a screen may be slow: a
 * BMC's takes some microseconds a cell. True: there are more. */
bool fbcon_draw(u64 until);
/* How many pixels the screen has, and how many lines of them from the top the
 * text takes. False: there is no screen to draw on. */
bool fbcon_pixels(u32 *width, u32 *height, u32 *text_height);
/* Fills pixels with the text's color, or black; nothing if they are not all on
 * the screen. After fbcon_pixels() was true; text that comes later may go over
 * them. */
struct fb_rect {
	u32 x, y, width, height;
};
void fbcon_fill(const struct fb_rect *r, bool light);
/* The machine stops, maybe before hostmap_init(): from now on text is drawn
 * through the loader's map where there is no other. Nobody maps the screen
 * again then. */
void fbcon_early(void);
/* Gives the screen to the privileged guest's kernel. What has been written is
 * still to be drawn. */
void fbcon_release(void);
/* How much text it holds; false: there is none now */
bool fbcon_size(u32 *columns, u32 *rows);
/* Empties it */
void fbcon_clear(void);
/* Takes it back while guests run. It shows what is written from now on; what is
 * left there of others is drawn over by fbcon_draw(). */
void fbcon_take_back(void);
/* Takes it back and clears it, so that a panic or the machine's end can be
 * read. Some 10 ms. */
void fbcon_reclaim(void);

#endif
