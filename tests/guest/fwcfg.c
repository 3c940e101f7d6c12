/* SPDX-License-Identifier: BSD-2-Clause */
/* fw_cfg as its specification has it: selector, data, DMA, the directory */
#include "tests/guest/lib/guest.h"

#define SPEC      "QEMU fw_cfg.rst "
#define SELECT    0x510
#define DATA      0x511
#define DMA_HIGH  0x514
#define DMA_LOW   0x518
#define DMA_ERROR 0x01u
#define DMA_READ  0x02u
#define DMA_SKIP  0x04u
#define DMA_SEL   0x08u
#define DMA_WRITE 0x10u
#define FILE_DIR  0x19
#define MAX_FILES 64

struct dma {
	u32 control, length;
	u64 address;
} __packed;

struct entry {
	u32 size;
	u16 select, reserved;
	char name[56];
} __packed;

/* What is looked at of an ELF file of 64 bits */
struct elf {
	u8 ident[24];
	u64 entry, programs, sections;
	u32 flags;
	u16 bytes, program_bytes, program_count;
} __packed;

struct program {
	u32 type, flags;
	u64 offset, virtual, address, size, memory, align;
} __packed;

static volatile struct dma dma __aligned(16);
static u8 buf[8192] __aligned(4096);
static struct entry dir[MAX_FILES];
static u32 dir_count;

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool same_bytes(const u8 *a, const char *b, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (a[i] != (u8)b[i])
			return false;
	return true;
}

static void read_data(void *to, u32 n)
{
	u64 count = n;

	__asm__ volatile("rep insb"
			 : "+D"(to), "+c"(count)
			 : "d"((u16)DATA)
			 : "memory");
}

static void read_item(u16 key, void *to, u32 n)
{
	outw(SELECT, key);
	read_data(to, n);
}

static void dma_go(void)
{
	u64 at = (u64)&dma;

	barrier();
	outl(DMA_HIGH, __builtin_bswap32((u32)(at >> 32)));
	outl(DMA_LOW, __builtin_bswap32((u32)at));
	barrier();
}

/* Control as the device leaves it */
static u32 dma_run(u32 control, u32 length, u64 address)
{
	dma.control = __builtin_bswap32(control);
	dma.length = __builtin_bswap32(length);
	dma.address = __builtin_bswap64(address);
	dma_go();
	return __builtin_bswap32(dma.control);
}

static u32 dma_item(u16 key, u32 length, void *to)
{
	return dma_run((u32)key << 16 | DMA_SEL | DMA_READ, length, (u64)to);
}

static void fill(u8 byte)
{
	for (u32 i = 0; i < sizeof(buf); i++)
		buf[i] = byte;
}

static void read_directory(void)
{
	u32 count;

	read_item(FILE_DIR, &count, 4);
	dir_count = __builtin_bswap32(count);
	if (dir_count > MAX_FILES)
		dir_count = MAX_FILES;
	read_data(dir, dir_count * (u32)sizeof(dir[0]));
}

static const struct entry *file(const char *name)
{
	for (u32 i = 0; i < dir_count; i++)
		if (same(dir[i].name, name))
			return &dir[i];
	return NULL;
}

static u16 file_key(const char *name)
{
	const struct entry *e = file(name);

	return e ? __builtin_bswap16(e->select) : 0xffff;
}

static void data_port(void)
{
	u32 id = 0;

	section(SPEC "Data Register");
	read_item(0, buf, 6);
	check(same_bytes(buf, "QEMU", 4), "fwcfg.signature", "%x", buf[0]);
	check(!buf[4] && !buf[5], "fwcfg.past_end_zero", "%x", buf[4]);
	read_item(0, buf, 2);
	outw(SELECT, 0);
	check(inb(DATA) == 'Q', "fwcfg.select_rewinds", "");
	check(inb(DATA) == 'E', "fwcfg.offset_advances", "");
	read_item(1, &id, 4);
	check(id == 3, "fwcfg.id_dma", "%x", id);
	fill(0x5a);
	read_item(0x3f3f, buf, 4);
	check(!buf[0] && !buf[3] && buf[4] == 0x5a, "fwcfg.no_item_zero", "%x",
	      buf[0]);
	outw(SELECT, 0);
	outb(DATA, 'X');
	outw(SELECT, 0);
	check(inb(DATA) == 'Q', "fwcfg.data_read_only", "");
	check(inw(SELECT) == 0xffff, "fwcfg.selector_write_only", "");
}

static void numbers(void)
{
	u64 ram = 0;
	u16 cpus = 0, max = 0;

	section(SPEC "Firmware Configuration Items");
	read_item(5, &cpus, 2);
	read_item(0xf, &max, 2);
	check(cpus == 1 && max == 1, "fwcfg.cpus", "%u of %u", cpus, max);
	read_item(3, &ram, 8);
	check(ram == 16 << 20, "fwcfg.ram_size", "%llx", ram);
}

static void directory(void)
{
	bool sorted = true, keys = true;

	section(SPEC "File Directory");
	read_directory();
	check(dir_count > 4, "fwcfg.directory", "%u files", dir_count);
	for (u32 i = 1; i < dir_count; i++) {
		const char *a = dir[i - 1].name, *b = dir[i].name;

		while (*a && *a == *b) {
			a++;
			b++;
		}
		sorted = sorted && *a < *b;
	}
	for (u32 i = 0; i < dir_count; i++)
		keys = keys && __builtin_bswap16(dir[i].select) == 0x20 + i &&
		       !dir[i].reserved;
	check(sorted, "fwcfg.directory_sorted", "");
	check(keys, "fwcfg.directory_keys", "");
	check(file("etc/e820") && file("etc/system-states") &&
		      file("bootorder"),
	      "fwcfg.files_there", "");
}

static void e820(void)
{
	struct {
		u64 base, size;
		u32 type;
	} __packed map = { 0, 0, 0 };
	const struct entry *e = file("etc/e820");

	section(SPEC "etc/e820");
	read_item(file_key("etc/e820"), &map, sizeof(map));
	check(e && __builtin_bswap32(e->size) % 20 == 0, "fwcfg.e820_packed",
	      "");
	check(map.base == 0 && map.size == 16 << 20 && map.type == 1,
	      "fwcfg.e820_ram", "%llx %llx %u", map.base, map.size, map.type);
}

/* fw_cfg = opt/test/text "hello fw_cfg", opt/test/file FILE in the manifest */
static void manifest_items(void)
{
	const struct entry *text = file("opt/test/text");

	section(SPEC "Externally Provided Items");
	fill(0);
	read_item(file_key("opt/test/text"), buf, 13);
	check(text && __builtin_bswap32(text->size) == 12 &&
		      same_bytes(buf, "hello fw_cfg", 13),
	      "fwcfg.manifest_text", "%x", buf[0]);
}

/* That file is this program: is its code, up to the entry, what runs here? */
static bool is_this_program(const u8 *at)
{
	const struct elf *elf = (const void *)at;
	const struct program *p = (const void *)(at + elf->programs);
	u64 n = elf->entry - p->address;

	return same_bytes(at,
			  "\x7f"
			  "ELF",
			  4) &&
	       n > sizeof(buf) && n < p->size &&
	       same_bytes(at + p->offset, (const char *)p->address, (u32)n);
}

static void manifest_file(void)
{
	const struct entry *e = file("opt/test/file");
	u16 key = file_key("opt/test/file");
	u8 *at = (u8 *)(4u << 20) + 100;
	u32 size = e ? __builtin_bswap32(e->size) : 0;
	u32 err;

	section(SPEC "Externally Provided Items");
	check(size > sizeof(buf), "fwcfg.manifest_file_size", "%u", size);
	err = dma_item(key, size + 16, at);
	check(!err && is_this_program(at), "fwcfg.manifest_file_dma", "%x %x",
	      err, at[0]);
	check(!at[size] && !at[size + 15], "fwcfg.manifest_file_end", "%x",
	      at[size]);
	read_item(key, buf, sizeof(buf));
	check(same_bytes(buf, (const char *)at, sizeof(buf)),
	      "fwcfg.manifest_file_port", "%x", buf[0]);
}

static void dma_basic(void)
{
	section(SPEC "DMA");
	check(inl(DMA_HIGH) == 0x554d4551 && inl(DMA_LOW) == 0x47464320,
	      "fwcfg.dma_signature", "%x %x", inl(DMA_HIGH), inl(DMA_LOW));
	check(inb(DMA_HIGH) == 'Q' && inw(DMA_LOW + 2) == 0x4746,
	      "fwcfg.dma_signature_sizes", "%x", inw(DMA_LOW + 2));
	fill(0x5a);
	check(dma_item(0, 4, buf) == 0, "fwcfg.dma_control_cleared", "%x",
	      __builtin_bswap32(dma.control));
	check(same_bytes(buf, "QEMU", 4) && buf[4] == 0x5a, "fwcfg.dma_read",
	      "%x", buf[0]);
	check(dma.length == __builtin_bswap32(4) &&
		      dma.address == __builtin_bswap64((u64)buf),
	      "fwcfg.dma_descriptor_kept", "");
	dma_run(DMA_SEL, 0, 0);
	dma_run(DMA_SKIP, 2, 0);
	check(dma_run(DMA_READ, 2, (u64)buf) == 0 && same_bytes(buf, "MU", 2),
	      "fwcfg.dma_skip", "%x", buf[0]);
	dma_run(DMA_SEL, 0, 0);
	check(inb(DATA) == 'Q', "fwcfg.dma_and_data_share", "");
	fill(0x5a);
	dma_item(0, 8, buf);
	check(!buf[4] && !buf[7] && buf[8] == 0x5a, "fwcfg.dma_past_end_zero",
	      "%x", buf[4]);
	fill(0x5a);
	check(!dma_item(0x3f3f, 4, buf) && !buf[0], "fwcfg.dma_no_item_zero",
	      "%x", buf[0]);
}

static void dma_pages(void)
{
	section(SPEC "DMA");
	fill(0x5a);
	dma_item(0, 4, buf + 4094);
	check(same_bytes(buf + 4094, "QEMU", 4) && buf[4093] == 0x5a &&
		      buf[4098] == 0x5a,
	      "fwcfg.dma_across_pages", "%x", buf[4094]);
	dma_item(FILE_DIR, 4 + dir_count * 64, buf);
	check(same_bytes(buf + 12, dir[0].name, 8), "fwcfg.dma_directory", "");
}

/* Longer than one piece, and over what it began in */
static void dma_long(void)
{
	u8 *to = (u8 *)(4u << 20);
	u32 n = 5u << 20;

	section(SPEC "DMA");
	for (u32 i = 0; i < n + 16; i += 16)
		to[i] = 0x5a;
	to[n] = 0x5a;
	check(!dma_item(0, n, to), "fwcfg.dma_long_done", "%x",
	      __builtin_bswap32(dma.control));
	check(same_bytes(to, "QEMU", 4) && !to[16] && !to[n - 16] &&
		      to[n] == 0x5a,
	      "fwcfg.dma_long_data", "%x %x %x", to[16], to[n - 16], to[n]);
}

static void dma_refused(void)
{
	section(SPEC "DMA");
	check(dma_run(DMA_WRITE, 4, (u64)buf) == DMA_ERROR,
	      "fwcfg.dma_write_fails", "");
	check(dma_item(0, 4, (void *)0x40000000) == DMA_ERROR,
	      "fwcfg.dma_outside_ram", "");
	check(dma_item(0, 4, (void *)0xfffffffffffffffe) == DMA_ERROR,
	      "fwcfg.dma_wraps", "");
	check(dma_item(0, 4, (void *)0xfee00000) == DMA_ERROR,
	      "fwcfg.dma_to_device", "");
	fill(0x5a);
	check(dma_item(0, 32 << 20, (void *)(15 << 20)) == DMA_ERROR,
	      "fwcfg.dma_past_ram", "");
	/* A descriptor that is nowhere: nothing happens */
	outl(DMA_HIGH, 0);
	outl(DMA_LOW, __builtin_bswap32(0x40000000));
	outl(DMA_HIGH, 0xffffffff);
	outl(DMA_LOW, 0xffffffff);
	check(!dma_item(0, 4, buf) && same_bytes(buf, "QEMU", 4),
	      "fwcfg.dma_lost_descriptor", "");
	check(dma_run(0, 4, (u64)buf) == 0, "fwcfg.dma_no_command", "");
	dma.control = __builtin_bswap32(DMA_SEL | DMA_READ);
	outw(DMA_LOW, 0x1234);
	check(dma.control == __builtin_bswap32(DMA_SEL | DMA_READ),
	      "fwcfg.dma_dword_only", "");
}

void guest_main(void)
{
	data_port();
	numbers();
	directory();
	e820();
	manifest_items();
	manifest_file();
	dma_basic();
	dma_pages();
	dma_long();
	dma_refused();
}
