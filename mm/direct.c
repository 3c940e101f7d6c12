/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of the hypervisor's own memory, see pmm.h. Until hostmap_init()
 * has switched to its own tables the pool is reached through the loader's
 * identity map, then through the direct map. Set once at boot; no lock.
 */
#include "mm/direct.h"

#include "mm/hostmap.h"
#include "mm/pmm.h"

static u64 direct_base; /* virtual address of physical 0 */
static u64 image_hpa, image_size;

void direct_set_image(hpa_t base, u64 size)
{
	image_hpa = base.v;
	image_size = size;
}

void direct_set_base(u64 base)
{
	direct_base = base;
}

hpa_t virt_to_hpa(const void *va)
{
	u64 v = (u64)va;

	if (v >= HV_IMAGE_BASE)
		return HPA(v - HV_IMAGE_BASE + image_hpa);
	return HPA(v - direct_base);
}

void *hpa_to_virt(hpa_t hpa)
{
	if (hpa.v - image_hpa < image_size)
		return (void *)(hpa.v - image_hpa + HV_IMAGE_BASE);
	return (void *)(hpa.v + direct_base);
}
