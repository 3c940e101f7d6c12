/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UEFI loader, BOOTX64.EFI: what its files share. It runs on the boot core
 * inside boot services, until handover_go() leaves them; no locks. A function
 * that returns an int returns 0, or -EINVAL after fail() has said in one
 * sentence what is wrong.
 */
#ifndef BOOT_EFI_LOADER_H
#define BOOT_EFI_LOADER_H

#include <efi.h>

#include "boot/common/image.h"
#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

#ifndef EFI_CONSOLE_OUT_DEVICE_GUID
/* EDK II puts it on each handle that the console is shown on */
#define EFI_CONSOLE_OUT_DEVICE_GUID                                            \
	{                                                                      \
		0xd3b36f2c, 0xd551, 0x11d4,                                    \
		{                                                              \
			0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d         \
		}                                                              \
	}
#endif

#define LOADER_FOLDER                                                          \
	L"\\"                                                                  \
	L"bulkhead" /* BOOT_DIR */

/* The firmware's tables; set by efi_main() before all else */
extern EFI_SYSTEM_TABLE *efi_st;
extern EFI_BOOT_SERVICES *efi_bs;

/* console.c: what the loader says goes to the firmware's console, and to COM1
 * where that has no serial line. Finds out which; after efi_bs is set. */
void console_init(void);
/* Says one line; @fmt has no line feed. Cut at 511 bytes. */
void console_print(const char *fmt, ...) __printf(1, 2);
/* The same, over the line that the last console_progress() has said; @last: it
 * stays */
void console_progress(bool last, const char *fmt, ...) __printf(2, 3);
/* Says "Bulkhead cannot start: " and @fmt, what is wrong and what to change.
 * Returns -EINVAL for the caller to pass on. */
int fail(const char *fmt, ...) __printf(1, 2);
/* Waits until a key is pressed */
void console_wait_key(void);

/* files.c: volume_open() opens the volume that @self, this loader, came from.
 * files_load() reads all files of \bulkhead on it.
 * @elf is the hypervisor's file; the others become bi->modules[], sorted. */
int __must_check volume_open(EFI_HANDLE self, EFI_FILE_HANDLE *root);
struct file_data {
	void *data;
	u64 size;
};
int __must_check files_load(EFI_HANDLE self, struct boot_info *bi,
			    struct file_data *elf);

/* crash.c: writes what is left of a log that did not end in order to
 * \bulkhead\crash-NNN.txt of the volume @root, and says so. The log's places
 * are the loader's data from then on, so that no file comes to lie there. */
void crash_save(EFI_FILE_HANDLE root);

/* machine.c: finds ACPI and SMBIOS tables, framebuffer, UARTs and cores for
 * @bi. What the firmware does not have stays 0. */
void machine_find(struct boot_info *bi);

/* check.c: "Check this machine". check_offer() says which key it is and begins
 * a second in which it counts; reading the files is part of it. check_chosen():
 * was the key pressed by then? Or it is asked for by the loader's arguments, or
 * by a file (boot/common/check.h). */
void check_offer(void);
bool check_chosen(EFI_HANDLE self, const struct boot_info *bi);
/* Finds the facts out for @bi, writes the report to the volume of @self, and
 * shows it page by page. False: the person wants to go back to the firmware. */
bool check_machine(EFI_HANDLE self, struct boot_info *bi);

/* screen.c: finds a framebuffer for bi->fb, the console's first; called by
 * machine_find() */
void screen_find(struct boot_info *bi);

/* serial.c: finds the UARTs of the firmware's console for bi->serials[]; called
 * by machine_find() */
void serial_find(struct boot_info *bi);

/* handover.c: places the image, leaves boot services and enters the hypervisor.
 * Returns only if something is wrong before it leaves them. What is wrong later
 * the hypervisor says on its screen (boot_info.fatal). */
int __must_check handover_go(EFI_HANDLE self, struct boot_info *bi,
			     const struct file_data *elf,
			     const struct hv_image *image);

/* jump.asm: turns interrupts off, loads CR3 and RSP, sets entry_tsc and jumps
 * to @entry, with @bi in RDI as boot_info.h says. All addresses but @entry are
 * physical. Where the firmware uses five levels of paging, it first turns them
 * off by @ls, a copy of the bytes from level_switch to level_switch_end that
 * lies below 4 GiB and whose root5 is set. */
struct level_switch {
	u64 root5; /* five levels that map what @cr3 does */
	u64 own[4];
};
extern const u8 level_switch[], level_switch_end[];
__noreturn void handover_jump(struct boot_info *bi, u64 entry, u64 cr3,
			      u64 stack_top, struct level_switch *ls);

#endif
