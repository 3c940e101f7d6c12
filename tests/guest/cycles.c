/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests that come and go: this client of the control device makes one of the
 * pool's memory, loads and starts it, hears what it says and destroys it, as
 * often as the command line has it ("cycles="). Each finds its memory zero,
 * which the one before it had filled. In the end the sums of the audit are what
 * they were after the first few.
 */
#include "include/hw/elf.h"
#include "include/hw/pvh.h"
#include "tests/guest/lib/control.h"

#define FIRST       4u /* until what is kept for the next guest is there */
#define UNIT        (2ul << 20)
#define CODE_AT     0x100000u /* of the guest's memory, as the next */
#define FILE_AT     0x1f0000u
#define GREETING    '!'
#define WAIT_ROUNDS 200000000u
#define SUMS_MAX    16u

struct pvh_image {
	struct elf64_header header;
	struct elf64_phdr load, notes;
	struct elf_note note;
	char name[4];
	u32 entry;
	u8 code[30];
} __packed;

/* Fills the memory below itself, says so, and spins */
static const struct pvh_image kernel = {
	.header = { .ident = { .magic = ELF_MAGIC,
			       .class = ELF_CLASS64,
			       .data = ELF_LSB,
			       .version = 1,
			       .type = ELF_ET_EXEC,
			       .machine = ELF_EM_X86_64,
			       .version2 = 1 },
		    .entry = CODE_AT,
		    .phoff = offsetof(struct pvh_image, load),
		    .ehsize = sizeof(struct elf64_header),
		    .phentsize = sizeof(struct elf64_phdr),
		    .phnum = 2 },
	.load = { .type = ELF_PT_LOAD,
		  .flags = ELF_PF_X,
		  .offset = offsetof(struct pvh_image, code),
		  .vaddr = CODE_AT,
		  .paddr = CODE_AT,
		  .filesz = sizeof(kernel.code),
		  .memsz = sizeof(kernel.code) },
	.notes = { .type = ELF_PT_NOTE,
		   .offset = offsetof(struct pvh_image, note),
		   .filesz = sizeof(struct elf_note) + 8,
		   .memsz = sizeof(struct elf_note) + 8,
		   .align = 4 },
	.note = { .namesz = 4, .descsz = 4, .type = XEN_ELFNOTE_PHYS32_ENTRY },
	.name = XEN_NOTE_NAME,
	.entry = CODE_AT,
	.code = {
		0xfc,                         /* cld */
		0xbf, 0x00, 0x10, 0x00, 0x00, /* mov edi, 1000h */
		0xb9, 0x00, 0x7c, 0x02, 0x00, /* mov ecx, 27c00h */
		0xb8, 0xad, 0x0b, 0xad, 0xde, /* mov eax, 0deadbadh */
		0xf3, 0xab,                   /* rep stosd, to a0000h */
		0x66, 0xba, 0xf8, 0x03,       /* mov dx, 3f8h */
		0xb0, GREETING,               /* mov al, '!' */
		0xee,                         /* out dx, al */
		0xf3, 0x90,                   /* pause */
		0xeb, 0xfc,                   /* jmp to it */
		0x90,
	},
};

static struct bh_ctl_range unit; /* of the pool, the first */
static u64 id;
static const char *step; /* that failed */

/* Its answer, however long that takes; the step is @name */
static struct bh_ctl_event wait_for(const char *name, struct bh_ctl_command c)
{
	struct bh_ctl_event e = { .status = 0 };
	u32 tag = submit(c);

	step = name;
	for (u32 i = 0; i < WAIT_ROUNDS; i++) {
		if (is_answered(tag, &e))
			return e;
		__asm__ volatile("pause");
	}
	e.status = -BH_CTL_EBUSY;
	return e;
}

static bool create(void)
{
	static const char definition[] = "[guest cycle]\n"
					 "kernel = image\n"
					 "memory = 2M\n";
	struct bh_ctl_create *c = (void *)in;
	char *text = (char *)&c->ranges[1];
	struct bh_ctl_event e;

	*c = (struct bh_ctl_create){ .definition_bytes = sizeof(definition) - 1,
				     .range_count = 1 };
	c->ranges[0] = unit;
	for (u32 i = 0; i < sizeof(definition) - 1; i++)
		text[i] = definition[i];
	e = wait_for("create", (struct bh_ctl_command){
				       .op = BH_CTL_OP_CREATE,
				       .in_bytes = sizeof(*c) + sizeof(unit) +
						   sizeof(definition) - 1 });
	id = e.arg[0];
	return !e.status;
}

static bool is_zero(void)
{
	u64 at = unit.base, left = UNIT / 8;
	bool same;

	step = "zero";
	__asm__ volatile("repe scasq"
			 : "=@cce"(same), "+D"(at), "+c"(left)
			 : "a"(0ull)
			 : "memory");
	return same;
}

static bool start(void)
{
	struct bh_ctl_file *file = (void *)in;
	u8 *to = (u8 *)unit.base + FILE_AT;

	for (u32 i = 0; i < sizeof(kernel); i++)
		to[i] = ((const u8 *)&kernel)[i];
	*file = (struct bh_ctl_file){ .name = "image",
				      .offset = FILE_AT,
				      .size = sizeof(kernel) };
	return !wait_for("start",
			 (struct bh_ctl_command){ .op = BH_CTL_OP_START,
						  .in_bytes = sizeof(*file),
						  .arg = { id } })
			.status;
}

/* It says one character, and has filled its memory by then */
static bool speaks(void)
{
	struct bh_ctl_event e;

	step = "speaks";
	for (u32 i = 0; i < WAIT_ROUNDS; i++) {
		e = ask(BH_CTL_OP_CONSOLE_READ, id, 0);
		if (e.status)
			return false;
		if (e.bytes)
			return out[0] == GREETING;
		__asm__ volatile("pause");
	}
	return false;
}

static bool destroy(void)
{
	return !wait_for("destroy",
			 (struct bh_ctl_command){
				 .op = BH_CTL_OP_END,
				 .arg = { id, BH_CTL_END_DESTROY } })
			.status;
}

/* How many came and went, of @n; each has a number of its own */
static u32 come_and_go(u32 n)
{
	u64 last = 0;

	for (u32 i = 0; i < n; i++) {
		if (!create() || id <= last || !is_zero() || !start() ||
		    !speaks() || !destroy())
			return i;
		last = id;
	}
	return n;
}

/* What is in use of what guests are made of; how many sums there are */
static u32 sums(u64 sum[SUMS_MAX])
{
	const struct bh_ctl_reach *r = (void *)out;
	struct bh_ctl_event e = ask(BH_CTL_OP_AUDIT, BH_CTL_AUDIT_SUMS, 0);
	u32 n = e.status ? 0 : e.bytes / (u32)sizeof(*r);

	for (u32 i = 0; i < n && i < SUMS_MAX; i++)
		sum[i] = r[i].size;
	return n;
}

void guest_main(void)
{
	u32 cycles = (u32)cmdline_number("cycles=", 100), done, n;
	u64 before[SUMS_MAX], after[SUMS_MAX];
	struct bh_ctl_event e;

	section("docs/control.md");
	find_device();
	place();
	open_area();
	e = ask(BH_CTL_OP_POOL, 0, 0);
	unit = *(struct bh_ctl_range *)out;
	check(!e.status && e.arg[0] && unit.size >= UNIT, "cycles.pool", "%d",
	      e.status);
	unit.size = UNIT;
	done = come_and_go(FIRST);
	check(done == FIRST, "cycles.first", "%u of %u, then %s failed: %s",
	      done, FIRST, step, (const char *)out);
	n = sums(before);
	done = come_and_go(cycles);
	check(done == cycles, "cycles.all", "%u of %u, then %s failed: %s",
	      done, cycles, step, (const char *)out);
	check(n && n <= SUMS_MAX && sums(after) == n, "cycles.sums", "%u", n);
	for (u32 i = 0; i < n && i < SUMS_MAX; i++)
		check(before[i] == after[i], "cycles.same",
		      "sum %u: %llu, then %llu", i, before[i], after[i]);
}
