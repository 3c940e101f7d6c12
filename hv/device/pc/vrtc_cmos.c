/* SPDX-License-Identifier: BSD-2-Clause */
/* What firmware for this machine reads in the RTC's RAM at power on; see
 * vrtc_priv.h */
#include "hv/core/pc_map.h"
#include "hv/core/slots.h"
#include "hv/device/pc/vrtc_priv.h"

static void cmos_put(struct vrtc *r, u32 at, u32 bytes, u64 value)
{
	for (u32 i = 0; i < bytes; i++)
		r->ram[at + i] = (u8)(value >> i * 8);
}

static void cmos_memory(struct vrtc *r)
{
	const struct vm *vm = r->vm;
	u64 extended = vm_ram_between(vm, MIB(1), PC_LOW_RAM_END) / KIB(1);

	cmos_put(r, CMOS_BASE_KIB, 2, PC_VGA_BASE / KIB(1));
	cmos_put(r, CMOS_EXT_KIB, 2, MIN(extended, 0xffffull));
	cmos_put(r, CMOS_EXT_KIB_TOO, 2, MIN(extended, 0xffffull));
	cmos_put(r, CMOS_HIGH_64K, 2,
		 vm_ram_between(vm, MIB(16), PC_LOW_RAM_END) / KIB(64));
	cmos_put(r, CMOS_OVER_4G_64K, 3,
		 vm_ram_between(vm, PC_HIGH_RAM_BASE, ~0ull) / KIB(64));
}

void rtc_cmos_fill(struct vrtc *r)
{
	u32 sum = 0;

	cmos_memory(r);
	r->ram[CMOS_EQUIPMENT] = 0x02;  /* an FPU, no pointer */
	r->ram[CMOS_BOOT_FIRST] = 0x32; /* disk, then CD */
	r->ram[CMOS_BOOT_THIRD] = 0x41; /* network; no floppy signature test */
	r->ram[CMOS_CPUS_LESS_ONE] = (u8)(r->vm->vcpu_count - 1);
	for (u32 i = CMOS_SUM_FROM; i <= CMOS_SUM_TO; i++)
		sum += r->ram[i];
	r->ram[CMOS_SUM] = (u8)(sum >> 8);
	r->ram[CMOS_SUM + 1] = (u8)sum;
}
