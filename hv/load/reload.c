/* SPDX-License-Identifier: BSD-2-Clause */
/* The pages of the privileged guest's next load; see reload.h. No lock: all is
 * that guest's, and no vCPU of it runs. */
#include "hv/load/reload.h"

#include "hv/load/acpi_area.h"
#include "hv/load/load.h"
#include "hv/load/loan.h"
#include "lib/log.h"
#include "mm/owner.h"

static struct budget stock; /* what a load takes, while it has none */
static struct loan loan;
static bool lent;
static u64 reload_pages; /* 0: nothing was set aside */

/* The machine's tables and map of memory may be larger than other guests' */
static u64 pages_of(const struct vm *vm)
{
	u64 map = e820_max(vm) * sizeof(struct e820_entry);

	return load_pages(vm->config) + BIT(pmm_order(acpi_area_bytes(vm))) +
	       BIT(pmm_order(map));
}

int reload_set_aside(struct vm *vm)
{
	u64 pages = pages_of(vm);
	int err = pmm_reserve(&stock, pages);

	if (err)
		return err;
	reload_pages = pages;
	vm->budget.max_pages -=
		MIN(pages, vm->budget.max_pages - vm->budget.used_pages);
	return 0;
}

void reload_begin(struct vm *vm)
{
	if (!vm->privileged || !reload_pages || lent)
		return;
	lent = true;
	if (!loan_begin(&loan, &stock, &vm->budget, reload_pages))
		log_warn("load",
			 "guest %s: %llu pages of those for its start are in "
			 "use",
			 vm->name, reload_pages - loan.pages);
	vm->budget.max_pages += reload_pages;
}

void reload_end(struct vm *vm)
{
	if (!vm->privileged || !lent)
		return;
	lent = false;
	loan_end(&loan, &stock, &vm->budget);
	vm->budget.max_pages -= reload_pages;
}

u64 reload_bytes(const struct vm *vm)
{
	u64 pages = READ_ONCE(lent) ? 0 : reload_pages;

	if (!vm->privileged)
		return 0;
	return owner_bytes(OWNER_FILES, 0) + (pages << PAGE_SHIFT);
}
