/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers and formats of QEMU's firmware configuration device (fw_cfg.rst),
 * and of its file etc/table-loader (QEMU's hw/acpi/bios-linker-loader.c). What
 * is marked BE is big-endian. */
#ifndef HW_FWCFG_H
#define HW_FWCFG_H

#include "lib/types.h"

/* clang-format off */
/* Ports, from PC_FWCFG */
#define FWCFG_PORTS		12u
#define FWCFG_PORT_SELECT	0	/* 2 bytes, write */
#define FWCFG_PORT_DATA		1	/* 1 byte, read */
#define FWCFG_PORT_DMA_HIGH	4	/* 4 bytes, BE: address 63:32 */
#define FWCFG_PORT_DMA_LOW	8	/* 4 bytes, BE: address 31:0, starts */

#define FWCFG_KEY_ARCH		0x8000u
#define FWCFG_KEY_WRITE		0x4000u	/* channel of old, without effect */
#define FWCFG_KEY_MASK		0x3fffu

/* Keys; files have those from FWCFG_FILE_FIRST on */
#define FWCFG_SIGNATURE		0x00
#define FWCFG_ID		0x01
#define FWCFG_RAM_SIZE		0x03
#define FWCFG_NOGRAPHIC		0x04
#define FWCFG_NB_CPUS		0x05
#define FWCFG_KERNEL_ADDR	0x07
#define FWCFG_KERNEL_SIZE	0x08
#define FWCFG_INITRD_ADDR	0x0a
#define FWCFG_INITRD_SIZE	0x0b
#define FWCFG_NUMA		0x0d
#define FWCFG_BOOT_MENU		0x0e
#define FWCFG_MAX_CPUS		0x0f
#define FWCFG_KERNEL_DATA	0x11
#define FWCFG_INITRD_DATA	0x12
#define FWCFG_CMDLINE_ADDR	0x13
#define FWCFG_CMDLINE_SIZE	0x14
#define FWCFG_CMDLINE_DATA	0x15
#define FWCFG_SETUP_ADDR	0x16
#define FWCFG_SETUP_SIZE	0x17
#define FWCFG_SETUP_DATA	0x18
#define FWCFG_FILE_DIR		0x19
#define FWCFG_FILE_FIRST	0x20
#define FWCFG_IRQ0_OVERRIDE	(FWCFG_KEY_ARCH + 2)

#define FWCFG_ID_TRADITIONAL	0x1u
#define FWCFG_ID_DMA		0x2u

#define FWCFG_DMA_ERROR		0x01u
#define FWCFG_DMA_READ		0x02u
#define FWCFG_DMA_SKIP		0x04u
#define FWCFG_DMA_SELECT	0x08u
#define FWCFG_DMA_WRITE		0x10u
#define FWCFG_DMA_KEY_SHIFT	16
/* clang-format on */

/* What the DMA port reads as, first byte first */
#define FWCFG_DMA_SIGNATURE "QEMU CFG"

#define FWCFG_NAME_LEN 56

struct fwcfg_dma_descriptor {
	u32 control; /* BE */
	u32 length;  /* BE */
	u64 address; /* BE */
} __packed;
static_assert(sizeof(struct fwcfg_dma_descriptor) == 16, "DMA descriptor");

struct fwcfg_dir_entry {
	u32 size;   /* BE */
	u16 select; /* BE */
	u16 reserved;
	char name[FWCFG_NAME_LEN]; /* zero-terminated */
} __packed;
static_assert(sizeof(struct fwcfg_dir_entry) == 64, "directory entry");

/* A firmware places ACPI tables by these */
enum loader_command_kind {
	LOADER_ALLOCATE = 1,
	LOADER_ADD_POINTER = 2,
	LOADER_ADD_CHECKSUM = 3,
};

enum loader_zone { LOADER_HIGH = 1, LOADER_FSEG = 2 };

struct loader_command {
	u32 command;
	union {
		struct {
			char file[FWCFG_NAME_LEN];
			u32 align; /* a power of two */
			u8 zone;
		} __packed allocate;
		struct {
			char dest[FWCFG_NAME_LEN];
			char source[FWCFG_NAME_LEN];
			u32 offset; /* in dest, of the pointer */
			u8 size;
		} __packed pointer;
		struct {
			char file[FWCFG_NAME_LEN];
			u32 offset, start, length;
		} __packed checksum;
		u8 pad[124];
	};
} __packed;
static_assert(sizeof(struct loader_command) == 128, "a command's size");

#endif
