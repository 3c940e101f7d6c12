/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's pc-testdev for test programs, where the manifest says testdev = yes
 * (its hw/misc/pc-testdev.c says what it is):
 *
 *   E0h-E3h     a register that reads as written, in any size
 *   E4h         the page at the address written is taken away and given back
 *   E8h-EBh     the same register as E0h, a byte at a time
 *   2000h-2017h the level of interrupt line 0 to 23
 *   FF000000h   64 KiB of memory that each access traps for
 *
 * Called from exits, any core. No lock: the interrupt controllers have their
 * own, and memory that two vCPUs write at once holds what either wrote.
 */
#include "hv/core/vcpu.h"
#include "hv/irq/lines.h"
#include "hv/irq/vioapic.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PORT_WORD    0xe0u
#define PORT_FLUSH   0xe4u
#define PORT_BYTES   0xe8u
#define PORT_IRQ     0x2000u
#define IRQ_LINES    24u
#define ISA_LINES    16u
#define MEMORY_BASE  0xff000000ull
#define MEMORY_BYTES KIB(64)

struct testdev {
	struct vm *vm;
	u8 *memory;
	u8 word[4];
};

static struct testdev *testdev_of(const struct vm *vm)
{
	return vm->devices[VDEV_testdev];
}

static u64 word_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	const struct testdev *t = dev;
	u64 value = 0;

	memcpy(&value, &t->word[offset], size);
	return value;
}

static void word_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct testdev *t = dev;

	memcpy(&t->word[offset], &value, size);
}

/* The page stays: the guest would notice no more than a flushed TLB */
static void flush_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			u64 value)
{
}

static void irq_write(struct vcpu *v, void *dev, u64 offset, u8 size, u64 value)
{
	if (size != 1)
		return;
	if (offset < ISA_LINES)
		line_set(v->vm, (u32)offset, value);
	else
		vioapic_set_line(v->vm, (u32)offset, value);
}

static u64 memory_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	const struct testdev *t = dev;
	u64 value = 0;

	memcpy(&value, &t->memory[offset], size);
	return value;
}

static void memory_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			 u64 value)
{
	struct testdev *t = dev;

	memcpy(&t->memory[offset], &value, size);
}

static int add_regions(struct testdev *t)
{
	const struct bus_region ports[] = {
		{ .base = PORT_WORD,
		  .size = 4,
		  .name = "test word",
		  .read = word_read,
		  .write = word_write,
		  .dev = t },
		{ .base = PORT_FLUSH,
		  .size = 4,
		  .name = "test flush",
		  .write = flush_write,
		  .dev = t },
		{ .base = PORT_BYTES,
		  .size = 4,
		  .name = "test bytes",
		  .read = word_read,
		  .write = word_write,
		  .dev = t },
		{ .base = PORT_IRQ,
		  .size = IRQ_LINES,
		  .name = "test lines",
		  .write = irq_write,
		  .dev = t },
	};
	const struct bus_region memory = {
		.base = MEMORY_BASE,
		.size = MEMORY_BYTES,
		.name = "test memory",
		.read = memory_read,
		.write = memory_write,
		.dev = t,
	};
	int err = bus_add(&t->vm->mmio, &memory);

	for (u32 i = 0; i < ARRAY_SIZE(ports) && !err; i++)
		err = bus_add(&t->vm->ports, &ports[i]);
	return err;
}

static void testdev_reset(struct vm *vm)
{
	struct testdev *t = testdev_of(vm);

	memset(t->word, 0, sizeof(t->word));
	memset(t->memory, 0, MEMORY_BYTES);
}

static int testdev_create(struct vm *vm)
{
	struct testdev *t;

	if (!vm->config->testdev)
		return 0;
	t = kmem_alloc(&vm->budget, sizeof(*t));
	if (!t)
		return -ENOMEM;
	vm->devices[VDEV_testdev] = t;
	t->vm = vm;
	t->memory = pmm_alloc_bytes(&vm->budget, MEMORY_BYTES);
	return t->memory ? add_regions(t) : -ENOMEM;
}

static void testdev_destroy(struct vm *vm)
{
	struct testdev *t = testdev_of(vm);

	pmm_free_bytes(&vm->budget, t->memory, MEMORY_BYTES);
	kmem_free(&vm->budget, t, sizeof(*t));
}

const struct vdev testdev_vdev = {
	.name = "test device",
	.create = testdev_create,
	.destroy = testdev_destroy,
	.reset = testdev_reset,
};
