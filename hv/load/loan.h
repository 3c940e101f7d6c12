/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of the hypervisor's pool that loads take. They are set aside once, in a
 * stock, and lent to a guest's budget while that guest is loaded.
 */
#ifndef HV_LOAD_LOAN_H
#define HV_LOAD_LOAN_H

#include "mm/pmm.h"

struct loan {
	u64 pages; /* 0: nothing is lent */
	u64 drawn; /* what the guest had in use of its own reserve before */
};

/* Lends @pages of @stock to @to; what that lacks comes from the rest of the
 * pool. False: there is not so much; @l says how much it is. Any core that may
 * use @to; nothing is lent by @l. */
bool loan_begin(struct loan *l, struct budget *stock, struct budget *to,
		u64 pages);
/* Takes back what is free of it, and makes good the rest from the pool where
 * that has it. Nothing, if nothing is lent. */
void loan_end(struct loan *l, struct budget *stock, struct budget *from);

#endif
