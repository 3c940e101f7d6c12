/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMX back-end's row of the vendor seam (hv/core/backend.h) */
#include "arch/x86/vmx/internal.h"

const struct vcpu_ops vmx_ops = {
	.name = "VMX",
	.pt_format = &pt_ept,
	.msr_bitmap_pages = 1,
	.port_bitmap_pages = 2,
	.has_pdptes = true,
	.probe = vmx_probe,
	.can_run = vmx_can_run,
	.cpu_enable = vmx_cpu_enable,
	.cpu_disable = vmx_cpu_disable,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_destroy = vmx_vcpu_destroy,
	.vcpu_reset = vmx_vcpu_reset,
	.attach = vmx_attach,
	.put = vmx_put,
	.run = &vmx_run,
	.sites = vmx_sites,
	.site_count = VMX_SITES,
	.read = vmx_load_groups,
	.inject = vmx_inject,
	.request_window = vmx_request_window,
	.intercept_msr = vmx_intercept_msr,
	.intercept_port = vmx_intercept_port,
	.msr_passes = vmx_msr_passes,
	.ports_pass = vmx_ports_pass,
	.flush = vmx_flush,
	.dump = vmx_dump,
};
