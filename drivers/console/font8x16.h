/* SPDX-License-Identifier: BSD-2-Clause */
/* The framebuffer console's glyphs: printable ASCII, a byte for each row of 8
 * pixels, the leftmost in bit 7 */
#ifndef DRIVERS_CONSOLE_FONT8X16_H
#define DRIVERS_CONSOLE_FONT8X16_H

#include "lib/types.h"

#define FONT_WIDTH  8u
#define FONT_HEIGHT 16u
#define FONT_FIRST  0x20u
#define FONT_GLYPHS 95u

extern const u8 font8x16[FONT_GLYPHS][FONT_HEIGHT];

#endif
