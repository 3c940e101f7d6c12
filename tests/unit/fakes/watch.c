/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that remembers, see watch.h */
#include "tests/unit/fakes/watch.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "include/hw/cpu.h"
#include "tests/unit/test.h"

#define WRITES_MAX (1u << 18)
#define OPEN_MAX   2u /* pages that one instruction writes to */

static u8 *memory; /* NULL: nothing is watched */
static u64 memory_bytes;
static u8 known[WATCH_BYTES_MAX]; /* what the memory held at the last write */
static u8 *open_pages[OPEN_MAX];
static u32 open_count;
static struct watch_write writes[WRITES_MAX];
static u32 write_count;
static struct sigaction old_segv, old_trap;

static void protect(void *page, u64 bytes, int rights)
{
	if (mprotect(page, bytes, rights))
		abort();
}

static void record_page(u8 *page)
{
	u64 *now = (u64 *)page, *before = (u64 *)(known + (page - memory));

	for (u32 i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		if (now[i] == before[i])
			continue;
		if (write_count == WRITES_MAX)
			abort();
		writes[write_count++] =
			(struct watch_write){ &now[i], before[i], now[i] };
		before[i] = now[i];
	}
}

static greg_t *flags_of(void *context)
{
	return &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
}

/* A fault that is none of ours is met again without this handler */
static void on_fault(int signal_number, siginfo_t *info, void *context)
{
	u64 offset = (u64)((u8 *)info->si_addr - memory);

	if (offset >= memory_bytes || open_count == OPEN_MAX) {
		sigaction(SIGSEGV, &old_segv, NULL);
		return;
	}
	open_pages[open_count] = memory + ALIGN_DOWN(offset, PAGE_SIZE);
	protect(open_pages[open_count++], PAGE_SIZE, PROT_READ | PROT_WRITE);
	*flags_of(context) |= RFLAGS_TF;
}

/* The instruction is done */
static void on_trap(int signal_number, siginfo_t *info, void *context)
{
	while (open_count) {
		record_page(open_pages[--open_count]);
		protect(open_pages[open_count], PAGE_SIZE, PROT_READ);
	}
	*flags_of(context) &= ~(greg_t)RFLAGS_TF;
}

void watch_begin(void *mem, u64 bytes)
{
	struct sigaction fault = { .sa_sigaction = on_fault,
				   .sa_flags = SA_SIGINFO };
	struct sigaction trap = { .sa_sigaction = on_trap,
				  .sa_flags = SA_SIGINFO };

	assert_null(memory);
	assert_true(bytes <= WATCH_BYTES_MAX);
	assert_true(IS_ALIGNED((u64)mem | bytes, PAGE_SIZE));
	memory = mem;
	memory_bytes = bytes;
	memcpy(known, mem, bytes);
	write_count = 0;
	sigaction(SIGSEGV, &fault, &old_segv);
	sigaction(SIGTRAP, &trap, &old_trap);
	protect(mem, bytes, PROT_READ);
}

u32 watch_end(const struct watch_write **out)
{
	u8 *mem = memory;

	*out = writes;
	if (!mem)
		return 0;
	protect(mem, memory_bytes, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGTRAP, &old_trap, NULL);
	memory = NULL;
	assert_memory_equal(mem, known, memory_bytes); /* none was missed */
	return write_count;
}

void watch_zero_page(void *page)
{
	if (!memory) {
		memset(page, 0, PAGE_SIZE);
		return;
	}
	protect(page, PAGE_SIZE, PROT_READ | PROT_WRITE);
	memset(page, 0, PAGE_SIZE);
	record_page(page);
	protect(page, PAGE_SIZE, PROT_READ);
}
