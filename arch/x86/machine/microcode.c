/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See microcode.h. Called by hv/init.c on the boot CPU and by cpu.c on the
 * others; the files are ucode_intel.c's and ucode_amd.c's to read.
 *
 * Lock: load_lock makes cores load one after the other. It is a leaf. The copy
 * is written before other cores run and stays: a core may be late.
 */
#include "arch/x86/machine/microcode.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/percpu.h"
#include "arch/x86/cpu/spinlock.h"
#include "arch/x86/machine/ucode.h"
#include "include/hw/cpuid.h"
#include "include/hw/microcode.h"
#include "include/hw/msr.h"
#include "lib/cpio.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/pmm.h"

/* What differs between the vendors */
struct loader {
	enum cpu_vendor vendor;
	const char *path;
	const char *(*find)(const void *file, u64 size,
			    const struct ucode_cpu *cpu,
			    struct ucode_update *best);
	u32 (*revision)(void);
	void (*load)(const struct ucode_update *update);
};

static struct ucode_update kept; /* data: a copy in the pool, or NULL */
static struct ucode_cpu kept_for;
static const struct loader *loader; /* NULL: this CPU has none */
static struct spinlock load_lock;

/* CPUID leaves it in the register's upper half, if a zero was there (SDM 3A
 * 10.11.7.1 *Determining the Signature*) */
static u32 intel_revision(void)
{
	u64 value;

	if (wrmsr_safe(MSR_UCODE_REV, 0))
		return 0;
	(void)cpuid(CPUID_FEATURES);
	return rdmsr_safe(MSR_UCODE_REV, &value) ? 0 : (u32)(value >> 32);
}

static void intel_load(const struct ucode_update *update)
{
	const struct ucode_intel_header *h = update->data;

	if (wrmsr_safe(MSR_UCODE_WRITE, (u64)(h + 1)))
		log_debug("microcode", "the CPU takes no update");
}

static u32 amd_revision(void)
{
	u64 value;

	return rdmsr_safe(MSR_AMD_PATCH_LEVEL, &value) ? 0 : (u32)value;
}

/* The loader may leave translations of the patch behind that are not those of
 * the tables: they are dropped */
static void amd_load(const struct ucode_update *update)
{
	const u8 *at = update->data;

	if (wrmsr_safe(MSR_AMD_PATCH_LOADER, (u64)at))
		log_debug("microcode", "the CPU takes no patch");
	for (u32 i = 0; i < update->bytes; i += PAGE_SIZE)
		invlpg(at + i);
}

static const struct loader loaders[] = {
	{ VENDOR_INTEL, UCODE_PATH_INTEL, ucode_intel_find, intel_revision,
	  intel_load },
	{ VENDOR_AMD, UCODE_PATH_AMD, ucode_amd_find, amd_revision, amd_load },
};

static const struct loader *find_loader(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(loaders); i++)
		if (loaders[i].vendor == cpu_features.vendor)
			return &loaders[i];
	return NULL;
}

/* A CPU without a platform id has none of the flags */
static u32 platform_flag(void)
{
	u64 id;

	if (loader->vendor != VENDOR_INTEL || rdmsr_safe(MSR_PLATFORM_ID, &id))
		return 0;
	return 1u << PLATFORM_ID_GET(id);
}

static struct ucode_cpu this_one(void)
{
	return (struct ucode_cpu){
		.signature = cpuid(CPUID_FEATURES).eax,
		.flags = platform_flag(),
		.revision = loader->revision(),
	};
}

/* Load the copy, unless this core has it by its sibling; the revision then */
static u32 load_kept(void)
{
	u32 now;

	spin_lock(&load_lock);
	now = loader->revision();
	if (now != kept.revision) {
		loader->load(&kept);
		now = loader->revision();
	}
	spin_unlock(&load_lock);
	return now;
}

/* What the file of the initrd says of this CPU; the answer is ucode.h's */
static const char *find(const void *initrd, u64 size,
			const struct ucode_cpu *cpu, struct ucode_update *found)
{
	struct cpio_file file;
	int err = -ENOENT;

	*found = (struct ucode_update){ .data = NULL };
	if (initrd)
		err = cpio_find(initrd, size, loader->path, &file);
	if (err == -EINVAL)
		return "lies behind a damaged part of the archive";
	return err ? NULL : loader->find(file.data, file.size, cpu, found);
}

/* The initrd's memory becomes the privileged guest's */
static int keep(const struct ucode_update *found)
{
	void *copy = pmm_alloc_bytes(&pmm_self, found->bytes);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, found->data, found->bytes);
	kept = *found;
	kept.data = copy;
	return 0;
}

static void load_first(u32 old)
{
	u32 now = load_kept();

	if (now == kept.revision)
		log_info("microcode", "updated from revision %#x to %#x", old,
			 now);
	else
		log_warn("microcode",
			 "the CPU stays at revision %#x: it did not take the "
			 "update to %#x of %s in the privileged guest's initrd",
			 now, kept.revision, loader->path);
}

void microcode_init(const void *initrd, u64 size)
{
	struct ucode_update found;
	const char *why;

	loader = find_loader();
	if (!loader)
		return;
	kept_for = this_one();
	why = find(initrd, size, &kept_for, &found);
	if (why)
		log_warn("microcode",
			 "no update: %s in the privileged guest's initrd %s; "
			 "build the initrd again",
			 loader->path, why);
	if (!found.data)
		log_info("microcode", "revision %#x", kept_for.revision);
	else if (keep(&found))
		log_error("microcode", "no memory for an update of %u KiB",
			  found.bytes >> 10);
	else
		load_first(kept_for.revision);
}

void microcode_load_this(void)
{
	struct ucode_cpu cpu;
	u32 now;

	if (!kept.data)
		return;
	cpu = this_one();
	if (cpu.signature != kept_for.signature ||
	    cpu.flags != kept_for.flags) {
		log_warn("microcode",
			 "core %u is another CPU than core 0 and stays at "
			 "revision %#x",
			 this_cpu()->id, cpu.revision);
		return;
	}
	now = load_kept();
	if (now != kept.revision)
		log_warn("microcode",
			 "core %u stays at revision %#x: it did not take the "
			 "update to %#x",
			 this_cpu()->id, now, kept.revision);
}
