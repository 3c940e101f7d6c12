/* SPDX-License-Identifier: BSD-2-Clause */
/* What the vLAPIC needs of the machine, for its unit tests: four vCPUs, RAM,
 * one timer, the bytes of an instruction. Each test includes it once. */
#ifndef TESTS_UNIT_VLAPIC_FAKES_H
#define TESTS_UNIT_VLAPIC_FAKES_H

#include "tests/unit/fakes/vdev_fakes.h"

#include "hv/core/gmem.h"
#include "hv/irq/vioapic.h"
#include "hv/irq/vlapic_priv.h"

static int eoi_vector;

void vioapic_eoi(struct vm *vm, u8 vector)
{
	eoi_vector = vector;
}

static u32 ram[1024];
static u8 code[32];
static u64 code_left = sizeof(code);

const u8 *gmem_code(struct vcpu *v, u64 *left)
{
	*left = code_left;
	return code;
}

bool vm_translate(const struct vm *vm, gpa_t gpa, hpa_t *hpa, u64 *left)
{
	return gpa.v < 0x10000000;
}

void *gmem_map(struct vm *vm, gpa_t gpa)
{
	return gpa.v < sizeof(ram) ? (u8 *)ram + gpa.v : NULL;
}

static void write_reg(struct vcpu *v, u32 offset, u32 value)
{
	if (v->apic_base_msr & APIC_BASE_EXTD)
		assert_int_equal(
			vlapic_msr_write(v, 0x800 + offset / 16, value), 0);
	else
		vlapic_mmio_write(v, NULL, offset, 4, value);
}

static u32 __attribute__((unused)) read_reg(struct vcpu *v, u32 offset)
{
	u64 value = 0;

	if (v->apic_base_msr & APIC_BASE_EXTD)
		assert_int_equal(
			vlapic_msr_read(v, 0x800 + offset / 16, &value), 0);
	else
		value = vlapic_mmio_read(v, NULL, offset, 4);
	return (u32)value;
}

static int setup(void **state)
{
	u32 i;

	fake_vm_init(4);
	eoi_vector = -1;
	fake_timer = NULL;
	fake_pcpus[0].current = &fake_vcpus[0];
	for (i = 0; i < 4; i++) {
		assert_int_equal(vlapic_create(&fake_vcpus[i]), 0);
		write_reg(&fake_vcpus[i], APIC_SVR, 0x1ff);
	}
	return 0;
}

static int teardown(void **state)
{
	u32 i;

	for (i = 0; i < 4; i++)
		vlapic_destroy(&fake_vcpus[i]);
	return (int)fake_vm.budget.used_pages;
}

static void __attribute__((unused)) x2apic_on(struct vcpu *v)
{
	assert_int_equal(
		vlapic_base_write(v, v->apic_base_msr | APIC_BASE_EXTD), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
