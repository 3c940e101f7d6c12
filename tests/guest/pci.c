/* SPDX-License-Identifier: BSD-2-Clause */
/* The PCI root complex and the chipset, as firmware and kernels probe them */
#include "tests/guest/lib/guest.h"

#define HOST       0x00
#define LPC        0xf8
#define ECAM       0xb0000000u
#define ECAM_MOVED 0xd0000000u
#define RCBA       0xfed1c000u

static void select(u32 devfn, u32 reg)
{
	outl(0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc));
}

static u32 config32(u32 devfn, u32 reg)
{
	select(devfn, reg);
	return inl(0xcfc);
}

static void config_out32(u32 devfn, u32 reg, u32 value)
{
	select(devfn, reg);
	outl(0xcfc, value);
}

static u8 config8(u32 devfn, u32 reg)
{
	select(devfn, reg);
	return inb((u16)(0xcfc + (reg & 3)));
}

static void config_out8(u32 devfn, u32 reg, u8 value)
{
	select(devfn, reg);
	outb((u16)(0xcfc + (reg & 3)), value);
}

static volatile u32 *mmio32(u64 addr)
{
	return (volatile u32 *)addr;
}

static volatile u16 *mmio16(u64 addr)
{
	return (volatile u16 *)addr;
}

static volatile u8 *mmio8(u64 addr)
{
	return (volatile u8 *)addr;
}

static void address_port(void)
{
	section("PCI 3.0 3.2.2.3.2");
	outl(0xcf8, 0x80000000);
	check(inl(0xcf8) == 0x80000000, "pci.address_reads_back", "%x",
	      inl(0xcf8));
	outl(0xcf8, 0xffffffff);
	check(inl(0xcf8) == 0x80fffffc, "pci.address_reserved_bits", "%x",
	      inl(0xcf8));
	outl(0xcf8, 0x80000004);
	outw(0xcf8, 0x0010);
	outb(0xcfa, 0x33);
	check(inl(0xcf8) == 0x80000004, "pci.address_dword_only", "%x",
	      inl(0xcf8));
	check(inw(0xcf8) == 0xffff, "pci.address_word_floats", "%x",
	      inw(0xcf8));
	outl(0xcf8, 0);
	check(inl(0xcfc) == 0xffffffff, "pci.data_needs_enable", "%x",
	      inl(0xcfc));
	select(HOST, 0);
	check(inw(0xcfe) == 0x29c0 && inb(0xcfd) == 0x80, "pci.data_sizes",
	      "%x %x", inw(0xcfe), inb(0xcfd));
}

static void enumeration(void)
{
	u32 found = 0, id = 0;

	section("PCI 3.0 6.1");
	check(config32(HOST, 0) == 0x29c08086, "pci.host_bridge_id", "%x",
	      config32(HOST, 0));
	check(config32(LPC, 0) == 0x29188086, "pci.lpc_id", "%x",
	      config32(LPC, 0));
	check(config32(HOST, 8) >> 8 == 0x060000, "pci.host_class", "%x",
	      config32(HOST, 8));
	check(config32(LPC, 8) >> 8 == 0x060100, "pci.lpc_class", "%x",
	      config32(LPC, 8));
	check(config32(HOST, 0x2c) == 0x11001af4 &&
		      config32(LPC, 0x2c) == 0x11001af4,
	      "pci.subsystem", "%x", config32(HOST, 0x2c));
	for (u32 devfn = 0; devfn < 256; devfn++) {
		id = config32(devfn, 0);
		if (devfn != HOST && devfn != LPC && id != 0xffffffff)
			found = devfn;
	}
	check(!found, "pci.nothing_else", "function %x answers", found);
	select(HOST, 0);
	outl(0xcf8, 0x80010000);
	check(inl(0xcfc) == 0xffffffff, "pci.bus_1_absent", "%x", inl(0xcfc));
	section("PCI 3.0 6.2.1");
	check((config8(HOST, 0xe) & 0x7f) == 0 &&
		      (config8(LPC, 0xe) & 0x7f) == 0,
	      "pci.header_type", "%x %x", config8(HOST, 0xe),
	      config8(LPC, 0xe));
	check(config8(LPC, 0xe) & 0x80, "pci.lpc_multifunction", "%x",
	      config8(LPC, 0xe));
	config_out32(HOST, 0, 0);
	config_out32(HOST, 8, 0);
	check(config32(HOST, 0) == 0x29c08086, "pci.ids_read_only", "%x",
	      config32(HOST, 0));
}

static void registers(void)
{
	section("PCI 3.0 6.2.2");
	config_out32(LPC, 4, 0);
	check((config32(LPC, 4) & 7) == 7, "pci.lpc_always_decodes", "%x",
	      config32(LPC, 4));
	config_out32(LPC, 4, 0x107);
	check((config32(LPC, 4) & 0x107) == 0x107, "pci.command_writable", "%x",
	      config32(LPC, 4));
	config_out32(LPC, 4, 7);
	section("PCI 3.0 6.2.4");
	config_out8(LPC, 0x3c, 0x5a);
	check(config8(LPC, 0x3c) == 0x5a, "pci.interrupt_line", "%x",
	      config8(LPC, 0x3c));
	section("PCI 3.0 6.2.5");
	config_out32(HOST, 0x10, 0xffffffff);
	check(config32(HOST, 0x10) == 0, "pci.no_bar_sizes_zero", "%x",
	      config32(HOST, 0x10));
}

static void ecam(void)
{
	u32 low = config32(HOST, 0x60);

	section("PCIe 5.0 7.2.2");
	check(low == (ECAM | 1), "pci.pciexbar", "%x", low);
	check(*mmio32(ECAM) == 0x29c08086, "pci.ecam_host", "%x",
	      *mmio32(ECAM));
	check(*mmio16(ECAM + (LPC << 12) + 2) == 0x2918, "pci.ecam_word", "%x",
	      *mmio16(ECAM + (LPC << 12) + 2));
	check(*mmio8(ECAM + (LPC << 12) + 0xb) == 0x06, "pci.ecam_byte", "%x",
	      *mmio8(ECAM + (LPC << 12) + 0xb));
	check(*mmio32(ECAM + (1 << 12)) == 0xffffffff, "pci.ecam_absent", "%x",
	      *mmio32(ECAM + (1 << 12)));
	check(*mmio32(ECAM + (1 << 20)) == 0xffffffff, "pci.ecam_bus_1", "%x",
	      *mmio32(ECAM + (1 << 20)));
	check(*mmio32(ECAM + 0x100) == 0, "pci.ecam_extended_empty", "%x",
	      *mmio32(ECAM + 0x100));
	*mmio8(ECAM + (LPC << 12) + 0x3c) = 0xa5;
	check(config8(LPC, 0x3c) == 0xa5, "pci.ecam_and_ports_agree", "%x",
	      config8(LPC, 0x3c));
}

static void ecam_moves(void)
{
	section("3 Series 5.1 PCIEXBAR");
	config_out32(HOST, 0x60, ECAM_MOVED | 1);
	check(*mmio32(ECAM_MOVED) == 0x29c08086, "pci.ecam_moves", "%x",
	      *mmio32(ECAM_MOVED));
	check(*mmio32(ECAM) == 0xffffffff, "pci.ecam_leaves", "%x",
	      *mmio32(ECAM));
	config_out32(HOST, 0x60, ECAM_MOVED);
	check(*mmio32(ECAM_MOVED) == 0xffffffff, "pci.ecam_off", "%x",
	      *mmio32(ECAM_MOVED));
	config_out32(HOST, 0x60, ECAM_MOVED | 5); /* 64 MiB */
	check(*mmio32(ECAM_MOVED) == 0x29c08086 &&
		      *mmio32(ECAM_MOVED + (64 << 20)) == 0xffffffff,
	      "pci.ecam_length", "%x", *mmio32(ECAM_MOVED));
	config_out32(HOST, 0x60, ECAM | 1);
	check(*mmio32(ECAM) == 0x29c08086, "pci.ecam_back", "%x",
	      *mmio32(ECAM));
}

static void host_bridge(void)
{
	section("3 Series 5.1 PAM0");
	for (u32 i = 0x90; i < 0x97; i++)
		config_out8(HOST, i, 0xff);
	check(config8(HOST, 0x90) == 0x30 && config8(HOST, 0x96) == 0x33,
	      "pci.pam_bits", "%x %x", config8(HOST, 0x90),
	      config8(HOST, 0x96));
	*mmio32(0xc0000) = 0x5a5aa5a5;
	check(*mmio32(0xc0000) == 0x5a5aa5a5, "pci.shadow_is_ram", "%x",
	      *mmio32(0xc0000));
	section("3 Series 5.1 SMRAM");
	config_out8(HOST, 0x9d, 0x48);
	check(config8(HOST, 0x9d) == 0x12, "pci.smram_locked", "%x",
	      config8(HOST, 0x9d));
	section("3 Series 5.1 TOLUD");
	check((config32(HOST, 0xb0) & 0xfff0) == 0x0100, "pci.tolud",
	      "%x, of 16 MiB", config32(HOST, 0xb0));
}

static void lpc(void)
{
	section("ICH9 13.1 PMBASE");
	config_out32(LPC, 0x40, 0xb001);
	check(config32(LPC, 0x40) == 0x601, "pci.pmbase", "%x",
	      config32(LPC, 0x40));
	section("ICH9 13.1 PIRQn_ROUT");
	check(config32(LPC, 0x60) == 0x80808080 &&
		      config32(LPC, 0x68) == 0x80808080,
	      "pci.pirq_off_at_reset", "%x", config32(LPC, 0x60));
	config_out32(LPC, 0x60, 0xff0b0a0b);
	check(config32(LPC, 0x60) == 0x8f0b0a0b, "pci.pirq_bits", "%x",
	      config32(LPC, 0x60));
	config_out32(LPC, 0x60, 0x80808080);
	section("ICH9 13.1 RCBA");
	check(config32(LPC, 0xf0) == (RCBA | 1), "pci.rcba", "%x",
	      config32(LPC, 0xf0));
	section("ICH9 10.1 D31IR");
	check(*mmio16(RCBA + 0x3140) == 0x3210, "pci.d31ir", "%x",
	      *mmio16(RCBA + 0x3140));
	*mmio16(RCBA + 0x3140) = 0xffff;
	check(*mmio16(RCBA + 0x3140) == 0x7777, "pci.d31ir_bits", "%x",
	      *mmio16(RCBA + 0x3140));
	*mmio16(RCBA + 0x3140) = 0x3210;
	config_out32(LPC, 0xf0, RCBA);
	check(*mmio16(RCBA + 0x3140) == 0xffff, "pci.rcba_off", "%x",
	      *mmio16(RCBA + 0x3140));
	config_out32(LPC, 0xf0, RCBA | 1);
}

static void hole(void)
{
	section("PCI 3.0 6.1");
	check(*mmio32(0x80000000) == 0xffffffff &&
		      *mmio32(0xfebffffc) == 0xffffffff,
	      "pci.hole_floats", "%x", *mmio32(0x80000000));
}

void guest_main(void)
{
	address_port();
	enumeration();
	registers();
	ecam();
	ecam_moves();
	host_bridge();
	lpc();
	hole();
}
