/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PC's BIOS leaves below 1 MiB: vectors at 0, the BIOS data area at
 * 400h, the extended one below video memory (IBM PS/2 and PC BIOS Interface
 * Technical Reference, 2 *Data Areas and ROM Tables*; Phoenix, System BIOS for
 * IBM PCs, Compatibles, and EISA Computers, 3 *BIOS Data*).
 */
#ifndef HW_BIOS_DATA_H
#define HW_BIOS_DATA_H

#include "lib/types.h"

#define BIOS_VECTORS_BASE  0x0ull
#define BIOS_VECTOR_COUNT  256u
#define BIOS_DATA_BASE     0x400ull
#define BIOS_SEGMENT       0xf000u
#define BIOS_SEGMENT_BASE  0xf0000ull
#define BIOS_RESET         0xfff0u /* what follows lies at F000:FFF0 */
#define BIOS_MODEL_AT      0xfcu
#define BIOS_EQUIP_FPU     BIT(1)
#define BIOS_EQUIP_COM(n)  ((n) << 9)
#define BIOS_KBD_EXTENDED  BIT(4) /* 101 or 102 keys */
#define BIOS_COM_TIMEOUT_S 1

struct bios_vector {
	u16 offset, segment;
} __packed;
static_assert(sizeof(struct bios_vector) == 4, "vector");

struct bios_data {
	u16 com[4], lpt[3]; /* base ports, 0: none */
	u16 ebda_segment;
	u16 equipment;
	u8 post;
	u16 memory_kib; /* from 0 up to the extended data area */
	u16 reserved0;
	u8 kbd_flags[2], kbd_keypad;
	u16 kbd_head, kbd_tail; /* both of these from 400h on */
	u16 kbd_buffer[16];
	u8 disk_and_video[46];
	u32 ticks; /* 18.2 a second, since midnight */
	u8 midnight, kbd_break;
	u16 warm_boot;
	u8 disks[4];
	u8 lpt_timeout[4], com_timeout[4]; /* seconds */
	u16 kbd_start, kbd_end;            /* of the buffer, from 400h on */
	u8 video_and_disk[18];
	u8 kbd_type, kbd_leds;
	u8 rest[104];
} __packed;
static_assert(offsetof(struct bios_data, ebda_segment) == 0x0e, "40:0E");
static_assert(offsetof(struct bios_data, memory_kib) == 0x13, "40:13");
static_assert(offsetof(struct bios_data, kbd_buffer) == 0x1e, "40:1E");
static_assert(offsetof(struct bios_data, ticks) == 0x6c, "40:6C");
static_assert(offsetof(struct bios_data, com_timeout) == 0x7c, "40:7C");
static_assert(offsetof(struct bios_data, kbd_type) == 0x96, "40:96");
static_assert(sizeof(struct bios_data) == 0x100, "BIOS data area");

/* The last 16 bytes of the BIOS: a far jump to its start, its date (month, day
 * and year by slashes), the model */
struct bios_reset {
	u8 jump;
	struct bios_vector start;
	char date[8];
	u8 reserved, model, checksum;
} __packed;
static_assert(sizeof(struct bios_reset) == 16, "F000:FFF0");
#define BIOS_JUMP_FAR 0xea

#endif
