/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual function's MSI-X, see pci_msix.h. A vector is sent if MSI-X is on,
 * the function is bus master, and neither the function nor the vector is
 * masked; else its pending bit is set, and the end of what held it back sends
 * it (PCI 3.0, 6.8.2.4 *PBA*, 6.8.3.4 *MSI/MSI-X Masking*; PCI Express 5.0,
 * 7.5.1.1.3 *Command Register*: a message is a memory write).
 */
#include "hv/device/pci/pci_msix.h"

#include "arch/x86/cpu/nospec.h"
#include "hv/core/vcpu.h"
#include "include/hw/lapic.h"
#include "include/hw/msi.h"
#include "lib/errno.h"
#include "lib/string.h"

enum vector_word { VECTOR_LOW, VECTOR_HIGH, VECTOR_DATA, VECTOR_CONTROL };

/* Of pending ones: each is a vCPU's cache line, and perhaps an IPI */
#define SENT_AT_ONCE 16u

static u64 vectors_bytes(const struct pci_msix *m)
{
	return m->count * sizeof(struct pci_msix_vector);
}

/* Of pending bits: those past the last vector are 0 (PCI 3.0, 6.8.2.4) */
static u32 words_of(const struct pci_msix *m)
{
	return (m->count + 63u) / 64;
}

static void mask_all(struct pci_msix *m)
{
	for (u32 i = 0; i < m->count; i++)
		m->vectors[i].word[VECTOR_CONTROL] = PCI_MSIX_ENTRY_MASKED;
}

int pci_msix_init(struct pci_msix *m)
{
	m->vectors = pmm_alloc_bytes(&m->f->vm->budget, vectors_bytes(m));
	if (!m->vectors)
		return -ENOMEM;
	mask_all(m);
	pci_fn_define(m->f, m->cap, 2, PCI_CAP_ID_MSIX, 0);
	pci_fn_define(m->f, m->cap + PCI_MSIX_CONTROL, 2, m->count - 1u,
		      PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	pci_fn_define(m->f, m->cap + PCI_MSIX_TABLE, 4, m->table | m->bar, 0);
	pci_fn_define(m->f, m->cap + PCI_MSIX_PBA, 4, m->pba | m->bar, 0);
	return 0;
}

void pci_msix_destroy(struct pci_msix *m)
{
	if (m->vectors)
		pmm_free_bytes(&m->f->vm->budget, m->vectors, vectors_bytes(m));
	m->vectors = NULL;
}

void pci_msix_reset(struct pci_msix *m)
{
	memset(m->pending, 0, sizeof(m->pending));
	for (u32 i = 0; i < m->count; i++)
		memset(m->vectors[i].word, 0, sizeof(m->vectors[i].word));
	mask_all(m);
}

static u32 control(const struct pci_msix *m)
{
	return (u32)READ_ONCE(m->f->config[m->cap + PCI_MSIX_CONTROL + 1]) << 8;
}

bool pci_msix_enabled(const struct pci_msix *m)
{
	return control(m) & PCI_MSIX_ENABLE;
}

static bool function_is_open(const struct pci_msix *m)
{
	return READ_ONCE(m->f->config[PCI_COMMAND]) & PCI_COMMAND_MASTER &&
	       (control(m) & (PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL)) ==
		       PCI_MSIX_ENABLE;
}

/* A message that no LAPIC would take is one to nowhere */
static void deliver(struct pci_msix *m, struct pci_msix_vector *v)
{
	u64 address = (u64)v->word[VECTOR_HIGH] << 32 | v->word[VECTOR_LOW];
	const struct vlapic_msg message = {
		.dest = MSI_ADDR_DEST(address),
		.logical = address & MSI_ADDR_LOGICAL,
		.mode = APIC_DM_GET(v->word[VECTOR_DATA]),
		.vector = (u8)v->word[VECTOR_DATA],
		.trigger = TRIGGER_EDGE,
	};

	if ((address & MSI_ADDR_MASK) == MSI_ADDR_BASE &&
	    message.vector >= APIC_FIRST_VECTOR)
		(void)vlapic_deliver(m->f->vm, &message, &v->late);
}

static bool is_masked(const struct pci_msix_vector *v)
{
	return v->word[VECTOR_CONTROL] & PCI_MSIX_ENTRY_MASKED;
}

/* The vector is pending: is it to be sent now? */
static bool send_pending(struct pci_msix *m, u32 vector)
{
	struct pci_msix_vector *v = &m->vectors[vector];

	if (is_masked(v))
		return false;
	m->pending[vector / 64] &= ~BIT(vector % 64);
	deliver(m, v);
	return true;
}

bool pci_msix_send(struct pci_msix *m, u32 vector)
{
	bool enabled;

	if (vector >= m->count)
		return pci_msix_enabled(m);
	vector = (u32)index_nospec(vector, m->count);
	spin_lock(&m->lock);
	enabled = pci_msix_enabled(m);
	if (enabled) {
		m->pending[vector / 64] |= BIT(vector % 64);
		if (function_is_open(m))
			send_pending(m, vector);
	}
	spin_unlock(&m->lock);
	return enabled;
}

void pci_msix_pend(struct pci_msix *m, u32 vector)
{
	if (vector >= m->count)
		return;
	spin_lock(&m->lock);
	m->pending[vector / 64] |= BIT(vector % 64);
	spin_unlock(&m->lock);
}

void pci_msix_forget(struct pci_msix *m, u32 vector)
{
	if (vector >= m->count)
		return;
	spin_lock(&m->lock);
	m->pending[vector / 64] &= ~BIT(vector % 64);
	spin_unlock(&m->lock);
}

bool pci_msix_forget_all(struct pci_msix *m)
{
	u64 some = 0;

	spin_lock(&m->lock);
	for (u32 i = 0; i < words_of(m); i++) {
		some |= m->pending[i];
		m->pending[i] = 0;
	}
	spin_unlock(&m->lock);
	return some;
}

/* Those of a word of 64, @left of them at most; how many were sent */
static u32 send_word(struct pci_msix *m, u32 word, u32 left)
{
	u64 bits = m->pending[word];
	u32 sent = 0;

	for (; bits && sent < left; bits &= bits - 1)
		sent += send_pending(m, word * 64 + (u32)__builtin_ctzll(bits));
	return sent;
}

bool pci_msix_go_on(struct pci_msix *m)
{
	u32 left = SENT_AT_ONCE;

	spin_lock(&m->lock);
	for (u32 i = 0; function_is_open(m) && left && i < words_of(m); i++)
		left -= send_word(m, i, left);
	spin_unlock(&m->lock);
	return !left;
}

/* PCI 3.0, 6.8.2: software accesses aligned dwords and qwords only */
static bool is_proper(u64 offset, u8 size)
{
	return size >= 4 && IS_ALIGNED(offset, size);
}

/* The vector whose entry is at @offset of the BAR, NULL: there is none */
static struct pci_msix_vector *vector_at(struct pci_msix *m, u64 offset)
{
	u64 i = (offset - m->table) / PCI_MSIX_ENTRY_BYTES;

	if (offset < m->table || i >= m->count)
		return NULL;
	return &m->vectors[index_nospec(i, m->count)];
}

static u64 pending_read(const struct pci_msix *m, u64 offset)
{
	u64 i = (offset - m->pba) / 8;

	if (offset < m->pba || i >= words_of(m))
		return 0;
	return m->pending[index_nospec(i, words_of(m))] >> offset % 8 * 8;
}

u64 pci_msix_read(struct pci_msix *m, u64 offset, u8 size)
{
	const struct pci_msix_vector *v = vector_at(m, offset);
	u32 at = (u32)offset / 4 % 4;
	u64 value;

	if (!is_proper(offset, size))
		return 0;
	spin_lock(&m->lock);
	if (v)
		value = size == 8 ? (u64)v->word[at + 1] << 32 | v->word[at]
				  : v->word[at];
	else
		value = pending_read(m, offset);
	spin_unlock(&m->lock);
	return value;
}

void pci_msix_write(struct pci_msix *m, u64 offset, u8 size, u64 value)
{
	struct pci_msix_vector *v = vector_at(m, offset);
	u32 at = (u32)offset / 4 % 4;
	u32 i;

	if (!v || !is_proper(offset, size))
		return;
	i = (u32)(v - m->vectors);
	spin_lock(&m->lock);
	v->word[at] = (u32)value;
	if (size == 8)
		v->word[at + 1] = (u32)(value >> 32);
	v->word[VECTOR_CONTROL] &= PCI_MSIX_ENTRY_MASKED;
	if (m->pending[i / 64] & BIT(i % 64) && function_is_open(m))
		send_pending(m, i);
	spin_unlock(&m->lock);
}
