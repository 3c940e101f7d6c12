/* SPDX-License-Identifier: BSD-2-Clause */
/* See drbg.h. A stream is used once, so its nonce is zero. */
#include "lib/drbg.h"

#include "lib/string.h"

static const u32 nonce[CHACHA20_NONCE_WORDS];

/* The stream's first block: half of it is the next key, the rest is not used */
static void next_key(u32 next[CHACHA20_KEY_WORDS], const struct drbg *g)
{
	u8 block[CHACHA20_BLOCK_BYTES];

	chacha20_block(g->key, 0, nonce, block);
	memcpy(next, block, CHACHA20_KEY_WORDS * sizeof(u32));
	memzero_words(block, sizeof(block));
}

void drbg_seed(struct drbg *g, const u64 seed[DRBG_SEED_WORDS])
{
	u32 next[CHACHA20_KEY_WORDS];

	next_key(next, g);
	for (u32 i = 0; i < CHACHA20_KEY_WORDS; i++)
		g->key[i] = next[i] ^ (u32)(seed[i / 2] >> i % 2 * 32);
	memzero_words(next, sizeof(next));
}

void drbg_generate(struct drbg *g, u8 *out, u32 bytes)
{
	u8 block[CHACHA20_BLOCK_BYTES];
	u32 next[CHACHA20_KEY_WORDS];

	next_key(next, g);
	for (u32 done = 0; done < bytes; done += CHACHA20_BLOCK_BYTES) {
		chacha20_block(g->key, done / CHACHA20_BLOCK_BYTES + 1, nonce,
			       block);
		memcpy(out + done, block,
		       MIN(bytes - done, CHACHA20_BLOCK_BYTES));
	}
	memcpy(g->key, next, sizeof(next));
	memzero_words(block, sizeof(block));
	memzero_words(next, sizeof(next));
}
