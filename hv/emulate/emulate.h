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

/* Length of the instruction of an exit of @kind at CS:RIP (legacy prefixes,
 * REX, the opcode @kind implies): 1..15, or 0 if the bytes are not that
 * instruction (the guest raced us): the caller resumes the guest. Hot on SVM.
 */
u8 insn_exit_length(struct vcpu *v, enum exit_kind kind);
/* Do the access of an EXIT_MMIO that hit @v->vm->mmio or nothing; decodes,
 * performs it through the bus, updates registers and flags. */
enum verdict emulate_mmio(struct vcpu *v, const struct vcpu_exit *e);
/* @gpa is in ROM, and what the CPU could not write there is the accessed bit of
 * a GDT descriptor: it is set in the guest's copy, so that the CPU has nothing
 * to write when it tries again. False: it is something else. */
bool emulate_rom_accessed(struct vcpu *v, gpa_t gpa);
/* EXIT_TASK_SWITCH (SDM 3A 8 *Task Management*) */
enum verdict exit_task_switch(struct vcpu *v, const struct vcpu_exit *e);
/* INS/OUTS with REP: a bounded number of iterations per call, then RESUME */
enum verdict emulate_string_io(struct vcpu *v, const struct vcpu_exit *e);

#endif
