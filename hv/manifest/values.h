/* SPDX-License-Identifier: BSD-2-Clause */
/* How values are spelled. Called by keys.c; pure. Each returns 0, or -EINVAL:
 * it is not spelled so. What it writes may then hold a part of the value, but
 * value_uuid()'s and value_serial()'s are as they were. */
#ifndef HV_MANIFEST_VALUES_H
#define HV_MANIFEST_VALUES_H

#include "hv/manifest/manifest.h"

/* Decimal digits at *s, at most @max; moves *s behind them */
int value_take_number(const char **s, u64 max, u64 *out);
/* All of @s, decimal or 0x hexadecimal, at most @max */
int value_number(const char *s, u64 max, u64 *out);
/* Hexadecimal digits at *s, without 0x, at most @max; moves *s behind them */
int value_take_hex(const char **s, u64 max, u64 *out);
/* WHERE[,BAUD] of the hypervisor's UART (docs/manifest.md) */
int value_serial(const char *s, struct serial_config *out);
/* yes or no */
int value_bool(const char *s, bool *out);
/* The first word of *@value into @out, a string of @size bytes at most with its
 * zero; *@value moves to the second */
int value_take_word(const char **value, char *out, size_t size);
/* "TEXT", to the end of @s, with \\, \" and \xHH */
int value_text(const char *s, struct fwcfg_config *item);
/* PATH[,OPTION...]: all but its line. The options are bhd's to judge. */
int value_disk(const char *s, struct device_config *out);
/* SOCKET,type=N[,queues=N][,config=N], options in any order */
int value_vhost_user(const char *s, struct device_config *out);
/* RFC 9562 4 *UUID Format*: 8-4-4-4-12 hexadecimal digits, to SMBIOS's bytes */
int value_uuid(const char *s, u8 uuid[MANIFEST_UUID_LEN]);

#endif
