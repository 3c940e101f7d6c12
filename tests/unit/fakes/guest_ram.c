/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's memory, see guest_ram.h */
#include "tests/unit/fakes/guest_ram.h"

#include "hv/core/slots.h"
#include "lib/errno.h"

u8 *fake_ram;
u32 fake_ram_accesses;
void (*fake_ram_writes)(u64 gpa, u64 len);
static u64 ram_bytes;

void fake_ram_init(u64 bytes, u8 fill)
{
	if (bytes != ram_bytes) {
		free(fake_ram);
		fake_ram = malloc(bytes);
		ram_bytes = bytes;
	}
	memset(fake_ram, fill, bytes);
	fake_ram_writes = NULL;
	fake_vm.slots[0] = (struct vm_slot){ .size = bytes };
	fake_vm.slot_count = 1;
}

u8 *fake_ram_at(u64 gpa, u64 len)
{
	const struct vm_slot *s = vm_slot_at(&fake_vm, GPA(gpa));

	fake_ram_accesses++;
	if (!s || len > s->size - (gpa - s->gpa))
		return NULL;
	return fake_ram + s->hpa + (gpa - s->gpa);
}

static u8 *writable_at(struct vm *vm, gpa_t gpa, u64 len)
{
	const struct vm_slot *s = vm_slot_at(vm, gpa);

	assert_ptr_equal(vm, &fake_vm);
	return s && !s->rom ? fake_ram_at(gpa.v, len) : NULL;
}

int gmem_read(struct vm *vm, gpa_t gpa, void *buf, size_t len)
{
	const u8 *p;

	if (vm != &fake_vm) {
		assert_int_equal(vm->slot_count, 0);
		return -EFAULT;
	}
	p = fake_ram_at(gpa.v, len);
	if (!p)
		return -EFAULT;
	memcpy(buf, p, len);
	return 0;
}

int gmem_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	u8 *p;

	if (vm != &fake_vm) {
		assert_int_equal(vm->slot_count, 0);
		return -EFAULT;
	}
	p = writable_at(vm, gpa, len);
	if (!p)
		return -EFAULT;
	if (fake_ram_writes)
		fake_ram_writes(gpa.v, len);
	memcpy(p, buf, len);
	return 0;
}

int gmem_write_rom(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	u8 *p = fake_ram_at(gpa.v, len);

	assert_ptr_equal(vm, &fake_vm);
	if (!p)
		return -EFAULT;
	memcpy(p, buf, len);
	return 0;
}

int gmem_zero(struct vm *vm, gpa_t gpa, u64 len)
{
	u8 *p = writable_at(vm, gpa, len);

	if (!p)
		return -EFAULT;
	memset(p, 0, len);
	return 0;
}

void *gmem_map(struct vm *vm, gpa_t gpa)
{
	u8 *p = writable_at(vm, gpa, 1);

	if (p && fake_ram_writes)
		fake_ram_writes(gpa.v, 1);
	return p;
}

const void *gmem_map_read(struct vm *vm, gpa_t gpa)
{
	assert_ptr_equal(vm, &fake_vm);
	return fake_ram_at(gpa.v, 1);
}
