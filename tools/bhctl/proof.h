/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The proof that no guest reaches what is another's, or the hypervisor's: made
 * of what bhd's "audit" listed, and of nothing else. Pure.
 */
#ifndef TOOLS_BHCTL_PROOF_H
#define TOOLS_BHCTL_PROOF_H

#include "tools/control/wire.h"

struct args;

/* {"holds": ..., "violations": [...]}: a sentence for each, which names both
 * sides. The caller has it. */
struct json_object *proof_make(struct json_object *audit);

/* The command: the lists, the proof, and a failure where it does not hold */
int audit_show(const struct args *a, struct json_object *audit,
	       struct failure *f);

#endif
