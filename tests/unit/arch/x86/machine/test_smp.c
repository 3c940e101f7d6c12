/* SOURCES: arch/x86/machine/smp.c arch/x86/machine/tsc_sync.c arch/x86/cpu/cpu_area.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Bring-up of another core: it answers at once, late, or never, and then is
 * ready, fails, or hangs */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "arch/x86/cpu/cpu_area.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/lapic.h"
#include "arch/x86/machine/smp.h"
#include "arch/x86/machine/tsc.h"
#include "lib/errno.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/percpu.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/test.h"

#define OTHER     7 /* its APIC id; the boot core's is 0 */
#define LIMIT_SEC 60
/* A busy machine may leave a thread aside for long: waits are ten times as long
 * as they say */
#define PATIENT_KHZ 10000000ull

__asm__(".data\n"
	".globl trampoline_start, trampoline_data, trampoline_end, ap_start\n"
	"trampoline_start: .skip 64\n"
	"trampoline_data: .skip 64\n"
	"trampoline_end: .skip 1\n"
	"ap_start: .skip 1\n"
	".text\n");

/* As arch/x86/cpu/asm_offsets.inc has it */
enum { WAITING = 1, ARRIVED = 2, IS_READY = 4 };
enum preparation { READY, FAILS, HANGS };
struct slot {
	u32 apic_id, state;
	u64 stack_top;
};
extern struct slot smp_slots[];
extern u32 smp_slot_count;
void smp_ap_main(struct slot *slot);

struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;

static u8 trampoline[PAGE_SIZE];
static u32 inits, sipis, deaf_sipis; /* the first ones are not heard */
static bool crowd;                   /* there are other cores than OTHER */
static bool comes_with_init;         /* it arrives as the second INIT leaves */
static bool runs, made;              /* its thread: started once, ever */
static enum preparation preparation;
static bool hang_is_over;
static u32 entered, halted;
static pthread_t core;

struct pcpu *cpu_area_init(void *at)
{
	struct pcpu *cpu = at;

	cpu->stack_top = (u64)at + STACK_SIZE;
	return cpu;
}
int cpu_guard_stacks(struct pcpu *cpu)
{
	return 0;
}
void cpu_init_this(struct pcpu *cpu)
{
}
static bool may_hide_nx;
bool residue_may_hide_nx(void)
{
	return may_hide_nx;
}
void residue_report(void)
{
}
void mtrr_report(void)
{
}
/* Sleeps only if nobody has woken it: it would not find its new state */
static u32 kicks, slept;
void lapic_send_ipi(u32 apic_id, u8 vector)
{
	assert_true(crowd || apic_id == OTHER);
	assert_int_equal(vector, VEC_KICK);
	__atomic_fetch_add(&kicks, 1, __ATOMIC_SEQ_CST);
}
void smp_sleep(void)
{
	while (__atomic_load_n(&kicks, __ATOMIC_SEQ_CST) == slept)
		sched_yield();
	slept++;
}
hpa_t hostmap_root(void)
{
	return HPA(PAGE_SIZE);
}
int hostmap_identity_map(hpa_t page)
{
	return 0;
}
void hostmap_identity_unmap(hpa_t page)
{
}
void lapic_init_cpu(void)
{
}
/* The TSCs of two threads are in step */
int rdmsr_safe(u32 msr, u64 *value)
{
	return -EIO;
}
int wrmsr_safe(u32 msr, u64 value)
{
	return -EIO;
}
bool lapic_is_x2apic(void)
{
	return true;
}
u32 lapic_id(void)
{
	return 0;
}
/* In the last round one of the crowd comes each 10 ms, and goes at once */
#define SLOW_CORES 30u
static bool slow;
static u32 come;
static u64 next_comes;
void lapic_timer_set(u64 deadline_tsc)
{
	if (!slow || sipis < 4 * SLOW_CORES || come == SLOW_CORES ||
	    rdtsc() < next_comes)
		return;
	next_comes = rdtsc() + PATIENT_KHZ;
	assert_int_equal(smp_slots[come].state, WAITING);
	((struct pcpu *)(smp_slots[come].stack_top - STACK_SIZE))->turns = 1;
	smp_slots[come++].state = IS_READY;
}

static bool claim(void)
{
	u32 expected = WAITING;

	return __atomic_compare_exchange_n(&smp_slots[0].state, &expected,
					   ARRIVED, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

static void *run(void *arg)
{
	if (claim())
		smp_ap_main(&smp_slots[0]);
	return NULL;
}

/* What has not been told to wait for a SIPI takes none */
void lapic_send_init(u32 apic_id)
{
	assert_true(crowd || apic_id == OTHER);
	if (++inits == 2 && comes_with_init)
		(void)claim(); /* and is reset right after that */
	runs = false;
}

void lapic_send_sipi(u32 apic_id, u8 vector)
{
	assert_true(crowd || apic_id == OTHER);
	if (++sipis <= deaf_sipis || runs)
		return;
	runs = made = true;
	assert_int_equal(pthread_create(&core, NULL, run, NULL), 0);
	/* It has arrived when the wait for it begins: a busy machine may leave
	 * a thread aside for longer than that wait */
	while (__atomic_load_n(&smp_slots[0].state, __ATOMIC_ACQUIRE) ==
	       WAITING)
		sched_yield();
}

/* CLI, in cpu_halt_forever() */
static void core_halts(int signal)
{
	__atomic_store_n(&halted, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static int prepare(struct pcpu *cpu)
{
	assert_false(cpu->online);
	while (preparation == HANGS &&
	       !__atomic_load_n(&hang_is_over, __ATOMIC_SEQ_CST))
		sched_yield();
	return preparation == FAILS ? -ENOMEM : 0;
}

static void enter(struct pcpu *cpu)
{
	if (cpu->id == 1 && cpu->online)
		entered++;
	WRITE_ONCE(cpu->turns, 1);
	pthread_exit(NULL); /* it would halt */
}

static u32 start(void)
{
	static const u32 ids[] = { 0, OTHER };
	const struct sigaction halt = { .sa_handler = core_halts };
	u32 cores;

	assert_int_equal(sigaction(SIGSEGV, &halt, NULL), 0);
	smp_slot_count = inits = sipis = entered = halted = kicks = slept = 0;
	runs = made = hang_is_over = false;
	pcpus[0] = &fake_pcpus[0];
	pcpus[1] = NULL;
	pcpu_count = 1;
	alarm(LIMIT_SEC); /* it must come to an end */
	cores = smp_start(ids, 2, HPA((u64)trampoline), prepare, enter);
	__atomic_store_n(&hang_is_over, true, __ATOMIC_SEQ_CST);
	if (made && preparation == READY)
		pthread_join(core, NULL);
	while (made && preparation != READY &&
	       !__atomic_load_n(&halted, __ATOMIC_SEQ_CST))
		sched_yield();
	alarm(0);
	pmm_free(&pmm_self, (void *)(smp_slots[0].stack_top - STACK_SIZE),
		 CPU_AREA_ORDER);
	fake_pool_check(&pmm_self);
	return cores;
}

static int setup(void **state)
{
	deaf_sipis = 0;
	comes_with_init = false;
	preparation = READY;
	tsc_khz = PATIENT_KHZ;
	fake_log_reset();
	return 0;
}

static void test_at_once(void **state)
{
	assert_int_equal(start(), 2);
	assert_int_equal(entered, 1);
	assert_int_equal(inits, 1);
}

static void test_second_round(void **state)
{
	deaf_sipis = 2;
	assert_int_equal(start(), 2);
	assert_int_equal(entered, 1);
	assert_int_equal(inits, 2);
}

/* It is not counted, and then reset */
static void test_arrives_with_the_second_init(void **state)
{
	deaf_sipis = 2;
	comes_with_init = true;
	assert_int_equal(start(), 2);
	assert_int_equal(entered, 1);
}

/* The words that trampoline.asm reads: NX is opened before EFER.NXE is set, and
 * only where the CPU can have it closed */
static void test_opens_nx(void **state)
{
	const u32 *data = (const u32 *)(const void *)(trampoline + 64);

	may_hide_nx = false;
	assert_int_equal(start(), 2);
	assert_int_equal(data[3] & 0xfff, 0x900);
	assert_int_equal(data[4], 0);
	may_hide_nx = true;
	assert_int_equal(start(), 2);
	assert_int_equal(data[4], 1);
	cpu_features.nx = false;
	assert_int_equal(start(), 2);
	assert_int_equal(data[3] & 0xfff, 0x100);
	assert_int_equal(data[4], 0);
	cpu_features.nx = true;
}

/* It is reset once more, so that it does not wake up later */
static void test_never(void **state)
{
	deaf_sipis = ~0u;
	assert_int_equal(start(), 1);
	assert_int_equal(entered, 0);
	assert_int_equal(inits, 3);
	assert_false(claim());
}

/* Nobody finds it among the cores, to wait for it or to use it */
static void test_fails(void **state)
{
	preparation = FAILS;
	assert_int_equal(start(), 1);
	assert_int_equal(pcpu_count, 1);
	assert_null(pcpus[1]);
	assert_int_equal(entered, 0);
	assert_int_equal(inits, 2); /* so that it waits, and not in our code */
	assert_non_null(strstr(fake_log_alarm, "APIC id 7 cannot be used"));
}

/* And when it goes on at last, it halts */
static void test_hangs(void **state)
{
	preparation = HANGS;
	tsc_khz = 10000; /* the wait is short */
	assert_int_equal(start(), 1);
	assert_int_equal(pcpu_count, 1);
	assert_null(pcpus[1]);
	assert_int_equal(entered, 0);
	assert_int_equal(halted, 1);
	assert_int_equal(inits, 2);
	assert_non_null(strstr(fake_log_alarm, "APIC id 7 hangs"));
}

static u32 far_ids[1100];

/* None of @count cores beside this one hears a SIPI */
static u32 start_crowd(u32 count)
{
	crowd = true;
	deaf_sipis = ~0u;
	smp_slot_count = inits = sipis = kicks = 0;
	pcpus[0] = &fake_pcpus[0];
	pcpu_count = 1;
	return smp_start(far_ids, count, HPA((u64)trampoline), prepare, enter);
}

static void crowd_goes(void)
{
	crowd = false;
	for (u32 i = 0; i < smp_slot_count; i++)
		pmm_free(&pmm_self,
			 (void *)(smp_slots[i].stack_top - STACK_SIZE),
			 CPU_AREA_ORDER);
	fake_pool_check(&pmm_self);
}

/* 1,023 beside this one are tried, by ids of any size in any order; the others
 * are named, and one that is listed twice is tried once */
static void test_crowd(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(far_ids); i++)
		far_ids[i] = (ARRAY_SIZE(far_ids) - i) * 97;
	far_ids[5] = far_ids[4];
	tsc_khz = 10000; /* the waits are short */
	assert_int_equal(start_crowd(ARRAY_SIZE(far_ids)), 1);
	assert_int_equal(smp_slot_count, MAX_CPUS - 1);
	assert_int_equal(inits, 3 * (MAX_CPUS - 1));
	assert_int_equal(smp_slots[1022].apic_id, 97 * (1100 - 1023));
	/* 1,023 that do not answer, one twice, 76 too many */
	assert_int_equal(fake_log_warnings, 1023 + 1 + 76);
	crowd_goes();
}

/* Together they take longer than one is waited for */
static void test_slow_crowd(void **state)
{
	for (u32 i = 0; i < SLOW_CORES; i++)
		far_ids[i] = i + 1;
	slow = true;
	tsc_khz = PATIENT_KHZ / 10;
	assert_int_equal(start_crowd(SLOW_CORES), 1 + SLOW_CORES);
	slow = false;
	assert_int_equal(fake_log_errors, 0);
	assert_int_equal(kicks, 2 * SLOW_CORES); /* for its TSC, and to go */
	for (u32 i = 1; i <= SLOW_CORES; i++)
		assert_int_equal(pcpus[i]->id, i);
	crowd_goes();
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_at_once),
		T(test_second_round),
		T(test_arrives_with_the_second_init),
		T(test_opens_nx),
		T(test_never),
		T(test_fails),
		T(test_hangs),
		T(test_crowd),
		T(test_slow_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
