/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device as a PCI function (virtio 1.2, 4.1.2 to 4.1.4): one BAR with
 * all structures, the capabilities that say where they are, and the window
 * through which configuration space reaches the BAR. Called from exits, on any
 * core; work that is more than a notification is vCPU 0's.
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/core/piece.h"
#include "hv/core/vcpu.h"
#include "hv/device/pci/pci_bus.h"
#include "hv/device/virtio/virtio_priv.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Capabilities, one behind the other */
#define CAP_COMMON PCI_CAP_FIRST
#define CAP_ISR    (CAP_COMMON + VIRTIO_CAP_BYTES)
#define CAP_NOTIFY (CAP_ISR + VIRTIO_CAP_BYTES)
#define CAP_WINDOW (CAP_NOTIFY + VIRTIO_CAP_BYTES + 4)
#define CAP_DEVICE (CAP_WINDOW + VIRTIO_CAP_BYTES + 4)
#define CAP_MSIX   (CAP_DEVICE + VIRTIO_CAP_BYTES)

#define WINDOW_DATA (CAP_WINDOW + VIRTIO_CAP_DATA)

/* --- notifications --- */

/* 4.1.5.2: at the queue's own address, its index in the low half */
static void notify(struct virtio *d, u64 offset, u8 size, u64 value)
{
	u64 i = offset / VIRTIO_MULTIPLIER;
	u8 wide = virtio_has(d, VIRTIO_F_NOTIFICATION_DATA) ? 4 : 2;

	if (offset % VIRTIO_MULTIPLIER || size != wide || i >= d->queue_count ||
	    (value & 0xffff) != i)
		return;
	i = index_nospec(i, d->queue_count);
	if (virtio_may_serve(d, (u32)i))
		d->ops->notified(d, (u32)i);
}

void virtio_serve(struct virtio *d)
{
	vcpu_post(d->vm->vcpus[0], VE_VIRTIO);
}

/* Without bus mastering there is no way to the rings */
static bool step(struct virtio *d)
{
	bool more;

	if (!d->ops->step ||
	    !(READ_ONCE(d->fn.config[PCI_COMMAND]) & PCI_COMMAND_MASTER))
		return false;
	spin_lock(&d->lock);
	more = d->ops->step(d);
	spin_unlock(&d->lock);
	return more;
}

void virtio_go_on(struct vcpu *v)
{
	struct piece piece = piece_begin();
	bool more;

	do {
		more = false;
		for (struct virtio *d = v->vm->virtio; d; d = d->next) {
			more |= step(d);
			more |= virtio_irq_go_on(d);
		}
	} while (more && !piece_over(&piece));
	if (more)
		vcpu_post_here(v, VE_VIRTIO);
}

/* --- the device's own configuration --- */

static bool config_has(const struct virtio *d, u64 offset, u8 size)
{
	return size <= 4 && IS_ALIGNED(offset, size) &&
	       offset + size <= d->config_bytes;
}

/* A value that has changed is read with another generation (2.5.1) */
static u64 config_read(struct virtio *d, u64 offset, u8 size)
{
	u64 value;

	if (!config_has(d, offset, size))
		return ones_of(size);
	spin_lock(&d->lock);
	if (d->config_changed)
		d->generation++;
	d->config_changed = false;
	value = d->ops->config_read(d, (u32)offset, size);
	spin_unlock(&d->lock);
	return value;
}

/* Not before the features are known (3.1.1) */
static void config_write(struct virtio *d, u64 offset, u8 size, u64 value)
{
	if (!config_has(d, offset, size) || !d->ops->config_write)
		return;
	spin_lock(&d->lock);
	if (d->status & VIRTIO_FEATURES_OK)
		d->ops->config_write(d, (u32)offset, size, value);
	spin_unlock(&d->lock);
}

/* --- the BAR --- */

static u64 region_read(struct virtio *d, u64 offset, u8 size)
{
	if (offset >= VIRTIO_AT_TABLE)
		return pci_msix_read(&d->msix, offset, size);
	if (offset < VIRTIO_COMMON_BYTES)
		return virtio_common_read(d, offset, size);
	if (offset == VIRTIO_AT_ISR && size == 1)
		return virtio_isr_take(d);
	if (offset >= VIRTIO_AT_DEVICE && offset < VIRTIO_AT_NOTIFY)
		return config_read(d, offset - VIRTIO_AT_DEVICE, size);
	return ones_of(size);
}

static void region_write(struct virtio *d, u64 offset, u8 size, u64 value)
{
	if (offset >= VIRTIO_AT_TABLE)
		pci_msix_write(&d->msix, offset, size, value);
	else if (offset < VIRTIO_COMMON_BYTES)
		virtio_common_write(d, offset, size, value);
	else if (offset >= VIRTIO_AT_NOTIFY)
		notify(d, offset - VIRTIO_AT_NOTIFY, size, value);
	else if (offset >= VIRTIO_AT_DEVICE)
		config_write(d, offset - VIRTIO_AT_DEVICE, size, value);
}

static u64 bar_read(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
		    u8 size)
{
	return region_read(f->dev, offset, size);
}

static void bar_write(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
		      u8 size, u64 value)
{
	region_write(f->dev, offset, size, value);
}

/* --- the window in configuration space --- */

static bool touches_window(u32 offset, u8 size)
{
	return offset < WINDOW_DATA + 4 && offset + size > WINDOW_DATA;
}

/* What the driver has selected, read once; false: no access (4.1.4.9.2) */
static bool window_selects(const struct pci_fn *f, u64 *at, u8 *size)
{
	u32 bar = READ_ONCE(f->config[CAP_WINDOW + VIRTIO_CAP_BAR]);
	u32 offset, length;

	memcpy(&offset, &f->config[CAP_WINDOW + VIRTIO_CAP_OFFSET], 4);
	memcpy(&length, &f->config[CAP_WINDOW + VIRTIO_CAP_LENGTH], 4);
	*at = offset;
	*size = (u8)length;
	return bar == VIRTIO_BAR &&
	       (length == 1 || length == 2 || length == 4) &&
	       IS_ALIGNED(offset, length) && offset < VIRTIO_AT_TABLE;
}

static u64 window_read(struct pci_fn *f, u32 offset, u8 size, u64 value)
{
	u8 data[4], bytes[8], length;
	u64 at, got;

	if (!touches_window(offset, size) || !window_selects(f, &at, &length))
		return value;
	got = region_read(f->dev, at, length);
	memcpy(data, &got, sizeof(data));
	memcpy(bytes, &value, sizeof(bytes));
	for (u32 i = 0; i < length; i++)
		if (WINDOW_DATA + i >= offset &&
		    WINDOW_DATA + i < offset + size)
			bytes[WINDOW_DATA + i - offset] = data[i];
	memcpy(&value, bytes, sizeof(value));
	return value;
}

static void window_write(struct pci_fn *f)
{
	u64 at, value = 0;
	u8 length;

	if (!window_selects(f, &at, &length))
		return;
	memcpy(&value, &f->config[WINDOW_DATA], length);
	region_write(f->dev, at, length, value);
}

/* MSI-X may have changed, or the device become bus master */
static void config_written(struct pci_fn *f, u32 offset, u8 size)
{
	struct virtio *d = f->dev;

	if (touches_window(offset, size))
		window_write(f);
	if (virtio_irq_go_on(d))
		virtio_serve(d);
	if (offset <= PCI_COMMAND && offset + size > PCI_COMMAND &&
	    f->config[PCI_COMMAND] & PCI_COMMAND_MASTER)
		virtio_serve(d);
}

/* --- life --- */

static void reset(struct pci_fn *f)
{
	struct virtio *d = f->dev;

	spin_lock(&d->lock);
	virtio_reset(d);
	spin_unlock(&d->lock);
	d->generation = 0;
	d->config_changed = false;
	pci_msix_reset(&d->msix);
}

static const struct pci_fn_ops fn_ops = {
	.config_read = window_read,
	.config_written = config_written,
	.bar_read = bar_read,
	.bar_write = bar_write,
	.reset = reset,
};

static int function_create(struct virtio *d)
{
	u16 device = (u16)(VIRTIO_PCI_DEVICE + d->id);
	u8 header[64] = { 0 };

	put_bytes(header + PCI_VENDOR_ID, VIRTIO_PCI_VENDOR, 2);
	put_bytes(header + PCI_DEVICE_ID, device, 2);
	put_bytes(header + PCI_STATUS, PCI_STATUS_CAP_LIST, 2);
	put_bytes(header + PCI_CLASS_REVISION,
		  d->class << 8 | VIRTIO_PCI_REVISION, 4);
	put_bytes(header + PCI_SUBSYSTEM_VENDOR, VIRTIO_PCI_VENDOR, 2);
	put_bytes(header + PCI_SUBSYSTEM_ID, device, 2);
	put_bytes(header + PCI_CAP_POINTER, CAP_COMMON, 1);
	put_bytes(header + PCI_INTERRUPT_PIN, 1, 1);
	d->fn.vm = d->vm;
	d->fn.devfn = d->devfn;
	d->fn.ops = &fn_ops;
	d->fn.dev = d;
	d->fn.bar[VIRTIO_BAR].size = VIRTIO_BAR_BYTES;
	return pci_bus_add(&d->fn, header);
}

struct capability {
	u8 type, at, next;
	u8 bytes;
	u32 offset, length; /* in the BAR */
};

static void capability_define(struct virtio *d, const struct capability *c)
{
	struct pci_fn *f = &d->fn;

	pci_fn_define(f, c->at, 2, PCI_CAP_ID_VENDOR | (u32)c->next << 8, 0);
	pci_fn_define(f, c->at + VIRTIO_CAP_LEN, 1, c->bytes, 0);
	pci_fn_define(f, c->at + VIRTIO_CAP_TYPE, 1, c->type, 0);
	pci_fn_define(f, c->at + VIRTIO_CAP_BAR, 1, VIRTIO_BAR, 0);
	pci_fn_define(f, c->at + VIRTIO_CAP_OFFSET, 4, c->offset, 0);
	pci_fn_define(f, c->at + VIRTIO_CAP_LENGTH, 4, c->length, 0);
}

/* The driver's to write: which BAR, where, how much, and the data (4.1.4.9) */
static void window_define(struct virtio *d, u8 next)
{
	const struct capability window = {
		VIRTIO_CAP_PCI, CAP_WINDOW, next, VIRTIO_CAP_BYTES + 4, 0, 0
	};

	capability_define(d, &window);
	pci_fn_define(&d->fn, CAP_WINDOW + VIRTIO_CAP_BAR, 1, 0, 0xff);
	pci_fn_define(&d->fn, CAP_WINDOW + VIRTIO_CAP_OFFSET, 4, 0, ~0u);
	pci_fn_define(&d->fn, CAP_WINDOW + VIRTIO_CAP_LENGTH, 4, 0, ~0u);
	pci_fn_define(&d->fn, WINDOW_DATA, 4, 0, ~0u);
}

static void capabilities_define(struct virtio *d)
{
	const struct capability caps[] = {
		{ VIRTIO_CAP_COMMON, CAP_COMMON, CAP_ISR, VIRTIO_CAP_BYTES,
		  VIRTIO_AT_COMMON, VIRTIO_COMMON_BYTES },
		{ VIRTIO_CAP_ISR, CAP_ISR, CAP_NOTIFY, VIRTIO_CAP_BYTES,
		  VIRTIO_AT_ISR, 1 },
		{ VIRTIO_CAP_NOTIFY, CAP_NOTIFY, CAP_WINDOW,
		  VIRTIO_CAP_BYTES + 4, VIRTIO_AT_NOTIFY,
		  d->queue_count * VIRTIO_MULTIPLIER },
		{ VIRTIO_CAP_DEVICE, CAP_DEVICE, CAP_MSIX, VIRTIO_CAP_BYTES,
		  VIRTIO_AT_DEVICE, d->config_bytes },
	};

	/* A device without configuration has no such capability (4.1.4.6) */
	for (u32 i = 0; i < ARRAY_SIZE(caps); i++)
		if (caps[i].length)
			capability_define(d, &caps[i]);
	window_define(d, d->config_bytes ? CAP_DEVICE : CAP_MSIX);
	pci_fn_define(&d->fn, CAP_NOTIFY + VIRTIO_CAP_MULTIPLIER, 4,
		      VIRTIO_MULTIPLIER, 0);
}

static int msix_create(struct virtio *d)
{
	d->msix.f = &d->fn;
	d->msix.cap = CAP_MSIX;
	d->msix.bar = VIRTIO_BAR;
	d->msix.count = (u16)(d->queue_count + 1);
	d->msix.table = VIRTIO_AT_TABLE;
	d->msix.pba = VIRTIO_AT_PBA;
	return pci_msix_init(&d->msix);
}

int virtio_create(struct virtio *d, struct vm *vm)
{
	int err;

	d->vm = vm;
	err = function_create(d);
	if (err)
		return err;
	capabilities_define(d);
	err = msix_create(d);
	if (err)
		return err;
	virtio_reset(d);
	d->next = vm->virtio;
	vm->virtio = d;
	return 0;
}

void virtio_destroy(struct virtio *d)
{
	struct virtio **at = &d->vm->virtio;

	while (*at && *at != d)
		at = &(*at)->next;
	if (*at)
		*at = d->next;
	pci_msix_destroy(&d->msix);
}
