/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A raw firmware image: a PC's flash memory, which ends at 4 GiB. Its last
 * 128 KiB are below 1 MiB, too, where a chipset shadows them in RAM. The boot
 * vCPU starts at its reset vector (SDM 3A 10.1.4 *First Instruction Executed*)
 * in power-on state. Called by load_guest(), by the plan for the way in, and by
 * hv/vm/memory.c for the size. The image is untrusted: only its size matters.
 * No locks.
 */
#include "hv/core/pc_map.h"
#include "hv/load/fill.h"
#include "hv/load/load.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define ROM_MIN      KIB(64)
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

static bool size_ok(const struct image *file)
{
	return file->size >= ROM_MIN && file->size <= PC_FIRMWARE_MAX &&
	       IS_ALIGNED(file->size, PAGE_SIZE);
}

bool firmware_probe(const struct image *file)
{
	const u8 *vector;
	u32 i = 0;

	if (!size_ok(file))
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

u64 firmware_rom_bytes(const struct guest_config *c)
{
	const char *name = firmware_name(c);
	struct image file;

	if (!name || file_find(name, &file) || !size_ok(&file))
		return 0;
	return file.size;
}

int firmware_load(struct vm *vm, const struct image *file)
{
	u64 low = MIN(file->size, SHADOW_BYTES);
	int err;

	if (!size_ok(file)) {
		log_error("load",
			  "guest %s: %s is no firmware image: its size must be "
			  "a multiple of 4 KiB from 64 KiB to 16 MiB; name "
			  "another file",
			  vm->name, file->name);
		return -ENOEXEC;
	}
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
