/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of a virtual VT-d unit, see vtd.h: those of VT-d 4.1, 11.4 that
 * a unit has without queued invalidation, interrupt remapping and fault
 * records. Called from exits, any core. Lock: the unit's own, a leaf, for the
 * registers; a walk is done on a copy of them, without it.
 */
#include "hv/assign/vtd.h"

#include "arch/x86/cpu/spinlock.h"
#include "hv/assign/vtd_walk.h"
#include "hv/core/gmem.h"
#include "include/hw/vtd.h"
#include "lib/bytes.h"
#include "lib/errno.h"
#include "mm/pmm.h"

#define UNIT_VERSION 0x10u /* 1.0 */
#define FAULTS       0x220u
#define IOTLB        0xf0u
/* Translation of 48 bits in four levels, with large pages; 16 domains, one
 * fault record, which stays empty */
#define CAP                                                                    \
	(VTD_CAP_SAGAW_48 | VTD_CAP_MGAW(48) | VTD_CAP_2M | VTD_CAP_1G |       \
	 VTD_CAP_FRO_AT(FAULTS))
#define ECAP (VTD_ECAP_COHERENT | VTD_ECAP_IRO_AT(IOTLB))
/* Of an invalidation: the granularity that was asked for, and that was done */
#define CCMD_ASKED  61u
#define CCMD_DONE   59u
#define IOTLB_ASKED 60u
#define IOTLB_DONE  57u

struct vtd {
	struct vm *vm;
	void *page; /* whose address the registers have */
	u8 devfn;
	struct spinlock lock;
	bool on;    /* translation */
	bool taken; /* the root table pointer, as it is in @root */
	u64 root;
	u64 rtaddr, ccmd, iotlb, iotlb_address;
	u64 fault_control; /* FECTL, and FEDATA above it */
	u64 fault_address;
};

/* The aligned 8 bytes at @at */
static u64 read_quad(const struct vtd *u, u64 at)
{
	switch (at) {
	case VTD_VER:
		return UNIT_VERSION;
	case VTD_CAP:
		return CAP;
	case VTD_ECAP:
		return ECAP;
	case VTD_GCMD: /* and GSTS */
		return (u->on ? VTD_G_TE << 32 : 0) |
		       (u->taken ? VTD_G_RTP << 32 : 0);
	case VTD_RTADDR:
		return u->rtaddr;
	case VTD_CCMD:
		return u->ccmd;
	case VTD_FECTL:
		return u->fault_control;
	case VTD_FEADDR:
		return u->fault_address;
	case IOTLB:
		return u->iotlb_address;
	case IOTLB + VTD_IOTLB_CMD:
		return u->iotlb;
	default:
		return 0;
	}
}

static void command(struct vtd *u, u32 value)
{
	u->on = value & VTD_G_TE;
	if (!(value & VTD_G_RTP))
		return;
	u->root = u->rtaddr;
	u->taken = true;
}

/* Done, as nothing is cached, and as asked for */
static u64 invalidated(u64 value, u32 asked, u32 done)
{
	u64 grain = value >> asked & 3;

	if (!(value & BIT(63)))
		return value;
	return (value & ~(BIT(63) | 3ull << done)) | grain << done;
}

static void write_quad(struct vtd *u, u64 at, u64 value)
{
	switch (at) {
	case VTD_RTADDR:
		u->rtaddr = value;
		break;
	case VTD_CCMD:
		u->ccmd = invalidated(value, CCMD_ASKED, CCMD_DONE);
		break;
	case VTD_FECTL:
		u->fault_control = value & (BITS(63, 32) | VTD_FECTL_MASK);
		break;
	case VTD_FEADDR:
		u->fault_address = value;
		break;
	case IOTLB:
		u->iotlb_address = value;
		break;
	case IOTLB + VTD_IOTLB_CMD:
		u->iotlb = invalidated(value, IOTLB_ASKED, IOTLB_DONE);
		break;
	default:
		break;
	}
}

/* VT-d 4.1, 11.2 *Software Access to Registers*: 4 or 8 bytes, aligned */
static bool is_proper(u64 offset, u8 size)
{
	return size >= 4 && IS_ALIGNED(offset, size);
}

static u64 registers_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	struct vtd *u = dev;
	u64 value;

	if (!is_proper(offset, size))
		return ones_of(size);
	spin_lock(&u->lock);
	value = read_quad(u, ALIGN_DOWN(offset, 8));
	spin_unlock(&u->lock);
	return value >> offset % 8 * 8;
}

static void registers_write(struct vcpu *v, void *dev, u64 offset, u8 size,
			    u64 value)
{
	u64 at = ALIGN_DOWN(offset, 8);
	u32 shift = (u32)(offset - at) * 8;
	struct vtd *u = dev;

	if (!is_proper(offset, size))
		return;
	spin_lock(&u->lock);
	if (offset == VTD_GCMD)
		command(u, (u32)value);
	else
		write_quad(u, at,
			   merge_bits(read_quad(u, at), value << shift,
				      ones_of(size) << shift));
	spin_unlock(&u->lock);
}

static bool table_read(void *arg, u64 gpa, u64 *value)
{
	return !gmem_read(arg, GPA(gpa), value, sizeof(*value));
}

static int translate(struct vtd *u, u64 iova, bool write, u64 *gpa, u64 *left)
{
	struct vtd_tables t = {
		.devfn = u->devfn,
		.width = u->vm->phys_bits,
		.read = table_read,
		.arg = u->vm,
	};
	bool on;

	spin_lock(&u->lock);
	on = u->on;
	t.root = u->root;
	spin_unlock(&u->lock);
	if (on)
		return vtd_walk(&t, iova, write, gpa, left);
	*gpa = iova;
	*left = PAGE_SIZE - (iova & PAGE_MASK);
	return iova >> t.width ? -EFAULT : 0;
}

int vtd_dma_read(struct vtd *u, u64 iova, void *buf, size_t len)
{
	u64 gpa, left;
	u8 *to = buf;
	int err = 0;

	for (; len && !err; len -= left, iova += left, to += left) {
		err = translate(u, iova, false, &gpa, &left);
		if (err)
			break;
		left = MIN(left, len);
		err = gmem_read(u->vm, GPA(gpa), to, left);
	}
	return err;
}

int vtd_dma_write(struct vtd *u, u64 iova, const void *buf, size_t len)
{
	const u8 *from = buf;
	u64 gpa, left;
	int err = 0;

	for (; len && !err; len -= left, iova += left, from += left) {
		err = translate(u, iova, true, &gpa, &left);
		if (err)
			break;
		left = MIN(left, len);
		err = gmem_write(u->vm, GPA(gpa), from, left);
	}
	return err;
}

void vtd_reset(struct vtd *u)
{
	u->on = false;
	u->taken = false;
	u->root = 0;
	u->rtaddr = 0;
	u->ccmd = 0;
	u->iotlb = 0;
	u->iotlb_address = 0;
	u->fault_control = VTD_FECTL_MASK;
	u->fault_address = 0;
}

void vtd_destroy(struct vtd *u)
{
	struct budget *b = &u->vm->budget;

	if (u->page)
		pmm_free(b, u->page, 0);
	u->vm->remap.base = 0;
	kmem_free(b, u, sizeof(*u));
}

int vtd_create(struct vm *vm, u8 devfn, struct vtd **out)
{
	struct bus_region region = {
		.size = PAGE_SIZE,
		.name = "VT-d",
		.read = registers_read,
		.write = registers_write,
	};
	struct vtd *u = kmem_alloc(&vm->budget, sizeof(*u));
	int err = -ENOMEM;

	if (!u)
		return -ENOMEM;
	u->vm = vm;
	u->devfn = devfn;
	vtd_reset(u);
	u->page = pmm_alloc(&vm->budget, 0);
	region.dev = u;
	region.base = u->page ? virt_to_hpa(u->page).v : 0;
	if (u->page)
		err = bus_add(&vm->mmio, &region);
	if (err) {
		vtd_destroy(u);
		return err;
	}
	vm->remap = (struct vm_remap){ region.base, devfn };
	*out = u;
	return 0;
}
