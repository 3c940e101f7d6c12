/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See zero.h. Who zeroes a part has claimed it: the boot vCPU some pages at a
 * time, a helper one. A helper counts itself before it looks whether the guest
 * wants help, and the boot vCPU takes that back before it counts helpers. So
 * when that finds none, none comes any more, and nobody writes to memory that
 * may be another guest's by then. The guest itself lasts until each core has
 * been at the head of its loop (hv/core/quiesce.h).
 *
 * No lock: claimed, shared, helpers and zero_wanted are atomic; the rest is the
 * boot vCPU's.
 */
#include "hv/vm/zero.h"

#include "arch/x86/machine/smp.h"
#include "hv/core/piece.h"
#include "hv/core/slots.h"
#include "lib/string.h"
#include "mm/window.h"
#include "sched/sched.h"

#define OWN_BYTES     (16 * PAGE_SIZE)
#define HELP_MIN      MIB(4) /* a wake-up costs more than less of it */
#define LOOKS_AT_ONCE 64u    /* cores: each is a line that it writes */

u32 zero_wanted; /* a guest's place and 1; 0: none */

/* Where byte number @at of what the guest holds is, and how many bytes are in
 * one piece there: whole pages */
static hpa_t held_at(const struct vm *vm, u64 at, u64 *bytes)
{
	u32 i = 0;

	for (; vm->slots[i].rom || at >= vm->slots[i].size; i++)
		at -= vm->slots[i].rom ? 0 : vm->slots[i].size;
	*bytes = vm->slots[i].size - at;
	return HPA(vm->slots[i].hpa + at);
}

static void zero_page(hpa_t page)
{
	memzero_words(window_map(page), PAGE_SIZE);
}

/* *@at: the next bytes that nobody has; false: there are none */
static bool claim(struct vm_zeroing *z, u64 ram, u64 bytes, u64 *at)
{
	if (READ_ONCE(z->claimed) >= ram)
		return false;
	*at = __atomic_fetch_add(&z->claimed, bytes, __ATOMIC_SEQ_CST);
	return *at < ram;
}

static void want_no_more(u32 place)
{
	__atomic_compare_exchange_n(&zero_wanted, &place, 0, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void zero_begin(struct vm *vm)
{
	vm->zeroing.at = vm->zeroing.end = 0;
	__atomic_store_n(&vm->zeroing.claimed, 0, __ATOMIC_SEQ_CST);
}

/* --- the boot vCPU --- */

/* One that sleeps. A core that becomes idle finds it by itself. */
static void wake_one(void)
{
	u32 self = this_cpu()->id;

	for (u32 i = 1; i < MIN(pcpu_count, LOOKS_AT_ONCE); i++) {
		struct pcpu *cpu = pcpus[(self + i) % pcpu_count];

		if (!READ_ONCE(cpu->idle))
			continue;
		pcpu_kick(cpu, PCPU_RESCHED);
		return;
	}
}

static void ask_for_help(struct vm *vm, u64 ram)
{
	struct vm_zeroing *z = &vm->zeroing;
	u32 none = 0;

	if (z->shared || READ_ONCE(z->claimed) + HELP_MIN > ram ||
	    !sched_others_wait() || zero_help_wanted())
		return;
	__atomic_store_n(&z->shared, true, __ATOMIC_SEQ_CST);
	if (__atomic_compare_exchange_n(&zero_wanted, &none, vm->id + 1u, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		wake_one();
	else
		__atomic_store_n(&z->shared, false, __ATOMIC_SEQ_CST);
}

/* Nothing is left to claim; true: nobody is at it */
static bool is_over(struct vm *vm)
{
	struct vm_zeroing *z = &vm->zeroing;

	if (z->shared) {
		__atomic_store_n(&z->shared, false, __ATOMIC_SEQ_CST);
		want_no_more(vm->id + 1u);
	}
	return !__atomic_load_n(&z->helpers, __ATOMIC_SEQ_CST);
}

/* The boot vCPU has something to zero, claimed now or before */
static bool has_claim(struct vm_zeroing *z, u64 ram)
{
	if (z->at != z->end)
		return true;
	if (!claim(z, ram, OWN_BYTES, &z->at)) {
		z->end = z->at;
		return false;
	}
	z->end = MIN(z->at + OWN_BYTES, ram);
	return true;
}

bool zero_step(struct vm *vm)
{
	struct vm_zeroing *z = &vm->zeroing;
	struct piece piece = piece_begin();
	u64 ram = vm_held_bytes(vm), left = 0;
	hpa_t page = HPA(0);

	do {
		if (!left) {
			if (!has_claim(z, ram))
				return is_over(vm);
			page = held_at(vm, z->at, &left);
			left = MIN(left, z->end - z->at);
		}
		zero_page(page);
		page.v += PAGE_SIZE;
		left -= PAGE_SIZE;
		z->at += PAGE_SIZE;
	} while (!piece_over(&piece));
	ask_for_help(vm, ram);
	return false;
}

/* --- a core that is idle --- */

static bool help(struct vm *vm)
{
	struct piece piece = piece_begin();
	u64 ram = vm_held_bytes(vm), at, bytes;
	bool any = false;

	while (claim(&vm->zeroing, ram, PAGE_SIZE, &at)) {
		zero_page(held_at(vm, at, &bytes));
		any = true;
		if (piece_over(&piece))
			break;
	}
	window_flush();
	return any;
}

bool zero_help(void)
{
	u32 place = READ_ONCE(zero_wanted);
	struct vm *vm = place ? vm_at(place - 1) : NULL;
	bool any = false;

	if (vm) {
		__atomic_fetch_add(&vm->zeroing.helpers, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&vm->zeroing.shared, __ATOMIC_SEQ_CST))
			any = help(vm);
		__atomic_fetch_sub(&vm->zeroing.helpers, 1, __ATOMIC_SEQ_CST);
	}
	if (place && !any)
		want_no_more(place);
	return any;
}
