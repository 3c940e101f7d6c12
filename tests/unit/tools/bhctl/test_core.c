/* SOURCES: tools/bhctl/core.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The core that bhctl dump writes: an ELF file whose parts are where its
 * headers say, with notes that gdb and crash know */
#include "tests/unit/test.h"
/* clang-format off */
#include <elf.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>
/* clang-format on */
#undef PAGE_SIZE
#undef PAGE_MASK
#include "hv/core/backend.h"
#include "tools/bhctl/core.h"

static const struct bh_ctl_memory memory[] = {
	{ .size = KIB(64) },
	{ .base = GIB(4), .size = KIB(6), .flags = BH_CTL_MEMORY_ROM },
};
static struct bh_ctl_registers registers[2];
static struct core c;
static struct failure f;
static char path[32];
static u8 file[KIB(256)];
static size_t size;

static int setup(void **state)
{
	strcpy(path, "/tmp/bhctl-core-XXXXXX");
	memset(&c, 0, sizeof(c));
	memset(registers, 0, sizeof(registers));
	c.fd = mkstemp(path);
	c.memory = memory;
	c.count = 2;
	c.registers = registers;
	c.vcpus = 2;
	return core_begin(&c, &f);
}

static int teardown(void **state)
{
	close(c.fd);
	return unlink(path);
}

static void finish(void)
{
	ssize_t n;

	assert_int_equal(core_end(&c, &f), 0);
	n = pread(c.fd, file, sizeof(file), 0);
	assert_true(n > 0 && (size_t)n < sizeof(file));
	size = (size_t)n;
}

static const Elf64_Phdr *header(u32 i)
{
	const Elf64_Ehdr *e = (const void *)file;

	assert_memory_equal(e->e_ident, ELFMAG, SELFMAG);
	assert_int_equal(e->e_type, ET_CORE);
	assert_int_equal(e->e_machine, EM_X86_64);
	assert_int_equal(e->e_phnum, 3);
	return (const Elf64_Phdr *)(file + e->e_phoff) + i;
}

/* The note @at bytes behind the first; *@desc: what it has. crash looks for
 * notes before the first range of memory alone. */
static const Elf64_Nhdr *note(u64 *at, const char *name, const void **desc)
{
	const Elf64_Phdr *p = header(0);
	const Elf64_Nhdr *n = (const void *)(file + p->p_offset + *at);

	assert_int_equal(p->p_type, PT_NOTE);
	assert_true(p->p_offset >= sizeof(Elf64_Ehdr) + 3 * sizeof(*p));
	assert_true(p->p_offset + p->p_filesz <= header(1)->p_offset);
	assert_true(*at < p->p_filesz);
	assert_int_equal(n->n_namesz, strlen(name) + 1);
	assert_string_equal((const char *)(n + 1), name);
	*desc = (const u8 *)(n + 1) + ALIGN_UP(n->n_namesz, 4);
	*at += sizeof(*n) + ALIGN_UP(n->n_namesz, 4) + ALIGN_UP(n->n_descsz, 4);
	return n;
}

static void test_memory(void **state)
{
	u8 page[8192] = { 0 };
	struct stat s;

	memset(page + 4096, 'x', 4096);
	assert_int_equal(core_write(&c, 0, 8192, page, 8192, &f), 0);
	page[0] = 'y';
	assert_int_equal(core_write(&c, 1, 0, page, 6144, &f), 0);
	finish();
	assert_int_equal(header(1)->p_type, PT_LOAD);
	assert_int_equal(header(1)->p_filesz, KIB(64));
	assert_int_equal(header(1)->p_paddr, 0);
	assert_int_equal(file[header(1)->p_offset + 8191], 0);
	assert_int_equal(file[header(1)->p_offset + 12288], 'x');
	assert_int_equal(header(2)->p_paddr, GIB(4));
	assert_int_equal(header(2)->p_vaddr, GIB(4));
	assert_int_equal(header(2)->p_flags, PF_R | PF_X);
	assert_int_equal(file[header(2)->p_offset], 'y');
	assert_int_equal(file[header(2)->p_offset + 6143], 'x');
	assert_int_equal(header(2)->p_offset % 4096, 0);
	/* Zeros take no room */
	assert_int_equal(fstat(c.fd, &s), 0);
	assert_true((u64)s.st_blocks * 512 < KIB(64));
}

/* Memory that ends with zeros is in the file, too */
static void test_zeros(void **state)
{
	finish();
	assert_int_equal(header(2)->p_filesz, KIB(6));
	assert_true(size >= header(2)->p_offset + KIB(6));
}

static void test_notes(void **state)
{
	const struct user_regs_struct *u;
	const prstatus_t *status;
	const u64 *qemu;
	const void *desc;
	u64 at = 0;

	registers[1].gpr[GPR_RBX] = 0xb;
	registers[1].rip = 0x1234;
	registers[1].cr3 = 0x5000;
	registers[1].segment[SEG_CS].selector = 0x10;
	registers[1].segment[SEG_GS].base = 0x99;
	registers[1].idtr.base = 0xfe00;
	finish();
	note(&at, "CORE", &desc);
	assert_int_equal(note(&at, "CORE", &desc)->n_type, NT_PRSTATUS);
	status = desc;
	u = (const void *)&status->pr_reg;
	assert_int_equal(status->pr_pid, 2);
	assert_int_equal(u->rbx, 0xb);
	assert_int_equal(u->rip, 0x1234);
	assert_int_equal(u->cs, 0x10);
	assert_int_equal(u->gs_base, 0x99);
	note(&at, "QEMU", &desc);
	assert_int_equal(note(&at, "QEMU", &desc)->n_descsz, 440);
	qemu = desc;
	assert_int_equal(((const u32 *)desc)[0], 1);
	assert_int_equal(qemu[2], 0xb);         /* RBX */
	assert_int_equal(qemu[17], 0x1234);     /* RIP */
	assert_int_equal(qemu[48], 0xfe00);     /* the IDT's base */
	assert_int_equal(qemu[49 + 3], 0x5000); /* CR3 */
	assert_int_equal(at, header(0)->p_filesz);
}

/* Behind what gdb and crash know, whole, however long */
static void test_text(void **state)
{
	static const char text[9999] = "NAME=web\nvCPU 0: last exit HLT\n";
	static const u32 bytes[] = { 5, 6, 7, 8, sizeof(text) };
	const void *desc;
	u64 at = 0;

	c.text = text;
	for (u32 n = 0; n < ARRAY_SIZE(bytes); n++, at = 0) {
		c.text_bytes = bytes[n];
		assert_int_equal(core_begin(&c, &f), 0);
		finish();
		for (u32 i = 0; i < 4; i++)
			note(&at, i < 2 ? "CORE" : "QEMU", &desc);
		assert_int_equal(note(&at, "BULKHEAD", &desc)->n_type,
				 CORE_NOTE_TEXT);
		assert_memory_equal(desc, text, c.text_bytes);
		assert_int_equal(at, header(0)->p_filesz);
		assert_true(size >= header(0)->p_offset + at);
	}
}

static void info_page(u8 page[4096], const char *first)
{
	Elf64_Nhdr n = { 11, 100, 0 };

	memset(page, 0, 4096);
	memcpy(page, &n, sizeof(n));
	strcpy((char *)page + 12, "VMCOREINFO");
	strcpy((char *)page + 24, first);
}

static void test_vmcoreinfo(void **state)
{
	const void *desc;
	u8 page[4096];
	u64 at = 0;

	info_page(page, "OSRELEASE=6.1\n");
	assert_int_equal(core_write(&c, 0, 4096, page, 4096, &f), 0);
	assert_true(core_has_vmcoreinfo(&c));
	finish();
	for (u32 i = 0; i < 4; i++)
		note(&at, i < 2 ? "CORE" : "QEMU", &desc);
	assert_int_equal(note(&at, "VMCOREINFO", &desc)->n_descsz, 100);
	assert_string_equal(desc, "OSRELEASE=6.1\n");
	assert_int_equal(at, header(0)->p_filesz);
	/* Two of them: nobody knows which */
	assert_int_equal(core_write(&c, 0, 8192, page, 4096, &f), 0);
	assert_false(core_has_vmcoreinfo(&c));
}

static void test_no_vmcoreinfo(void **state)
{
	u8 page[4096];
	u32 huge = ~0u;

	info_page(page, "something=else");
	assert_int_equal(core_write(&c, 0, 0, page, 4096, &f), 0);
	info_page(page, "OSRELEASE=6.1\n");
	memcpy(page + 4, &huge, 4);
	assert_int_equal(core_write(&c, 0, 0, page, 4096, &f), 0);
	info_page(page, "OSRELEASE=6.1\n");
	assert_int_equal(core_write(&c, 0, 0, page, 2048, &f), 0);
	assert_int_equal(c.infos, 0);
}

static void test_no_memory(void **state)
{
	c.count = 0;
	assert_int_equal(core_begin(&c, &f), -1);
	c.count = 65536;
	assert_int_equal(core_begin(&c, &f), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_memory),     T(test_zeros),         T(test_notes),
		T(test_vmcoreinfo), T(test_no_vmcoreinfo), T(test_no_memory),
		T(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
