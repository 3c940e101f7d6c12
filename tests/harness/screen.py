# SPDX-License-Identifier: BSD-2-Clause
"""The emulated screen, read as a person would: a screen dump of QEMU, and the
hypervisor's text back from its pixels by the font it was drawn with."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

WIDTH, HEIGHT = 8, 16  # drivers/console/font8x16.h
FIRST = 0x20
UNKNOWN = "\x00"  # a cell that no glyph of the font fills


def _glyphs():
    with open(os.path.join(ROOT, "drivers/console/font8x16.c")) as f:
        rows = re.findall(r"(0x[0-9a-f]{2}),", f.read())
    data = bytes(int(r, 16) for r in rows)
    return {data[i:i + HEIGHT]: chr(FIRST + i // HEIGHT)
            for i in range(0, len(data), HEIGHT)}


class Screen:
    """A PPM file (P6, 8 bits a color), as QEMU writes it."""

    def __init__(self, path):
        with open(path, "rb") as f:
            head, size, depth, self.pixels = f.read().split(b"\n", 3)
        if head != b"P6" or depth != b"255":
            raise ValueError(f"{path} is no screen dump")
        self.width, self.height = map(int, size.split())

    def lit(self):
        """Pixels that are not black."""
        return sum(1 for i in range(0, len(self.pixels), 3)
                   if any(self.pixels[i:i + 3]))

    def lines(self):
        """The text of each row of cells; UNKNOWN for what is no glyph."""
        glyphs = _glyphs()
        # One byte a pixel, 0 or 1: the colors' loudest says whether it is lit
        lit = bytes(1 if max(p) else 0 for p in
                    zip(self.pixels[0::3], self.pixels[1::3], self.pixels[2::3]))
        found = []
        for top in range(0, self.height - HEIGHT + 1, HEIGHT):
            scans = [lit[y * self.width:(y + 1) * self.width]
                     for y in range(top, top + HEIGHT)]
            row = ""
            for left in range(0, self.width - WIDTH + 1, WIDTH):
                cell = bytes(int.from_bytes(s[left:left + WIDTH], "big")
                             * 0x0102040810204080 >> 56 & 0xff for s in scans)
                row += glyphs.get(cell, UNKNOWN)
            found.append(row.rstrip())
        return found

    def text(self):
        """All rows; a line that was wrapped at the right edge is whole."""
        columns = self.width // WIDTH
        return "".join(row if len(row) == columns else row + "\n"
                       for row in self.lines())
