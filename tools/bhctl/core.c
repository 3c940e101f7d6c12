/* SPDX-License-Identifier: BSD-2-Clause */
/* See core.h */
#include "tools/bhctl/core.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#include "hv/core/backend.h"

#define PAGE       4096u
#define RANGES_MAX 4096u

/* As QEMU's target/i386/arch_dump.c writes it, and crash reads it */
struct qemu_segment {
	u32 selector, limit, flags, pad;
	u64 base;
};

struct qemu_cpu {
	u32 version, size;
	u64 rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	u64 r8_to_r15[8];
	u64 rip, rflags;
	struct qemu_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	u64 cr[5];
	u64 kernel_gs_base;
};
static_assert(sizeof(struct qemu_cpu) == 440, "QEMU's");

/* A note's header and its name */
struct note_head {
	Elf64_Nhdr head;
	char name[12];
};

static int put(const struct core *c, u64 at, const void *bytes, size_t count,
	       struct failure *f)
{
	const u8 *from = bytes;

	while (count) {
		ssize_t n = pwrite(c->fd, from, count, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(f, FAIL_OTHER, "the core: %s",
				      n ? strerror(errno) : "no room");
		from += n;
		at += (u64)n;
		count -= (size_t)n;
	}
	return 0;
}

/* Where range @range begins in the file */
static u64 data_of(const struct core *c, u32 range)
{
	u64 at = c->data;

	for (u32 i = 0; i < range; i++)
		at += ALIGN_UP(c->memory[i].size, (u64)PAGE);
	return at;
}

/* At least what all notes take */
static u64 notes_room(const struct core *c)
{
	u64 vcpu = 2 * sizeof(struct note_head) + sizeof(prstatus_t) +
		   sizeof(struct qemu_cpu);

	return c->vcpus * vcpu + sizeof(struct note_head) +
	       ALIGN_UP(c->text_bytes, 4) + CORE_VMCOREINFO_MAX;
}

int core_begin(struct core *c, struct failure *f)
{
	c->infos = c->info_bytes = 0;
	if (!c->count || c->count > RANGES_MAX)
		return failed(f, FAIL_OTHER,
			      "a guest of %u ranges of memory "
			      "has no room in a core",
			      c->count);
	c->notes = sizeof(Elf64_Ehdr) + (c->count + 1) * sizeof(Elf64_Phdr);
	c->data = ALIGN_UP(c->notes + notes_room(c), (u64)PAGE);
	/* Zeros may end it, and are not written */
	return put(c, data_of(c, c->count) - 1, "", 1, f);
}

/* --- memory --- */

static bool is_zero(const u8 *bytes, u32 count)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, count - 1);
}

/* Does the page begin with Linux' note? It is text, one NAME=VALUE a line */
static bool is_vmcoreinfo(const u8 *page, u32 count, u32 *bytes)
{
	static const char name[12] = "VMCOREINFO", first[] = "OSRELEASE=";
	const Elf64_Nhdr *n = (const void *)page;
	u32 head = sizeof(*n) + sizeof(name);

	if (count < PAGE || n->n_namesz != sizeof("VMCOREINFO") || n->n_type ||
	    memcmp(page + sizeof(*n), name, sizeof(name)) ||
	    n->n_descsz > PAGE - head || n->n_descsz < sizeof(first))
		return false;
	*bytes = head + (u32)ALIGN_UP(n->n_descsz, 4);
	return *bytes <= PAGE && !memcmp(page + head, first, sizeof(first) - 1);
}

static void look_for_info(struct core *c, const u8 *page, u32 count)
{
	u32 bytes;

	if (!is_vmcoreinfo(page, count, &bytes))
		return;
	if (!c->infos++) {
		memcpy(c->info, page, bytes);
		c->info_bytes = bytes;
	}
}

bool core_has_vmcoreinfo(const struct core *c)
{
	return c->infos == 1;
}

int core_write(struct core *c, u32 range, u64 offset, const u8 *bytes,
	       u32 count, struct failure *f)
{
	u64 at = data_of(c, range) + offset;

	for (u32 done = 0; done < count; done += PAGE) {
		u32 n = MIN(count - done, PAGE);

		if (is_zero(bytes + done, n))
			continue;
		look_for_info(c, bytes + done, n);
		if (put(c, at + done, bytes + done, n, f))
			return -1;
	}
	return 0;
}

/* --- notes --- */

static void status_fill(prstatus_t *s, const struct bh_ctl_registers *r,
			u32 vcpu)
{
	struct user_regs_struct *u = (void *)&s->pr_reg;

	static_assert(sizeof(s->pr_reg) == sizeof(*u), "user_regs_struct");
	*s = (prstatus_t){ .pr_pid = (pid_t)vcpu + 1 };
	u->rax = r->gpr[GPR_RAX];
	u->rbx = r->gpr[GPR_RBX];
	u->rcx = r->gpr[GPR_RCX];
	u->rdx = r->gpr[GPR_RDX];
	u->rsi = r->gpr[GPR_RSI];
	u->rdi = r->gpr[GPR_RDI];
	u->rbp = r->gpr[GPR_RBP];
	u->rsp = r->gpr[GPR_RSP];
	u->r8 = r->gpr[GPR_R8];
	u->r9 = r->gpr[GPR_R9];
	u->r10 = r->gpr[GPR_R10];
	u->r11 = r->gpr[GPR_R11];
	u->r12 = r->gpr[GPR_R12];
	u->r13 = r->gpr[GPR_R13];
	u->r14 = r->gpr[GPR_R14];
	u->r15 = r->gpr[GPR_R15];
	u->orig_rax = ~0ull; /* in no system call */
	u->rip = r->rip;
	u->eflags = r->rflags;
	u->cs = r->segment[SEG_CS].selector;
	u->ss = r->segment[SEG_SS].selector;
	u->ds = r->segment[SEG_DS].selector;
	u->es = r->segment[SEG_ES].selector;
	u->fs = r->segment[SEG_FS].selector;
	u->gs = r->segment[SEG_GS].selector;
	u->fs_base = r->segment[SEG_FS].base;
	u->gs_base = r->segment[SEG_GS].base;
}

static struct qemu_segment qemu_segment(const struct bh_ctl_segment *s)
{
	bool none = s->attributes & SEG_ATTR_UNUSABLE;

	return (struct qemu_segment){
		.selector = s->selector,
		.limit = s->limit,
		.flags = none ? 0 : (s->attributes & 0xf0ff) << 8,
		.base = s->base,
	};
}

static void qemu_fill(struct qemu_cpu *q, const struct bh_ctl_registers *r)
{
	*q = (struct qemu_cpu){
		.version = 1,
		.size = sizeof(*q),
		.rax = r->gpr[GPR_RAX],
		.rbx = r->gpr[GPR_RBX],
		.rcx = r->gpr[GPR_RCX],
		.rdx = r->gpr[GPR_RDX],
		.rsi = r->gpr[GPR_RSI],
		.rdi = r->gpr[GPR_RDI],
		.rsp = r->gpr[GPR_RSP],
		.rbp = r->gpr[GPR_RBP],
		.rip = r->rip,
		.rflags = r->rflags,
		.cs = qemu_segment(&r->segment[SEG_CS]),
		.ds = qemu_segment(&r->segment[SEG_DS]),
		.es = qemu_segment(&r->segment[SEG_ES]),
		.fs = qemu_segment(&r->segment[SEG_FS]),
		.gs = qemu_segment(&r->segment[SEG_GS]),
		.ss = qemu_segment(&r->segment[SEG_SS]),
		.ldt = qemu_segment(&r->segment[SEG_LDTR]),
		.tr = qemu_segment(&r->segment[SEG_TR]),
		.gdt = qemu_segment(&r->gdtr),
		.idt = qemu_segment(&r->idtr),
		.cr = { r->cr0, 0, r->cr2, r->cr3, r->cr4 },
		.kernel_gs_base = r->kernel_gs_base,
	};
	memcpy(q->r8_to_r15, &r->gpr[GPR_R8], sizeof(q->r8_to_r15));
}

/* Puts a note at *@at, and *@at behind it; each part is filled up to 4 bytes */
static int note_put(const struct core *c, u64 *at, const char *name, u32 type,
		    const void *desc, u32 bytes, struct failure *f)
{
	struct note_head n = {
		.head = { (u32)strlen(name) + 1, bytes, type },
	};
	static const u8 none[4];
	u32 head = (u32)(sizeof(n.head) + ALIGN_UP(n.head.n_namesz, 4));

	memcpy(n.name, name, strlen(name));
	if (put(c, *at, &n, head, f) || put(c, *at + head, desc, bytes, f) ||
	    put(c, *at + head + bytes, none, ALIGN_UP(bytes, 4) - bytes, f))
		return -1;
	*at += head + ALIGN_UP(bytes, 4);
	return 0;
}

static int notes_put(const struct core *c, u64 *at, struct failure *f)
{
	struct qemu_cpu qemu;
	prstatus_t status;

	for (u32 i = 0; i < c->vcpus; i++) {
		status_fill(&status, &c->registers[i], i);
		if (note_put(c, at, "CORE", NT_PRSTATUS, &status,
			     sizeof(status), f))
			return -1;
	}
	for (u32 i = 0; i < c->vcpus; i++) {
		qemu_fill(&qemu, &c->registers[i]);
		if (note_put(c, at, "QEMU", 0, &qemu, sizeof(qemu), f))
			return -1;
	}
	if (c->text_bytes && note_put(c, at, CORE_NOTE, CORE_NOTE_TEXT, c->text,
				      c->text_bytes, f))
		return -1;
	if (!core_has_vmcoreinfo(c))
		return 0;
	if (put(c, *at, c->info, c->info_bytes, f))
		return -1;
	*at += c->info_bytes;
	return 0;
}

/* --- what names it all --- */

static int loads_put(const struct core *c, u64 at, struct failure *f)
{
	for (u32 i = 0; i < c->count; i++, at += sizeof(Elf64_Phdr)) {
		const struct bh_ctl_memory *m = &c->memory[i];
		const Elf64_Phdr p = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X |
				   (m->flags & BH_CTL_MEMORY_ROM ? 0 : PF_W),
			.p_offset = data_of(c, i),
			.p_vaddr = m->base,
			.p_paddr = m->base,
			.p_filesz = m->size,
			.p_memsz = m->size,
		};

		if (put(c, at, &p, sizeof(p), f))
			return -1;
	}
	return 0;
}

int core_end(struct core *c, struct failure *f)
{
	u64 end = c->notes;
	const Elf64_Ehdr e = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)(c->count + 1),
	};
	Elf64_Phdr p = { .p_type = PT_NOTE, .p_offset = c->notes };

	if (notes_put(c, &end, f))
		return -1;
	p.p_filesz = end - c->notes;
	if (loads_put(c, sizeof(e) + sizeof(p), f) ||
	    put(c, sizeof(e), &p, sizeof(p), f))
		return -1;
	return put(c, 0, &e, sizeof(e), f);
}
