/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QR codes (ISO/IEC 18004:2015), for text that a person photographs from a
 * screen: bytes as they are, error correction level L, versions 1 to
 * QR_VERSION_MAX. Pure but for the caller's structure, which is too large for a
 * stack; no lock.
 */
#ifndef LIB_QR_H
#define LIB_QR_H

#include "lib/types.h"

#define QR_VERSION_MAX 25u
#define QR_SIDE_MAX    (17u + 4u * QR_VERSION_MAX)
#define QR_QUIET       4u    /* light modules that belong around a code (9.1) */
#define QR_CODEWORDS   1588u /* of QR_VERSION_MAX, as of table 1 */

struct qr {
	u32 version;
	u32 side;                           /* in modules */
	u8 dark[QR_SIDE_MAX][QR_SIDE_MAX];  /* 0 or 1, by row and column */
	u8 fixed[QR_SIDE_MAX][QR_SIDE_MAX]; /* no data goes there */
	u8 data[QR_CODEWORDS];              /* codewords before interleaving */
	u8 words[QR_CODEWORDS];             /* and after it */
};

/* Bytes that a code of @version holds; 0: there is no such version here */
u32 qr_capacity(u32 version);
/* Makes the smallest code up to @version_max that holds the @len bytes at
 * @text. -ENOSPC: none does. */
int __must_check __attribute__((cold))
qr_encode(struct qr *q, const void *text, u32 len, u32 version_max);

#endif
