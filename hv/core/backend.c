/* SPDX-License-Identifier: BSD-2-Clause */
/* The back-end in use (backend.h); written once, on the boot CPU */
#include "hv/core/backend.h"

#include "lib/errno.h"
#include "lib/log.h"

const struct vcpu_ops *vcpu_ops;

int backend_select(const struct vcpu_ops *const *candidates, u32 count,
		   u32 *max_level)
{
	int err = -ENODEV;

	for (u32 i = 0; i < count; i++) {
		err = candidates[i]->probe(max_level);
		if (!err) {
			vcpu_ops = candidates[i];
			return 0;
		}
		if (err != -ENODEV)
			return err; /* it said what is wrong */
	}
	log_error("cpu",
		  "this processor offers neither VMX nor SVM: switch \"Intel "
		  "Virtualization Technology (VT-x)\" or \"SVM Mode\" on in "
		  "the firmware's CPU settings, or use a processor with it");
	return err;
}
