/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a BIOS leaves in RAM, for an isolated guest that is started at its
 * kernel: the data areas, and vectors that lead to code (bios_code.asm) which
 * does no service but returns. Called by load_guest(). No locks.
 */
#include "hv/core/gmem.h"
#include "hv/core/pc_map.h"
#include "hv/load/platform.h"
#include "include/hw/bios_data.h"
#include "include/hw/uart16550.h"

#define COM_COUNT   1u
#define CODE_OFFSET (PC_BIOS_CODE - BIOS_SEGMENT_BASE)
#define CODE_BYTES  (BIOS_SEGMENT_BASE + BIOS_RESET - PC_BIOS_CODE)

/* Vectors [first, last] lead to bios_code + @code */
struct bios_row {
	u8 first, last;
	u16 code;
};
/* It begins with a reset */
extern const u8 bios_code[CODE_BYTES];
extern const struct bios_row bios_rows[], bios_rows_end[];

static struct bios_vector vector_to(u16 code)
{
	return (struct bios_vector){ (u16)(CODE_OFFSET + code), BIOS_SEGMENT };
}

static int write_vectors(struct vm *vm)
{
	struct bios_vector vectors[BIOS_VECTOR_COUNT];

	for (const struct bios_row *r = bios_rows; r < bios_rows_end; r++)
		for (u32 i = r->first; i <= r->last; i++)
			vectors[i] = vector_to(r->code);
	return gmem_write(vm, GPA(BIOS_VECTORS_BASE), vectors, sizeof(vectors));
}

static int write_code(struct vm *vm)
{
	const struct bios_reset reset = {
		.jump = BIOS_JUMP_FAR,
		.start = vector_to(0),
		.date = PLATFORM_DATE_SHORT,
		.model = BIOS_MODEL_AT,
	};
	int err = gmem_write(vm, GPA(PC_BIOS_CODE), bios_code, CODE_BYTES);

	return err ? err
		   : gmem_write(vm, GPA(BIOS_SEGMENT_BASE + BIOS_RESET), &reset,
				sizeof(reset));
}

/* The extended area's first byte is its size in KiB */
static int write_data(struct vm *vm)
{
	const u16 kbd_start = offsetof(struct bios_data, kbd_buffer);
	const struct bios_data data = {
		.com = { COM1_PORT },
		.ebda_segment = PC_EBDA_BASE >> 4,
		.equipment = BIOS_EQUIP_FPU | BIOS_EQUIP_COM(COM_COUNT),
		.memory_kib = PC_EBDA_BASE / KIB(1),
		.kbd_head = kbd_start,
		.kbd_tail = kbd_start,
		.com_timeout = { BIOS_COM_TIMEOUT_S },
		.kbd_start = kbd_start,
		.kbd_end = kbd_start + sizeof(data.kbd_buffer),
		.kbd_type = BIOS_KBD_EXTENDED,
	};
	const u8 ebda_kib = (PC_VGA_BASE - PC_EBDA_BASE) / KIB(1);
	int err = gmem_write(vm, GPA(BIOS_DATA_BASE), &data, sizeof(data));

	return err ? err
		   : gmem_write(vm, GPA(PC_EBDA_BASE), &ebda_kib,
				sizeof(ebda_kib));
}

int bios_area_write(struct vm *vm)
{
	int err = write_vectors(vm);

	if (!err)
		err = write_code(vm);
	return err ? err : write_data(vm);
}
