/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of requirements, see judge.h, and those that are the firmware's and
 * the board's; judge_cpu.c has the processor's. What is a FAIL here stops the
 * boot, keeps all guests from running, or is a machine that nobody can see; a
 * WARN is what the hypervisor goes on without. Called by check/report.c,
 * hv/console/check.c; no lock.
 */
#include "check/judge.h"

#include "check/judge_priv.h"
#include "include/bulkhead/boot_info.h"
#include "lib/string.h"

#define CORES_MAX        1024u /* MAX_CPUS of the hypervisor */
#define IOAPICS_MAX      64u   /* ACPI_MAX_IOAPICS */
#define TABLES_MAX       256u  /* ACPI_MAX_TABLES */
#define RAM_MIB_LEAST    64u   /* the image, the pool, the log's ring */
#define RAM_MIB_USEFUL   512u  /* for a Linux beside it */
#define APIC_ID_OF_XAPIC 254u

static void judge_secure_boot(const struct check_facts *f,
			      struct check_result *r)
{
	if (check_not(f, FACT_UEFI))
		say(r, CHECK_PASS, "the firmware is a BIOS and has none");
	else if (!f->known[FACT_SECURE_BOOT])
		say(r, CHECK_WARN, "nothing here can tell whether it is on");
	else if (!f->value[FACT_SECURE_BOOT])
		say(r, CHECK_PASS, "it is off");
	else if (f->value[FACT_FOUND_BY] == CHECK_BY_LOADER)
		say(r, CHECK_PASS,
		    "it is on, and the firmware took this loader: a key of "
		    "yours is enrolled");
	else
		say(r, CHECK_FAIL,
		    "it is on: the firmware starts nothing of Bulkhead");
	if (r->verdict != CHECK_PASS)
		r->cure = "Secure Boot: Disabled; or enroll a key of yours and "
			  "sign the loader with it";
}

static void judge_tables(const struct check_facts *f, struct check_result *r)
{
	r->cure = "update the firmware";
	if (!f->known[FACT_ACPI]) {
		unknown(r, "ACPI tables");
	} else if (!f->value[FACT_ACPI]) {
		say(r, CHECK_WARN,
		    "there are no ACPI tables that can be read: power-off, "
		    "PCI Express and most cores' numbers are not known");
	} else if (check_is(f, FACT_TABLES_UNREAD)) {
		say(r, CHECK_WARN,
		    "of %llu tables, %llu cannot be read, and are left out",
		    f->value[FACT_TABLES], f->value[FACT_TABLES_UNREAD]);
	} else if (f->value[FACT_BAD_SUMS]) {
		say(r, CHECK_WARN,
		    "%llu of %llu tables do not add up, and are used all the "
		    "same: %s",
		    f->value[FACT_BAD_SUMS], f->value[FACT_TABLES],
		    f->string[CHECK_BAD_TABLES]);
	} else if (f->value[FACT_TABLES] > TABLES_MAX) {
		say(r, CHECK_WARN, "of %llu tables, %u are used",
		    f->value[FACT_TABLES], TABLES_MAX);
	} else if (!f->value[FACT_FADT] || !f->value[FACT_MADT]) {
		say(r, CHECK_WARN, "there is no %s: %s",
		    f->value[FACT_FADT] ? "MADT" : "FADT",
		    f->value[FACT_FADT] ? "interrupt lines are guessed"
					: "the machine cannot be switched off");
	} else {
		say(r, CHECK_PASS, "%llu tables, all add up",
		    f->value[FACT_TABLES]);
	}
}

static void judge_cores(const struct check_facts *f, struct check_result *r)
{
	u64 cores = f->value[FACT_CORES];

	if (!f->known[FACT_CORES])
		unknown(r, "number of cores");
	else if (cores > CORES_MAX)
		say(r, CHECK_WARN, "of %llu cores, %u are used", cores,
		    CORES_MAX);
	else if (check_is(f, FACT_CORES_UNLIKE))
		say(r, CHECK_WARN,
		    "%llu of %llu cores have less than the first one, and are "
		    "left out",
		    f->value[FACT_CORES_UNLIKE], cores);
	else if (check_is(f, FACT_HYBRID))
		say(r, CHECK_WARN,
		    "the processor has cores of several kinds; those with "
		    "less than the boot core are left out");
	else if (cores == 1)
		say(r, CHECK_WARN, "there is one core, which all guests share");
	else
		say(r, CHECK_PASS, "%llu, with %llu thread%s a core", cores,
		    f->value[FACT_THREADS],
		    f->value[FACT_THREADS] == 1 ? "" : "s");
	if (check_is(f, FACT_HYBRID) || check_is(f, FACT_CORES_UNLIKE))
		r->cure =
			"switch the cores of the other kind (\"E-cores\") off";
	else if (cores > CORES_MAX)
		r->cure = "Hyper-Threading (SMT): Disabled";
	else
		r->cure = "Active Processor Cores: All";
}

static bool x2apic_is_on(const struct check_facts *f)
{
	return f->value[FACT_APIC_BASE] & APIC_BASE_EXTD;
}

static void judge_apic(const struct check_facts *f, struct check_result *r)
{
	u64 most = f->value[FACT_APIC_ID_MAX];

	if (most > APIC_ID_OF_XAPIC && check_not(f, FACT_X2APIC)) {
		say(r, CHECK_WARN,
		    "APIC ids reach %llu and there is no x2APIC: cores above "
		    "%u are left out",
		    most, APIC_ID_OF_XAPIC);
		r->cure = "x2APIC: Enabled";
	} else if (check_not(f, FACT_X2APIC)) {
		say(r, CHECK_PASS, "there is no x2APIC, and none is needed");
	} else if (check_is(f, FACT_XAPIC_DISABLED)) {
		say(r, CHECK_PASS, "x2APIC, on and locked by the firmware");
	} else if (!f->known[FACT_APIC_BASE]) {
		say(r, CHECK_PASS, "there is an x2APIC");
	} else {
		say(r, CHECK_PASS, "there is an x2APIC, which is %s now",
		    x2apic_is_on(f) ? "on" : "off");
	}
}

static void judge_ioapics(const struct check_facts *f, struct check_result *r)
{
	u64 count = f->value[FACT_IOAPICS];

	r->cure = "update the firmware";
	if (!f->known[FACT_IOAPICS])
		unknown(r, "number of IOAPICs");
	else if (!count)
		say(r, CHECK_WARN,
		    "no table names an IOAPIC: devices may have no interrupt "
		    "lines");
	else if (count > IOAPICS_MAX)
		say(r, CHECK_WARN, "of %llu IOAPICs, %u are used", count,
		    IOAPICS_MAX);
	else
		say(r, CHECK_PASS, "%llu IOAPIC%s", count,
		    count == 1 ? "" : "s");
}

static void judge_pci(const struct check_facts *f, struct check_result *r)
{
	if (!f->known[FACT_MCFG])
		unknown(r, "MCFG table");
	else if (!f->value[FACT_MCFG])
		say(r, CHECK_WARN,
		    "no MCFG table: what PCI Express adds to a device's "
		    "configuration is out of reach");
	else
		say(r, CHECK_PASS, "PCI Express, %llu segment%s",
		    f->value[FACT_SEGMENTS],
		    f->value[FACT_SEGMENTS] == 1 ? "" : "s");
	r->cure = "MMCONFIG: Enabled; or update the firmware";
}

static void judge_iommu(const struct check_facts *f, struct check_result *r)
{
	u64 dma = f->value[FACT_IOMMU_DMA_ON];
	u64 irq = f->value[FACT_IOMMU_IRQ_ON];

	if (check_is(f, FACT_IOMMUS_WRONG)) {
		say(r, CHECK_FAIL,
		    "%llu IOMMU%s cannot be looked at: DMAR or IVRS is cut, or "
		    "has an address where none is. One that is on would stay "
		    "on, so the boot stops",
		    f->value[FACT_IOMMUS_WRONG],
		    f->value[FACT_IOMMUS_WRONG] == 1 ? "" : "s");
		r->cure = "VT-d (AMD: IOMMU): Disabled; or update the firmware";
		return;
	}
	if (!f->known[FACT_IOMMUS]) {
		unknown(r, "DMAR or IVRS table");
		return;
	}
	if (!f->value[FACT_IOMMUS] && check_is(f, FACT_TABLES_UNREAD)) {
		say(r, CHECK_WARN,
		    "no table names one, but one that cannot be read may: what "
		    "the firmware left on stays on, and devices may fail");
		r->cure = "VT-d (AMD: IOMMU): Disabled; or update the firmware";
		return;
	}
	if (!f->value[FACT_IOMMUS]) {
		say(r, CHECK_PASS, "there is none, or it is switched off");
		return;
	}
	if (f->value[FACT_FOUND_BY] == CHECK_BY_LINUX) {
		say(r, CHECK_PASS,
		    "%llu IOMMU%s; what the firmware left on, Linux has "
		    "changed",
		    f->value[FACT_IOMMUS],
		    f->value[FACT_IOMMUS] == 1 ? "" : "s");
		return;
	}
	r->cure = "Pre-boot DMA Protection: Disabled; or VT-d (AMD: IOMMU): "
		  "Disabled";
	if (!dma && !irq && f->value[FACT_IOMMUS_UNSEEN]) {
		say(r, CHECK_WARN,
		    "%llu of %llu IOMMUs are out of reach here; Bulkhead turns "
		    "off what is on, or stops",
		    f->value[FACT_IOMMUS_UNSEEN], f->value[FACT_IOMMUS]);
		return;
	}
	if (!dma && !irq) {
		say(r, CHECK_PASS, "%llu IOMMU%s, none left on",
		    f->value[FACT_IOMMUS],
		    f->value[FACT_IOMMUS] == 1 ? "" : "s");
		return;
	}
	say(r, CHECK_WARN,
	    "of %llu IOMMUs the firmware left %llu on that remap DMA, %llu "
	    "that remap interrupts; Bulkhead turns them off",
	    f->value[FACT_IOMMUS], dma, irq);
}

static void judge_memory(const struct check_facts *f, struct check_result *r)
{
	u64 ram = f->value[FACT_RAM_MIB];
	u64 need = RAM_MIB_LEAST + f->value[FACT_FILES_MIB];

	if (!f->known[FACT_RAM_MIB])
		unknown(r, "memory map");
	else if (ram < need)
		say(r, CHECK_FAIL,
		    "%llu MiB; %llu MiB are needed with the files there are",
		    ram, need);
	else if (ram < RAM_MIB_USEFUL + f->value[FACT_FILES_MIB])
		say(r, CHECK_WARN, "%llu MiB: that is little for a guest", ram);
	else if (check_is(f, FACT_SPECIAL_MIB))
		say(r, CHECK_PASS,
		    "%llu MiB, and %llu MiB set apart, which special_memory = "
		    "yes in the manifest uses",
		    ram, f->value[FACT_SPECIAL_MIB]);
	else
		say(r, CHECK_PASS, "%llu MiB", ram);
	r->cure = "use a machine with more memory";
}

static void judge_map(const struct check_facts *f, struct check_result *r)
{
	u64 entries = f->value[FACT_MAP_ENTRIES];

	r->cure = "update the firmware";
	if (!f->known[FACT_MAP_ENTRIES])
		unknown(r, "memory map");
	else if (entries >= BOOT_MAX_MEM)
		say(r, CHECK_FAIL, "it has more than %u parts", BOOT_MAX_MEM);
	else if (check_not(f, FACT_LOW_PAGES))
		say(r, CHECK_WARN,
		    "no page below 640 KiB is free: one core is used");
	else
		say(r, CHECK_PASS, "%llu parts", entries);
}

static void judge_console(const struct check_facts *f, struct check_result *r)
{
	bool serial = check_is(f, FACT_SERIAL),
	     screen = check_is(f, FACT_SCREEN);

	r->cure = "Console Redirection (Serial over LAN): Enabled";
	if (!f->known[FACT_SERIAL] && !serial && !screen)
		unknown(r, "serial line and the screen");
	else if (!serial && !screen)
		say(r, CHECK_WARN,
		    "neither a serial line nor a screen: nothing shows what "
		    "goes wrong");
	else if (!serial)
		say(r, CHECK_WARN,
		    "a screen, and no serial line: guests' consoles and keys "
		    "need one");
	else
		say(r, CHECK_PASS, "a serial line%s",
		    screen ? ", and a screen" : "; no screen that can be used");
}

static void judge_vmd(const struct check_facts *f, struct check_result *r)
{
	if (!f->known[FACT_VMD])
		unknown(r, "list of PCI functions");
	else if (!f->value[FACT_VMD])
		say(r, CHECK_PASS, "no disks are behind Intel VMD");
	else
		say(r, CHECK_WARN,
		    "%llu Intel VMD function%s: the disks behind are seen by "
		    "the privileged guest's driver alone, and never tried",
		    f->value[FACT_VMD], f->value[FACT_VMD] == 1 ? "" : "s");
	r->cure = "Intel VMD Technology: Disabled, on each port";
}

static void judge_mce(const struct check_facts *f, struct check_result *r)
{
	r->cure = "use a processor with machine checks";
	if (!f->known[FACT_MCE])
		unknown(r, "CPUID");
	else if (!f->value[FACT_MCE])
		say(r, CHECK_WARN,
		    "no machine checks: faults of the hardware "
		    "are not told");
	else if (!f->known[FACT_MCE_BANKS])
		say(r, CHECK_PASS, "there are");
	else if (check_is(f, FACT_FIRMWARE_BANKS))
		say(r, CHECK_PASS,
		    "%llu banks; corrected errors of %llu are the firmware's",
		    f->value[FACT_MCE_BANKS], f->value[FACT_FIRMWARE_BANKS]);
	else
		say(r, CHECK_PASS, "%llu banks", f->value[FACT_MCE_BANKS]);
}

/* clang-format off */
static const struct {
	const char *name;
	void (*judge)(const struct check_facts *f, struct check_result *r);
} requirements[] = {
	{ "secure_boot", judge_secure_boot },
	{ "processor", judge_processor },
	{ "virtualization", judge_virtualization },
	{ "nested_paging", judge_nested_paging },
	{ "no_execute", judge_no_execute },
	{ "hypervisor", judge_hypervisor },
	{ "cores", judge_cores },
	{ "apic", judge_apic },
	{ "tsc", judge_tsc },
	{ "microcode", judge_microcode },
	{ "machine_checks", judge_mce },
	{ "acpi_tables", judge_tables },
	{ "ioapics", judge_ioapics },
	{ "pci", judge_pci },
	{ "iommu", judge_iommu },
	{ "vmd", judge_vmd },
	{ "memory", judge_memory },
	{ "memory_map", judge_map },
	{ "console", judge_console },
};
/* clang-format on */

u32 check_count(void)
{
	return ARRAY_SIZE(requirements);
}

void check_judge(const struct check_facts *f, u32 i, struct check_result *r)
{
	memset(r, 0, sizeof(*r));
	r->cure = "";
	r->name = requirements[i].name;
	requirements[i].judge(f, r);
	if (r->verdict == CHECK_PASS)
		r->cure = "";
}

enum check_verdict check_worst(const struct check_facts *f)
{
	enum check_verdict worst = CHECK_PASS;
	struct check_result r;

	for (u32 i = 0; i < ARRAY_SIZE(requirements); i++) {
		check_judge(f, i, &r);
		worst = MAX(worst, r.verdict);
	}
	return worst;
}

const char *check_word(enum check_verdict verdict)
{
	static const char *const words[] = { "PASS", "WARN", "FAIL" };

	return words[verdict];
}

const char *check_summary(enum check_verdict worst)
{
	static const char *const sentences[] = {
		"PASS: this machine has all that Bulkhead needs and uses.",
		"WARN: Bulkhead runs here; what is marked WARN it goes "
		"without, "
		"or could not find out.",
		"FAIL: Bulkhead runs no guest here until what is marked FAIL "
		"is "
		"put right.",
	};

	return sentences[worst];
}
