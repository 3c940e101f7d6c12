/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that the privileged guest has, one after the other: those of
 * ours, those of the machine that are hidden from it, then its own by their
 * hash. For whoever shows them (hv/control).
 * A place is a number that stays a function's as long as none comes or goes.
 */
#include "arch/x86/cpu/nospec.h"
#include "hv/assign/passthrough_priv.h"
#include "lib/log.h"

/* More functions than a bucket ever has: each has 256 devices of 8 functions on
 * a 64th of all buses */
#define BUCKET_PLACES 65536u

static struct passthrough *pci_of(struct vm *vm)
{
	return vm->devices[VDEV_passthrough];
}

/* Each access to one comes here */
static void hidden_note(struct passthrough *pci, struct pci_bdf bdf)
{
	u32 i = 0;

	while (i < pci->hidden_count && !pci_same(pci->hidden[i], bdf))
		i++;
	if (i < pci->hidden_count || i == PASSTHROUGH_HIDDEN)
		return;
	pci->hidden[pci->hidden_count++] = bdf;
	pci->changes++;
	if (pci->hidden_count == PASSTHROUGH_HIDDEN)
		log_warn("pci",
			 "more than %u functions are hidden: the audit does "
			 "not list the rest",
			 PASSTHROUGH_HIDDEN - 1);
}

bool passthrough_hides(struct passthrough *pci, struct pci_bdf bdf)
{
	bool hides = passthrough_is_hidden(bdf);

	if (hides)
		hidden_note(pci, bdf);
	return hides;
}

static bool list_virtual(const struct passthrough *pci, u32 *at,
			 struct passthrough_entry *entry)
{
	u32 i = *at;

	if (i >= pci->virtual_count)
		return false;
	i = (u32)index_nospec(i, PASSTHROUGH_VIRTUALS);
	*entry = (struct passthrough_entry){
		.bdf = { .devfn = pci->virtuals[i].f->devfn },
		.is_virtual = true,
	};
	++*at;
	return true;
}

static bool list_hidden(const struct passthrough *pci, u32 place,
			struct passthrough_entry *entry)
{
	if (place >= pci->hidden_count)
		return false;
	place = (u32)index_nospec(place, PASSTHROUGH_HIDDEN);
	*entry = (struct passthrough_entry){
		.bdf = pci->hidden[place],
		.hidden = true,
	};
	return true;
}

/* The @index-th of a bucket, or NULL */
static const struct vfunc *nth(const struct vfunc *f, u32 index)
{
	while (f && index--)
		f = f->next;
	return f;
}

static const struct vfunc *find(const struct passthrough *pci, u32 *place)
{
	const struct vfunc *f = NULL;
	u32 bucket = *place / BUCKET_PLACES, index = *place % BUCKET_PLACES;

	while (bucket < PASSTHROUGH_HASH) {
		u64 i = index_nospec(bucket, PASSTHROUGH_HASH);

		f = nth(pci->hash[i], index);
		if (f)
			break;
		bucket++;
		index = 0;
	}
	*place = bucket * BUCKET_PLACES + index;
	return f;
}

/* One of the guest's own; *@place is where it is */
static bool list_known(const struct passthrough *pci, u32 *place,
		       struct passthrough_entry *entry)
{
	const struct vfunc *f = find(pci, place);

	if (f)
		*entry = (struct passthrough_entry){
			.bdf = f->bdf,
			.fixed = f->fixed,
			.kept = f->kept,
		};
	return f;
}

/* Lock held; @place is counted from the first that is none of ours */
static bool list_machine(const struct passthrough *pci, u32 *place,
			 struct passthrough_entry *entry)
{
	u32 known;
	bool any;

	if (list_hidden(pci, *place, entry))
		return true;
	known = *place - pci->hidden_count;
	any = list_known(pci, &known, entry);
	*place = known + pci->hidden_count;
	return any;
}

bool passthrough_list(struct vm *vm, u32 *at, struct passthrough_entry *entry)
{
	struct passthrough *pci = pci_of(vm);
	u32 place;
	bool any;

	if (!pci)
		return false;
	if (list_virtual(pci, at, entry))
		return true;
	place = *at - pci->virtual_count;
	spin_lock(&pci->lock);
	any = list_machine(pci, &place, entry);
	spin_unlock(&pci->lock);
	*at = pci->virtual_count + place + 1;
	return any;
}

u64 passthrough_changes(struct vm *vm)
{
	struct passthrough *pci = pci_of(vm);
	u64 count;

	if (!pci)
		return 0;
	spin_lock(&pci->lock);
	count = pci->changes;
	spin_unlock(&pci->lock);
	return count;
}
