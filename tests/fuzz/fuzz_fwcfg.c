/* SOURCES: hv/device/fwcfg/fwcfg.c hv/device/fwcfg/fwcfg_dma.c hv/device/fwcfg/fwcfg_fill.c hv/device/fwcfg/fwcfg_kernel.c hv/core/bus.c lib/printf.c lib/string.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target for fw_cfg: any kernel file and initrd size, of the boot
 * volume or kept in a dynamic guest's memory, then a stream
 * of port accesses and of memory writes, so that DMA descriptors are anything
 * and anywhere. What an exit costs is bounded, every byte of DMA is asked of
 * the guest's RAM first, and at the end all memory is given back.
 */
#include "tests/unit/fakes/vdev.h"

#include "hv/core/gmem.h"
#include "hv/core/piece.h"
#include "hv/device/fwcfg/fwcfg.h"
#include "hv/files/files.h"
#include "lib/bytes.h"
#include "tests/unit/fakes/window.h"

#define RAM_BYTES  KIB(64)
#define KEPT_HALF  KIB(16)
#define STEPS_MAX  256
#define PAGE_TICKS 1000u /* each page that moves takes so long, at least */
/* Of one exit: what fits into a piece, a page too many, and the descriptor */
#define EXIT_BYTES ((PIECE_TICKS_MIN / PAGE_TICKS + 1) * PAGE_SIZE + 256)

static struct guest_config config = { .kernel = "kernel",
				      .initrd = "initrd",
				      .cmdline = "words",
				      .firmware = "firmware",
				      .boot = BOOT_WAY_FIRMWARE,
				      .fwcfg_count = 1,
				      .fwcfg = { { .name = "genroms/x",
						   .file = "kernel" } } };
static u8 ram[RAM_BYTES];
static u8 kept[2 * KEPT_HALF] __aligned(PAGE_SIZE);
static struct image kernel;
static u64 initrd_size, moved;

static void move(u64 len)
{
	moved += len;
	for (u64 begin = rdtsc();
	     rdtsc() - begin < len * PAGE_TICKS / PAGE_SIZE;)
		;
}

static bool in_ram(u64 gpa, u64 len)
{
	move(len);
	return gpa <= RAM_BYTES && len <= RAM_BYTES - gpa;
}

int gmem_read(struct vm *vm, gpa_t gpa, void *buf, size_t len)
{
	if (!in_ram(gpa.v, len))
		return -EFAULT;
	memcpy(buf, ram + gpa.v, len);
	return 0;
}

/* As long as it is short, it is there: long transfers go on, too */
int gmem_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	if (!in_ram(gpa.v % RAM_BYTES, len))
		return gpa.v >> 63 ? -EFAULT : 0;
	memcpy(ram + gpa.v % RAM_BYTES, buf, len);
	return 0;
}

int gmem_zero(struct vm *vm, gpa_t gpa, u64 len)
{
	move(len);
	return gpa.v >> 63 ? -EFAULT : 0;
}

int file_find(const char *name, struct image *out)
{
	*out = kernel;
	if (!strcmp(name, "initrd"))
		out->size = initrd_size;
	return 0;
}

struct step {
	u8 what, port;
	u16 at;
	u32 value;
} __packed;

static void do_step(const struct step *s)
{
	struct vcpu *v = &fake_vcpus[s->what & 1];
	u16 port = (u16)(0x510 + s->port % 12);
	u8 size = (u8)(1u << (s->what >> 1 & 3) % 3);

	if (s->what & 0x80) {
		memcpy(ram + s->at % (RAM_BYTES - 4), &s->value, 4);
		return;
	}
	v->hw.exit.kind = EXIT_PORT;
	v->hw.exit.insn_len = 1;
	v->hw.exit.port.string = s->what & 0x40;
	moved = 0;
	if (s->what & 0x20)
		(void)bus_read(&fake_vm.ports, v, port, size);
	else if (s->what & 0x10) /* a descriptor that is there */
		bus_write(&fake_vm.ports, v, 0x518, 4,
			  __builtin_bswap32(s->at));
	else
		bus_write(&fake_vm.ports, v, port, size,
			  s->value & ones_of(size));
	if (moved > EXIT_BYTES)
		abort();
	if (s->what == 0x7f)
		fwcfg_vdev.reset(&fake_vm);
}

/* A dynamic guest's: files lie behind its RAM, in two pieces */
static void keep(void)
{
	memset(kept, 0, sizeof(kept));
	memcpy(kept + KEPT_HALF, kernel.data, MIN(kernel.size, KEPT_HALF));
	fake_windows_init(kept, sizeof(kept));
	fake_vm.staged = (void *)kept;
	fake_vm.kept_count = 2;
	fake_vm.slots[1] =
		(struct vm_slot){ MIB(64), KEPT_HALF, KEPT_HALF, false };
	fake_vm.slots[2] =
		(struct vm_slot){ MIB(64) + KEPT_HALF, 0, KEPT_HALF, false };
	kernel.hpa = MIB(64);
	kernel.size = MIN(kernel.size, KEPT_HALF);
	initrd_size = MIN(initrd_size, 2 * KEPT_HALF);
}

static int find(const struct vm *vm, const char *name, struct image *out)
{
	return file_find(name, out);
}

static void check(int err)
{
	if (err)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct step s;
	size_t i, rest = size / 2;

	fake_vm_init(2);
	fake_vm.config = &config;
	fake_vm.slot_count = 1;
	fake_vm.slots[0].size = MIB(64);
	memset(ram, 0, sizeof(ram));
	initrd_size = size ? (u64)data[0] << (size & 31) : 0;
	kernel = (struct image){ .data = data + rest, .size = size - rest };
	check(bus_init(&fake_vm.ports, &fake_vm.budget, 4));
	check(fwcfg_vdev.create(&fake_vm));
	if (size & 1)
		keep();
	check(fwcfg_fill(&fake_vm, find));
	for (i = 0; i < rest / sizeof(s) && i < STEPS_MAX; i++) {
		memcpy(&s, data + i * sizeof(s), sizeof(s));
		do_step(&s);
	}
	check(fwcfg_fill(&fake_vm, find));
	fwcfg_vdev.destroy(&fake_vm);
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
	if (fake_vm.budget.used_pages)
		abort();
	return 0;
}
