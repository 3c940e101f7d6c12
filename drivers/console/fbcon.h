/* SPDX-License-Identifier: BSD-2-Clause */
/* Text on the framebuffer the loader found (8x16 font, scrolling) */
#ifndef DRIVERS_CONSOLE_FBCON_H
#define DRIVERS_CONSOLE_FBCON_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

void fbcon_init(const struct boot_framebuffer *fb); /* base 0: stays silent */
/* Into the text that the screen is to show; nothing while released */
void fbcon_write(const char *s, size_t len);
/* Text was written that the screen does not show yet */
bool fbcon_stale(void);
/* Show it: the cells that changed, whatever scrolled past in between */
void fbcon_draw(void);
/* The privileged guest's kernel owns the screen from now on */
void fbcon_release(void);
/* A panic takes it back: clears it, so that the panic can be read */
void fbcon_reclaim(void);
#endif
