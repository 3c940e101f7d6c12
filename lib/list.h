/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive doubly linked list with a head node. A node on no list points at
 * itself. No locking: the owner of the list states its lock.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)                                                        \
	{                                                                      \
		&(name), &(name)                                               \
	}

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Insert @node before @pos; before the head is the tail */
static inline void list_add_before(struct list *pos, struct list *node)
{
	node->next = pos;
	node->prev = pos->prev;
	pos->prev->next = node;
	pos->prev = node;
}

static inline void list_add_head(struct list *head, struct list *node)
{
	list_add_before(head->next, node);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	list_add_before(head, node);
}

/* Harmless when @node is on no list */
static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_entry(node, type, member) container_of(node, type, member)

#define list_for_each(pos, head)                                               \
	for (struct list *pos = (head)->next; pos != (head); pos = pos->next)

/* @pos may be removed in the body */
#define list_for_each_safe(pos, head)                                          \
	for (struct list *pos = (head)->next, *pos##_next = pos->next;         \
	     pos != (head); pos = pos##_next, pos##_next = pos->next)

#endif
