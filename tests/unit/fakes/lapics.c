/* SPDX-License-Identifier: BSD-2-Clause */
/* Four LAPICs, see lapics.h */
#include "tests/unit/fakes/lapics.h"

u8 code[32];
u64 code_left = sizeof(code);
int eoi_vector;

u32 eoi_pieces;
struct vm *vms[VM_MAX] = { &fake_vm };

u32 eoi_end;

bool vioapic_eoi(struct vm *vm, u8 vector, u32 *next, u32 end)
{
	assert_true(*next <= eoi_pieces);
	eoi_vector = vector;
	eoi_end = end;
	return (*next)++ >= eoi_pieces;
}

const u8 *gmem_code(struct vcpu *v, u64 *left)
{
	*left = code_left;
	return code;
}

u32 device_sends(u32 dest, bool logical, u8 mode, u8 vector)
{
	static struct vlapic_late late;
	const struct vlapic_msg m = {
		.dest = dest, .logical = logical, .mode = mode, .vector = vector
	};

	return vlapic_deliver(&fake_vm, &m, &late);
}

void write_reg(struct vcpu *v, u32 offset, u32 value)
{
	if (v->apic_base_msr & APIC_BASE_EXTD)
		assert_int_equal(
			vlapic_msr_write(v, 0x800 + offset / 16, value), 0);
	else
		vlapic_mmio_write(v, NULL, offset, 4, value);
}

u32 read_reg(struct vcpu *v, u32 offset)
{
	u64 value = 0;

	if (v->apic_base_msr & APIC_BASE_EXTD)
		assert_int_equal(
			vlapic_msr_read(v, 0x800 + offset / 16, &value), 0);
	else
		value = vlapic_mmio_read(v, NULL, offset, 4);
	return (u32)value;
}

int lapics_setup(void **state)
{
	u32 i;

	fake_vm_init(4);
	fake_ram_init(PAGE_SIZE, 0);
	eoi_vector = -1;
	eoi_pieces = 0;
	fake_timer = NULL;
	fake_pcpus[0].current = &fake_vcpus[0];
	for (i = 0; i < 4; i++) {
		assert_int_equal(vlapic_create(&fake_vcpus[i]), 0);
		write_reg(&fake_vcpus[i], APIC_SVR, 0x1ff);
	}
	return 0;
}

int lapics_teardown(void **state)
{
	u32 i;

	for (i = 0; i < 4; i++)
		vlapic_destroy(&fake_vcpus[i]);
	fake_pool_check(&fake_vm.budget);
	return 0;
}

void x2apic_on(struct vcpu *v)
{
	assert_int_equal(
		vlapic_base_write(v, v->apic_base_msr | APIC_BASE_EXTD), 0);
}
