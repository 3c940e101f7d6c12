/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A QEMU TCG plugin (QEMU docs/devel/tcg-plugins.rst, version 1 of the API):
 * counts the instructions of the hypervisor and of all else. The hypervisor has
 * its 16 MiB of addresses to itself: a Linux kernel lies above them. All cores
 * are to be of one thread, as with -icount.
 *
 *	-plugin file=share.so,out=FILE
 *	-plugin file=share.so,counts=FILE[,from=ADDRESS][,marks=FILE]
 *
 * out: the two numbers from the first VMRUN on, when the guest's first program
 * runs and when the machine ends. counts: struct counts, which others map; it
 * begins at the first instruction of the hypervisor, or at that of ADDRESS.
 * marks: a line for each MARK() (tests/plugin/mark.h) that runs, anywhere: its
 * number, the two counts since that beginning, and how often a guest was
 * entered.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/plugin/mark.h"

/* What is used of the API; QEMU's header is in no Debian package */
typedef uint64_t plugin_id;
struct plugin_insn;
struct plugin_tb;
enum plugin_flags { CB_NO_REGS };
enum plugin_op { INLINE_ADD_U64 };
typedef void (*tb_cb)(plugin_id id, struct plugin_tb *tb);
typedef void (*exec_cb)(unsigned int cpu, void *data);
typedef void (*end_cb)(plugin_id id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, tb_cb cb);
void qemu_plugin_register_atexit_cb(plugin_id id, end_cb cb, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct plugin_insn *insn,
						enum plugin_op op, void *to,
						uint64_t n);
void qemu_plugin_register_vcpu_insn_exec_cb(struct plugin_insn *insn,
					    exec_cb cb, enum plugin_flags flags,
					    void *data);
size_t qemu_plugin_tb_n_insns(const struct plugin_tb *tb);
struct plugin_insn *qemu_plugin_tb_get_insn(const struct plugin_tb *tb,
					    size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc,
			       char **argv);

#define HV_BASE 0xffffffff80000000ull
#define HV_END  0xffffffff81000000ull
/* Where first.asm is linked, above all RAM of the guest */
#define PROGRAM_BASE 0x40000000ull
#define PROGRAM_END  0x40001000ull

/* tests/harness/figures.py reads it */
struct counts {
	uint64_t in_hv, elsewhere;
	uint64_t hv_before, elsewhere_before; /* where the counting begins */
	uint64_t begun;
};

static struct counts own_counts;
static struct counts *counts = &own_counts;
static uint64_t from_va; /* 0: the hypervisor's first */
static uint64_t hv_before, elsewhere_before;
static bool started, program_seen;
static FILE *out, *marks;
static uint64_t entries;

static void write_line(const char *what)
{
	if (!out)
		return;
	fprintf(out, "%s %llu %llu\n", what,
		(unsigned long long)(counts->in_hv - hv_before),
		(unsigned long long)(counts->elsewhere - elsewhere_before));
	fflush(out);
}

static void at_mark(unsigned int cpu, void *data)
{
	fprintf(marks, "%u %llu %llu %llu\n", (unsigned int)(uintptr_t)data,
		(unsigned long long)(counts->in_hv - counts->hv_before),
		(unsigned long long)(counts->elsewhere -
				     counts->elsewhere_before),
		(unsigned long long)entries);
	fflush(marks);
}

static void at_vmrun(unsigned int cpu, void *data)
{
	entries++;
	if (started)
		return;
	started = true;
	hv_before = counts->in_hv;
	elsewhere_before = counts->elsewhere;
}

/* A block is translated when it is about to run */
static void begin(uint64_t va, bool hv)
{
	if (counts->begun || (from_va ? va != from_va : !hv))
		return;
	counts->hv_before = counts->in_hv;
	counts->elsewhere_before = counts->elsewhere;
	counts->begun = 1;
}

static bool is_vmrun(const struct plugin_insn *insn)
{
	static const uint8_t vmrun[] = { 0x0f, 0x01, 0xd8 };

	return qemu_plugin_insn_size(insn) == sizeof(vmrun) &&
	       !memcmp(qemu_plugin_insn_data(insn), vmrun, sizeof(vmrun));
}

static void look_for_mark(struct plugin_insn *insn)
{
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	uint32_t number;

	if (!marks || qemu_plugin_insn_size(insn) != MARK_BYTES ||
	    memcmp(bytes, (const uint8_t[]){ MARK_OPCODE }, 3))
		return;
	memcpy(&number, bytes + 3, sizeof(number));
	if (number >> 16 == MARK_BASE >> 16)
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, at_mark, CB_NO_REGS,
			(void *)(uintptr_t)(number - MARK_BASE));
}

static void at_translation(plugin_id id, struct plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++) {
		struct plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t va = qemu_plugin_insn_vaddr(insn);
		bool hv = va >= HV_BASE && va < HV_END;

		begin(va, hv);
		qemu_plugin_register_vcpu_insn_exec_inline(
			insn, INLINE_ADD_U64,
			hv ? &counts->in_hv : &counts->elsewhere, 1);
		look_for_mark(insn);
		if (hv && is_vmrun(insn))
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, at_vmrun, CB_NO_REGS, NULL);
		if (started && !program_seen && va >= PROGRAM_BASE &&
		    va < PROGRAM_END) {
			program_seen = true;
			write_line("init");
		}
	}
}

static void at_end(plugin_id id, void *data)
{
	write_line("end");
}

static bool map_counts(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	void *at;

	if (fd < 0 || ftruncate(fd, sizeof(*counts)))
		return false;
	at = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  0);
	close(fd);
	if (at == MAP_FAILED)
		return false;
	counts = at;
	return true;
}

static bool take_option(const char *word)
{
	if (!strncmp(word, "out=", 4))
		return (out = fopen(word + 4, "w")) != NULL;
	if (!strncmp(word, "marks=", 6))
		return (marks = fopen(word + 6, "w")) != NULL;
	if (!strncmp(word, "counts=", 7))
		return map_counts(word + 7);
	if (!strncmp(word, "from=", 5)) {
		from_va = strtoull(word + 5, NULL, 0);
		return true;
	}
	return false;
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!take_option(argv[i]))
			return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, at_translation);
	qemu_plugin_register_atexit_cb(id, at_end, NULL);
	return 0;
}
