/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's facts for "Check this machine" (check/facts.h), as both loaders
 * find them out: on the boot core, in ring 0, with the lowest 4 GiB and all RAM
 * mapped 1:1. No locks.
 */
#ifndef BOOT_COMMON_CHECK_H
#define BOOT_COMMON_CHECK_H

#include "include/bulkhead/boot_info.h"
#include "lib/types.h"

/* Of the empty file in /bulkhead that makes each start a check, and of the word
 * on GRUB's command line that does */
#define CHECK_NAME "check"
/* Is there such a file? */
bool boot_check_file(const struct boot_info *bi);
/* Sets bi->check and fills bi->facts from the CPU, the ACPI tables at bi->rsdp,
 * bi->mem[], bi->modules[], bi->fb and the devices; @by says who asks. Nothing
 * of the machine is changed but the scratch registers of COM1 and COM2. */
void boot_check(struct boot_info *bi, enum check_finder by);

#endif
