/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page tables that a loader hands over with: an identity map, and the image
 * at its link address, all writable and executable. The hypervisor soon builds
 * its own. Pages for them come from one zeroed block that the caller gives and
 * that paging_pages() measures, so that nothing here fails. Called by both
 * loaders on the boot core; no locks. SDM 3A 4.5 *4-Level Paging and 5-Level
 * Paging*.
 */
#ifndef BOOT_COMMON_PAGING_H
#define BOOT_COMMON_PAGING_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

struct paging {
	u64 *root; /* PML4; virtual = physical */
	u64 next;  /* the caller's zeroed pages from here on are not used yet */
	bool has_1g;
};

/* Does the CPU have 1 GiB pages (SDM 2A CPUID, leaf 80000001H: EDX bit 26)? */
bool paging_has_1g(void);
/* End of the identity map, in whole GiB, for RAM that ends at @ram_top. It is 4
 * GiB at least, and 512 GiB with 1 GiB pages; 128 TiB, the lower half, at most.
 */
u64 paging_top(u64 ram_top, bool has_1g);
/* The most pages that paging_identity() from 0 to @top, paging_framebuffer()
 * and paging_image() need, with the root */
u64 paging_pages(u64 top, bool has_1g);
/* Maps [@from, @to) 1:1; both are whole GiB */
void paging_identity(struct paging *pg, u64 from, u64 to);
/* Maps the framebuffer 1:1, wherever it is; not one of more than 1 GiB */
void paging_framebuffer(struct paging *pg, const struct boot_framebuffer *fb);
/* Maps @bytes, at most 1 GiB, at IMAGE_LINK_BASE to @hpa, which is 2 MiB
 * aligned */
void paging_image(struct paging *pg, u64 hpa, u64 bytes);

#endif
