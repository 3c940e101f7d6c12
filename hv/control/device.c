/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device as a PCI function of the privileged guest: registers in an
 * I/O BAR, MSI-X in a memory BAR, an IOMMU of its own (hv/assign/vtd.h). A
 * write of BH_CTL_SUBMIT does a piece of the commands; what is left is done by
 * VE_CONTROL before the vCPU goes on, so that the write is over when all are.
 */
#include "hv/assign/passthrough.h"
#include "hv/console/console.h"
#include "hv/control/priv.h"
#include "hv/core/piece.h"
#include "hv/device/virtio/served.h"
#include "hv/vm/pool.h"
#include "include/hw/pci.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define CLASS_OTHER 0x08800000u /* system peripheral, other; revision 0 */
#define MSIX_CAP    0x40u

static struct control *control; /* the one there is, or NULL */

/* Something waits for control_go_on() */
static void wake(void)
{
	vcpu_post(control->vm->vcpus[0], VE_CONTROL);
}

/* --- registers --- */

static u32 register_read(struct control *c, u64 offset)
{
	u32 value;

	switch (offset) {
	case BH_CTL_MAGIC:
		return BH_CTL_MAGIC_VALUE;
	case BH_CTL_REVISION:
		return BH_CTL_VERSION;
	case BH_CTL_FEATURES:
		return c->features;
	case BH_CTL_STATUS:
		spin_lock(&c->lock);
		value = c->status;
		spin_unlock(&c->lock);
		return value;
	default:
		return 0;
	}
}

/* Commands, until @piece is over. True: there are more. */
static bool commands_go_on(struct control *c, const struct piece *piece)
{
	bool more;

	do {
		spin_lock(&c->lock);
		more = control_step(c);
		if (!more)
			control_publish(c);
		spin_unlock(&c->lock);
	} while (more && !piece_over(piece));
	return more;
}

static bool is_submitter(struct control *c, const struct vcpu *v)
{
	return __atomic_load_n(&c->submitters[v->id / 64], __ATOMIC_RELAXED) &
	       BIT(v->id % 64);
}

static void set_submitter(struct control *c, const struct vcpu *v, bool is)
{
	u64 *word = &c->submitters[v->id / 64], bit = BIT(v->id % 64);

	if (is)
		__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED);
}

static void submit(struct control *c, struct vcpu *v)
{
	struct piece piece = piece_begin();
	bool more;

	spin_lock(&c->lock);
	more = control_look(c);
	spin_unlock(&c->lock);
	if (more && commands_go_on(c, &piece)) {
		set_submitter(c, v, true);
		vcpu_post_here(v, VE_CONTROL);
	}
}

static u64 bar_read(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
		    u8 size)
{
	struct control *c = f->dev;

	if (bar == BH_CTL_BAR_MSIX)
		return pci_msix_read(&c->msix, offset, size);
	if (size != 4 || !IS_ALIGNED(offset, 4))
		return ones_of(size);
	return register_read(c, offset);
}

static void bar_write(struct vcpu *v, struct pci_fn *f, u32 bar, u64 offset,
		      u8 size, u64 value)
{
	struct control *c = f->dev;

	if (bar == BH_CTL_BAR_MSIX) {
		pci_msix_write(&c->msix, offset, size, value);
	} else if (size == 4 && offset == BH_CTL_DOORBELL) {
		control_ring((u32)value);
	} else if (size == 4 && offset == BH_CTL_OPEN) {
		spin_lock(&c->lock);
		control_open(c, (u32)value);
		spin_unlock(&c->lock);
		wake();
	} else if (size == 4 && offset == BH_CTL_SUBMIT) {
		submit(c, v);
	}
}

/* --- what happens elsewhere --- */

static void guest_changed(void)
{
	__atomic_store_n(&control->changed, true, __ATOMIC_SEQ_CST);
	wake();
}

static void queue_notified(u32 vector)
{
	(void)pci_msix_send(&control->msix, vector);
}

/* Without bus mastering there is no way to the area, and whoever turns MSI-X
 * off has gone: vfio-pci does it when its program ends */
static void config_written(struct pci_fn *f, u32 offset, u8 size)
{
	struct control *c = f->dev;
	bool msix = pci_msix_enabled(&c->msix);

	spin_lock(&c->lock);
	if (c->status == BH_CTL_IS_OPEN &&
	    (!control_may_dma(c) || (c->was_msix && !msix)))
		control_close(c, BH_CTL_CLOSED);
	c->was_msix = msix;
	spin_unlock(&c->lock);
	if (!msix)
		(void)pci_msix_forget_all(&c->msix);
	if (pci_msix_go_on(&c->msix))
		wake();
}

static void round_is_due(struct timer *t)
{
	wake();
}

/* That of devices has to wait for somebody to tell, and no timer */
static bool round_waits(const struct control *c)
{
	return control_round_waits(&c->guests) ||
	       control_round_waits(&c->consoles) ||
	       (c->status == BH_CTL_IS_OPEN &&
		control_round_waits(&c->devices));
}

/* vCPU 0: what happens elsewhere. A round that has to wait has the timer. True:
 * there is more. Under the lock. */
static bool look_elsewhere(struct control *c)
{
	bool more = control_guests_look(c);

	more |= control_consoles_look(c);
	more |= control_devices_look(c);
	if (!timer_armed(&c->timer) && round_waits(c))
		timer_arm(&c->timer, rdtsc() + ns_to_tsc(CONTROL_ROUND_GAP_NS));
	return more;
}

/* Commands are for whoever submitted some: a vCPU that is here for an event
 * goes on in its guest meanwhile */
void control_go_on(struct vcpu *v)
{
	struct piece piece = piece_begin();
	struct control *c = control;
	bool say, more = false;

	if (!c)
		return;
	if (is_submitter(c, v)) {
		more = commands_go_on(c, &piece);
		if (!more)
			set_submitter(c, v, false);
	}
	spin_lock(&c->lock);
	if (!v->id)
		more |= look_elsewhere(c);
	control_publish(c);
	more |= control_trace_look(); /* what is above may close it */
	say = c->unsaid;
	c->unsaid = false;
	spin_unlock(&c->lock);
	if (say)
		(void)pci_msix_send(&c->msix, BH_CTL_VECTOR_EVENTS);
	if (pci_msix_go_on(&c->msix) || more)
		vcpu_post_here(v, VE_CONTROL);
}

/* --- life --- */

/* The guest that used it is no more, and its other functions are quiet. Its
 * commands that wait are done all the same, and nobody hears of it. */
static void reset(struct pci_fn *f)
{
	struct control *c = f->dev;

	spin_lock(&c->lock);
	control_close(c, BH_CTL_CLOSED);
	c->was_msix = false;
	memset(c->submitters, 0, sizeof(c->submitters));
	spin_unlock(&c->lock);
	pci_msix_reset(&c->msix);
	vtd_reset(c->iommu);
	served_leave();
}

static const struct pci_fn_ops ops = {
	.config_written = config_written,
	.bar_read = bar_read,
	.bar_write = bar_write,
	.reset = reset,
};

static int function_create(struct control *c)
{
	u8 header[64] = { 0 };

	put_bytes(header + PCI_VENDOR_ID, BH_CTL_PCI_VENDOR, 2);
	put_bytes(header + PCI_DEVICE_ID, BH_CTL_PCI_DEVICE, 2);
	put_bytes(header + PCI_STATUS, PCI_STATUS_CAP_LIST, 2);
	put_bytes(header + PCI_CLASS_REVISION, CLASS_OTHER, 4);
	put_bytes(header + PCI_SUBSYSTEM_VENDOR, BH_CTL_PCI_VENDOR, 2);
	put_bytes(header + PCI_SUBSYSTEM_ID, BH_CTL_PCI_DEVICE, 2);
	put_bytes(header + PCI_CAP_POINTER, MSIX_CAP, 1);
	c->fn.vm = c->vm;
	c->fn.ops = &ops;
	c->fn.dev = c;
	c->fn.bar[BH_CTL_BAR_REGS].size = BH_CTL_REGS_BYTES;
	c->fn.bar[BH_CTL_BAR_REGS].io = true;
	c->fn.bar[BH_CTL_BAR_MSIX].size = BH_CTL_MSIX_BYTES;
	c->fn.bar[BH_CTL_BAR_MSIX].is_64 = true;
	return passthrough_virtual_add(&c->fn, header);
}

static int msix_create(struct control *c)
{
	c->msix.f = &c->fn;
	c->msix.cap = MSIX_CAP;
	c->msix.bar = BH_CTL_BAR_MSIX;
	c->msix.count = BH_CTL_VECTORS;
	c->msix.pba = BH_CTL_MSIX_PBA;
	return pci_msix_init(&c->msix);
}

static int parts_create(struct control *c, struct vm *vm)
{
	int err;

	c->vm = vm;
	err = function_create(c);
	if (err)
		return err;
	err = msix_create(c);
	if (!err)
		err = vtd_create(vm, c->fn.devfn, &c->iommu);
	if (err) {
		pci_msix_destroy(&c->msix);
		passthrough_virtual_remove(&c->fn);
	}
	return err;
}

static const char *reason(int err)
{
	return err == -ENODEV ? "PCI bus 0 has no free device number"
			      : "no memory for it";
}

void control_create(struct vm *vm, const char *build)
{
	struct control *c = kmem_alloc(&vm->budget, sizeof(*c));
	int err = c ? parts_create(c, vm) : -ENOMEM;

	if (err) {
		kmem_free(&vm->budget, c, sizeof(*c));
		log_warn("control",
			 "guest %s has no control device: %s; it cannot list "
			 "or watch the other guests",
			 vm->name, reason(err));
		return;
	}
	c->build = build;
	c->features = BH_CTL_FEATURE_CONSOLE;
	if (pool_range_count())
		c->features |= BH_CTL_FEATURE_GUESTS | BH_CTL_FEATURE_DEVICES;
	c->ram_bytes = control_ram_bytes();
	c->timer.fn = round_is_due;
	control = c;
	console_on_spoken(wake);
	vm_changed_hook = guest_changed;
	dynamic_on_news(wake);
	served_on_change(wake);
	served_on_notify(queue_notified);
	log_info("control", "guest %s: control device at 00:%02x.0", vm->name,
		 c->fn.devfn >> 3u);
}
