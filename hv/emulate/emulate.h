/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction decoding and emulation, for MMIO and string I/O, and for the
 * length of an intercepted instruction where the CPU does not tell. Pure
 * decoding (insn_decode) works on bytes, so that it runs in unit tests and
 * fuzz.
 */
#ifndef HV_EMULATE_EMULATE_H
#define HV_EMULATE_EMULATE_H

#include "hv/core/exit.h"

/* The length, 1 to 15 bytes, of the instruction at CS:RIP that made an exit of
 * @kind. 0: the bytes there are not that instruction, as another vCPU changed
 * them; the caller resumes the guest. An EXIT_CR gets its register, too. Home
 * core, attached; hot on SVM. */
u8 insn_exit_length(struct vcpu *v, enum exit_kind kind);
/* Emulate the instruction of an EXIT_MMIO that hit @v->vm->mmio or nothing:
 * decode it, do it through the bus, update registers and flags. An instruction
 * that is not emulated is exit_cannot(). Home core, attached, no lock held. */
enum verdict emulate_mmio(struct vcpu *v, const struct vcpu_exit *e);
/* What an emulation keeps of a VM, charged to its budget; -ENOMEM. While no
 * vCPU of it runs. */
int __must_check emulate_create(struct vm *vm);
void emulate_destroy(struct vm *vm);
/* VE_INSN: the next piece of the instruction that emulate_mmio() has begun, if
 * it has. True: it is done, *@verdict says what becomes of it. Home core,
 * attached. */
bool emulate_go_on(struct vcpu *v, enum verdict *verdict);
/* @v is reset: it goes on with nothing */
void emulate_reset(struct vcpu *v);
/* EXIT_CR0: decode the instruction and do it: MOV to or from CR0, CLTS, LMSW or
 * SMSW. Home core, attached. */
enum verdict emulate_cr0(struct vcpu *v, const struct vcpu_exit *e);
/* Set the accessed bit of a GDT descriptor in ROM, if that is what the CPU
 * could not write at @gpa (SDM 3A 3.4.5.1 *Code- and Data-Segment Descriptor
 * Types*). The CPU then has nothing to write when it tries again. False: it was
 * something else. Home core, attached. */
bool emulate_rom_accessed(struct vcpu *v, gpa_t gpa);
/* EXIT_TASK_SWITCH: do the switch (SDM 3A 8.3 *Task Switching*). A TSS or
 * descriptor that is not in RAM is exit_cannot(). Home core, attached. */
enum verdict exit_task_switch(struct vcpu *v, const struct vcpu_exit *e);
/* EXIT_PORT by INS or OUTS: a bounded number of iterations, then
 * VERDICT_RESUME, and the guest runs into it again; VERDICT_ADVANCE when it is
 * done. Home core, attached, no lock held. */
enum verdict emulate_string_io(struct vcpu *v, const struct vcpu_exit *e);
/* Do an EXIT_MMIO at the page whose instruction is simple enough
 * (hv/emulate/lapic_page.c): done but for the step over it, whose length is
 * v->hw.exit.insn_len. False: emulate_mmio() must do it. Attached. */
bool emulate_lapic_page(struct vcpu *v, const struct vcpu_exit *e);

#endif
