/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual function's configuration space (PCI 3.0, 6.1, 6.2) and base address
 * registers (6.2.5 *Base Addresses*). A BAR's address bits below its size are
 * wired to zero, so that sizing needs no code. What a BAR decodes is read from
 * config[] each time. Called under the lock of whoever has the bus, or while
 * the VM is built.
 */
#include "hv/device/pci/pci_fn.h"

#include "arch/x86/cpu/nospec.h"
#include "include/hw/pci.h"
#include "lib/bytes.h"
#include "lib/string.h"

#define COMMAND_BITS                                                           \
	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |            \
	 PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_OFF)
#define STATUS_CLEAR 0xf9u /* high byte of the status register */
#define BAR_PREFETCH 0x8u

static u8 *power_on_copy(const struct pci_fn *f)
{
	return f->clear + f->config_bytes;
}

void pci_fn_define(struct pci_fn *f, u32 offset, u8 size, u64 value, u64 mask)
{
	memcpy(&f->config[offset], &value, size);
	memcpy(&power_on_copy(f)[offset], &value, size);
	memcpy(&f->mask[offset], &mask, size);
}

void pci_fn_power_on(struct pci_fn *f)
{
	memcpy(f->config, power_on_copy(f), f->config_bytes);
}

static u32 bar_offset(u32 i)
{
	return PCI_BAR0 + i * 4;
}

static u64 bar_flags(const struct pci_fn *f, u32 i)
{
	if (f->bar[i].io)
		return PCI_BAR_IO;
	return (f->bar[i].is_64 ? PCI_BAR_64 : 0) |
	       (f->bar[i].prefetch ? BAR_PREFETCH : 0);
}

static u8 bar_bytes(const struct pci_fn *f, u32 i)
{
	return f->bar[i].is_64 ? 8 : 4;
}

static u64 bar_mask(const struct pci_fn *f, u32 i)
{
	u64 low = f->bar[i].io ? PCI_BAR_IO_MASK : PCI_BAR_MEM_MASK;

	return ~(f->bar[i].size - 1) & (low | BITS(63, 32));
}

static bool bar_decodes(const struct pci_fn *f, u32 i)
{
	u8 enable = f->bar[i].io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

	return f->bar[i].size && f->config[PCI_COMMAND] & enable;
}

u64 pci_fn_bar_base(const struct pci_fn *f, u32 i)
{
	u64 value = 0;

	if (!bar_decodes(f, i))
		return 0;
	memcpy(&value, &f->config[bar_offset(i)], bar_bytes(f, i));
	return value & bar_mask(f, i);
}

void pci_fn_init(struct pci_fn *f, u8 *pages, const u8 header[64])
{
	if (!f->config_bytes)
		f->config_bytes = PAGE_SIZE;
	f->config = pages;
	f->mask = f->config + f->config_bytes;
	f->clear = f->mask + f->config_bytes;
	for (u32 i = 0; i < 64; i++)
		pci_fn_define(f, i, 1, header[i], 0);
	f->mask[PCI_COMMAND] = (u8)COMMAND_BITS;
	f->mask[PCI_COMMAND + 1] = (u8)(COMMAND_BITS >> 8);
	f->clear[PCI_STATUS + 1] = STATUS_CLEAR;
	f->mask[PCI_CACHE_LINE] = 0xff;
	f->mask[PCI_INTERRUPT_LINE] = 0xff;
	for (u32 i = 0; i < PCI_FN_BARS; i++)
		if (f->bar[i].size)
			pci_fn_define(f, bar_offset(i), bar_bytes(f, i),
				      bar_flags(f, i), bar_mask(f, i));
}

u64 pci_fn_config_read(const struct pci_fn *f, u32 offset, u8 size)
{
	u64 value = 0;

	if (offset + size > f->config_bytes)
		return 0;
	offset = (u32)index_nospec(offset, f->config_bytes);
	memcpy(&value, &f->config[offset], size);
	return value;
}

void pci_fn_config_write(struct pci_fn *f, u32 offset, u8 size, u64 value)
{
	if (offset + size > f->config_bytes)
		return;
	offset = (u32)index_nospec(offset, f->config_bytes);
	for (u32 i = offset; i < offset + size; i++, value >>= 8) {
		u8 v = (u8)value, mask = f->mask[i];

		f->config[i] = (u8)merge_bits(f->config[i], v, mask);
		f->config[i] &= (u8) ~(v & f->clear[i]);
	}
}
