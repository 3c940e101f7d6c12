/* SPDX-License-Identifier: BSD-2-Clause */
/* The ChaCha20 block function (RFC 8439, 2.3). Pure: any context. */
#ifndef LIB_CHACHA20_H
#define LIB_CHACHA20_H

#include "lib/types.h"

#define CHACHA20_KEY_WORDS   8u
#define CHACHA20_NONCE_WORDS 3u
#define CHACHA20_BLOCK_BYTES 64u

/* Block @counter of the key stream. Its time does not depend on the key. */
void chacha20_block(const u32 key[CHACHA20_KEY_WORDS], u32 counter,
		    const u32 nonce[CHACHA20_NONCE_WORDS],
		    u8 out[CHACHA20_BLOCK_BYTES]);

#endif
