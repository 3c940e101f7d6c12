/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts of a machine (include/bulkhead/check.h): taken from CPUID, MSRs and
 * ACPI tables, wherever those come from, and read back from a report. Nothing
 * here touches the machine. Freestanding: the loaders, the hypervisor and a
 * program of Linux are linked with it. No state, no lock, any context.
 */
#ifndef CHECK_FACTS_H
#define CHECK_FACTS_H

#include "include/bulkhead/check.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"
#include "lib/types.h"

/* The name of @fact, and of @string, in a report */
const char *check_fact_name(enum check_fact fact);
const char *check_string_name(enum check_string string);

static inline void check_set(struct check_facts *f, enum check_fact fact,
			     u64 value)
{
	f->value[fact] = value;
	f->known[fact] = 1;
}

/* For a fact that is counted up; it is 0 before */
static inline void check_add(struct check_facts *f, enum check_fact fact, u64 n)
{
	check_set(f, fact, f->value[fact] + n);
}

/* Known, and not 0 */
static inline bool check_is(const struct check_facts *f, enum check_fact fact)
{
	return f->known[fact] && f->value[fact];
}

/* Known, and 0 */
static inline bool check_not(const struct check_facts *f, enum check_fact fact)
{
	return f->known[fact] && !f->value[fact];
}

#define CHECK_PHYS_BITS_OLD 36u /* of a core whose CPUID does not say */
/*
 * Bits of a physical address that can be used, by CPUID 80000008h EAX,
 * 8000001Fh EAX and EBX, and SYSCFG; each is 0 where the core has none. Memory
 * encryption that firmware has turned on takes some away (APM 2 7.10.1
 * *Determining Support for Secure Memory Encryption*).
 */
static inline u32 check_phys_bits(u32 sizes, u32 encryption, u32 encryption_ebx,
				  u64 syscfg)
{
	u32 bits = sizes & 0xff ? sizes & 0xff : CHECK_PHYS_BITS_OLD;
	u32 lost = encryption_ebx >> CPUID_81F_EBX_LOST_SHIFT &
		   CPUID_81F_EBX_LOST_MASK;

	if ((encryption & CPUID_81F_EAX_SME) &&
	    (syscfg & SYSCFG_MEM_ENCRYPTION) && lost < bits)
		bits -= lost;
	return bits;
}

/* How one core is asked. @cpuid fills EAX, EBX, ECX, EDX. @msr, which may be
 * NULL, returns 0 with the value, or an error; check_cpu() asks only for MSRs
 * that the core's CPUID promises. */
struct check_core {
	void (*cpuid)(u32 leaf, u32 subleaf, u32 r[4]);
	int (*msr)(u32 msr, u64 *value);
};
/* The facts of the core that @core asks */
void check_cpu(struct check_facts *f, const struct check_core *core);
/* What of the boot core, which check_cpu() took, does a core lack that its own
 * facts are in @other? NULL: nothing. */
const char *check_core_lacks(const struct check_facts *boot,
			     const struct check_facts *other);

/* Is the sum of the @len bytes at @p 0? */
static inline bool check_adds_up(const void *p, u32 len)
{
	const u8 *bytes = p;
	u8 sum = 0;

	for (u32 i = 0; i < len; i++)
		sum = (u8)(sum + bytes[i]);
	return !sum;
}

/* Are the 4 bytes at @p text, as those of each table are? */
static inline bool check_is_signature(const char *p)
{
	for (u32 i = 0; i < 4; i++)
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	return true;
}

struct acpi_rsdp;
enum check_rsdp {
	CHECK_RSDP_NONE, /* it is not one */
	CHECK_RSDP_HALF, /* what revision 2 added is broken: no XSDT */
	CHECK_RSDP_WHOLE,
};
/* What of *@r can be used, of which as much was read as its revision has; the
 * rest is zero. The address of an XSDT stays only if it can be (ACPI 6.4,
 * 5.2.5.3 *Root System Description Pointer (RSDP) Structure*). */
enum check_rsdp check_rsdp(struct acpi_rsdp *r);

/*
 * The facts of one ACPI table of @size bytes, whose header says its length: its
 * sum, and what it holds. A table that says a length beyond @size counts as one
 * with a wrong sum, and nothing else of it is looked at. @size is at least a
 * header's. Returns its length that can be read.
 */
u32 check_table(struct check_facts *f, const void *table, u32 size);
/* To be called before the first table and after the last one */
void check_tables_begin(struct check_facts *f);
void check_tables_end(struct check_facts *f);

/* A remapping unit, as an entry of DMAR or IVRS has it */
struct check_iommu {
	bool amd;
	bool again; /* an earlier entry of the table has its address */
	u64 base;   /* of its registers, not judged. 0: no unit, as setup leaves
		     * one that it has switched off; Linux ignores it, too. */
	u64 size;   /* VT-d: at least */
};
typedef void check_iommu_taker(void *ctx, const struct check_iommu *unit);
/* What of a table cannot be read, and may name more units; 0: nothing */
struct check_unread {
	u32 cut;   /* the byte from which on it cannot */
	u32 brief; /* the byte of the first unit whose entry is too short */
};
/*
 * The remapping units in @table, a whole DMAR or IVRS of @size bytes, a header
 * at least: calls @take for each entry. IVRS has a unit in each format that
 * software may know, so that the later ones come again. Zeroes up to the end
 * are padding, as firmware leaves it. Of another table there is nothing.
 */
struct check_unread check_iommus(const void *table, u32 size,
				 check_iommu_taker *take, void *ctx);
/* Why no unit's registers can be at @base, on a processor with so many bits of
 * physical addresses (0: not known), as words behind a colon; NULL: they can.
 * VT-d 4.1, 8.3 *DMA Remapping Hardware Unit Definition Structure*;
 * 48882 3.10, 5.2.2 *I/O Virtualization Hardware Definition Block*. */
const char *check_iommu_fault(bool intel, u64 base, u32 phys_bits);

/* What is at a unit's address. A part of the machine that is not there, or that
 * setup has switched off, reads as ones. */
enum check_unit {
	CHECK_UNIT_THERE,
	CHECK_UNIT_ABSENT, /* nothing answers */
	CHECK_UNIT_OTHER,  /* what answers is none: it may be elsewhere */
};
/* By what its registers read: VER and CAP of Intel's (VT-d 4.1, 11.4.1 *Version
 * Register*, 11.4.2), control and status of AMD's, which have no version (48882
 * 3.10, 3.4.2, 3.4.17) */
enum check_unit check_vtd(u32 version, u64 cap);
enum check_unit check_amdvi(u64 control, u64 status);

/*
 * The banks whose corrected and deferred errors the firmware takes first, by
 * @table, a HEST of @size bytes: to *@banks, a bit each. Returns 0, or the byte
 * from which on the table cannot be read; *@banks has what stands before.
 */
u32 check_hest(const void *table, u32 size, u64 *banks);

/* Reads the facts of a report, @len bytes of JSON at @json as check_json()
 * writes them; names that it does not know are left out. 0, or -EINVAL. */
int __must_check check_parse(struct check_facts *f, const char *json,
			     size_t len);

#endif
