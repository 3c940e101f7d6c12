/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the judgement: judge.c (the list, firmware and board)
 * and judge_cpu.c (the processor) */
#ifndef CHECK_JUDGE_PRIV_H
#define CHECK_JUDGE_PRIV_H

#include "check/judge.h"
#include "include/hw/msr.h"

/* Sets the verdict, and the text, which has no final period */
void say(struct check_result *r, enum check_verdict verdict, const char *fmt,
	 ...) __printf(3, 4);
/* A WARN: @what is not known here */
void unknown(struct check_result *r, const char *what);

void judge_processor(const struct check_facts *f, struct check_result *r);
void judge_virtualization(const struct check_facts *f, struct check_result *r);
void judge_nested_paging(const struct check_facts *f, struct check_result *r);
void judge_no_execute(const struct check_facts *f, struct check_result *r);
void judge_hypervisor(const struct check_facts *f, struct check_result *r);
void judge_tsc(const struct check_facts *f, struct check_result *r);
void judge_microcode(const struct check_facts *f, struct check_result *r);

/* Controls of VMX that the hypervisor cannot do without: the fact with the
 * capability MSR, and the bits. arch/x86/vmx/caps.c has the same. */
struct check_vmx_row {
	enum check_fact fact;
	const char *name;
	u32 required;
};
#define CHECK_VMX_ROWS 5u
extern const struct check_vmx_row check_vmx_rows[CHECK_VMX_ROWS];

#endif
