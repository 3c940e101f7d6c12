/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor has left for guests to come: FAKE_SPARE_PAGES (pool.h) */
#include "tests/unit/fakes/pool.h"

u64 pmm_spare_pages(void)
{
	return FAKE_SPARE_PAGES;
}
