/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A raw firmware image: a PC's flash memory, which ends at 4 GiB. Its last
 * 128 KiB are below 1 MiB, too, where a chipset shadows them in RAM. The boot
 * vCPU starts at its reset vector (SDM 3A 10.1.4 *First Instruction Executed*)
 * in power-on state. Called by load_guest(), by the plan for the way in, and by
 * hv/vm/memory.c and shape.c for the ROM. The image is untrusted: only its size
 * matters. No locks.
 */
#include "hv/core/pc_map.h"
#include "hv/load/fill.h"
#include "hv/load/load.h"
#include "hv/load/staged.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define SHADOW_BYTES KIB(128)
#define SHADOW_END   MIB(1)
/* The reset vector, from the image's end */
#define VECTOR_BYTES 16u

/* What may stand before the jump of a reset vector: NOP, CLI, CLD, an operand
 * size prefix, and WBINVD in two bytes */
static bool is_prelude(u8 byte)
{
	static const u8 bytes[] = { 0x90, 0xfa, 0xfc, 0x66, 0x0f, 0x09 };

	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		if (bytes[i] == byte)
			return true;
	return false;
}

/* JMP near, far, short (SDM 2A *JMP*) */
static bool is_jump(u8 byte)
{
	return byte == 0xe9 || byte == 0xea || byte == 0xeb;
}

bool firmware_probe(const struct image *file)
{
	const u8 *vector;
	u32 i = 0;

	if (!pc_is_firmware_size(file->size))
		return false;
	vector = file->data + file->size - VECTOR_BYTES;
	while (i < VECTOR_BYTES && is_prelude(vector[i]))
		i++;
	return i < VECTOR_BYTES && is_jump(vector[i]);
}

const char *firmware_name(const struct guest_config *c)
{
	if (c->boot != BOOT_WAY_FIRMWARE)
		return NULL;
	return c->firmware[0] ? c->firmware : c->kernel;
}

bool firmware_rom(const struct vm *vm, struct image *out)
{
	const char *name = firmware_name(vm->config);

	return name && !staged_find(vm, name, out) &&
	       pc_is_firmware_size(out->size);
}

int firmware_load(struct vm *vm, const struct image *file)
{
	u64 low = MIN(file->size, SHADOW_BYTES);
	int err = 0;

	if (!pc_is_firmware_size(file->size)) {
		log_error("load",
			  "guest %s: %s is no firmware image: its size must be "
			  "a multiple of 4 KiB from 64 KiB to 16 MiB; name "
			  "another file",
			  vm->name, file->name);
		return -ENOEXEC;
	}
	/* A dynamic guest's ROM is the file itself: hv/vm/shape.h */
	if (!vm->staged)
		err = fill_copy_rom(vm, PC_ROM_END - file->size, file->data,
				    file->size);
	if (!err)
		err = fill_copy(vm, SHADOW_END - low,
				file->data + file->size - low, low);
	if (err)
		log_error("load",
			  "guest %s: its firmware %s could not be copied "
			  "(error %d); give it more memory",
			  vm->name, file->name, -err);
	return err;
}
