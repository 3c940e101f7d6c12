/* SPDX-License-Identifier: BSD-2-Clause */
/* How virt_to_hpa() and hpa_to_virt() (mm/pmm.h) count; set by hostmap.c */
#ifndef MM_DIRECT_H
#define MM_DIRECT_H

#include "lib/types.h"

/* Where the image lies; its link address is HV_IMAGE_BASE */
void direct_set_image(hpa_t base, u64 size);
/* Where physical 0 is mapped: 0 at first */
void direct_set_base(u64 base);

#endif
