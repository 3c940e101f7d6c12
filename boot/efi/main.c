/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UEFI loader's way from the firmware to the hypervisor: files, image,
 * facts, hand-over. The firmware calls efi_main() (UEFI 2.10, 4.1 *UEFI Image
 * Entry Point*). A problem ends in one sentence, a key, and the firmware's
 * menu.
 */
#include "boot/efi/loader.h"
#include "lib/string.h"

EFI_SYSTEM_TABLE *efi_st;
EFI_BOOT_SERVICES *efi_bs;

static struct boot_info boot_info;

EFI_STATUS efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *st);

static void boot_info_start(struct boot_info *bi)
{
	static const char name[] = "UEFI loader";

	bi->magic = BOOT_INFO_MAGIC;
	bi->version = BOOT_INFO_VERSION;
	bi->size = sizeof(*bi);
	memcpy(bi->loader, name, sizeof(name));
}

static int load_and_go(EFI_HANDLE self, struct boot_info *bi)
{
	struct file_data elf;
	struct hv_image image;
	const char *reason;
	int err = files_load(self, bi, &elf);

	if (err)
		return err;
	reason = image_check(elf.data, elf.size, &image);
	if (reason)
		return fail("\\" BOOT_DIR "\\" BOOT_ELF " %s; copy the file "
			    "of this release there again.",
			    reason);
	machine_find(bi);
	if (check_chosen(self, bi) && !check_machine(self, bi))
		return 0;
	return handover_go(self, bi, &elf, &image);
}

EFI_STATUS efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *st)
{
	efi_st = st;
	efi_bs = st->BootServices;
	console_init();
	boot_info_start(&boot_info);
	/* No watchdog while a person reads a message (UEFI 2.10, 7.5
	 * *EFI_BOOT_SERVICES.SetWatchdogTimer()*) */
	efi_bs->SetWatchdogTimer(0, 0, 0, NULL);
	check_offer();
	if (load_and_go(self, &boot_info))
		console_wait_key();
	return EFI_LOAD_ERROR;
}
