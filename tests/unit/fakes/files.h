/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot volume's files (hv/files/files.h) and what the loader told */
#ifndef TESTS_UNIT_FAKES_FILES_H
#define TESTS_UNIT_FAKES_FILES_H

#include "hv/files/files.h"

extern struct image fake_files[2]; /* the files there are; no name: none */
extern const void *fake_efi_map;   /* NULL: not started by UEFI */

#endif
