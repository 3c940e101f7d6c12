/* SPDX-License-Identifier: BSD-2-Clause */
/* See chacha20.h. The state is a square of 16 words: four constants, the key,
 * the counter, the nonce. No state is kept, no lock. */
#include "lib/chacha20.h"

#include "lib/string.h"

#define STATE_WORDS   16u
#define DOUBLE_ROUNDS 10u

static u32 rotate(u32 x, u32 bits)
{
	return x << bits | x >> (32 - bits);
}

/* RFC 8439, 2.1 */
static void quarter_round(u32 *s, u32 a, u32 b, u32 c, u32 d)
{
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 7);
}

/* The columns, then the diagonals */
static void double_round(u32 *s)
{
	for (u32 i = 0; i < 4; i++)
		quarter_round(s, i, i + 4, i + 8, i + 12);
	for (u32 i = 0; i < 4; i++)
		quarter_round(s, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8,
			      (i + 3) % 4 + 12);
}

void chacha20_block(const u32 key[CHACHA20_KEY_WORDS], u32 counter,
		    const u32 nonce[CHACHA20_NONCE_WORDS],
		    u8 out[CHACHA20_BLOCK_BYTES])
{
	u32 first[STATE_WORDS] = { 0x61707865, 0x3320646e, 0x79622d32,
				   0x6b206574 };
	u32 state[STATE_WORDS];

	memcpy(&first[4], key, CHACHA20_KEY_WORDS * sizeof(u32));
	first[12] = counter;
	memcpy(&first[13], nonce, CHACHA20_NONCE_WORDS * sizeof(u32));
	memcpy(state, first, sizeof(state));
	for (u32 i = 0; i < DOUBLE_ROUNDS; i++)
		double_round(state);
	for (u32 i = 0; i < STATE_WORDS; i++)
		state[i] += first[i];
	memcpy(out, state, CHACHA20_BLOCK_BYTES);
	memzero_words(first, sizeof(first));
	memzero_words(state, sizeof(state));
}
