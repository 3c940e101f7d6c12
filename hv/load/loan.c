/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages lent for a load; see loan.h. No lock: a loan is its guest's, and pages
 * change hands under pmm's lock. */
#include "hv/load/loan.h"

bool loan_begin(struct loan *l, struct budget *stock, struct budget *to,
		u64 pages)
{
	l->drawn = to->drawn_pages;
	l->pages = pmm_reserve_move(stock, to, pages);
	if (l->pages < pages && pmm_reserve(to, pages - l->pages))
		return false;
	l->pages = pages;
	return true;
}

void loan_end(struct loan *l, struct budget *stock, struct budget *from)
{
	u64 drawn = from->drawn_pages;
	u64 kept = MIN(l->pages, drawn > l->drawn ? drawn - l->drawn : 0);
	u64 pages = l->pages - kept;

	kept += pages - pmm_reserve_move(from, stock, pages);
	*l = (struct loan){ 0 };
	if (kept && pmm_reserve(stock, kept))
		return; /* loan_begin() does without */
}
