/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A QEMU TCG plugin (QEMU docs/devel/tcg-plugins.rst, version 1 of the API):
 * counts the instructions of the hypervisor and of all else, from the first
 * VMRUN on, and writes the two numbers when the guest's first program runs and
 * when the machine ends. The hypervisor has its 16 MiB of addresses to itself:
 * a Linux kernel lies above them. For one core.
 *
 *	-plugin file=share.so,out=FILE
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

static uint64_t in_hv, elsewhere;
static uint64_t hv_before, elsewhere_before;
static bool started, program_seen;
static FILE *out;

static void write_line(const char *what)
{
	fprintf(out, "%s %llu %llu\n", what,
		(unsigned long long)(in_hv - hv_before),
		(unsigned long long)(elsewhere - elsewhere_before));
	fflush(out);
}

static void at_vmrun(unsigned int cpu, void *data)
{
	if (started)
		return;
	started = true;
	hv_before = in_hv;
	elsewhere_before = elsewhere;
}

static bool is_vmrun(const struct plugin_insn *insn)
{
	static const uint8_t vmrun[] = { 0x0f, 0x01, 0xd8 };

	return qemu_plugin_insn_size(insn) == sizeof(vmrun) &&
	       !memcmp(qemu_plugin_insn_data(insn), vmrun, sizeof(vmrun));
}

static void at_translation(plugin_id id, struct plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++) {
		struct plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t va = qemu_plugin_insn_vaddr(insn);
		bool hv = va >= HV_BASE && va < HV_END;

		qemu_plugin_register_vcpu_insn_exec_inline(
			insn, INLINE_ADD_U64, hv ? &in_hv : &elsewhere, 1);
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

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "w");
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, at_translation);
	qemu_plugin_register_atexit_cb(id, at_end, NULL);
	return 0;
}
