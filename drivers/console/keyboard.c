/* SPDX-License-Identifier: BSD-2-Clause */
/* Which key was pressed; see keyboard.h. No lock. */
#include "drivers/console/keyboard.h"

#include "arch/x86/cpu/portio.h"
#include "include/hw/i8042.h"

/* At a time: a controller that always has one is broken */
#define BYTES_MAX 16
#define SPINS     2000  /* reads of a port, a microsecond each or more */
#define NOTHING   0xffu /* there is no controller */

/* Codes of set 1 (PS/2, *Keyboards (101- and 102-Key)*) */
#define RELEASED   0x80u /* in set 1, a bit */
#define RELEASED_2 0xf0u /* in set 2, a byte before */
#define EXTENDED   0xe0u
#define PAUSE      0xe1u
#define PAUSE_LEFT 5u /* bytes behind its first, of set 1 */
#define PAUSE_2    7u
#define CTRL       0x1du
#define LEFT       0x2au
#define RIGHT      0x36u
#define ALT        0x38u
#define CAPS       0x3au
#define NUM_LOCK   0x45u
#define SCROLL     0x46u
#define PAGE_UP    0x49u /* behind E0h, as the next */
#define PAGE_DOWN  0x51u
#define SLASH      0x35u
#define ENTER      0x1cu

#define F7   0x41u
#define F7_2 0x83u /* the one code of set 2 above 7Fh */

#define MAIN_LAST 0x39u
/* clang-format off */
static const char plain[] =
	"\0\033" "1234567890-=\177\t" "qwertyuiop[]\r\0" "asdfghjkl;'`\0\\"
	"zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\0\033" "!@#$%^&*()_+\177\t" "QWERTYUIOP{}\r\0" "ASDFGHJKL:\"~\0|"
	"ZXCVBNM<>?\0*\0 ";
/* clang-format on */
static_assert(sizeof(plain) == MAIN_LAST + 2, "a character for each code");
static_assert(sizeof(shifted) == MAIN_LAST + 2, "a character for each code");

/* Codes of set 2 as a controller translates them; 0: no key of ours */
static const u8 from_set_2[0x80] = {
	[0x0d] = 0x0f,    [0x0e] = 0x29,     [0x11] = ALT,       [0x12] = LEFT,
	[0x14] = CTRL,    [0x15] = 0x10,     [0x16] = 0x02,      [0x1a] = 0x2c,
	[0x1b] = 0x1f,    [0x1c] = 0x1e,     [0x1d] = 0x11,      [0x1e] = 0x03,
	[0x21] = 0x2e,    [0x22] = 0x2d,     [0x23] = 0x20,      [0x24] = 0x12,
	[0x25] = 0x05,    [0x26] = 0x04,     [0x29] = 0x39,      [0x2a] = 0x2f,
	[0x2b] = 0x21,    [0x2c] = 0x14,     [0x2d] = 0x13,      [0x2e] = 0x06,
	[0x31] = 0x31,    [0x32] = 0x30,     [0x33] = 0x23,      [0x34] = 0x22,
	[0x35] = 0x15,    [0x36] = 0x07,     [0x3a] = 0x32,      [0x3b] = 0x24,
	[0x3c] = 0x16,    [0x3d] = 0x08,     [0x3e] = 0x09,      [0x41] = 0x33,
	[0x42] = 0x25,    [0x43] = 0x17,     [0x44] = 0x18,      [0x45] = 0x0b,
	[0x46] = 0x0a,    [0x49] = 0x34,     [0x4a] = 0x35,      [0x4b] = 0x26,
	[0x4c] = 0x27,    [0x4d] = 0x19,     [0x4e] = 0x0c,      [0x52] = 0x28,
	[0x54] = 0x1a,    [0x55] = 0x0d,     [0x58] = CAPS,      [0x59] = RIGHT,
	[0x5a] = ENTER,   [0x5b] = 0x1b,     [0x5d] = 0x2b,      [0x66] = 0x0e,
	[0x76] = 0x01,    [0x77] = NUM_LOCK, [0x7a] = PAGE_DOWN, [0x7c] = 0x37,
	[0x7d] = PAGE_UP, [0x7e] = SCROLL,
};

/* Keys that go together with others; false: it is none of these */
static bool take_shift(struct keyboard *k, u8 code, bool down)
{
	u8 *keys = code == CTRL ? &k->ctrls : &k->shifts;
	u8 bit = k->extended || code == RIGHT ? 2 : 1;

	/* A keyboard sends these around some keys, as if shift were up */
	if (k->extended && (code == LEFT || code == RIGHT))
		return true;
	switch (code) {
	case LEFT:
	case RIGHT:
	case CTRL:
		*keys = (u8)(down ? *keys | bit : *keys & ~bit);
		return true;
	case CAPS:
		k->caps ^= down;
		return true;
	case ALT:
	case NUM_LOCK:
	case SCROLL:
		return true;
	default:
		return false;
	}
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int main_key(const struct keyboard *k, u8 code)
{
	bool shift = k->shifts;
	char c = code <= MAIN_LAST ? plain[code] : 0;

	if (!c)
		return KEY_OTHER;
	if (is_letter(c))
		shift ^= k->caps;
	if (shift)
		c = shifted[code];
	/* Ctrl with @ to _ (ECMA-48 5.2), however the letter is written */
	if (k->ctrls && c >= '@' && c < 0x7f)
		return c & 0x1f;
	return c;
}

static int extended_key(const struct keyboard *k, u8 code)
{
	switch (code) {
	case PAGE_UP:
		return KEY_PAGE_UP;
	case PAGE_DOWN:
		return KEY_PAGE_DOWN;
	case SLASH:
	case ENTER:
		return main_key(k, code);
	default:
		return KEY_OTHER;
	}
}

/* @code of set 1, without the bit that tells of a release */
static int take_code(struct keyboard *k, u8 code, bool down)
{
	int key = KEY_NONE;

	if (!take_shift(k, code, down) && down)
		key = k->extended ? extended_key(k, code) : main_key(k, code);
	k->extended = false;
	k->released = false;
	return key;
}

int keyboard_take(struct keyboard *k, u8 byte)
{
	u8 code;

	if (k->skip) {
		k->skip--;
		return KEY_NONE;
	}
	if (byte == EXTENDED) {
		k->extended = true;
		return KEY_NONE;
	}
	if (byte == PAUSE) {
		k->skip = k->set_2 ? PAUSE_2 : PAUSE_LEFT;
		return KEY_NONE;
	}
	/* No code of set 1, so this tells which it is */
	if (byte == RELEASED_2) {
		k->set_2 = k->released = true;
		return KEY_NONE;
	}
	if (!k->set_2)
		return take_code(k, byte & (u8)~RELEASED, !(byte & RELEASED));
	/* The rest are answers, not keys */
	if (byte >= sizeof(from_set_2) && byte != F7_2)
		return KEY_NONE;
	code = byte == F7_2 ? F7 : from_set_2[byte];
	return take_code(k, code ? code : F7, !k->released);
}

static struct keyboard keys;

/* The next byte of the keyboard's; -1: there is none. The mouse's are dropped,
 * and what came damaged. */
static int get_byte(void)
{
	for (u32 i = 0; i < BYTES_MAX; i++) {
		u8 status = (u8)port_read(KBC_STATUS, 1), byte;

		if (status == NOTHING || !(status & KBC_STAT_OBF))
			return -1;
		byte = (u8)port_read(KBC_DATA, 1);
		if (!(status & (KBC_STAT_AUX | KBC_STAT_TIMEOUT)))
			return byte;
	}
	return -1;
}

/* Is it so that (status & @bits) == @want, soon? */
static bool wait_for(u8 bits, u8 want)
{
	for (u32 i = 0; i < SPINS; i++) {
		u8 status = (u8)port_read(KBC_STATUS, 1);

		if (status == NOTHING)
			return false;
		if ((status & bits) == want)
			return true;
	}
	return false;
}

void keyboard_start(void)
{
	keys = (struct keyboard){ 0 };
	for (u32 i = 0; i < BYTES_MAX && get_byte() >= 0; i++)
		;
	if (!wait_for(KBC_STAT_IBF, 0))
		return;
	port_write(KBC_COMMAND, 1, KBC_CMD_READ_RAM);
	if (wait_for(KBC_STAT_OBF, KBC_STAT_OBF))
		keys.set_2 = !(port_read(KBC_DATA, 1) & KBC_CFG_TRANSLATE);
}

int keyboard_get(void)
{
	for (u32 i = 0; i < BYTES_MAX; i++) {
		int byte = get_byte(), key;

		if (byte < 0)
			break;
		key = keyboard_take(&keys, (u8)byte);
		if (key != KEY_NONE)
			return key;
	}
	return KEY_NONE;
}
