/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entropy device (virtio 1.2, 5.4), where the manifest says entropy = yes:
 * a buffer that the driver places is filled, up to so many bytes, from a
 * generator of this guest's own (lib/drbg.h). Its seeds are the CPU's, RDSEED
 * or RDRAND, with the time mixed in. While bytes are asked for, a new seed is
 * gathered, a word at a time and four a second at most: on some CPUs the
 * instruction is dear to all cores.
 *
 * Called from exits and by vCPU 0, in the guest's own time. virtio.lock has all
 * of it.
 */
#include "arch/x86/cpu/random.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/pc_map.h"
#include "hv/device/virtio/vring.h"
#include "lib/drbg.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define CLASS_NONE     0xff0000u /* in no class (PCI Code and ID 1.11, 1.1) */
#define QUEUE          0u
#define BYTES_AT_ONCE  256u /* a buffer, and a step */
#define WORD_EVERY_MS  250u
#define SEED_TRIES     100u /* nobody waits yet */
#define RESEED_TRIES   10u  /* SDM 1 7.3.17.1; some us at most */
#define MIX_MULTIPLIER 0x9e3779b97f4a7c15ull /* 2^64 by the golden ratio */

struct entropy {
	struct virtio virtio;
	struct virtio_queue queue;
	struct vring ring;
	struct vring_buffer buffer;
	struct drbg drbg;
	u64 last;                  /* word of the CPU's */
	u64 seed[DRBG_SEED_WORDS]; /* the next one, */
	u32 words;                 /* and what there is of it */
	u64 next_word;             /* TSC */
};

static_assert(sizeof(struct entropy) <= 2048, "one small object");
static_assert(sizeof(struct entropy) % 8 == 0, "whole words");

/* A source that says the same twice is stuck (SP 800-90B 4.4.1: 64 bits do that
 * once in 2^64 times) */
static bool gather_word(struct entropy *e, u32 tries)
{
	u64 word;

	if (!cpu_random_seed(&word, tries) || word == e->last)
		return false;
	e->last = word;
	e->seed[e->words++] = word ^ rdtsc() * MIX_MULTIPLIER;
	if (e->words == DRBG_SEED_WORDS) {
		drbg_seed(&e->drbg, e->seed);
		memset(e->seed, 0, sizeof(e->seed));
		e->words = 0;
	}
	return true;
}

/* Where the source has nothing at the moment, the next step asks again */
static void reseed(struct entropy *e)
{
	u64 now = rdtsc();

	if (now < e->next_word || !gather_word(e, RESEED_TRIES))
		return;
	e->next_word = now + tsc_khz * WORD_EVERY_MS;
}

/* The buffer has room for one byte or more, and is the device's alone to write
 * (5.4.6.1); as for vring_put() */
static int fill(struct entropy *e)
{
	const struct vring_buffer *b = &e->buffer;
	u32 n = (u32)MIN(b->writable, (u64)BYTES_AT_ONCE);
	u8 bytes[BYTES_AT_ONCE];
	int err;

	if (!n || b->readable)
		return -EINVAL;
	drbg_generate(&e->drbg, bytes, n);
	err = vring_fill(&e->ring, b, bytes, n);
	memzero_words(bytes, sizeof(bytes));
	return err ? err : vring_put(&e->ring, b, n);
}

/* One buffer */
static bool step(struct virtio *d)
{
	struct entropy *e = d->dev;
	int got, wants = 0;

	if (!virtio_may_serve(d, QUEUE))
		return false;
	got = vring_take(&e->ring, &e->buffer);
	if (got > 0) {
		reseed(e);
		wants = fill(e);
	}
	if (got < 0 || wants < 0)
		virtio_break(d);
	else if (wants)
		virtio_queue_interrupt(d, QUEUE);
	return got > 0 && wants >= 0;
}

static void queue_start(struct virtio *d, u32 i)
{
	struct entropy *e = d->dev;

	vring_start(&e->ring, d, i);
	virtio_serve(d);
}

static void queue_stop(struct virtio *d, u32 i)
{
	struct entropy *e = d->dev;

	memset(&e->ring, 0, sizeof(e->ring));
}

static void notified(struct virtio *d, u32 i)
{
	virtio_serve(d);
}

static const struct virtio_ops ops = {
	.queue_start = queue_start,
	.queue_stop = queue_stop,
	.notified = notified,
	.step = step,
};

static int first_seed(struct entropy *e)
{
	for (u32 i = 0; i < DRBG_SEED_WORDS; i++)
		if (!gather_word(e, SEED_TRIES))
			return -EIO;
	return 0;
}

static int entropy_create(struct vm *vm)
{
	struct entropy *e;

	if (!vm->config->entropy)
		return 0;
	e = kmem_alloc(&vm->budget, sizeof(*e));
	if (!e)
		return -ENOMEM;
	vm->devices[VDEV_entropy] = e;
	e->virtio.devfn = PC_DEVFN_ENTROPY;
	e->virtio.id = VIRTIO_ID_ENTROPY;
	e->virtio.class = CLASS_NONE;
	e->virtio.features = VRING_FEATURES;
	e->virtio.ops = &ops;
	e->virtio.dev = e;
	e->virtio.queue_count = 1;
	e->virtio.queues = &e->queue;
	e->queue.size_max = VRING_SIZE_MAX;
	e->virtio.vm = vm;
	if (first_seed(e)) {
		log_error("vm",
			  "guest %s: entropy = yes, but the CPU's random "
			  "numbers fail; leave entropy out",
			  vm->name);
		return -EIO;
	}
	return virtio_create(&e->virtio, vm);
}

static void entropy_destroy(struct vm *vm)
{
	struct entropy *e = vm->devices[VDEV_entropy];

	virtio_destroy(&e->virtio);
	memzero_words(e, sizeof(*e)); /* its key */
	kmem_free(&vm->budget, e, sizeof(*e));
}

/* The PCI bus resets its functions, and the generator goes on */
const struct vdev entropy_vdev = {
	.name = "entropy device",
	.create = entropy_create,
	.destroy = entropy_destroy,
};
