/* SOURCES: hv/device/fwcfg/fwcfg.c hv/device/fwcfg/fwcfg_dma.c hv/device/fwcfg/fwcfg_fill.c hv/device/fwcfg/fwcfg_kernel.c hv/core/bus.c lib/printf.c lib/string.c hv/core/slots.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fw_cfg: items and directory, ports, DMA descriptors that point anywhere, and
 * what a guest is told of its kernel. Over 400 lines: one device with its
 * files serves every case.
 */
#include "tests/unit/fakes/vdev.h"

#include "hv/core/gmem.h"
#include "hv/device/fwcfg/fwcfg.h"
#include "hv/device/fwcfg/fwcfg_priv.h"
#include "include/hw/bzimage.h"
#include "lib/errno.h"
#include "tests/unit/fakes/window.h"

#define RAM_BYTES MIB(4)
#define DESC      0x1000u

static struct guest_config config;
static u8 *ram;
static struct image kernel_file, initrd_file, other_file;
static u64 written; /* bytes by DMA since */

static bool in_ram(u64 gpa, u64 len)
{
	return gpa <= RAM_BYTES && len <= RAM_BYTES - gpa;
}

int gmem_read(struct vm *vm, gpa_t gpa, void *buf, size_t len)
{
	if (!in_ram(gpa.v, len))
		return -EFAULT;
	memcpy(buf, ram + gpa.v, len);
	return 0;
}

int gmem_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	written += len;
	if (!in_ram(gpa.v, len))
		return -EFAULT;
	memcpy(ram + gpa.v, buf, len);
	return 0;
}

int gmem_zero(struct vm *vm, gpa_t gpa, u64 len)
{
	written += len;
	if (!in_ram(gpa.v, len))
		return -EFAULT;
	memset(ram + gpa.v, 0, len);
	return 0;
}

int file_find(const char *name, struct image *out)
{
	const struct image *all[] = { &kernel_file, &initrd_file, &other_file };

	for (u32 i = 0; i < 3; i++)
		if (all[i]->name && !strcmp(all[i]->name, name)) {
			*out = *all[i];
			return 0;
		}
	return -ENOENT;
}

static int find(const struct vm *vm, const char *name, struct image *out)
{
	return file_find(name, out);
}

static u8 in8(u16 port)
{
	return (u8)bus_read(&fake_vm.ports, &fake_vcpus[0], port, 1);
}

static void out(struct vcpu *v, u16 port, u8 size, u64 value)
{
	v->hw.exit.kind = EXIT_PORT;
	v->hw.exit.insn_len = 1;
	bus_write(&fake_vm.ports, v, port, size, value);
}

static void select_key(u16 key)
{
	out(&fake_vcpus[0], 0x510, 2, key);
}

static void read_key(u16 key, void *to, u32 n)
{
	u8 *p = to;

	select_key(key);
	while (n--)
		*p++ = in8(0x511);
}

static u32 key_u32(u16 key)
{
	u32 v;

	read_key(key, &v, 4);
	return v;
}

static u16 file_key(const char *name, u32 *size)
{
	struct fwcfg_dir_entry e;
	u32 count;

	read_key(FWCFG_FILE_DIR, &count, 4);
	for (u32 i = 0; i < __builtin_bswap32(count); i++) {
		for (u32 j = 0; j < sizeof(e); j++)
			((u8 *)&e)[j] = in8(0x511);
		if (strcmp(e.name, name))
			continue;
		*size = __builtin_bswap32(e.size);
		return __builtin_bswap16(e.select);
	}
	return 0;
}

static void describe(u64 at, u32 control, u32 length, u64 address)
{
	struct fwcfg_dma_descriptor d = {
		.control = __builtin_bswap32(control),
		.length = __builtin_bswap32(length),
		.address = __builtin_bswap64(address),
	};

	memcpy(ram + at, &d, sizeof(d));
}

/* One OUT; true: the guest is to run it again */
static bool start(struct vcpu *v, u64 at)
{
	out(v, 0x518, 4, __builtin_bswap32((u32)at));
	return !v->hw.exit.insn_len;
}

static u32 dma_at(struct vcpu *v, u64 at)
{
	u32 control;

	out(v, 0x514, 4, __builtin_bswap32((u32)(at >> 32)));
	while (start(v, at))
		;
	memcpy(&control, ram + at, 4);
	return __builtin_bswap32(control);
}

static u32 dma(u32 control, u32 length, u64 address)
{
	describe(DESC, control, length, address);
	return dma_at(&fake_vcpus[0], DESC);
}

static int setup(void **state)
{
	fake_vm_init(2);
	memset(&config, 0, sizeof(config));
	kernel_file = initrd_file = other_file = (struct image){ .size = 0 };
	fake_vm.config = &config;
	fake_vm.slot_count = 1;
	fake_vm.slots[0] = (struct vm_slot){ .size = MIB(512) };
	ram = calloc(1, RAM_BYTES);
	assert_int_equal(bus_init(&fake_vm.ports, &fake_vm.budget, 4), 0);
	assert_int_equal(fwcfg_vdev.create(&fake_vm), 0);
	return 0;
}

static int teardown(void **state)
{
	fwcfg_vdev.destroy(&fake_vm);
	bus_destroy(&fake_vm.ports, &fake_vm.budget);
	assert_int_equal(fake_vm.budget.used_pages, 0);
	free(ram);
	return 0;
}

/* All or nothing, and only into a writable item */
static void test_write(void **state)
{
	u32 size, select, control;
	u8 back[12] = { 0 };

	assert_int_equal(fwcfg_add_file(&fake_vm, "etc/fixed", "abcd", 4), 0);
	assert_int_equal(fwcfg_add_writable_file(&fake_vm, "etc/open", 12), 0);
	assert_int_equal(fwcfg_add_writable_file(&fake_vm, "etc/big", 65),
			 -EINVAL);
	memcpy(ram + 0x2000, "0123456789ab", 12);
	control = FWCFG_DMA_SELECT | FWCFG_DMA_WRITE;
	select = (u32)file_key("etc/fixed", &size) << 16 | control;
	assert_int_equal(dma(select, 4, 0x2000), FWCFG_DMA_ERROR);
	select = (u32)file_key("etc/open", &size) << 16 | control;
	assert_int_equal(size, 12);
	assert_int_equal(dma(select, 13, 0x2000), FWCFG_DMA_ERROR);
	assert_int_equal(dma(select, 4, RAM_BYTES - 2), FWCFG_DMA_ERROR);
	assert_int_equal(dma(select, ~0u, 0x2000), FWCFG_DMA_ERROR);
	read_key((u16)(select >> 16), back, 12);
	assert_int_equal(back[0] | back[11], 0);
	assert_int_equal(dma(select, 8, 0x2000), 0);
	assert_int_equal(dma(FWCFG_DMA_WRITE, 5, 0x2000), FWCFG_DMA_ERROR);
	assert_int_equal(dma(FWCFG_DMA_WRITE, 4, 0x2008), 0);
	read_key((u16)(select >> 16), back, 12);
	assert_memory_equal(back, "0123456789ab", 12);
}

static void test_directory(void **state)
{
	static const char *const names[] = { "etc/b", "opt/z", "etc/a",
					     "bootorder", "etc/b/c" };
	struct fwcfg_dir_entry e[5];
	u32 count, size;
	u8 byte = 0;

	read_key(FWCFG_FILE_DIR, &count, 4);
	assert_int_equal(count, 0);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(fwcfg_add_file(&fake_vm, names[i], names[i],
						(u32)strlen(names[i])),
				 0);
	read_key(FWCFG_FILE_DIR, &count, 4);
	assert_int_equal(__builtin_bswap32(count), 5);
	for (u32 j = 0; j < sizeof(e); j++)
		((u8 *)e)[j] = in8(0x511);
	for (u32 i = 0; i < 5; i++) {
		assert_int_equal(__builtin_bswap16(e[i].select), 0x20 + i);
		assert_true(!i || strcmp(e[i - 1].name, e[i].name) < 0);
	}
	/* the write channel of old is the same item */
	read_key(FWCFG_KEY_WRITE | FWCFG_FILE_FIRST, &byte, 1);
	assert_int_equal(byte, 'b');
	for (u32 i = 0; i < 5; i++) {
		read_key(file_key(names[i], &size), &byte, 1);
		assert_int_equal(byte, names[i][0]);
		assert_int_equal(size, strlen(names[i]));
	}
}

static void test_replace(void **state)
{
	static u8 large[9000], small[10] = { 7 };
	u32 size = 0;

	large[8999] = 9;
	for (u32 i = 0; i < 10; i++) {
		assert_int_equal(
			fwcfg_add_file(&fake_vm, "etc/x", large, sizeof(large)),
			0);
		assert_int_equal(
			fwcfg_add_file(&fake_vm, "etc/x", small, sizeof(small)),
			0);
		assert_int_equal(fwcfg_add(&fake_vm, 3, large, 3000), 0);
		assert_int_equal(fwcfg_add(&fake_vm, 3, small, 2), 0);
		assert_int_equal(fwcfg_add_file(&fake_vm, "empty", NULL, 0), 0);
	}
	read_key(file_key("etc/x", &size), large, 1);
	assert_int_equal(size, 10);
	assert_int_equal(large[0], 7);
	assert_int_equal(file_key("empty", &size), 0x20);
	assert_int_equal(size, 0);
}

static void test_refused(void **state)
{
	char name[64], full[16];
	struct image image = { .data = (const u8 *)"abc", .size = 3 };

	memset(name, 'a', sizeof(name));
	name[56] = 0;
	assert_int_equal(fwcfg_add_file(&fake_vm, name, "", 1), -EINVAL);
	name[55] = 0;
	assert_int_equal(fwcfg_add_file(&fake_vm, name, "", 1), 0);
	assert_int_equal(fwcfg_add_file(&fake_vm, "", "", 1), -EINVAL);
	assert_int_equal(fwcfg_add(&fake_vm, FWCFG_FILE_DIR, "x", 1), -EINVAL);
	assert_int_equal(fwcfg_add(&fake_vm, 0x20, "x", 1), -EINVAL);
	assert_int_equal(fwcfg_add_image(&fake_vm, 8, &image, 2, 2), -EINVAL);
	assert_int_equal(fwcfg_add_image(&fake_vm, 8, &image, 4, 0), -EINVAL);
	assert_int_equal(fwcfg_add_image(&fake_vm, 8, &image, 1, 2), 0);
	for (u32 i = 1; i < FWCFG_MAX_FILES; i++) {
		snprintf(full, sizeof(full), "f%u", i);
		assert_int_equal(fwcfg_add_file(&fake_vm, full, "", 1), 0);
	}
	assert_int_equal(fwcfg_add_file(&fake_vm, "last", "", 1), -ENOSPC);
	assert_int_equal(fwcfg_add_file(&fake_vm, "f1", "", 1), 0);
}

static void test_dma(void **state)
{
	assert_int_equal(fwcfg_add(&fake_vm, 0, "QEMU", 4), 0);
	memset(ram + 0x2000, 0x5a, 16);
	assert_int_equal(dma(0x0a, 6, 0x2000), 0);
	assert_memory_equal(ram + 0x2000, "QEMU\0\0\x5a", 7);
	assert_int_equal(dma(0x08, 0, 0), 0);
	assert_int_equal(dma(0x04, 1, 0), 0);
	assert_int_equal(dma(0x04, 0xffffffff, 0), 0);
	assert_int_equal(dma(0x02, 1, 0x2000), 0);
	assert_int_equal(ram[0x2000], 0);
	assert_int_equal(dma(0x0a, 4, RAM_BYTES - 4), 0);
	assert_int_equal(dma(0x0a, 4, RAM_BYTES - 3), 1);
	assert_int_equal(dma(0x0a, 4, ~0ull), 1);
	assert_int_equal(dma(0x18, 4, 0x2000), 1);
	assert_int_equal(dma(0x0a, 0, ~0ull), 0);
}

/* The core is free after each piece, whatever the length */
static void test_pieces(void **state)
{
	struct vcpu *v = &fake_vcpus[0], *w = &fake_vcpus[1];
	u32 pieces = 1, control;

	assert_int_equal(fwcfg_add(&fake_vm, 0, "QEMU", 4), 0);
	memset(ram + MIB(1), 0x5a, MIB(3));
	describe(DESC, 0x0a, MIB(2) + 5, MIB(1));
	describe(DESC + 64, 0x0a, 4, 0x3000);
	written = 0;
	while (start(v, DESC)) {
		pieces++;
		assert_true(written <= MIB(1));
		written = 0;
		/* Another vCPU has to wait for it */
		assert_true(start(w, DESC + 64));
		out(w, 0x514, 4, __builtin_bswap32(5));
		assert_int_equal(w->hw.exit.insn_len, 0);
	}
	assert_true(pieces >= 3);
	assert_memory_equal(ram + MIB(1), "QEMU", 4);
	assert_int_equal(ram[MIB(3) + 4], 0);
	assert_int_equal(ram[MIB(3) + 5], 0x5a);
	assert_false(start(w, DESC + 64));
	assert_memory_equal(ram + 0x3000, "QEMU", 4);
	/* By OUTS it cannot be repeated: an error, not a part */
	describe(DESC, 0x0a, MIB(2), MIB(1));
	v->hw.exit.port.string = true;
	written = 0;
	assert_false(start(v, DESC));
	memcpy(&control, ram + DESC, 4);
	assert_int_equal(__builtin_bswap32(control), 1);
	/* Of which an exit may do many */
	assert_true(written <= PAGE_SIZE + sizeof(control));
	describe(DESC, 0x0a, PAGE_SIZE, MIB(1));
	assert_false(start(v, DESC));
	memcpy(&control, ram + DESC, 4);
	assert_int_equal(control, 0);
}

static void test_abandoned(void **state)
{
	struct vcpu *v = &fake_vcpus[0], *w = &fake_vcpus[1];
	u32 control, waits = 0;

	assert_int_equal(fwcfg_add(&fake_vm, 0, "QEMU", 4), 0);
	/* An interrupt handler of the same vCPU takes over */
	describe(DESC, 0x0a, MIB(2), MIB(1));
	assert_true(start(v, DESC));
	describe(DESC + 64, 0x0a, 4, 0x3000);
	assert_int_equal(dma_at(v, DESC + 64), 0);
	memcpy(&control, ram + DESC, 4);
	assert_int_equal(__builtin_bswap32(control), 1);
	/* A vCPU that never comes back */
	describe(DESC, 0x0a, MIB(2), MIB(1));
	assert_true(start(v, DESC));
	describe(DESC + 64, 0x0a, 4, 0x3000);
	while (start(w, DESC + 64))
		assert_true(++waits < 1000000);
	memcpy(&control, ram + DESC + 64, 4);
	assert_int_equal(control, 0);
	/* A reset in the middle */
	describe(DESC, 0x0a, MIB(2), MIB(1));
	assert_true(start(v, DESC));
	fwcfg_vdev.reset(&fake_vm);
	assert_int_equal(dma(0x0a, 4, 0x3000), 0);
}

static void test_random_dma(void **state)
{
	assert_int_equal(fwcfg_add_file(&fake_vm, "etc/a", "abcdef", 6), 0);
	srand(3);
	for (u32 i = 0; i < 30000; i++) {
		struct vcpu *v = &fake_vcpus[rand() % 2];
		u64 at = (u64)rand() % RAM_BYTES;
		struct fwcfg_dma_descriptor d = {
			.control = __builtin_bswap32((u32)rand() % 0x40 |
						     (u32)rand() << 16),
			.length = (u32)rand() & (rand() & 1 ? ~0u : 0xff00ffff),
			.address = (u64)rand() << 32 ^ (u64)rand(),
		};
		u32 again = 8;

		if (rand() & 1)
			d.address = __builtin_bswap64((u64)rand() % RAM_BYTES);
		if (in_ram(at, sizeof(d)))
			memcpy(ram + at, &d, sizeof(d));
		v->hw.exit.port.string = !(rand() % 8);
		out(v, 0x514, 4, rand() & 7 ? 0 : (u64)rand());
		written = 0;
		while (start(v, at) && --again) {
			assert_true(written <= MIB(1) + 4);
			written = 0;
		}
		in8((u16)(0x510 + rand() % 12));
		out(v, (u16)(0x510 + rand() % 4), (u8)(1 << rand() % 3),
		    (u64)rand());
	}
}

static void make_kernel(u8 *data, u32 size, u8 sects)
{
	struct setup_header h = { .setup_sects = sects,
				  .header = BZ_MAGIC,
				  .version = 0x020f,
				  .loadflags = BZ_LOADED_HIGH,
				  .initrd_addr_max = 0x7fffffff };

	for (u32 i = 0; i < size; i++)
		data[i] = (u8)i;
	memcpy(data + BZ_HEADER_OFFSET, &h, sizeof(h));
	kernel_file =
		(struct image){ .name = "vmlinuz", .data = data, .size = size };
	strcpy(config.kernel, "vmlinuz");
}

static void test_kernel(void **state)
{
	static u8 data[32768], setup_data[2560], rest[30208];
	struct setup_header h;

	make_kernel(data, sizeof(data), 0);
	initrd_file =
		(struct image){ .name = "initrd", .data = data, .size = 5000 };
	strcpy(config.initrd, "initrd");
	strcpy(config.cmdline, "console=ttyS0");
	strcpy(config.firmware, "bios.bin");
	config.boot = BOOT_WAY_FIRMWARE;
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	assert_int_equal(key_u32(FWCFG_SETUP_SIZE), 5 * 512);
	assert_int_equal(key_u32(FWCFG_KERNEL_SIZE), 32768 - 5 * 512);
	assert_int_equal(key_u32(FWCFG_KERNEL_ADDR), 0x100000);
	assert_int_equal(key_u32(FWCFG_CMDLINE_SIZE), 14);
	assert_int_equal(key_u32(FWCFG_INITRD_SIZE), 5000);
	assert_int_equal(key_u32(FWCFG_INITRD_ADDR),
			 (MIB(512) - KIB(128) - 5000) & ~4095ull);
	read_key(FWCFG_SETUP_DATA, setup_data, sizeof(setup_data));
	memcpy(&h, setup_data + BZ_HEADER_OFFSET, sizeof(h));
	assert_int_equal(h.type_of_loader, 0xb0);
	assert_int_equal(h.cmd_line_ptr, key_u32(FWCFG_CMDLINE_ADDR));
	assert_int_equal(h.ramdisk_image, key_u32(FWCFG_INITRD_ADDR));
	assert_int_equal(h.ramdisk_size, 5000);
	assert_memory_equal(setup_data, data, BZ_HEADER_OFFSET);
	read_key(FWCFG_KERNEL_DATA, rest, sizeof(rest));
	assert_memory_equal(rest, data + 2560, sizeof(rest));
	/* An EFI image that is no bzImage: all of it is the kernel */
	memset(data + BZ_HEADER_OFFSET, 0, sizeof(h));
	memcpy(data, "MZ", 2);
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	assert_int_equal(key_u32(FWCFG_SETUP_SIZE), 0);
	assert_int_equal(key_u32(FWCFG_KERNEL_SIZE), 32768);
}

/* No item and no error */
static void test_no_kernel(void **state)
{
	static u8 data[32768];

	memset(data, 0x11, sizeof(data));
	kernel_file = (struct image){ .name = "vmlinuz",
				      .data = data,
				      .size = sizeof(data) };
	strcpy(config.kernel, "vmlinuz");
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	assert_int_equal(key_u32(FWCFG_KERNEL_SIZE), 0);
	make_kernel(data, 1024, 9); /* shorter than its setup */
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	assert_int_equal(key_u32(FWCFG_KERNEL_SIZE), 0);
	make_kernel(data, sizeof(data), 4);
	fake_vm.slots[0].size = MIB(1); /* does not fit */
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	assert_int_equal(key_u32(FWCFG_KERNEL_SIZE), 0);
}

static void test_random_kernel(void **state)
{
	static u8 data[8192];

	srand(5);
	for (u32 i = 0; i < 3000; i++) {
		u32 size = (u32)rand() % sizeof(data);
		u8 *exact = malloc(size + 1);

		make_kernel(data, sizeof(data), (u8)rand());
		for (u32 j = 0; j < 4; j++)
			data[BZ_HEADER_OFFSET + (u32)rand() % 0x80] =
				(u8)rand();
		memcpy(exact, data, size);
		kernel_file.data = exact;
		kernel_file.size = size;
		initrd_file = (struct image){ .name = "initrd",
					      .data = data,
					      .size = (u64)rand() * 4 };
		strcpy(config.initrd, rand() & 1 ? "initrd" : "");
		initrd_file.size %= rand() & 1 ? MIB(600) : 4096;
		fake_vm.slots[0].size = (u64)rand() % MIB(600);
		assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
		read_key(FWCFG_SETUP_DATA, data, sizeof(data));
		read_key(FWCFG_KERNEL_DATA, data, sizeof(data));
		free(exact);
	}
	/* its file is gone: nothing may read it again */
	fwcfg_vdev.destroy(&fake_vm);
	bus_remove(&fake_vm.ports, 0x510);
	assert_int_equal(fwcfg_vdev.create(&fake_vm), 0);
}

static void test_fill(void **state)
{
	struct e820_entry map[2];
	u32 size = 0;
	char order[64];

	fake_vm.slot_count = 4;
	fake_vm.slots[0] = (struct vm_slot){ .size = GIB(1) };
	fake_vm.slots[1] = (struct vm_slot){ .gpa = GIB(1), .size = GIB(1) };
	fake_vm.slots[2] = (struct vm_slot){ .gpa = 0xfffc0000,
					     .size = KIB(256),
					     .rom = true };
	fake_vm.slots[3] = (struct vm_slot){ .gpa = GIB(4), .size = GIB(3) };
	other_file = (struct image){ .name = "rom.bin",
				     .data = (const u8 *)"\x55\xaa",
				     .size = 2 };
	config.fwcfg_count = 2;
	strcpy(config.fwcfg[0].name, "genroms/rom.bin");
	strcpy(config.fwcfg[0].file, "rom.bin");
	strcpy(config.fwcfg[1].name, "etc/boot-menu-wait");
	strcpy(config.fwcfg[1].text, "x");
	config.fwcfg[1].text_len = 1;
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	read_key(file_key("etc/e820", &size), map, sizeof(map));
	assert_int_equal(size, 40);
	assert_int_equal(map[0].size, GIB(2));
	assert_int_equal(map[1].base, GIB(4));
	assert_int_equal(map[1].size, GIB(3));
	read_key(FWCFG_RAM_SIZE, &map[0].base, 8);
	assert_int_equal(map[0].base, GIB(5));
	read_key(file_key("bootorder", &size), order, sizeof(order));
	assert_string_equal(order, "/rom@genroms/rom.bin\n");
	assert_int_equal(size, strlen(order) + 1);
	file_key("etc/boot-menu-wait", &size);
	assert_int_equal(size, 1); /* the manifest has the last word */
	assert_int_equal(key_u32(5), 2);
	strcpy(config.fwcfg[0].file, "nowhere");
	assert_int_equal(fwcfg_fill(&fake_vm, find), -ENOENT);
}

/* A dynamic guest's files are read from memory that it has not as RAM, in which
 * they may be in several pieces */
static void test_kept(void **state)
{
	static u8 data[32768], memory[MIB(1)], got[12001];
	u32 size, control;

	for (u32 i = 0; i < sizeof(memory); i++)
		memory[i] = (u8)(i * 7 + (i >> 9));
	fake_windows_init(memory, sizeof(memory));
	fake_vm.staged = (void *)memory;
	fake_vm.slot_count = 1;
	fake_vm.slots[0] = (struct vm_slot){ .size = RAM_BYTES };
	fake_vm.slots[1] = (struct vm_slot){ MIB(4), 0x8000, 0x2000, false };
	fake_vm.slots[2] =
		(struct vm_slot){ MIB(4) + 0x2000, 0x1000, 0x9000, false };
	fake_vm.kept_count = 2;
	other_file = (struct image){ .name = "blob",
				     .data = data,
				     .size = 12000,
				     .hpa = MIB(4) + 0x1000 };
	config.fwcfg_count = 1;
	strcpy(config.fwcfg[0].name, "opt/blob");
	strcpy(config.fwcfg[0].file, "blob");
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	read_key(file_key("opt/blob", &size), got, 12001);
	assert_int_equal(size, 12000);
	assert_memory_equal(got, memory + 0x9000, 0x1000);
	assert_memory_equal(got + 0x1000, memory + 0x1000, 12000 - 0x1000);
	assert_int_equal(got[12000], 0);
	/* By DMA to where no page begins */
	control = FWCFG_DMA_SELECT | FWCFG_DMA_READ;
	control |= (u32)file_key("opt/blob", &size) << FWCFG_DMA_KEY_SHIFT;
	assert_int_equal(dma(control, 12000, 0x2123), 0);
	assert_memory_equal(ram + 0x2123, got, 12000);
	/* Some of it is RAM, which the guest may change, or nothing at all */
	other_file.hpa = MIB(4) - PAGE_SIZE;
	assert_int_equal(fwcfg_fill(&fake_vm, find), -EINVAL);
	other_file.hpa = MIB(4) + 0xb000 - PAGE_SIZE;
	assert_int_equal(fwcfg_fill(&fake_vm, find), -EINVAL);
	fake_vm.staged = NULL;
	fake_vm.kept_count = 0;
}

/* Its kernel, too, if it stays */
static void test_kept_kernel(void **state)
{
	static u8 memory[MIB(1)];
	static u8 rest[30208];

	make_kernel(memory + 0x4000, 32768, 0);
	fake_windows_init(memory, sizeof(memory));
	fake_vm.staged = (void *)memory;
	fake_vm.slot_count = 1;
	fake_vm.slots[0] = (struct vm_slot){ .size = MIB(512) };
	fake_vm.slots[1] =
		(struct vm_slot){ MIB(512), 0, sizeof(memory), false };
	kernel_file.hpa = MIB(512) + 0x4000;
	strcpy(config.firmware, "bios.bin");
	config.boot = BOOT_WAY_FIRMWARE;
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	assert_int_equal(key_u32(FWCFG_KERNEL_SIZE), 0);
	fake_vm.kept_count = 1;
	assert_int_equal(fwcfg_fill(&fake_vm, find), 0);
	assert_int_equal(key_u32(FWCFG_KERNEL_SIZE), sizeof(rest));
	read_key(FWCFG_KERNEL_DATA, rest, sizeof(rest));
	assert_memory_equal(rest, memory + 0x4000 + 2560, sizeof(rest));
	fake_vm.staged = NULL;
	fake_vm.kept_count = 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_directory),     T(test_replace),     T(test_refused),
		T(test_dma),           T(test_pieces),      T(test_abandoned),
		T(test_random_dma),    T(test_kernel),      T(test_no_kernel),
		T(test_random_kernel), T(test_fill),        T(test_write),
		T(test_kept),          T(test_kept_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
