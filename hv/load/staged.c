/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in a guest's own memory; see staged.h. They are mapped in one of a few
 * views while the guest is loaded. Their bytes are the guest's alone by the
 * time that they are read.
 *
 * While a guest has a view it also has the pages that its load takes of the
 * hypervisor's pool: they are set aside once, not for each guest.
 *
 * No lock: a view is taken by an atomic bit, the rest is the guest's; pages are
 * lent under pmm's lock.
 */
#include "hv/load/staged.h"

#include "hv/core/pc_map.h"
#include "hv/core/slots.h"
#include "hv/load/load.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/view.h"

#define VIEWS     8u
#define VIEW_ROOM GIB(8)

/* So many guests without firmware load at once, at least */
#define LOADS_AT_ONCE 4u

static struct view views[VIEWS];
static u32 views_used;        /* atomic, a bit each */
static struct budget loading; /* what a load takes, while none has it */

/* --- the pages of a load --- */

int staged_set_aside(void)
{
	static const struct guest_config plain;

	return pmm_reserve(&loading, LOADS_AT_ONCE * load_pages(&plain));
}

/* Those that are not there any more are a guest's that is still loaded, or such
 * as another took for what outlasts its load: that is made good where it can
 * be. -EAGAIN: the former. */
static int lend(struct vm *vm)
{
	if (loan_begin(&vm->staged->loan, &loading, &vm->budget,
		       load_pages(vm->config)))
		return 0;
	if (__atomic_load_n(&views_used, __ATOMIC_RELAXED) !=
	    1u << (vm->staged->view - 1))
		return -EAGAIN;
	log_error("load",
		  "guest %s: the hypervisor has no memory to load it with; "
		  "destroy another guest",
		  vm->name);
	return -ENOMEM;
}

/* --- mapped --- */

static struct view *view_take(struct staged *s)
{
	for (u32 i = 0; i < VIEWS; i++) {
		u32 old = __atomic_fetch_or(&views_used, 1u << i,
					    __ATOMIC_ACQUIRE);

		if (old & 1u << i)
			continue;
		s->view = i + 1;
		return &views[i];
	}
	return NULL;
}

static int map_file(struct vm *vm, struct view *v, struct image *f)
{
	u64 done = 0, size = ALIGN_UP(f->size, PAGE_SIZE);

	while (done < size) {
		const u8 *at;
		hpa_t hpa;
		u64 n;
		int err;

		if (!vm_held(vm, GPA(f->hpa + done), &hpa, &n))
			return -EFAULT;
		n = MIN(n, size - done);
		err = view_add(v, hpa, n, &at);
		if (err)
			return err;
		if (!done)
			f->data = at;
		else if (at != f->data + done)
			return -ENOSPC;
		done += n;
	}
	return 0;
}

int staged_map(struct vm *vm)
{
	struct staged *s = vm->staged;
	struct view *v = view_take(s);
	int err;

	if (!v)
		return -EAGAIN;
	err = lend(vm);
	if (!v->va && !err)
		err = view_init(v, VIEW_ROOM);
	for (u32 i = 0; i < s->count && !err; i++)
		err = map_file(vm, v, &s->files[i]);
	if (err)
		staged_unmap(vm);
	else
		view_flush_here();
	return err;
}

void staged_unmap(struct vm *vm)
{
	struct staged *s = vm->staged;

	if (!s || !s->view)
		return;
	loan_end(&s->loan, &loading, &vm->budget);
	view_clear(&views[s->view - 1]);
	__atomic_fetch_and(&views_used, ~(1u << (s->view - 1)),
			   __ATOMIC_RELEASE);
	s->view = 0;
	for (u32 i = 0; i < s->count; i++)
		s->files[i].data = NULL;
}

int staged_find(const struct vm *vm, const char *name, struct image *out)
{
	const struct staged *s = vm->staged;

	if (!s)
		return file_find(name, out);
	for (u32 i = 0; i < s->count; i++)
		if (str_equal_nocase(s->files[i].name, name,
				     BH_CTL_FILE_NAME)) {
			*out = s->files[i];
			return 0;
		}
	return -ENOENT;
}
