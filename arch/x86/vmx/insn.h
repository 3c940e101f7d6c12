/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VMX instructions (SDM 3C 31 *VMX Instruction Reference*). Reads of the
 * current VMCS cannot fail for the fields of regs.h; a write that fails
 * names a field the CPU does not have, which is our bug.
 */
#ifndef ARCH_X86_VMX_INSN_H
#define ARCH_X86_VMX_INSN_H

#include "arch/x86/vmx/regs.h"
#include "lib/types.h"

/* Panics with the field and the VM-instruction error */
__noreturn void vmx_write_failed(u32 field);

static inline u64 vmx_read(u64 field)
{
	u64 value;

	__asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
	return value;
}

static inline void vmx_write(u64 field, u64 value)
{
	bool failed;

	__asm__ volatile("vmwrite %2, %1"
			 : "=@ccbe"(failed)
			 : "r"(field), "rm"(value));
	if (unlikely(failed))
		vmx_write_failed((u32)field);
}

static inline u16 vmread16(vmcs16_t f)
{
	return (u16)vmx_read(f.id);
}
static inline u32 vmread32(vmcs32_t f)
{
	return (u32)vmx_read(f.id);
}
static inline u64 vmread64(vmcs64_t f)
{
	return vmx_read(f.id);
}
static inline u64 vmreadnat(vmcsnat_t f)
{
	return vmx_read(f.id);
}
static inline void vmwrite16(vmcs16_t f, u16 value)
{
	vmx_write(f.id, value);
}
static inline void vmwrite32(vmcs32_t f, u32 value)
{
	vmx_write(f.id, value);
}
static inline void vmwrite64(vmcs64_t f, u64 value)
{
	vmx_write(f.id, value);
}
static inline void vmwritenat(vmcsnat_t f, u64 value)
{
	vmx_write(f.id, value);
}

/* The four that take the physical address of a region; true: VMfail */
static inline bool vmx_on(hpa_t region)
{
	bool failed;

	__asm__ volatile("vmxon %1"
			 : "=@ccbe"(failed)
			 : "m"(region.v)
			 : "memory");
	return failed;
}

static inline void vmx_off(void)
{
	__asm__ volatile("vmxoff" : : : "cc", "memory");
}

static inline bool vmx_ptrld(hpa_t vmcs)
{
	bool failed;

	__asm__ volatile("vmptrld %1"
			 : "=@ccbe"(failed)
			 : "m"(vmcs.v)
			 : "memory");
	return failed;
}

static inline bool vmx_clear(hpa_t vmcs)
{
	bool failed;

	__asm__ volatile("vmclear %1"
			 : "=@ccbe"(failed)
			 : "m"(vmcs.v)
			 : "memory");
	return failed;
}

static inline bool vmx_invept(enum vmx_inval type, u64 eptp)
{
	struct {
		u64 eptp, reserved;
	} d = { eptp, 0 };
	bool failed;

	__asm__ volatile("invept %1, %2"
			 : "=@ccbe"(failed)
			 : "m"(d), "r"((u64)type)
			 : "memory");
	return failed;
}

static inline bool vmx_invvpid(enum vmx_inval type, u16 vpid)
{
	struct {
		u64 vpid, linear;
	} d = { vpid, 0 };
	bool failed;

	__asm__ volatile("invvpid %1, %2"
			 : "=@ccbe"(failed)
			 : "m"(d), "r"((u64)type)
			 : "memory");
	return failed;
}

#endif
