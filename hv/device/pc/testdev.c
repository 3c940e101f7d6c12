/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's conventions for test programs (its hw/misc/pc-testdev.c and
 * hw/misc/debugexit.c say what they are):
 *
 *   E0h-E3h     a register that reads as written, in any size
 *   E4h         the page at the address written is taken away and given back
 *   E8h-EBh     the same register as E0h, a byte at a time
 *   2000h-2017h the level of interrupt line 0 to 23
 *   FF000000h   64 KiB of memory that each access traps for
 *
 * Called from exits, any core; the interrupt controllers have their own locks,
 * and memory that two vCPUs write at once holds what either wrote.
 */
#include "hv/device/pc/testdev.h"

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

#define DEBUG_EXIT_PORTS 4u

struct testdev {
	struct vm *vm;
	u8 *memory;
	u8 word[4];
};

static struct testdev *testdev_of(const struct vm *vm)
{
	const struct bus_region *r = bus_find(&vm->ports, PORT_WORD);

	return vm->config->testdev && r ? r->dev : NULL;
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

/* The page never goes: what the guest would notice is a flushed TLB */
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

void testdev_reset(struct vm *vm)
{
	struct testdev *t = testdev_of(vm);

	if (!t)
		return;
	memset(t->word, 0, sizeof(t->word));
	memset(t->memory, 0, MEMORY_BYTES);
}

int testdev_create(struct vm *vm)
{
	struct testdev *t;
	int err = -ENOMEM;

	if (!vm->config->testdev)
		return 0;
	t = kmem_alloc(&vm->budget, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->vm = vm;
	t->memory = pmm_alloc_bytes(&vm->budget, MEMORY_BYTES);
	if (t->memory)
		err = add_regions(t);
	if (!err)
		return 0;
	pmm_free_bytes(&vm->budget, t->memory, MEMORY_BYTES);
	kmem_free(&vm->budget, t, sizeof(*t));
	bus_remove(&vm->ports, PORT_WORD);
	return err;
}

void testdev_destroy(struct vm *vm)
{
	struct testdev *t = testdev_of(vm);

	if (!t)
		return;
	pmm_free_bytes(&vm->budget, t->memory, MEMORY_BYTES);
	kmem_free(&vm->budget, t, sizeof(*t));
	bus_remove(&vm->ports, PORT_WORD);
}

/* --- isa-debug-exit --- */

static u64 debug_exit_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	return 0;
}

/* QEMU leaves with an exit code of its own making; the log has both */
static void debug_exit_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			     u64 value)
{
	log_info("vm", "guest %s: debug exit, status %llu (exit code %llu)",
		 v->vm->name, value, ((value << 1 | 1) & 0xff));
	vm_end(v->vm, VM_END_DEBUG_EXIT, "debug exit");
}

int debug_exit_create(struct vm *vm)
{
	const struct bus_region region = {
		.base = vm->config->debug_exit_port,
		.size = DEBUG_EXIT_PORTS,
		.name = "debug exit",
		.read = debug_exit_read,
		.write = debug_exit_write,
	};

	return region.base ? bus_add(&vm->ports, &region) : 0;
}
