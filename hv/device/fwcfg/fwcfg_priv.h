/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to hv/device/fwcfg/ */
#ifndef HV_DEVICE_FWCFG_FWCFG_PRIV_H
#define HV_DEVICE_FWCFG_FWCFG_PRIV_H

#include "arch/x86/cpu/spinlock.h"
#include "hv/core/vcpu.h"
#include "hv/device/fwcfg/fwcfg.h"
#include "include/hw/fwcfg.h"

#define FWCFG_MAX_FILES 64u
#define FWCFG_KEYS      0x20u
#define FWCFG_ARCH_KEYS 8u
#define FWCFG_WRITE_MAX 64u /* bytes of a writable item */

struct fwcfg_item {
	const u8 *data; /* NULL: it lies in the guest's memory, */
	u64 kept;       /* which keeps it from the guest (hv/core/slots.h) */
	u32 len;
	bool owned;    /* data is our copy */
	bool writable; /* by the guest, and owned */
};

/* A transfer that is not over: whose it is, and how far it is */
struct fwcfg_transfer {
	const struct vcpu *owner; /* NULL: none */
	bool at_work;             /* its vCPU copies now, without the lock */
	u32 waits;                /* how often others found it not over */
	gpa_t descriptor;
	const struct fwcfg_item *item;
	u32 offset; /* in the item */
	u32 left;   /* bytes still to write */
	gpa_t to;
};

struct fwcfg_directory {
	u32 count; /* BE */
	struct fwcfg_dir_entry entries[FWCFG_MAX_FILES];
} __packed;

/*
 * Lock: a leaf. It protects what the guest changes: selected, offset, dma,
 * transfer, and the bytes of a writable item. All else is constant while the
 * guest runs.
 */
struct fwcfg {
	struct vm *vm;
	struct spinlock lock;
	u16 selected;
	u32 offset;
	u64 dma; /* address register */
	struct fwcfg_transfer transfer;
	u32 file_count;
	struct fwcfg_item keys[FWCFG_KEYS];
	struct fwcfg_item arch_keys[FWCFG_ARCH_KEYS];
	struct fwcfg_item files[FWCFG_MAX_FILES]; /* as the directory's */
	struct fwcfg_directory directory;         /* sorted by name */
};

static inline struct fwcfg *fwcfg_of(const struct vm *vm)
{
	return vm->devices[VDEV_fwcfg];
}

/* Its bytes from @offset on, which is below its length, and how many are *@left
 * in a row. As good as mm/window.h says. */
const u8 *fwcfg_item_at(const struct vm *vm, const struct fwcfg_item *item,
			u32 offset, u32 *left);
/* The item of a selector value; NULL: there is none. fwcfg_select(): under the
 * lock. */
const struct fwcfg_item *fwcfg_item_of(const struct fwcfg *fw, u16 key);
void fwcfg_select(struct fwcfg *fw, u16 key);
/* fwcfg_dma.c: @v wrote a half of the address register; the low one starts. Not
 * under the lock. */
void fwcfg_dma_high(struct fwcfg *fw, struct vcpu *v, u32 high);
void fwcfg_dma_low(struct fwcfg *fw, struct vcpu *v, u32 low);

/* fwcfg_kernel.c: add what a boot ROM needs to start the guest's kernel; errors
 * as fwcfg_fill() */
int __must_check fwcfg_fill_kernel(struct vm *vm, fwcfg_find find);

#endif
