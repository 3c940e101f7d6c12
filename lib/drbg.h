/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A deterministic random bit generator: the key stream of ChaCha20 (RFC 8439)
 * under a key that is used once. The first 32 bytes of each stream are the next
 * key, so what was given out stays unknown to whoever reads the state later. A
 * seed goes into the key as in SP 800-90A 10.2.1.2, by XOR with the stream: it
 * helps as far as it is unknown, and harms in no case.
 *
 * As secret as its first seed: 256 bits of it are to be unknown. Each user has
 * its own, and keeps cores apart; no lock.
 */
#ifndef LIB_DRBG_H
#define LIB_DRBG_H

#include "lib/chacha20.h"

#define DRBG_SEED_WORDS 4u

struct drbg {
	u32 key[CHACHA20_KEY_WORDS];
};

/* Add a seed of 256 bits. @g is all zero before the first. */
void drbg_seed(struct drbg *g, const u64 seed[DRBG_SEED_WORDS]);
/* @bytes bytes to @out: for each 64 a block, and one for the next key */
void drbg_generate(struct drbg *g, u8 *out, u32 bytes);

#endif
