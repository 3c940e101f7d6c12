/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entropy device (virtio 1.2, 5.4), where the manifest says entropy = yes:
 * a buffer that the driver places is filled, up to so many bytes, from a
 * generator of this guest's own (lib/drbg.h). Its seeds are the CPU's, RDSEED
 * or RDRAND, with the time mixed in. While bytes are asked for, a new seed is
 * gathered, and the CPU asked four times a second at most, whether it answers
 * or not: on some CPUs the instruction is dear to all cores.
 *
 * Called from exits and by vCPU 0, in the guest's own time. virtio.lock has all
 * of it.
 */
#include "arch/x86/cpu/random.h"
#include "arch/x86/machine/tsc.h"
#include "hv/core/pc_map.h"
#include "hv/core/piece.h"
#include "hv/device/virtio/vring.h"
#include "lib/drbg.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define CLASS_NONE     0xff0000u /* in no class (PCI Code and ID 1.11, 1.1) */
#define QUEUE          0u
#define BYTES_AT_ONCE  256u /* a buffer, and a step */
#define WORD_EVERY_MS  250u
#define SEED_TRIES     100u /* a word, in pieces: nobody waits yet */
#define RESEED_TRIES   2u   /* in a step: a microsecond each, perhaps */
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
	u32 failed;                /* tries for a word of the first seed */
	bool seeded;
	u64 next_word; /* TSC */
};

static_assert(sizeof(struct entropy) <= 2048, "one small object");
static_assert(sizeof(struct entropy) % 8 == 0, "whole words");

/* -EAGAIN: there is none at the moment. -EIO: a source that says the same twice
 * is stuck (SP 800-90B 4.4.1: 64 bits do that once in 2^64 times). */
static int gather_word(struct entropy *e, u32 tries)
{
	u64 word;

	if (!cpu_random_seed(&word, tries))
		return -EAGAIN;
	if (word == e->last)
		return -EIO;
	e->last = word;
	e->seed[e->words++] = word ^ rdtsc() * MIX_MULTIPLIER;
	if (e->words == DRBG_SEED_WORDS) {
		drbg_seed(&e->drbg, e->seed);
		memset(e->seed, 0, sizeof(e->seed));
		e->words = 0;
		e->seeded = true;
	}
	return 0;
}

/* Where the source has nothing, it is asked again as late as if it had */
static void reseed(struct entropy *e)
{
	u64 now = rdtsc();

	if (now < e->next_word)
		return;
	e->next_word = now + tsc_khz * WORD_EVERY_MS;
	(void)gather_word(e, RESEED_TRIES);
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

/* A piece of it: VM_GOES_ON, 0 or -EIO */
static int first_seed(struct entropy *e)
{
	struct piece piece = piece_begin();

	do {
		int err = gather_word(e, 1);

		e->failed = err ? e->failed + 1 : 0;
		if (err == -EIO || e->failed == SEED_TRIES)
			return -EIO;
		if (e->seeded)
			return 0;
	} while (!piece_over(&piece));
	return VM_GOES_ON;
}

static struct entropy *entropy_alloc(struct vm *vm)
{
	struct entropy *e = kmem_alloc(&vm->budget, sizeof(*e));

	if (!e)
		return NULL;
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
	return e;
}

static int entropy_create(struct vm *vm)
{
	struct entropy *e = vm->devices[VDEV_entropy];
	int err;

	if (!vm->config->entropy)
		return 0;
	if (!e)
		e = entropy_alloc(vm);
	if (!e)
		return -ENOMEM;
	err = first_seed(e);
	if (err < 0)
		log_error("vm",
			  "guest %s: entropy = yes, but the CPU's random "
			  "numbers fail; leave entropy out",
			  vm->name);
	return err ? err : virtio_create(&e->virtio, vm);
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
