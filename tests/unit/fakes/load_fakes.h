/* SPDX-License-Identifier: BSD-2-Clause */
/* What the guest loaders lean on, in plain memory: a VM with slots over a
 * buffer, owners in an array, a pool from the heap, boot facts to set. */
#ifndef TESTS_UNIT_LOAD_FAKES_H
#define TESTS_UNIT_LOAD_FAKES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/acpi/acpi.h"
#include "hv/core/gmem.h"
#include "hv/core/slots.h"
#include "hv/irq/vpic.h"
#include "hv/load/load.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/owner.h"

#define RAM_BYTES MIB(64)

static u8 *ram; /* hpa 0.. */
static struct guest_config config;
static struct vm fake_vm;
static struct vcpu vcpu_store[4];
static u32 apic_pages[4][PAGE_SIZE / 4];
static char last_line[400];
static int pool_blocks; /* allocated and not freed */
static bool pool_empty;
static struct extent owners[16];
static u32 owner_rows;
static struct boot_info boot_facts;
static const void *boot_efi_map;

struct acpi_facts acpi;
const struct vcpu_ops *vcpu_ops;

void log_write(enum log_level level, const char *tag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last_line, sizeof(last_line), fmt, ap);
	va_end(ap);
}

void vpic_as_by_bios(struct vm *v)
{
}

void *pmm_alloc(struct budget *b, u32 order)
{
	void *p;

	if (pool_empty ||
	    posix_memalign(&p, PAGE_SIZE << order, PAGE_SIZE << order))
		return NULL;
	memset(p, 0, PAGE_SIZE << order);
	b->used_pages += 1ull << order;
	pool_blocks++;
	return p;
}

void pmm_free(struct budget *b, void *va, u32 order)
{
	b->used_pages -= 1ull << order;
	pool_blocks--;
	free(va);
}

#ifndef LOAD_FAKES_NO_MODULES
static struct image fake_files[2];

int file_find(const char *name, struct image *out)
{
	for (u32 i = 0; i < ARRAY_SIZE(fake_files); i++) {
		if (!fake_files[i].name || strcmp(fake_files[i].name, name))
			continue;
		*out = fake_files[i];
		return 0;
	}
	return -ENOENT;
}
#endif

static u8 *at(u64 gpa, u64 len)
{
	for (u32 i = 0; i < fake_vm.slot_count; i++) {
		const struct vm_slot *s = &fake_vm.slots[i];

		if (gpa >= s->gpa && gpa - s->gpa < s->size &&
		    len <= s->size - (gpa - s->gpa))
			return ram + s->hpa + (gpa - s->gpa);
	}
	return NULL;
}

int gmem_write_rom(struct vm *v, gpa_t gpa, const void *buf, size_t len)
{
	u8 *p = at(gpa.v, len);

	assert_ptr_equal(v, &fake_vm);
	if (!p)
		return -EFAULT;
	memcpy(p, buf, len);
	return 0;
}

int gmem_write(struct vm *v, gpa_t gpa, const void *buf, size_t len)
{
	const struct vm_slot *s = vm_slot_at(v, gpa);
	u8 *p = s && !s->rom ? at(gpa.v, len) : NULL;

	assert_ptr_equal(v, &fake_vm);
	if (!p)
		return -EFAULT;
	memcpy(p, buf, len);
	return 0;
}

int gmem_zero(struct vm *v, gpa_t gpa, u64 len)
{
	u8 *p = at(gpa.v, len);

	assert_ptr_equal(v, &fake_vm);
	if (!p)
		return -EFAULT;
	memset(p, 0, len);
	return 0;
}

u32 owner_count(void)
{
	return owner_rows;
}

const struct extent *owner_at(u32 i)
{
	return &owners[i];
}

struct extent owner_find(hpa_t hpa)
{
	u64 next = BIT(52);

	for (u32 i = 0; i < owner_rows; i++) {
		if (hpa.v >= owners[i].base &&
		    hpa.v - owners[i].base < owners[i].size)
			return owners[i];
		if (owners[i].base > hpa.v && owners[i].base < next)
			next = owners[i].base;
	}
	return (struct extent){ hpa.v, next - hpa.v, OWNER_DEVICE, 0, 0 };
}

/* RAM, 1:1, where the order of slots has it */
static void slot_add(u64 base, u64 size)
{
	u32 at = fake_vm.slot_count++;

	for (; at && fake_vm.slots[at - 1].gpa > base; at--)
		fake_vm.slots[at] = fake_vm.slots[at - 1];
	fake_vm.slots[at] = (struct vm_slot){ base, base, size, false };
}

static void own(u64 base, u64 size, enum owner_kind kind, u32 firmware_type)
{
	owners[owner_rows++] =
		(struct extent){ base, size, kind, 0, firmware_type };
	if (kind == OWNER_GUEST)
		slot_add(base, size);
}

/* An isolated VM with all of the RAM in one slot, filled with AAh */
static int vm_setup(void **state)
{
	if (!ram)
		ram = malloc(RAM_BYTES);
	memset(ram, 0xaa, RAM_BYTES);
	memset(&fake_vm, 0, sizeof(fake_vm));
	memset(&config, 0, sizeof(config));
	memset(vcpu_store, 0, sizeof(vcpu_store));
	memset(&boot_facts, 0, sizeof(boot_facts));
	memset(&acpi, 0, sizeof(acpi));
	boot_efi_map = NULL;
	owner_rows = 0;
	pool_empty = false;
	last_line[0] = 0;
	strcpy(fake_vm.name, "box");
	fake_vm.config = &config;
	fake_vm.slot_count = 1;
	fake_vm.slots[0] = (struct vm_slot){ 0, 0, RAM_BYTES, false };
	fake_vm.vcpu_count = 2;
	for (u32 i = 0; i < ARRAY_SIZE(vcpu_store); i++) {
		vcpu_store[i].id = i;
		vcpu_store[i].vm = &fake_vm;
		vcpu_store[i].hw.apic_page = apic_pages[i];
		fake_vm.vcpus[i] = &vcpu_store[i];
	}
	return 0;
}

/* Privileged, 1:1, with a hole of the hypervisor's and firmware tables */
static inline void vm_make_privileged(void)
{
	fake_vm.privileged = true;
	fake_vm.slot_count = 0;
	own(0x1000, 0x9f000, OWNER_GUEST, BOOT_MEM_CONVENTIONAL);
	own(MIB(1), MIB(31), OWNER_GUEST, BOOT_MEM_CONVENTIONAL);
	own(MIB(32), MIB(4), OWNER_HYPERVISOR, BOOT_MEM_CONVENTIONAL);
	own(MIB(36), MIB(20), OWNER_GUEST, BOOT_MEM_BS_DATA);
	own(MIB(56), MIB(1), OWNER_FIRMWARE, BOOT_MEM_ACPI_RECLAIM);
	own(MIB(57), MIB(1), OWNER_FIRMWARE, BOOT_MEM_ACPI_NVS);
	own(MIB(58), MIB(1), OWNER_FIRMWARE, BOOT_MEM_RT_DATA);
	own(MIB(59), MIB(5), OWNER_GUEST, BOOT_MEM_LOADER_DATA);
}

static int vm_teardown(void **state)
{
	assert_int_equal(pool_blocks, 0);
	assert_int_equal(fake_vm.budget.used_pages, 0);
	return 0;
}

#define vm_test(f) cmocka_unit_test_setup_teardown(f, vm_setup, vm_teardown)

#endif
