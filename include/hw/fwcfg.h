/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers and formats of QEMU's firmware configuration device (QEMU
 * docs/specs/fw_cfg.rst). What is marked BE is big-endian. */
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
	char name[56]; /* zero-terminated */
} __packed;
static_assert(sizeof(struct fwcfg_dir_entry) == 64, "directory entry");

#endif
