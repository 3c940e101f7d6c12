/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bulkhead.conf (docs/manifest.md). It is parsed whole, on the boot CPU, by
 * hv/init.c. Each error is one sentence with file, line number and reason, then
 * parsing goes on to find the others. Afterwards the manifest is constant, but
 * for what the plan settles (hv/vm/plan.h). No locks.
 */
#ifndef HV_MANIFEST_MANIFEST_H
#define HV_MANIFEST_MANIFEST_H

#include "arch/x86/cpu/speculation.h"
#include "include/bulkhead/boot_info.h"
#include "include/bulkhead/control.h"
#include "lib/types.h"

#define MANIFEST_NAME_LEN    32
#define MANIFEST_MAX_GUESTS  1024
#define MANIFEST_MAX_COUNT   1000 /* of guests that are made later */
#define MANIFEST_CMDLINE_LEN 1024
#define MANIFEST_MAX_CORES   1024 /* MAX_CPUS */

#define MANIFEST_MAX_KEYS    64
#define MANIFEST_MAX_FILES   8 /* modules, fw_cfg items */
#define MANIFEST_ARGS_LEN    128
#define MANIFEST_ITEM_LEN    56
#define MANIFEST_UUID_LEN    16
#define MANIFEST_MAX_DEVICES 8 /* disk, vhost-user */
#define MANIFEST_GRACE_S     5
/* Of a sentence with its end: less than a line of the log and FAIL_TEXT_BYTES
 * hold, more than the list of a section's keys takes */
#define MANIFEST_SENTENCE_LEN 464
/* Of the machine's RAM, for guests that a privileged one makes */
#define MANIFEST_POOL_PERCENT 25u
/* SCHED_WEIGHT_MAX (sched/sched.h) */
#define MANIFEST_WEIGHT_MAX 10000u

/* boot =: the way in. Left out, it is BOOT_WAY_AUTO: by the file itself, which
 * the plan looks at (hv/vm/plan.h). */
enum boot_way {
	BOOT_WAY_AUTO,
	BOOT_WAY_LINUX,
	BOOT_WAY_PVH,
	BOOT_WAY_MULTIBOOT,
	BOOT_WAY_MULTIBOOT2,
	BOOT_WAY_FIRMWARE, /* the firmware starts the kernel, if there is one */
};

/* module = FILE [ARGUMENTS] */
struct module_config {
	u32 line; /* for messages */
	char file[BOOT_NAME_LEN];
	char args[MANIFEST_ARGS_LEN];
};

/* fw_cfg = NAME FILE, or fw_cfg = NAME "TEXT" */
struct fwcfg_config {
	u32 line; /* for messages */
	char name[MANIFEST_ITEM_LEN];
	char file[BOOT_NAME_LEN]; /* "": the text */
	u32 text_len;             /* it may hold zeros */
	char text[MANIFEST_ARGS_LEN];
};

/* disk = PATH[,OPTION...], or vhost-user = SOCKET,type=N[,queues=N][,config=N]:
 * a virtio device that a back-end of the privileged guest serves. Where that is
 * and what it is told is not the hypervisor's business: bhd reads it again. */
enum device_kind { DEVICE_DISK, DEVICE_VHOST_USER };

struct device_config {
	u32 line;         /* where it says more */
	u16 config_bytes; /* of the device's own configuration space */
	u8 kind;          /* enum device_kind */
	u8 type;          /* virtio's device id */
	u8 queues;        /* 1 to MANIFEST_MAX_QUEUES */
};
#define MANIFEST_MAX_QUEUES  16
#define MANIFEST_DISK_QUEUES 4 /* or one for each vCPU */

/* serial = WHERE[,BAUD]: the hypervisor's UART */
enum serial_way {
	SERIAL_AUTO, /* as the firmware's tables say */
	SERIAL_NONE,
	SERIAL_PORT,
	SERIAL_MEMORY,
	SERIAL_PCI,
};

struct serial_config {
	enum serial_way way;
	u64 address;   /* port, or physical address */
	u16 segment;   /* SERIAL_PCI */
	u8 bus, devfn; /* SERIAL_PCI */
	u32 baud;      /* 0: as the firmware left it */
};

/* numa =: the node that an isolated guest is placed on */
enum numa_way {
	NUMA_AUTO, /* one that has room, if there is one */
	NUMA_ANY,
	NUMA_NODE, /* guest_config.numa_node */
};

/* restart =: what bhd does when a guest that it made has ended by itself */
enum restart_way { RESTART_NEVER, RESTART_ON_CRASH, RESTART_ALWAYS };

/* clock =: of a guest that stands still */
enum clock_way { CLOCK_STOP, CLOCK_RUN };

enum console_mode { CONSOLE_SWITCH, CONSOLE_ALL };

struct guest_config {
	char name[MANIFEST_NAME_LEN];
	u32 line; /* of its section header, for messages */
	u32 key_lines[MANIFEST_MAX_KEYS]; /* manifest_line(); 0: not given */
	bool valid; /* false: an error was reported; it does not start */
	bool privileged;
	char kernel[BOOT_NAME_LEN]; /* module name */
	char initrd[BOOT_NAME_LEN]; /* "" none */
	char cmdline[MANIFEST_CMDLINE_LEN];
	enum boot_way boot; /* after the plan: AUTO only if nothing known */
	char firmware[BOOT_NAME_LEN]; /* raw image, ends at 4 GiB; "": none */
	u32 module_count;
	struct module_config modules[MANIFEST_MAX_FILES];
	u32 fwcfg_count;
	struct fwcfg_config fwcfg[MANIFEST_MAX_FILES];
	u32 device_count;
	struct device_config devices[MANIFEST_MAX_DEVICES];
	bool testdev;       /* the ports of QEMU's pc-testdev */
	bool debug_console; /* port 402h goes to the log */
	bool has_uuid;
	u8 uuid[MANIFEST_UUID_LEN]; /* as SMBIOS has it (DSP0134 7.2.1) */
	bool entropy;               /* it has a virtio entropy device */
	bool ramfb;       /* firmware may set up a screen in the guest's RAM */
	u32 weight;       /* of its vCPUs (sched/keys.h); 0: the default */
	u32 cap;          /* percent of a core a vCPU; 0: none is set */
	u32 vcpus;        /* default 1; the privileged guest: all cores */
	u64 memory_bytes; /* 0 for the privileged guest: the rest */
	bool memory_rest;
	u64 cores[MANIFEST_MAX_CORES /
		  64]; /* pCPU ids allowed; none set: any */
	enum numa_way numa;
	u32 numa_node;
	u16 debug_exit_port; /* 0: off */
	bool autostart;
	enum clock_way clock;
	bool shares_memory;       /* with the privileged guest, while it runs */
	enum restart_way restart; /* not the hypervisor's business */
	u32 shutdown_grace_s;     /* after its power button; 0: it gets none */
};

struct manifest {
	enum console_mode console;
	char focus[MANIFEST_NAME_LEN]; /* which console is shown first */
	struct serial_config serial;
	bool measure; /* hv/core/stretch.h */
	enum bh_ctl_metering metering;
	bool special_memory;   /* EFI_MEMORY_SP is memory like any other */
	bool privileged_stays; /* privileged-restart = no */
	enum speculation_mode speculation;
	u32 pool_guests; /* guest-count =; 0: as many as guest-memory allows */
	/* guest-memory =: bytes, or a share of the machine's; both 0: none. The
	 * plan turns a share into bytes. */
	u64 pool_bytes;
	u32 pool_percent;
	u32 pool_line;      /* 0: it is the default */
	u32 reboot_after_s; /* when no guest is left; 0: never */
	bool has_panic;     /* the next is given, else as reboot_after_s */
	u32 panic_reboot_s; /* after a panic, or a start that failed; 0: wait */
	u32 guest_count, guest_room; /* of @guests */
	struct guest_config *guests;
};

/* How many guests @text may have, at most MANIFEST_MAX_GUESTS and at least 1:
 * one for each line that looks like a section's header */
u32 manifest_count(const char *text, size_t len);
/* Parse @len bytes of @text into @m; @file names it in messages. The caller has
 * set @m->guests and guest_room, to which what is beyond manifest_count() is
 * of no use. Each error goes to @report as one sentence. It never fails: a
 * guest with an error is in the manifest, but not valid. */
void manifest_parse(struct manifest *m, const char *file, const char *text,
		    size_t len, void (*report)(const char *sentence));
/* Parse @len bytes of @text, a guest's section alone, into @g: another section
 * is an error, and so is no section. False: it is not valid; @report has got a
 * sentence about the first thing that is wrong. Any core. */
bool __must_check manifest_parse_guest(struct guest_config *g, const char *file,
				       const char *text, size_t len,
				       void (*report)(const char *sentence));
/* Go through the files that the guest is made from: kernel, initrd, firmware,
 * modules, fw_cfg. *@name is the name of file @i, or "" if the guest has none
 * there; *@key is what the manifest calls it. False: @i is past the last. */
bool manifest_file(const struct guest_config *g, u32 i, const char **name,
		   const char **key);
/* The line that names file @i */
u32 manifest_file_line(const struct guest_config *g, u32 i);
/* The line of @key in the guest's section, or of the section's header if the
 * key is not there */
u32 manifest_line(const struct guest_config *g, const char *key);

#endif
