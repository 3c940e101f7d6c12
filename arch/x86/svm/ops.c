/* SPDX-License-Identifier: BSD-2-Clause */
/* The SVM back-end's row of the vendor seam (hv/core/backend.h) */
#include "arch/x86/svm/internal.h"

const struct vcpu_ops svm_ops = {
	.name = "SVM",
	.pt_format = &pt_npt,
	.msr_bitmap_pages = MSRPM_PAGES,
	.port_bitmap_pages = IOPM_PAGES,
	.probe = svm_probe,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,
	.vcpu_create = svm_vcpu_create,
	.vcpu_destroy = svm_vcpu_destroy,
	.vcpu_reset = svm_vcpu_reset,
	.attach = svm_attach,
	.put = svm_put,
	.run = &svm_run,
	.sites = svm_sites,
	.site_count = SVM_SITES,
	.read = svm_load_groups,
	.inject = svm_inject,
	.request_window = svm_request_window,
	.intercept_msr = svm_intercept_msr,
	.intercept_port = svm_intercept_port,
	.msr_passes = svm_msr_passes,
	.ports_pass = svm_ports_pass,
	.flush = svm_flush,
	.dump = svm_dump,
};
