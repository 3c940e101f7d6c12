# SPDX-License-Identifier: BSD-2-Clause
"""A QR code on an emulated screen, read back as ISO/IEC 18004 says: from the
pixels at the right edge to the text. Level L, bytes; a screen has no noise, so
that nothing is corrected."""

# Table 9, level L: error correction codewords of a block, and blocks
BLOCKS = {1: (7, 1), 2: (10, 1), 3: (15, 1), 4: (20, 1), 5: (26, 1), 6: (18, 2), 7: (20, 2),
          8: (24, 2), 9: (30, 2), 10: (18, 4), 11: (20, 4), 12: (24, 4), 13: (26, 4), 14: (30, 4),
          15: (22, 6), 16: (24, 6), 17: (28, 6), 18: (30, 6), 19: (28, 7), 20: (28, 8),
          21: (28, 8), 22: (28, 9), 23: (30, 9), 24: (30, 10), 25: (26, 12)}
# Annex E, the centers of alignment patterns
ALIGNMENT = {7: (6, 22, 38), 8: (6, 24, 42), 9: (6, 26, 46), 10: (6, 28, 50), 11: (6, 30, 54),
             12: (6, 32, 58), 13: (6, 34, 62), 14: (6, 26, 46, 66), 15: (6, 26, 48, 70),
             16: (6, 26, 50, 74), 17: (6, 30, 54, 78), 18: (6, 30, 56, 82), 19: (6, 30, 58, 86),
             20: (6, 34, 62, 90), 21: (6, 28, 50, 72, 94), 22: (6, 26, 50, 74, 98),
             23: (6, 30, 54, 78, 102), 24: (6, 28, 54, 80, 106), 25: (6, 32, 58, 84, 110)}
MASKS = (lambda y, x: (y + x) % 2, lambda y, x: y % 2, lambda y, x: x % 3,
         lambda y, x: (y + x) % 3, lambda y, x: (y // 2 + x // 3) % 2,
         lambda y, x: y * x % 2 + y * x % 3, lambda y, x: (y * x % 2 + y * x % 3) % 2,
         lambda y, x: ((y + x) % 2 + y * x % 3) % 2)


def modules(screen):
    """Rows of 0 (light) and 1 of the code in the corner at the top or the bottom right; None:
    there is none."""
    def lit(y, x):
        return any(screen.pixels[(y * screen.width + x) * 3:][:3])

    for edge in (0, screen.height - 1):
        side = 0
        while side < screen.width and lit(edge, screen.width - 1 - side):
            side += 1
        left, top = screen.width - side, 0 if edge == 0 else screen.height - side
        quiet = 0  # along the diagonal, up to the finder
        while quiet < side and lit(top + quiet, left + quiet):
            quiet += 1
        px = quiet // 4
        if px and side % px == 0 and (side // px - 8) % 4 == 1:
            return [[0 if lit(top + (y + 4) * px, left + (x + 4) * px) else 1
                     for x in range(side // px - 8)] for y in range(side // px - 8)]
    return None


def is_function(version, side, y, x):
    """Does a pattern, the format or the version lie there?"""
    if y == 6 or x == 6 or (y < 9 and x < 9) or (y < 9 and x >= side - 8) or \
            (y >= side - 8 and x < 9):
        return True
    if version >= 7 and ((y < 6 and x >= side - 11) or (x < 6 and y >= side - 11)):
        return True
    centers = ALIGNMENT.get(version, (6, side - 7) if version > 1 else ())
    corners = ((6, 6), (6, side - 7), (side - 7, 6))
    return any(abs(y - cy) <= 2 and abs(x - cx) <= 2 for cy in centers for cx in centers
               if (cy, cx) not in corners)


def codewords(rows, version):
    side = len(rows)
    mask = MASKS[(rows[8][2] << 2 | rows[8][3] << 1 | rows[8][4]) ^ 0b101]
    columns = [x if x > 6 else x - 1 for x in range(side - 1, 0, -2)]
    bits = []
    for pair, right in enumerate(columns):
        for y in (range(side) if pair % 2 else range(side - 1, -1, -1)):
            bits += [rows[y][x] ^ (mask(y, x) == 0) for x in (right, right - 1)
                     if not is_function(version, side, y, x)]
    return [int("".join(str(int(b)) for b in bits[i:i + 8]), 2)
            for i in range(0, len(bits) - 7, 8)]


def read(screen):
    """The text of the code on a Screen; None: there is no code."""
    rows = modules(screen)
    if not rows:
        return None
    version = (len(rows) - 17) // 4
    words = codewords(rows, version)
    correction, count = BLOCKS[version]
    total = len(words) - correction * count
    short = total // count
    blocks = [[words[i * count + b] for i in range(short)] for b in range(count)]
    longer = total % count
    for i in range(longer):
        blocks[count - longer + i].append(words[short * count + i])
    stream = "".join(f"{w:08b}" for block in blocks for w in block)
    size = 8 if version < 10 else 16
    length = int(stream[4:4 + size], 2)
    return bytes(int(stream[4 + size + 8 * i:][:8], 2) for i in range(length)).decode("latin-1")
