/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fw_cfg by DMA. The descriptor is read once, to a private copy; every page it
 * leads to is looked up in the guest's RAM (gmem.h: ROM is not written).
 *
 * A long transfer is done in pieces. After each piece the guest runs the same
 * OUT again, so that the core's interrupts, other guests and the end of this
 * one come between. The transfer belongs to the vCPU and the descriptor it was
 * started with. That vCPU works on it without the lock: the item does not
 * change, and nobody else touches a transfer that is at work. Other vCPUs' OUTs
 * are repeated until it is over.
 *
 * A transfer ends with an error if its vCPU starts another descriptor, in an
 * interrupt handler, or if others have waited too long for it to come back.
 */
#include "hv/core/gmem.h"
#include "hv/core/piece.h"
#include "hv/device/fwcfg/fwcfg_priv.h"
#include "lib/errno.h"
#include "lib/string.h"

#define WAITS_MAX 200000u /* a good part of a second */

/* False for INS and OUTS, which have moved the registers already */
static bool can_repeat(const struct vcpu *v)
{
	const struct vcpu_exit *e = &v->hw.exit;

	return e->kind == EXIT_PORT && !e->port.string;
}

/* The guest's RIP stays on its OUT */
static void repeat(struct vcpu *v)
{
	v->hw.exit.insn_len = 0;
}

static void finish(struct fwcfg *fw, gpa_t descriptor, bool ok)
{
	u32 control = ok ? 0 : __builtin_bswap32(FWCFG_DMA_ERROR);

	if (gmem_write(fw->vm, descriptor, &control, sizeof(control)))
		return; /* a descriptor in ROM: the guest waits for ever */
}

/* @n bytes of the item. One from its window, one to the guest's: both are good
 * (WINDOW_LIVE) */
static int copy_item(struct vm *vm, const struct fwcfg_transfer *t, u32 n)
{
	int err = 0;

	for (u32 done = 0, part = 0; done < n && !err; done += part) {
		gpa_t to = GPA(t->to.v + done);
		const u8 *from =
			fwcfg_item_at(vm, t->item, t->offset + done, &part);

		part = MIN(part, n - done);
		part = MIN(part, (u32)(PAGE_SIZE - (to.v & PAGE_MASK)));
		err = gmem_write(vm, to, from, part);
	}
	return err;
}

/* Up to a page of the item, zeros behind its end; 0 or -EFAULT */
static int copy_page(struct vm *vm, struct fwcfg_transfer *t)
{
	u32 n = MIN(t->left, (u32)PAGE_SIZE);
	u32 have = t->item && t->offset < t->item->len
			   ? MIN(n, t->item->len - t->offset)
			   : 0;
	int err = 0;

	if (have)
		err = copy_item(vm, t, have);
	if (!err && n > have)
		err = gmem_zero(vm, GPA(t->to.v + have), n - have);
	t->offset += have;
	t->to.v += n;
	t->left -= n;
	return err;
}

static int copy_piece(struct vm *vm, struct fwcfg_transfer *t)
{
	struct piece piece = piece_begin();
	int err = 0;

	do
		err = copy_page(vm, t);
	while (!err && t->left && !piece_over(&piece));
	return err;
}

/* Under the lock: the registers say what the transfer has done */
static void settle(struct fwcfg *fw, const struct fwcfg_transfer *t)
{
	fw->offset = t->offset;
	fw->transfer.owner = NULL;
	fw->dma = 0;
}

static void run(struct fwcfg *fw, struct vcpu *v)
{
	struct fwcfg_transfer *t = &fw->transfer;
	bool alone = can_repeat(v);
	/* An exit does many OUTS */
	int err = alone ? copy_piece(fw->vm, t) : copy_page(fw->vm, t);
	bool again = !err && t->left && alone;

	if (again)
		repeat(v);
	else
		finish(fw, t->descriptor, !err && !t->left);
	spin_lock(&fw->lock);
	t->at_work = false;
	if (!again)
		settle(fw, t);
	spin_unlock(&fw->lock);
}

/* Under the lock: the guest writes an item, as a whole. -EINVAL: not this one,
 * or not so much; -EFAULT: the data is not in RAM. */
static int write_item(struct fwcfg *fw, const struct fwcfg_item *item,
		      u32 length, u64 from)
{
	u8 bytes[FWCFG_WRITE_MAX];
	int err;

	if (!item || !item->writable || fw->offset > item->len ||
	    length > item->len - fw->offset || length > sizeof(bytes))
		return -EINVAL;
	err = gmem_read(fw->vm, GPA(from), bytes, length);
	if (err)
		return err;
	memcpy((u8 *)(uintptr_t)item->data + fw->offset, bytes, length);
	fw->offset += length;
	return 0;
}

/* Do what needs little memory: 0 or -errno; 1: there is a transfer to run */
static int decode(struct fwcfg *fw, struct vcpu *v, u32 control, u32 length,
		  u64 address)
{
	const struct fwcfg_item *item;

	if (control & FWCFG_DMA_SELECT)
		fwcfg_select(fw, (u16)(control >> FWCFG_DMA_KEY_SHIFT));
	item = fwcfg_item_of(fw, fw->selected);
	if (control & FWCFG_DMA_READ) {
		fw->transfer = (struct fwcfg_transfer){
			.owner = v,
			.at_work = true,
			.item = item,
			.offset = fw->offset,
			.left = length,
			.to = GPA(address),
		};
		return 1;
	}
	if (control & FWCFG_DMA_WRITE)
		return write_item(fw, item, length, address);
	if (control & FWCFG_DMA_SKIP && item && fw->offset < item->len)
		fw->offset += MIN(length, item->len - fw->offset);
	return 0;
}

/* Under the lock. True: there is a transfer to run */
static bool begin(struct fwcfg *fw, struct vcpu *v, gpa_t at)
{
	struct fwcfg_dma_descriptor d;
	int what;

	fw->dma = 0;
	if (gmem_read(fw->vm, at, &d, sizeof(d)))
		return false;
	what = decode(fw, v, __builtin_bswap32(d.control),
		      __builtin_bswap32(d.length),
		      __builtin_bswap64(d.address));
	if (what == 1) {
		fw->transfer.descriptor = at;
		fw->dma = at.v & BITS(63, 32);
		return true;
	}
	finish(fw, at, !what);
	return false;
}

/* Under the lock: the transfer will not go on, and another may begin */
static bool replace(struct fwcfg *fw, struct vcpu *v, gpa_t at)
{
	finish(fw, fw->transfer.descriptor, false);
	settle(fw, &fw->transfer);
	return begin(fw, v, at);
}

/* Under the lock: another vCPU's transfer is not over */
static bool wait(struct fwcfg *fw, struct vcpu *v, gpa_t at)
{
	struct fwcfg_transfer *t = &fw->transfer;

	if (++t->waits > WAITS_MAX && !t->at_work)
		return replace(fw, v, at);
	if (can_repeat(v))
		repeat(v);
	else
		finish(fw, at, false);
	return false;
}

/* Under the lock: a transfer is not over. True: it is this OUT's. */
static bool resume(struct fwcfg *fw, struct vcpu *v, gpa_t at)
{
	struct fwcfg_transfer *t = &fw->transfer;

	if (t->owner != v)
		return wait(fw, v, at);
	if (t->descriptor.v != at.v)
		return replace(fw, v, at);
	t->at_work = true;
	t->waits = 0;
	return true;
}

void fwcfg_dma_high(struct fwcfg *fw, struct vcpu *v, u32 high)
{
	const struct fwcfg_transfer *t = &fw->transfer;

	spin_lock(&fw->lock);
	if (!t->owner || t->owner == v)
		fw->dma = (u64)high << 32;
	else if (can_repeat(v) && ++fw->transfer.waits <= WAITS_MAX)
		repeat(v);
	spin_unlock(&fw->lock);
}

void fwcfg_dma_low(struct fwcfg *fw, struct vcpu *v, u32 low)
{
	bool go;

	spin_lock(&fw->lock);
	go = fw->transfer.owner ? resume(fw, v, GPA(fw->dma | low))
				: begin(fw, v, GPA(fw->dma | low));
	spin_unlock(&fw->lock);
	if (go)
		run(fw, v);
}
