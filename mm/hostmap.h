/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's address space: text read-only and executable, data not
 * executable, the pool in the direct map, devices in an ioremap range, and each
 * core's windows (mm/window.h). All cores load the same tables. A guest's page
 * is mapped in a window and nowhere else, and no page is mapped with two memory
 * types at a time. One page of each core is mapped twice, writable in the pool
 * and executable (arch/x86/machine/stub.h).
 */
#ifndef MM_HOSTMAP_H
#define MM_HOSTMAP_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/* Where each range starts; mm/hostmap.c has the picture */
#define HV_IMAGE_BASE   0xffffffff80000000ull /* linker.ld */
#define HV_DIRECT_BASE  0xffff800000000000ull /* + hpa, pool only */
#define HV_IOREMAP_BASE 0xffffc00000000000ull
#define HV_WINDOW_BASE  0xffffd00000000000ull /* + cpu * 2 MiB */
#define HV_EARLY_BASE   0xffffe00000000000ull /* early_map() */

/* The pool is made for so many cores at least, whatever boot_info tells */
#define HOSTMAP_MIN_CORES 4u

/*
 * Takes the image and the pool from the firmware's map, builds the tables and
 * switches this core to them. The loader's map is gone then, and owner_take()
 * may give its memory away. So whoever still needs some of it, as boot_info,
 * modules or the EFI map, copies it or takes it before.
 *
 * Boot CPU, once, after cpu_boot_init() and owner_init(). -ENOMEM: no room for
 * the pool below 4 GiB, or the pool is too small for the tables. -EBUSY or
 * -EINVAL: the image does not lie in free RAM, or not on a page. -ENOSPC: too
 * many owners. All but a pool that is too small have been logged.
 */
int __must_check hostmap_init(const struct boot_info *bi);
/* Has hostmap_init() switched to our own tables? Any core. */
bool hostmap_ready(void);
/*
 * Adds @size bytes to the pool, rounded up to 2 MiB: for more cores than
 * boot_info told of. Boot CPU, before others run. -ENOMEM or -ENOSPC as above.
 */
int __must_check hostmap_grow_pool(u64 size);
/* What the pool is larger than hostmap_init() found it should be, as it is of
 * whole 2 MiB. Boot CPU. */
u64 hostmap_pool_left(void);
/*
 * Takes the 4 KiB at @page, of the image or the pool, out of the map for good,
 * so that an access faults: the guard below a stack. Boot CPU, before others
 * run: only this core's TLB forgets it. -ENOMEM: no memory for a table.
 */
int __must_check hostmap_guard(const void *page);
/* The same, but calls and returns may use the page as a shadow stack (SDM 3A
 * 4.6.1 *Determination of Access Rights*). What is in it stays. */
int __must_check hostmap_shadow_stack(const void *page);
/* Loads the tables into this core's CR3 and drops all that its TLB holds. EFER
 * has NXE already, where the CPU has it (cpu_init_this()). */
void hostmap_load_cpu(void);
/* The value for CR3. It lies below 4 GiB, so that a core can load it before
 * long mode. After hostmap_init(). */
hpa_t hostmap_root(void);
/*
 * Maps @size bytes at @hpa, device or firmware memory, for good. Any alignment;
 * @pt_attrs are enum pt_attr. Any core; takes map_lock, then pmm's. NULL:
 * before hostmap_init(), an empty range or one beyond cpu_phys_end(), no room.
 */
void *ioremap(hpa_t hpa, u64 size, u32 pt_attrs) __must_check;
/*
 * Ends a mapping of ioremap(), of the same address and size. Any core; takes
 * map_lock. Only this core's TLB forgets it: nobody uses the address again, and
 * ioremap() gives no address out twice.
 */
void iounmap(const void *va, u64 size);
/*
 * A temporary view of @size bytes at @hpa, cached and writable, until
 * early_unmap() of the same range: for ACPI tables. Any alignment, at most
 * HV_EARLY_SLOTS views at a time. Boot CPU, before others run. NULL: no such
 * range, no free slot, more than about 64 GiB, or no memory for tables.
 *
 * Before hostmap_init() the loader's map is used. It has only the lowest 512
 * GiB, and such a view ends with hostmap_init().
 */
#define HV_EARLY_SLOTS 8
void *early_map(hpa_t hpa, u64 size) __must_check;
void early_unmap(void *va, u64 size);
/* Maps one page at its physical address, executable: there a core leaves real
 * mode (arch/x86/machine/smp.c), and it is unmapped before guests run. Boot
 * CPU. -ENOMEM; -EEXIST: mapped already; -EINVAL: @page is not on a page. */
int __must_check hostmap_identity_map(hpa_t page);
void hostmap_identity_unmap(hpa_t page);

#endif
