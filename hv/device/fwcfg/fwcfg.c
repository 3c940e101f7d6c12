/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware configuration device: its items, the file directory and the
 * ports but for DMA (fwcfg_dma.c). Items are added while the guest is built or
 * loaded (fwcfg_fill.c); reads come from exits, on any core.
 */
#include "hv/device/fwcfg/fwcfg.h"

#include "arch/x86/cpu/nospec.h"
#include "hv/core/pc_map.h"
#include "hv/core/slots.h"
#include "hv/device/fwcfg/fwcfg_priv.h"
#include "lib/assert.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/window.h"

static void item_free(struct vm *vm, struct fwcfg_item *item)
{
	if (item->owned)
		kmem_free(&vm->budget, (void *)(uintptr_t)item->data,
			  item->len);
	*item = (struct fwcfg_item){ .data = NULL };
}

/* Make an item of a copy of @data; an empty item needs none */
static int item_copy(struct vm *vm, struct fwcfg_item *item, const void *data,
		     u32 len)
{
	void *copy;

	*item = (struct fwcfg_item){ .len = len };
	if (!len)
		return 0;
	copy = kmem_alloc(&vm->budget, len);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	item->data = copy;
	item->owned = true;
	return 0;
}

static bool is_kept(const struct vm *vm, u64 gpa, u64 len)
{
	u64 left;
	hpa_t hpa;

	for (u64 end = gpa + len; gpa < end; gpa += left)
		if (!vm_keeps(vm, GPA(gpa)) ||
		    !vm_held(vm, GPA(gpa), &hpa, &left))
			return false;
	return true;
}

static int item_image(const struct vm *vm, struct fwcfg_item *item,
		      const struct image *image, u64 offset, u64 len)
{
	if (offset > image->size || len > image->size - offset || len > ~0u)
		return -EINVAL;
	if (vm->staged) {
		*item = (struct fwcfg_item){ .kept = image->hpa + offset,
					     .len = (u32)len };
		return is_kept(vm, item->kept, len) ? 0 : -EINVAL;
	}
	*item = (struct fwcfg_item){ .data = image->data + offset,
				     .len = (u32)len };
	return 0;
}

/* --- where an item is kept --- */

static struct fwcfg_item *key_slot(struct fwcfg *fw, u16 key)
{
	if (key < FWCFG_KEYS)
		return &fw->keys[key];
	if (key >= FWCFG_KEY_ARCH && key - FWCFG_KEY_ARCH < FWCFG_ARCH_KEYS)
		return &fw->arch_keys[key - FWCFG_KEY_ARCH];
	return NULL;
}

const struct fwcfg_item *fwcfg_item_of(const struct fwcfg *fw, u16 key)
{
	key = (u16)(key & ~FWCFG_KEY_WRITE);
	if (key >= FWCFG_FILE_FIRST && key < FWCFG_FILE_FIRST + fw->file_count)
		return &fw->files[index_nospec(key - FWCFG_FILE_FIRST,
					       fw->file_count)];
	if (key < FWCFG_KEYS)
		return &fw->keys[index_nospec(key, FWCFG_KEYS)];
	if (key >= FWCFG_KEY_ARCH && key - FWCFG_KEY_ARCH < FWCFG_ARCH_KEYS)
		return &fw->arch_keys[index_nospec(key - FWCFG_KEY_ARCH,
						   FWCFG_ARCH_KEYS)];
	return NULL;
}

static int key_set(struct vm *vm, u16 key, const struct fwcfg_item *item)
{
	struct fwcfg_item *slot = key_slot(fwcfg_of(vm), key);

	if (!slot || key == FWCFG_FILE_DIR)
		return -EINVAL;
	item_free(vm, slot);
	*slot = *item;
	return 0;
}

/* Renew the directory's bytes after a change */
static void directory_renew(struct fwcfg *fw)
{
	struct fwcfg_directory *dir = &fw->directory;

	for (u32 i = 0; i < fw->file_count; i++) {
		u16 key = (u16)(FWCFG_FILE_FIRST + i);

		dir->entries[i].size = __builtin_bswap32(fw->files[i].len);
		dir->entries[i].select = __builtin_bswap16(key);
	}
	dir->count = __builtin_bswap32(fw->file_count);
	fw->keys[FWCFG_FILE_DIR] = (struct fwcfg_item){
		.data = (const u8 *)dir,
		.len = (u32)(sizeof(dir->count) +
			     fw->file_count * sizeof(dir->entries[0])),
	};
}

/* Where @name is or belongs */
static u32 file_place(const struct fwcfg *fw, const char *name, bool *there)
{
	u32 at = 0;
	int order = -1;

	while (at < fw->file_count) {
		order = strcmp(fw->directory.entries[at].name, name);
		if (order >= 0)
			break;
		at++;
	}
	*there = at < fw->file_count && !order;
	return at;
}

static void file_insert(struct fwcfg *fw, u32 at, const char *name)
{
	struct fwcfg_dir_entry *entries = fw->directory.entries;
	u32 behind = fw->file_count - at;

	memmove(&entries[at + 1], &entries[at], behind * sizeof(*entries));
	memmove(&fw->files[at + 1], &fw->files[at],
		behind * sizeof(fw->files[0]));
	memset(&entries[at], 0, sizeof(*entries));
	memset(&fw->files[at], 0, sizeof(fw->files[0]));
	str_copy(entries[at].name, name, FWCFG_NAME_LEN);
	fw->file_count++;
}

static int file_set(struct vm *vm, const char *name,
		    const struct fwcfg_item *item)
{
	struct fwcfg *fw = fwcfg_of(vm);
	size_t len = strnlen(name, FWCFG_NAME_LEN);
	bool there;
	u32 at;

	if (!len || len == FWCFG_NAME_LEN)
		return -EINVAL;
	at = file_place(fw, name, &there);
	if (!there && fw->file_count == FWCFG_MAX_FILES)
		return -ENOSPC;
	if (there)
		item_free(vm, &fw->files[at]);
	else
		file_insert(fw, at, name);
	fw->files[at] = *item;
	directory_renew(fw);
	return 0;
}

/* --- adding --- */

int fwcfg_add(struct vm *vm, u16 key, const void *data, u32 len)
{
	struct fwcfg_item item;
	int err = item_copy(vm, &item, data, len);

	if (!err)
		err = key_set(vm, key, &item);
	if (err)
		item_free(vm, &item);
	return err;
}

int fwcfg_add_u32(struct vm *vm, u16 key, u32 value)
{
	return fwcfg_add(vm, key, &value, sizeof(value));
}

int fwcfg_add_file(struct vm *vm, const char *name, const void *data, u32 len)
{
	struct fwcfg_item item;
	int err = item_copy(vm, &item, data, len);

	if (!err)
		err = file_set(vm, name, &item);
	if (err)
		item_free(vm, &item);
	return err;
}

int fwcfg_add_writable_file(struct vm *vm, const char *name, u32 len)
{
	static const u8 zero[FWCFG_WRITE_MAX];
	struct fwcfg_item item;
	int err = len && len <= FWCFG_WRITE_MAX
			  ? item_copy(vm, &item, zero, len)
			  : -EINVAL;

	if (err)
		return err;
	item.writable = true;
	err = file_set(vm, name, &item);
	if (err)
		item_free(vm, &item);
	return err;
}

int fwcfg_add_image(struct vm *vm, u16 key, const struct image *image,
		    u64 offset, u32 len)
{
	struct fwcfg_item item;
	int err = item_image(vm, &item, image, offset, len);

	return err ? err : key_set(vm, key, &item);
}

int fwcfg_add_image_file(struct vm *vm, const char *name,
			 const struct image *image)
{
	struct fwcfg_item item;
	int err = item_image(vm, &item, image, 0, image->size);

	return err ? err : file_set(vm, name, &item);
}

/* --- ports --- */

void fwcfg_select(struct fwcfg *fw, u16 key)
{
	fw->selected = key;
	fw->offset = 0;
}

/* Slots are as they were when the item was added */
const u8 *fwcfg_item_at(const struct vm *vm, const struct fwcfg_item *item,
			u32 offset, u32 *left)
{
	gpa_t gpa = GPA(item->kept + offset);
	u64 in_row;
	hpa_t hpa;

	*left = item->len - offset;
	if (item->data)
		return item->data + offset;
	ASSERT(vm_held(vm, gpa, &hpa, &in_row));
	*left = MIN(*left, (u32)(PAGE_SIZE - (gpa.v & PAGE_MASK)));
	return window_map(hpa);
}

/* The next byte of the selected item; 0 past its end, or if there is no item */
static u8 data_byte(struct fwcfg *fw)
{
	const struct fwcfg_item *item = fwcfg_item_of(fw, fw->selected);
	u32 left;

	if (!item || fw->offset >= item->len)
		return 0;
	return *fwcfg_item_at(fw->vm, item, fw->offset++, &left);
}

static u64 dma_signature(u64 offset, u8 size)
{
	static const char signature[] = FWCFG_DMA_SIGNATURE;
	u64 value = 0;

	if (offset < FWCFG_PORT_DMA_HIGH)
		return ones_of(size);
	memcpy(&value, &signature[offset - FWCFG_PORT_DMA_HIGH], size);
	return value;
}

static u64 port_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct fwcfg *fw = dev;
	u64 value;

	if (offset != FWCFG_PORT_DATA || size != 1)
		return dma_signature(offset, size);
	spin_lock(&fw->lock);
	value = data_byte(fw);
	spin_unlock(&fw->lock);
	return value;
}

static void port_write(struct vcpu *v, void *dev, u64 offset, u8 size,
		       u64 value)
{
	struct fwcfg *fw = dev;

	if (offset == FWCFG_PORT_DMA_LOW && size == 4) {
		fwcfg_dma_low(fw, v, __builtin_bswap32((u32)value));
	} else if (offset == FWCFG_PORT_DMA_HIGH && size == 4) {
		fwcfg_dma_high(fw, v, __builtin_bswap32((u32)value));
	} else if (offset == FWCFG_PORT_SELECT && size == 2) {
		spin_lock(&fw->lock);
		fwcfg_select(fw, (u16)value);
		spin_unlock(&fw->lock);
	}
}

/* --- life --- */

/* The items stay until loading the guest again replaces them */
static void fwcfg_reset(struct vm *vm)
{
	struct fwcfg *fw = fwcfg_of(vm);

	spin_lock(&fw->lock);
	fwcfg_select(fw, 0);
	fw->dma = 0;
	fw->transfer.owner = NULL;
	spin_unlock(&fw->lock);
}

static int fwcfg_create(struct vm *vm)
{
	struct bus_region region = {
		.base = PC_FWCFG,
		.size = FWCFG_PORTS,
		.name = "fw_cfg",
		.read = port_read,
		.write = port_write,
	};
	struct fwcfg *fw = kmem_alloc(&vm->budget, sizeof(*fw));

	if (!fw)
		return -ENOMEM;
	vm->devices[VDEV_fwcfg] = fw;
	fw->vm = vm;
	directory_renew(fw);
	region.dev = fw;
	return bus_add(&vm->ports, &region);
}

static void fwcfg_destroy(struct vm *vm)
{
	struct fwcfg *fw = fwcfg_of(vm);

	for (u32 i = 0; i < FWCFG_KEYS; i++)
		item_free(vm, &fw->keys[i]);
	for (u32 i = 0; i < FWCFG_ARCH_KEYS; i++)
		item_free(vm, &fw->arch_keys[i]);
	for (u32 i = 0; i < fw->file_count; i++)
		item_free(vm, &fw->files[i]);
	kmem_free(&vm->budget, fw, sizeof(*fw));
}

const struct vdev fwcfg_vdev = {
	.name = "fw_cfg",
	.create = fwcfg_create,
	.destroy = fwcfg_destroy,
	.reset = fwcfg_reset,
};
