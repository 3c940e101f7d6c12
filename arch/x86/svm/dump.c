/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest state and controls in lines for a person, after a crash or a failed
 * entry. On the vCPU's core or after put. */
#include "arch/x86/svm/internal.h"
#include "lib/log.h"

static void dump_control(const struct vmcb_control *c)
{
	log_error("svm", "exit %llx  info1 %llx  info2 %llx  vectoring %llx",
		  c->exitcode, c->exitinfo1, c->exitinfo2, c->exitintinfo);
	log_error("svm",
		  "vintr %llx  shadow %llx  entry event %llx  nCR3 %llx  "
		  "ASID %x",
		  c->vintr, c->interrupt_shadow, c->eventinj, c->n_cr3,
		  c->guest_asid);
	log_error("svm", "intercepts %08x %08x %08x  exceptions %08x",
		  c->intercept1, c->intercept2, c->intercept3,
		  c->intercept_exceptions);
}

void svm_dump(struct vcpu_hw *v, void (*rest)(void))
{
	svm_load_groups(v, RG_ALL);
	vcpu_regs_dump("svm", &v->regs, rest);
	dump_control(&v->arch->vmcb->control);
}
