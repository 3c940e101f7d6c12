/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port to which firmware writes its messages (QEMU's isa-debugcon at 402h;
 * SeaBIOS and OVMF find it by reading E9h there), where the manifest says
 * debug_console = yes. Bytes gather to lines, each a line of the log. Lines
 * that come too fast for the log are lost, and the log says how many. Called
 * from exits, any core. Its lock protects the line and comes before the log's.
 */
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/pc_map.h"
#include "hv/core/vcpu.h"
#include "lib/errno.h"
#include "lib/string.h"

#define DEBUGCON_LINE_BYTES 160u
#define LINES_BURST         256u
#define LINES_PERIOD        20u     /* ms for each line more */
#define AT_ONCE             8u      /* lines of one REP OUTS */
#define AT_ONCE_NS          100000u /* for each line more */
#define PRESENT             0xe9u

struct debugcon {
	struct vm *vm;
	struct spinlock lock;
	struct ratelimit limit;   /* on the room in the log */
	struct ratelimit at_once; /* on the time of one exit */
	u32 lost;                 /* lines since the last one shown */
	u32 len;
	char line[DEBUGCON_LINE_BYTES];
};

static struct debugcon *debugcon_of(const struct vm *vm)
{
	return vm->devices[VDEV_debugcon];
}

static bool may_log(struct debugcon *d)
{
	u64 now = rdtsc();

	return ratelimit_pass(&d->at_once, now, ns_to_tsc(AT_ONCE_NS),
			      AT_ONCE) &&
	       ratelimit_pass(&d->limit, now, tsc_khz * LINES_PERIOD,
			      LINES_BURST);
}

static void show(struct debugcon *d)
{
	u32 len = d->len;

	d->len = 0;
	if (!len)
		return;
	if (!may_log(d)) {
		d->lost++;
		return;
	}
	if (d->lost)
		log_info("debug", "guest %s: %u lines are lost", d->vm->name,
			 d->lost);
	d->lost = 0;
	log_info("debug", "guest %s: %.*s", d->vm->name, (int)len, d->line);
}

static void put(struct debugcon *d, char c)
{
	if (c == '\r')
		return;
	if (c == '\n' || d->len == DEBUGCON_LINE_BYTES)
		show(d);
	if (c != '\n')
		d->line[d->len++] = c >= ' ' && c <= '~' ? c : '.';
}

static u64 port_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	return PRESENT;
}

static void port_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct debugcon *d = dev;

	spin_lock(&d->lock);
	put(d, (char)value);
	spin_unlock(&d->lock);
}

/* Show what firmware said last, though no line ended it */
static void debugcon_reset(struct vm *vm)
{
	struct debugcon *d = debugcon_of(vm);

	spin_lock(&d->lock);
	show(d);
	spin_unlock(&d->lock);
}

static int debugcon_create(struct vm *vm)
{
	struct bus_region region = {
		.base = PC_DEBUG_CONSOLE,
		.size = 1,
		.name = "debug console",
		.read = port_read,
		.write = port_write,
	};
	struct debugcon *d;

	if (!vm->config->debug_console)
		return 0;
	d = kmem_alloc(&vm->budget, sizeof(*d));
	if (!d)
		return -ENOMEM;
	vm->devices[VDEV_debugcon] = d;
	d->vm = vm;
	region.dev = d;
	return bus_add(&vm->ports, &region);
}

static void debugcon_destroy(struct vm *vm)
{
	kmem_free(&vm->budget, debugcon_of(vm), sizeof(struct debugcon));
}

const struct vdev debugcon_vdev = {
	.name = "debug console",
	.create = debugcon_create,
	.destroy = debugcon_destroy,
	.reset = debugcon_reset,
};
