/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of hv/core/pc_map.h as ASL can read them: plain numbers. The C
 * preprocessor runs over the DSDT, too. acpi_pc.c asserts that both agree. */
#ifndef HV_LOAD_DSDT_MAP_H
#define HV_LOAD_DSDT_MAP_H

#define DSDT_ECAM_BASE  0xb0000000
#define DSDT_ECAM_LAST  0xbfffffff
#define DSDT_ECAM_BYTES 0x10000000
#define DSDT_BARS_BASE  0xc0000000
#define DSDT_BARS_LAST  0xfebfffff
#define DSDT_BARS_BYTES 0x3ec00000
#define DSDT_BUS_LAST   0x0f
#define DSDT_BUS_COUNT  0x10
#define DSDT_HPET_BASE  0xfed00000
#define DSDT_PM_BASE    0x0600
#define DSDT_FWCFG      0x0510
#define DSDT_PIRQ_A     16
#define DSDT_SLP_TYP_S5 0

#endif
