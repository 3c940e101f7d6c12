/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UEFI loader, BOOTX64.EFI: what its files share. It runs on the boot core
 * inside boot services until handover_go(); every function that returns an int
 * gives 0, or a negative number after it has said what is wrong in one
 * sentence.
 */
#ifndef BOOT_EFI_LOADER_H
#define BOOT_EFI_LOADER_H

#include <efi.h>

#include "boot/common/image.h"
#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

#define LOADER_FOLDER                                                          \
	L"\\"                                                                  \
	L"bulkhead" /* BOOT_DIR */

extern EFI_SYSTEM_TABLE *efi_st; /* set once by efi_main() */
extern EFI_BOOT_SERVICES *efi_bs;

/* console.c: the firmware's console, and COM1 where that has no serial line */
void console_init(void);
void console_print(const char *fmt, ...) __printf(1, 2);
/* Say what is wrong and what to change; returns -EINVAL for the caller */
int fail(const char *fmt, ...) __printf(1, 2);
void console_wait_key(void);
/* The firmware's console is gone: serial only from here on */
void console_firmware_gone(void);

/* files.c: everything in \bulkhead. @elf is the hypervisor's file, the others
 * become bi->modules[] */
struct file_data {
	void *data;
	u64 size;
};
int __must_check files_load(EFI_HANDLE self, struct boot_info *bi,
			    struct file_data *elf);

/* machine.c: ACPI, SMBIOS, framebuffer and cores, into @bi */
void machine_find(struct boot_info *bi);

/* handover.c: place the image, leave boot services, enter the hypervisor;
 * returns only when something is wrong */
int __must_check handover_go(EFI_HANDLE self, struct boot_info *bi,
			     const struct file_data *elf,
			     const struct hv_image *image);

/* jump.asm: interrupts off, @cr3, @stack_top, entry_tsc, and to @entry with
 * RDI = @bi */
__noreturn void handover_jump(struct boot_info *bi, u64 entry, u64 cr3,
			      u64 stack_top);

#endif
