/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects in slabs of one pool page, see pmm.h; larger ones go straight
 * to pmm.c. Called by everything that keeps state.
 *
 * A page belongs to one size class and one budget: a guest is charged for what
 * it costs, and no page holds objects of two guests. Objects of 64 bytes and
 * more are aligned to 64 bytes.
 *
 * Lock: kmem_lock protects the lists and the slab headers; pmm_lock comes
 * inside it.
 */
#include "arch/x86/cpu/spinlock.h"
#include "lib/assert.h"
#include "lib/string.h"
#include "mm/pmm.h"

#define SLAB_MAGIC 0x736c6162u
#define SLAB_ROOM  (PAGE_SIZE - sizeof(struct slab))

struct slab {
	struct slab *next, *prev; /* pages of the class with room */
	struct budget *budget;
	void *free; /* each free object's first word points to the next */
	u32 magic;
	u16 in_use;
	u16 class;
	u8 pad[24];
};
static_assert(sizeof(struct slab) == 64, "objects start cache-line aligned");

/* Bytes of an object, by class. Apart from 32 each is the most whole cache
 * lines that leave room for so many in a page: 63, 31, 21, 15, 12, 9, 7 and 5
 * to 1. */
static const u16 class_size[] = { 32,  64,  128, 192,  256,  320, 448,
				  576, 768, 960, 1344, 1984, 4032 };

static struct slab *partial[ARRAY_SIZE(class_size)];
static struct spinlock kmem_lock;

static u16 class_of(size_t size)
{
	u16 c = 0;

	while (class_size[c] < size)
		c++;
	return c;
}

static u16 class_objects(u16 c)
{
	return (u16)(SLAB_ROOM / class_size[c]);
}

static void slab_link(struct slab *s)
{
	s->prev = NULL;
	s->next = partial[s->class];
	if (s->next)
		s->next->prev = s;
	partial[s->class] = s;
}

static void slab_unlink(struct slab *s)
{
	if (s->next)
		s->next->prev = s->prev;
	if (s->prev)
		s->prev->next = s->next;
	else
		partial[s->class] = s->next;
}

static struct slab *slab_new(struct budget *b, u16 c)
{
	struct slab *s = pmm_alloc(b, 0);
	u8 *first;

	if (!s)
		return NULL;
	s->budget = b;
	s->magic = SLAB_MAGIC;
	s->class = c;
	first = (u8 *)(s + 1);
	for (u32 i = class_objects(c); i-- > 0;) {
		void **object = (void **)(void *)(first + i * class_size[c]);

		*object = s->free;
		s->free = object;
	}
	slab_link(s);
	return s;
}

static struct slab *slab_with_room(struct budget *b, u16 c)
{
	for (struct slab *s = partial[c]; s; s = s->next)
		if (s->budget == b)
			return s;
	return slab_new(b, c);
}

void *kmem_alloc(struct budget *b, size_t size)
{
	void **object = NULL;
	struct slab *s;
	u16 c;

	if (size > KMEM_MAX)
		return pmm_alloc_bytes(b, size);
	if (!size)
		return NULL;
	c = class_of(size);
	spin_lock(&kmem_lock);
	s = slab_with_room(b, c);
	if (s) {
		object = s->free;
		s->free = *object;
		s->in_use++;
		if (!s->free)
			slab_unlink(s);
	}
	spin_unlock(&kmem_lock);
	if (object)
		memset(object, 0, class_size[c]);
	return object;
}

void kmem_free(struct budget *b, void *p, size_t size)
{
	void **object = p;
	struct slab *s;

	if (!p)
		return;
	if (size > KMEM_MAX) {
		pmm_free_bytes(b, p, size);
		return;
	}
	s = (struct slab *)ALIGN_DOWN((uintptr_t)p, PAGE_SIZE);
	spin_lock(&kmem_lock);
	ASSERT(s->magic == SLAB_MAGIC && s->budget == b && s->in_use);
	ASSERT(size && s->class == class_of(size));
	if (!s->free)
		slab_link(s);
	*object = s->free;
	s->free = object;
	if (!--s->in_use) {
		slab_unlink(s);
		s->magic = 0;
		pmm_free(b, s, 0);
	}
	spin_unlock(&kmem_lock);
}
