/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multiboot ways in: the machine's state at the entry and what the image is
 * told, by whichever loader has started it. It is given two modules, each of
 * which is a copy of this image, and its command line says how much RAM it has:
 *
 *   ram=16
 *
 * The entry below saves the state, then goes on as a PVH image does.
 *
 * Over 400 lines: three loaders and their structures, read by one image.
 */
#include "include/hw/multiboot.h"
#include "include/hw/elf.h"
#include "tests/guest/lib/board.h"

#define CMDLINE    "multiboot.elf ram=16"
#define CMDLINE32  "multiboot32.elf ram=16"
#define MODULE_ARG "multiboot.elf and its words"
#define RAM_END    0x1000000ull
#define IMAGE_BASE 0x100000ull
#define E820_RAM   1u

/* Both headers, in the file's first 8 KiB; the second asks for what is given,
 * and for a framebuffer, which it may be refused */
__asm__(".pushsection .text.entry, \"ax\"\n"
	".balign 8\n"
	"mb1: .long 0x1badb002, 7, -0x1badb002 - 7\n"
	"	.long 0, 0, 0, 0, 0, 0, 1024, 768, 32\n"
	".balign 8\n"
	"mb2: .long 0xe85250d6, 0, mb2_end - mb2\n"
	"	.long 0x100000000 - (0xe85250d6 + (mb2_end - mb2))\n"
	"	.word 1, 0\n"
	"	.long 8 + 5 * 4, 1, 3, 6, 9, 8, 0\n"
	"	.word 5, 1\n"
	"	.long 20, 1024, 768, 32, 0\n"
	"	.word 6, 0\n"
	"	.long 8\n"
	"	.word 7, 0\n"
	"	.long 8\n"
	"	.word 0, 0\n"
	"	.long 8\n"
	"mb2_end:\n"
	".code32\n"
	".globl mb_entry\n"
	"mb_entry:\n"
	"	movl %eax, entry_state\n"
	"	movl %ebx, entry_state + 4\n"
	"	movl %cr0, %eax\n"
	"	movl %eax, entry_state + 8\n"
	"	movl $entry_stack + 64, %esp\n"
	"	pushfl\n"
	"	popl entry_state + 12\n"
	"	movl %ds, %eax\n"
	"	movl %ss, %ebx\n"
	"	movl %eax, entry_state + 16\n"
	"	movl %ebx, entry_state + 20\n"
	"	movl $entry_info, %ebx\n"
	"	jmp pvh_entry\n"
	".code64\n"
	".popsection\n");

struct state {
	u32 eax, ebx, cr0, eflags, ds, ss;
};
/* In .data: the entry finds them whether or not .bss is zero */
struct state entry_state __attribute__((used, section(".data")));
u32 entry_stack[16] __attribute__((used, section(".data")));
/* No start_info of PVH's */
u64 entry_info[8] __attribute__((used, section(".data")));
static u8 big_bss[65536] __attribute__((aligned(4096)));
extern char guest_end[];

static bool equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool same_bytes(u64 a, u64 b, u64 bytes)
{
	for (u64 i = 0; i < bytes; i++)
		if (*(const u8 *)(a + i) != *(const u8 *)(b + i))
			return false;
	return true;
}

static bool in_kernel(u64 begin, u64 end)
{
	return begin < (u64)guest_end && end > IMAGE_BASE;
}

/* So that the compiler takes it for no object of a known size */
static volatile u32 *word_at(u64 address)
{
	__asm__("" : "+r"(address));
	return (volatile u32 *)address;
}

/* 1 MiB and 0 are different places */
static bool a20_open(void)
{
	volatile u32 *low = word_at(0x500), *high = word_at(0x100500);
	u32 before = *high, kept = *low;

	*low = ~before;
	before = before == *high;
	*low = kept;
	return before;
}

static void end_of_interrupt(struct trap_frame *f)
{
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

static bool comes(u8 vector)
{
	for (u32 i = 0; i < 10000 && !irq_count[vector]; i++)
		irq_window();
	return irq_count[vector];
}

/* The clock's interrupt waits, without a word to 8254 and 8259 */
static bool ticks(void)
{
	u64 end = tsc_after(200000);

	while (!(inb(0x20) & 1) && rdtsc() < end)
		cpu_relax();
	return inb(0x20) & 1;
}

/* The vectors of a BIOS; IRQ 1 and IRQ 8 pulled without a word to the 8259s
 * but the masks */
static void check_pic(void)
{
	irq_handler[0x09] = end_of_interrupt;
	irq_handler[0x70] = end_of_interrupt;
	check(inb(0x21) == 0xf8 && inb(0xa1) == 0xfe, "irqs_masked", "%x %x",
	      inb(0x21), inb(0xa1));
	check(ticks(), "irq0_ticks", "IRR %x", inb(0x20));
	outb(0x21, 0xf9);
	outb(0x64, 0x60); /* interrupt when the output buffer is full */
	outb(0x60, 0x45);
	outb(0x64, 0xd2); /* fill it */
	outb(0x60, 0x11);
	check(comes(0x09), "irq1_is_vector_9", "it does not come");
	(void)inb(0x60);
	outb(0xa1, 0xfe);
	cmos_set(0x0b, 0x42); /* 1024 a second */
	check(comes(0x70), "irq8_is_vector_70", "it does not come");
	cmos_set(0x0b, 0x02);
	(void)cmos(0x0c);
	outb(0xa1, 0xff);
	outb(0x21, 0xff);
}

static void check_state(const char *state, u32 magic)
{
	const struct state *s = &entry_state;
	bool zero = true;

	section(state);
	check(s->eax == magic, "eax_is_magic", "%x", s->eax);
	check(s->ebx && s->ebx < RAM_END && !(s->ebx & 3), "ebx_is_information",
	      "%x", s->ebx);
	check((s->cr0 & 0x80000001) == 1, "protected_no_paging", "%x", s->cr0);
	check(!(s->eflags & BIT(17)), "no_v8086", "%x", s->eflags);
	check(!(s->eflags & BIT(9)), "interrupts_off", "%x", s->eflags);
	check(*(volatile u32 *)0xfee00350ul == 0x700, "virtual_wire",
	      "LINT0 %x", *(volatile u32 *)0xfee00350ul);
	check(a20_open(), "a20_open", "1 MiB is 0");
	check(s->ds == s->ss && s->ds, "data_segments", "%x %x", s->ds, s->ss);
	for (u32 i = 0; i < sizeof(big_bss); i++)
		zero = zero && !((volatile u8 *)big_bss)[i];
	check(zero, "bss_is_zero", "it is not");
	check(!in_kernel(s->ebx, s->ebx + 8), "information_beside_image", "%x",
	      s->ebx);
	check_pic();
}

struct module {
	u64 start, end;
	const char *string;
};

static void check_modules(const struct module *m, u32 count)
{
	const u32 *magic = (const void *)m[0].start;

	check(count == 2, "modules_counted", "%u", count);
	if (count != 2)
		return;
	check(!(m[0].start & 4095) && !(m[1].start & 4095), "modules_aligned",
	      "%llx %llx", m[0].start, m[1].start);
	check(*magic == ELF_MAGIC, "module_is_the_file", "%x", *magic);
	check(m[0].end - m[0].start == m[1].end - m[1].start, "module_sizes",
	      "they differ");
	check(same_bytes(m[0].start, m[1].start, m[0].end - m[0].start),
	      "module_bytes", "they differ");
	check(m[0].end <= m[1].start || m[1].end <= m[0].start, "modules_apart",
	      "they overlap");
	check(!in_kernel(m[0].start, m[0].end) &&
		      !in_kernel(m[1].start, m[1].end),
	      "modules_beside_image", "they overlap it");
	check(m[0].end <= RAM_END && m[1].end <= RAM_END, "modules_in_ram",
	      "they do not");
	check(equal(m[0].string, "multiboot.elf"), "initrd_is_first_module",
	      "'%s'", m[0].string);
	check(equal(m[1].string, MODULE_ARG), "module_string", "'%s'",
	      m[1].string);
}

struct range {
	u64 base, length;
	u32 type;
};

static void check_map(const struct range *map, u32 count, u32 lower, u32 upper)
{
	bool sorted = true, kernel = false, firmware = true;
	u64 end = 0, top = 0, base = 0;

	for (u32 i = 0; i < count; i++) {
		u64 last = map[i].base + map[i].length;

		sorted = sorted && map[i].base >= end && map[i].length;
		end = last;
		if (map[i].type != E820_RAM)
			continue;
		top = last;
		if (map[i].base <= IMAGE_BASE && last >= (u64)guest_end)
			kernel = true;
		if (map[i].base < 0x100000 && last > 0xa0000)
			firmware = false;
		if (map[i].base == 0x100000)
			base = map[i].length / 1024;
	}
	check(count >= 3 && sorted, "map_sorted", "%u entries", count);
	check(kernel, "map_has_image", "no RAM where the image is");
	check(firmware, "map_spares_firmware", "RAM from 640 KiB to 1 MiB");
	check(top == RAM_END, "map_has_all_ram", "%llx", top);
	check(lower && lower <= 640 && lower * 1024ull == map[0].length,
	      "mem_lower", "%u", lower);
	check(upper == base && upper, "mem_upper", "%u", upper);
}

/* In both classes of ELF */
static u64 section_addr(const u8 *headers, u32 i, u32 bytes, u32 *name)
{
	const struct elf32_shdr *h32 = (const void *)(headers + i * bytes);
	const struct elf64_shdr *h64 = (const void *)(headers + i * bytes);

	*name = h32->name; /* the same place in both */
	return bytes == sizeof(*h32) ? h32->addr : h64->addr;
}

static void check_sections(const u8 *headers, u32 count, u32 bytes, u32 names)
{
	u64 strings, text = 0, symbols = 0;
	u32 name;

	check(count > 4 && names < count &&
		      (bytes == sizeof(struct elf32_shdr) ||
		       bytes == sizeof(struct elf64_shdr)),
	      "sections_told", "%u of %u bytes", count, bytes);
	strings = section_addr(headers, names, bytes, &name);
	check(strings && strings < RAM_END, "section_names_loaded", "%llx",
	      strings);
	for (u32 i = 0; i < count && strings; i++) {
		u64 addr = section_addr(headers, i, bytes, &name);
		const char *s = (const char *)(strings + name);

		if (equal(s, ".text"))
			text = addr;
		if (equal(s, ".symtab"))
			symbols = addr;
	}
	check(text == IMAGE_BASE, "section_of_code", "%llx", text);
	check(symbols && !in_kernel(symbols, symbols + 1), "symbols_loaded",
	      "%llx", symbols);
}

static bool is_cmdline(const char *s)
{
	return equal(s, CMDLINE) || equal(s, CMDLINE32);
}

static void check_strings(const char *cmdline, const char *loader)
{
	check(is_cmdline(cmdline), "command_line", "'%s'", cmdline);
	check(loader && *loader, "boot_loader_name", "none");
}

static void multiboot1(void)
{
	const struct mb1_info *info = (const void *)(u64)entry_state.ebx;
	const struct mb1_module *mods = (const void *)(u64)info->mods_addr;
	const u8 *at = (const void *)(u64)info->mmap_addr;
	const u8 *end = at + info->mmap_length;
	struct module m[2] = { { 0 } };
	struct range map[32];
	u32 n = 0;

	check_state("Multiboot 0.6.96 3.2", MB1_BOOT_MAGIC);
	section("Multiboot 0.6.96 3.3");
	check((info->flags & 0x26d) == 0x26d && !(info->flags & 0x12),
	      "flags_of_what_is_there", "%x", info->flags);
	check(!(info->flags & (BIT(11) | BIT(12))), "no_screen", "%x",
	      info->flags);
	check_strings((const char *)(u64)info->cmdline,
		      (const char *)(u64)info->boot_loader_name);
	for (u32 i = 0; i < info->mods_count && i < 2; i++)
		m[i] = (struct module){ mods[i].mod_start, mods[i].mod_end,
					(const char *)(u64)mods[i].string };
	check_modules(m, info->mods_count);
	while (at < end && n < 32) {
		const struct mb1_mmap *e = (const void *)at;

		map[n++] = (struct range){ e->base, e->length, e->type };
		at += e->size + sizeof(e->size);
	}
	check(at == end, "map_length", "an entry ends behind it");
	check_map(map, n, info->mem_lower, info->mem_upper);
	check_sections((const void *)(u64)info->shdr_addr, info->shdr_num,
		       info->shdr_size, info->shdr_shndx);
}

static bool sums_to_zero(const u8 *p, u32 bytes)
{
	u8 sum = 0;

	for (u32 i = 0; i < bytes; i++)
		sum = (u8)(sum + p[i]);
	return !sum;
}

/* The tag number @nth of @type; NULL: none */
static const void *tag(u32 type, u32 nth)
{
	u64 at = entry_state.ebx + 8ull;
	const struct mb2_info_head *h;

	for (;; at += ALIGN_UP((u64)h->size, 8)) {
		h = (const void *)at;
		if (h->type == type && !nth--)
			return h;
		if (h->type == MB2_INFO_END || h->size < 8)
			return NULL;
	}
}

static const char *string_of(const struct mb2_info_head *h)
{
	return h ? (const char *)(h + 1) : "";
}

static void check_acpi(void)
{
	const u8 *old = tag(MB2_INFO_ACPI_OLD, 0);
	const u8 *new = tag(MB2_INFO_ACPI_NEW, 0);

	section("Multiboot2 2.0 3.6.15");
	check(old && same_bytes((u64)old + 8, (u64) "RSD PTR ", 8) &&
		      sums_to_zero(old + 8, 20),
	      "rsdp_1", "none");
	section("Multiboot2 2.0 3.6.16");
	check(new &&same_bytes((u64) new + 8, (u64) "RSD PTR ", 8) &&
		      sums_to_zero(new + 8, 36),
	      "rsdp_2", "none");
}

static void check_absent(void)
{
	static const u32 absent[] = { 5, 7, 8, 10, 11, 12, 16, 17, 18, 19, 20 };
	u32 found = 0;

	for (u32 i = 0; i < ARRAY_SIZE(absent); i++)
		if (tag(absent[i], 0))
			found = absent[i];
	check(!found, "no_screen_no_efi", "tag %u", found);
}

static void check_total(void)
{
	const struct mb2_info *info = (const void *)(u64)entry_state.ebx;
	const struct mb2_info_head *end = tag(MB2_INFO_END, 0);

	section("Multiboot2 2.0 3.4");
	check(!(entry_state.ebx & 7), "information_aligned", "%x",
	      entry_state.ebx);
	check(!info->reserved, "reserved_is_zero", "%x", info->reserved);
	check(end && end->size == 8 &&
		      (u64)end + 8 == entry_state.ebx + info->total_size,
	      "total_size", "%u", info->total_size);
}

static void multiboot2(void)
{
	const struct mb2_info_memory *memory = tag(MB2_INFO_MEMORY, 0);
	const struct mb2_info_mmap *mmap = tag(MB2_INFO_MMAP, 0);
	const struct mb2_info_sections *s = tag(MB2_INFO_SECTIONS, 0);
	const struct mb2_mmap *e = (const void *)(mmap + 1);
	const struct mb2_info_module *t;
	struct module m[2] = { { 0 } };
	struct range map[32];
	u32 n = 0;

	check_state("Multiboot2 2.0 3.3", MB2_BOOT_MAGIC);
	check_total();
	section("Multiboot2 2.0 3.6");
	check(memory && mmap && s, "tags_asked_for", "one is absent");
	if (!memory || !mmap || !s)
		return;
	check_strings(string_of(tag(MB2_INFO_CMDLINE, 0)),
		      string_of(tag(MB2_INFO_LOADER, 0)));
	check_absent();
	for (u32 i = 0; i < 2 && (t = tag(MB2_INFO_MODULE, i)); i++)
		m[n++] = (struct module){ t->mod_start, t->mod_end,
					  (const char *)(t + 1) };
	check_modules(m, n + !!tag(MB2_INFO_MODULE, 2));
	check(mmap->entry_size == sizeof(*e) && !mmap->entry_version,
	      "map_entries", "%u", mmap->entry_size);
	n = (u32)((mmap->head.size - sizeof(*mmap)) / sizeof(*e));
	for (u32 i = 0; i < n && i < 32; i++)
		map[i] = (struct range){ e[i].base, e[i].length, e[i].type };
	check_map(map, n, memory->lower, memory->upper);
	check_sections((const void *)(s + 1), s->num, s->entsize, s->shndx);
	check_acpi();
}

void guest_main(void)
{
	if (entry_state.eax == MB2_BOOT_MAGIC)
		multiboot2();
	else
		multiboot1();
}
