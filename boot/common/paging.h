/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page tables a loader hands over with: identity plus the image at its link
 * address, all writable and executable; the hypervisor builds its own at once
 * (SDM 3A 4.5 *4-Level Paging and 5-Level Paging*). Pages for them come from
 * one zeroed block that the caller gives. Called by both loaders, one core.
 */
#ifndef BOOT_COMMON_PAGING_H
#define BOOT_COMMON_PAGING_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

struct paging {
	u64 *root; /* PML4; virtual = physical */
	u64 next;  /* zeroed pages, not used yet: [next, end) */
	u64 end;
	bool has_1g;
};

/* CPUID says that 1 GiB pages exist (SDM 2A CPUID 80000001H:EDX[26]) */
bool paging_has_1g(void);
/* How far the identity map reaches for RAM that ends at @ram_top */
u64 paging_top(u64 ram_top, bool has_1g);
/* Pages that paging_identity(0..@top), paging_framebuffer() and paging_image()
 * need, root included */
u64 paging_pages(u64 top, bool has_1g);
/* Map [@from, @to) 1:1; @from and @to in whole GiB */
void paging_identity(struct paging *pg, u64 from, u64 to);
/* Map the framebuffer 1:1, wherever it is */
void paging_framebuffer(struct paging *pg, const struct boot_framebuffer *fb);
/* Map @bytes at IMAGE_LINK_BASE to @hpa (2 MiB aligned) */
void paging_image(struct paging *pg, u64 hpa, u64 bytes);

#endif
