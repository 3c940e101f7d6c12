/* SOURCES: hv/core/breakpoint.c hv/core/exit.c hv/core/last_exit.c hv/core/retire.c hv/run/exit.c hv/policy/cr.c hv/run/mmio.c hv/core/bus.c lib/last_exit_text.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exit table and its dispatcher, over a back-end that is not there: what
 * each verdict does to RIP, and what a guest may and may not reach. Over 400
 * lines: a back-end that is not there serves every kind of exit.
 */
#include "arch/x86/cpu/debug_regs.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/machine/mce.h"
#include "hv/core/crowd.h"
#include "hv/core/gmem.h"
#include "hv/core/slots.h"
#include "hv/core/split.h"
#include "hv/core/stretch.h"
#include "hv/emulate/insn.h"
#include "hv/policy/cpuid.h"
#include "hv/policy/cr.h"
#include "hv/policy/msr.h"
#include "hv/run/dispatch.h"
#include "hv/run/event.h"
#include "hv/run/hypercall.h"
#include "hv/run/mmio.h"
#include "hv/vm/vcpu.h"
#include "include/hw/cpu.h"
#include "include/hw/lapic.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "tests/unit/fakes/exception.h"
#include "tests/unit/fakes/owner.h"
#include "tests/unit/fakes/panic.h"
#include "tests/unit/fakes/pool.h"
#include "tests/unit/fakes/vm_end.h"
#include "tests/unit/test.h"

#define TRAPPED_BASE 0xfee00000ull
#define DEVICE_BASE  0xfe000000ull
#define HV_MEMORY    0x40000000ull
#define RAM_END      0x1000000ull
#define ROM_GPA      0xfffff000ull

static struct vm vm;
static struct vcpu vcpu;
static u32 apic_page[1024];
static struct budget budget;
static u32 dumps, emulated;
static u8 decoded_len;
static struct {
	u64 addr, size;
	u32 attrs, calls;
} mapped;

static void fake_read(struct vcpu_hw *hw, u32 groups)
{
	hw->regs.valid |= groups;
}

static const struct vcpu_ops fake_ops = { .read = fake_read,
					  .has_pdptes = true };
const struct vcpu_ops *vcpu_ops = &fake_ops;
void (*guest_polls_hook)(struct vcpu_hw *v);

void debug_regs_save(u64 dr[4])
{
	memset(dr, 0, 4 * sizeof(*dr));
}

enum verdict cpuid_exit(struct vcpu *v, const struct vcpu_exit *e)
{
	vcpu_regs(v)->gpr[GPR_RAX] = 0x77;
	return VERDICT_ADVANCE;
}

void cpuid_query(const struct vm *m, u32 leaf, u32 subleaf, u32 out[4])
{
	memset(out, 0, 4 * sizeof(*out));
}

enum verdict msr_exit_read(struct vcpu *v, const struct vcpu_exit *e)
{
	return VERDICT_ADVANCE;
}

static bool msr_refuses;

enum verdict msr_exit_write(struct vcpu *v, const struct vcpu_exit *e)
{
	return msr_refuses ? exit_gp(v) : VERDICT_ADVANCE;
}

static bool lapic_page;

bool emulate_lapic_page(struct vcpu *v, const struct vcpu_exit *e)
{
	v->hw.exit.insn_len = 3;
	return lapic_page;
}

static bool foreign_call;

bool hypercall_is_foreign(struct vcpu *v)
{
	return foreign_call;
}

enum verdict hypercall_exit(struct vcpu *v, const struct vcpu_exit *e)
{
	return VERDICT_ADVANCE;
}

static u32 crowd_seen; /* by whatever is in the devices */

enum verdict emulate_mmio(struct vcpu *v, const struct vcpu_exit *e)
{
	emulated++;
	crowd_seen = v->vm->crowd;
	v->hw.exit.insn_len = 3;
	return VERDICT_ADVANCE;
}

static bool descriptor_in_rom;

const struct vm_slot *vm_slot_at(const struct vm *m, gpa_t gpa)
{
	static const struct vm_slot rom = { ROM_GPA, 0, PAGE_SIZE, true };

	return gpa.v - ROM_GPA < PAGE_SIZE ? &rom : NULL;
}

bool emulate_rom_accessed(struct vcpu *v, gpa_t gpa)
{
	assert_in_range(gpa.v, ROM_GPA, ROM_GPA + PAGE_SIZE - 1);
	return descriptor_in_rom;
}

enum verdict emulate_cr0(struct vcpu *v, const struct vcpu_exit *e)
{
	emulated++;
	return VERDICT_RESUME;
}

enum verdict emulate_string_io(struct vcpu *v, const struct vcpu_exit *e)
{
	emulated++;
	crowd_seen = v->vm->crowd;
	return VERDICT_RESUME;
}

static u64 pdptes[4]; /* all that memory holds here */

int gmem_read(struct vm *m, gpa_t gpa, void *buf, size_t len)
{
	if (gpa.v >= RAM_END)
		return -EFAULT;
	assert_int_equal(len, sizeof(pdptes));
	memcpy(buf, pdptes, len);
	return 0;
}

size_t gmem_fetch(struct vcpu *v, u8 *buf, size_t len)
{
	memset(buf, 0xf1, len);
	return len;
}

u8 insn_length(const u8 *bytes, size_t have, enum insn_mode mode)
{
	return bytes[0] == 0xf1;
}

enum verdict exit_task_switch(struct vcpu *v, const struct vcpu_exit *e)
{
	return VERDICT_RESUME;
}

u8 insn_exit_length(struct vcpu *v, enum exit_kind kind)
{
	return decoded_len;
}

void irq_dispatch(u8 vector)
{
}

void stretch_look(void)
{
}

void irq_poll(void)
{
}

static enum mce_verdict mce;
static u64 mce_address;

enum mce_verdict mce_handle(u64 *address)
{
	*address = mce_address;
	return mce;
}

int xsetbv_safe(u32 index, u64 value)
{
	return 0;
}

void vcpu_irq_window_open(struct vcpu *v)
{
}

void vcpu_nmi_window_open(struct vcpu *v)
{
}

void vcpu_dump(struct vcpu *v, void (*rest)(void))
{
	assert_ptr_equal(rest, stretch_look);
	dumps++;
	assert_int_equal(fake_vm_ends, dumps); /* the reason comes first */
}

bool vm_translate(const struct vm *m, gpa_t gpa, hpa_t *hpa, u64 *left)
{
	*hpa = HPA(gpa.v);
	*left = RAM_END - gpa.v;
	return gpa.v < RAM_END;
}

int split_fetch(struct vm *m, gpa_t gpa)
{
	return -ENOENT;
}
u64 pt_hole(const struct page_table *pt, u64 addr)
{
	return GIB(512);
}

bool pt_mtrrs_apply(const struct page_table *pt)
{
	return false;
}

bool mtrr_type(u64 base, u64 size, u8 *type)
{
	*type = MEM_UC;
	return true;
}

int pt_map(struct page_table *pt, u64 addr, hpa_t hpa, u64 size, u32 attrs)
{
	assert_true(addr == hpa.v);
	mapped.addr = addr;
	mapped.size = size;
	mapped.attrs = attrs;
	mapped.calls++;
	return 0;
}

static int setup(void **state)
{
	const struct bus_region trapped = { .base = TRAPPED_BASE,
					    .size = PAGE_SIZE,
					    .name = "trapped" };

	memset(&vcpu, 0, sizeof(vcpu));
	memset(&vm, 0, sizeof(vm));
	memset(&mapped, 0, sizeof(mapped));
	vcpu.vm = &vm;
	vcpu.hw.apic_page = apic_page;
	vcpu.hw.regs.valid = RG_RIP;
	vcpu.hw.regs.rip = 0x100000;
	vcpu.hw.regs.efer = EFER_LME | EFER_LMA;
	vcpu.hw.regs.cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE;
	vcpu.hw.regs.cr4 = CR4_PAE;
	vcpu.hw.regs.seg[SEG_CS].attr = SEG_ATTR_L;
	vm.phys_bits = 40;
	vm.npt.max_level = 3;
	injected = -1;
	fake_owner_count = 0;
	fake_owner_add(HV_MEMORY, PAGE_2M, OWNER_HYPERVISOR, 0);
	fake_vm_ends = dumps = emulated = 0;
	fake_vm_end = VM_END_NONE;
	decoded_len = 2;
	assert_int_equal(bus_init(&vm.ports, &budget, 8), 0);
	assert_int_equal(bus_init(&vm.mmio, &budget, 8), 0);
	return bus_add(&vm.mmio, &trapped);
}

static int teardown(void **state)
{
	bus_destroy(&vm.ports, &budget);
	bus_destroy(&vm.mmio, &budget);
	fake_pool_check(&budget);
	assert_int_equal(fake_vm_end,
			 fake_vm_ends ? VM_END_CRASH : VM_END_NONE);
	return 0;
}

static struct vcpu_exit *leave(enum exit_kind kind)
{
	vcpu.hw.exit = (struct vcpu_exit){ .kind = kind };
	return &vcpu.hw.exit;
}

static void assert_rip(u64 rip)
{
	assert_true(vcpu.hw.regs.rip == rip);
}

static void test_no_slot_is_empty(void **state)
{
	for (u32 i = 0; i < EXIT_KINDS; i++) {
		assert_non_null(exit_table[i].handler);
		assert_non_null(exit_table[i].noting);
		assert_true(exit_name(i)[0]);
	}
}

static u32 notes(void)
{
	struct bh_ctl_last_exits all;

	last_exit_copy(&vcpu, &all);
	return all.count;
}

/* What is hot is not noted with its place, unless cores are traced; what is
 * rare is, once; and with `metering = off` nothing is */
static void test_notes(void **state)
{
	static const enum exit_kind hot[] = { EXIT_CPUID, EXIT_RDMSR, EXIT_PORT,
					      EXIT_HYPERCALL, EXIT_IRQ };
	static const struct bus_region port = { .base = 0x60,
						.size = 1,
						.name = "port" };

	assert_int_equal(bus_add(&vm.ports, &port), 0);
	leave(EXIT_PORT)->port.port = 0x60;
	vcpu.hw.exit.port.size = 1;
	exit_dispatch(&vcpu, METER_COUNTED);
	for (u32 i = 0; i < ARRAY_SIZE(hot); i++) {
		leave(hot[i]);
		exit_dispatch(&vcpu, METER_COUNTED);
		leave(hot[i]);
		exit_dispatch(&vcpu, METER_TIMED);
	}
	assert_int_equal(notes(), 0);
	assert_int_equal(vcpu.last.kinds & 0xff, EXIT_IRQ);
	assert_int_equal(vcpu.last.kinds >> 16 & 0xff, EXIT_HYPERCALL);
	leave(EXIT_WBINVD);
	exit_dispatch(&vcpu, METER_BARE);
	assert_int_equal(notes(), 0);
	leave(EXIT_WBINVD);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(notes(), 1);
	leave(EXIT_CPUID);
	exit_dispatch(&vcpu, METER_WATCHED);
	assert_int_equal(notes(), 2);
	leave(EXIT_WBINVD);
	exit_dispatch(&vcpu, METER_WATCHED);
	assert_int_equal(notes(), 3);
	assert_int_equal(vcpu.last.exit[2].times, 1);
}

static void test_the_lapic_page_is_hot(void **state)
{
	struct vcpu_exit *e = leave(EXIT_MMIO);

	e->mmio.gpa = GPA(TRAPPED_BASE);
	lapic_page = true;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(notes(), 0);
	lapic_page = false;
	e = leave(EXIT_MMIO);
	e->mmio.gpa = GPA(TRAPPED_BASE);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(notes(), 1);
	assert_int_equal(vcpu.last.exit[0].where, TRAPPED_BASE);
}

/* A hot exit that ends in an exception is one that somebody will ask for, and
 * a rare one is not noted twice */
static void test_exceptions_are_noted(void **state)
{
	msr_refuses = true;
	leave(EXIT_WRMSR);
	vcpu.hw.regs.gpr[GPR_RCX] = 0xc0000080;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(notes(), 1);
	assert_int_equal(vcpu.last.exit[0].where, 0xc0000080);
	leave(EXIT_WRMSR);
	exit_dispatch(&vcpu, METER_BARE);
	assert_int_equal(vcpu.last.exit[0].times, 1);
	msr_refuses = false;
	leave(EXIT_RDPMC);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(notes(), 2);
	assert_int_equal(vcpu.last.exit[1].times, 1);
	leave(EXIT_RDPMC);
	exit_dispatch(&vcpu, METER_WATCHED);
	assert_int_equal(vcpu.last.exit[1].times, 2);
	/* The end is noted whatever is metered */
	leave(EXIT_ENTRY_FAILED);
	exit_dispatch(&vcpu, METER_BARE);
	assert_int_equal(notes(), 3);
	leave(EXIT_ENTRY_FAILED);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(vcpu.last.exit[2].times, 2);
}

static void test_unknown_kind_ends_the_guest_only(void **state)
{
	leave(EXIT_UNKNOWN);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(fake_vm_ends, 1);
	assert_int_equal(dumps, 1);
	assert_rip(0x100000);
}

/* Each way a handler has of ending the guest is told and done once, by the
 * dispatcher, with the handler's reason */
static void test_kill_is_told_once(void **state)
{
	static const enum exit_kind kinds[] = { EXIT_UNKNOWN,
						EXIT_ENTRY_FAILED };

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		leave(kinds[i]);
		exit_dispatch(&vcpu, METER_COUNTED);
		assert_int_equal(fake_vm_ends, i + 1);
		assert_int_equal(dumps, i + 1);
		assert_string_equal(fake_vm_end_reason, vcpu.kill_reason);
	}
	assert_int_equal(exit_kill(&vcpu, "why"), VERDICT_KILL);
	assert_int_equal(fake_vm_ends, 2);
	exit_give_way(&vcpu, VERDICT_KILL);
	assert_string_equal(fake_vm_end_reason, "why");
	assert_rip(0x100000);
}

static void user_mode(void)
{
	vcpu.hw.regs.seg[SEG_SS].attr |= SEG_ATTR_DPL_MASK;
	injected = -1;
}

/* What ends the guest at CPL 0 is a fault at CPL 3, whatever it was */
static void test_user_mode_ends_nothing(void **state)
{
	struct vcpu_exit *e;

	user_mode();
	leave(EXIT_UNKNOWN);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(injected, EXC_UD);
	e = leave(EXIT_MMIO);
	e->mmio.gpa = GPA(DEVICE_BASE);
	e->mmio.access = ACCESS_X;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(injected, EXC_GP);
	user_mode();
	e = leave(EXIT_MMIO);
	e->mmio.gpa = GPA(DEVICE_BASE);
	e->mmio.access = ACCESS_W;
	e->vectoring = (struct vcpu_event){ .type = EVENT_SOFT_INT };
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(injected, EXC_GP);
	assert_int_equal(injected_error, 0);
	assert_int_equal(fake_vm_ends + dumps, 0);
	assert_rip(0x100000);
}

/* The instruction is over, or has not begun: RIP is where it goes on */
static void test_bus_lock_goes_on(void **state)
{
	leave(EXIT_BUS_LOCK);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_rip(0x100000);
	assert_int_equal(vcpu.exits[EXIT_BUS_LOCK], 1);
	assert_int_equal(fake_vm_ends, 0);
}

static void test_stuck_ends_the_guest_if_its_state_is_lost(void **state)
{
	leave(EXIT_STUCK)->stuck.lost = false;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_rip(0x100000);
	assert_int_equal(fake_vm_ends, 0);
	leave(EXIT_STUCK)->stuck.lost = true;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(fake_vm_ends, 1);
	assert_string_equal(fake_vm_end_reason,
			    "the CPU made no progress and its state is lost");
}

/* A shutdown of the CPU is the end of an isolated guest, which is dumped; a
 * machine resets, and so does the privileged guest */
static void test_shutdown(void **state)
{
	leave(EXIT_TRIPLE_FAULT);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(fake_vm_end, VM_END_CRASH);
	assert_string_equal(fake_vm_end_reason, "triple fault");
	assert_int_equal(dumps, 1);
	vm.privileged = true;
	leave(EXIT_TRIPLE_FAULT);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(fake_vm_end, VM_END_FAILURE);
	assert_string_equal(fake_vm_end_reason, "triple fault");
	assert_int_equal(dumps, 1);
	assert_rip(0x100000);
	fake_vm_end = VM_END_CRASH; /* all others end so */
}

static void test_length_is_decoded_when_nobody_tells(void **state)
{
	leave(EXIT_CPUID);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_rip(0x100002);
	assert_int_equal(vcpu.exits[EXIT_CPUID], 1);
	leave(EXIT_CPUID)->insn_len = 5;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_rip(0x100007);
	/* Not that instruction any more: enter again, nothing is done */
	vcpu.hw.regs.gpr[GPR_RAX] = 1;
	decoded_len = 0;
	leave(EXIT_CPUID);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_rip(0x100007);
	assert_int_equal(vcpu.hw.regs.gpr[GPR_RAX], 1);
}

/* Neither is executed, for anybody: here it would be a fault */
static void test_caches_are_everybodys(void **state)
{
	static const enum exit_kind kinds[] = { EXIT_WBINVD, EXIT_INVD };

	vcpu.hw.regs.rip = 0x100000;
	for (u32 i = 0; i < 4; i++) {
		vm.privileged = i / 2;
		leave(kinds[i % 2])->insn_len = 2;
		exit_dispatch(&vcpu, METER_COUNTED);
		assert_rip(0x100000 + 2 * (i + 1));
	}
}

static void advance_from(u64 rip, u32 cs_attr, u64 efer)
{
	vcpu.hw.regs.rip = rip;
	vcpu.hw.regs.efer = efer;
	vcpu.hw.regs.seg[SEG_CS].attr = cs_attr;
	leave(EXIT_CPUID);
	exit_dispatch(&vcpu, METER_COUNTED);
}

static void test_rip_wraps_as_the_mode_says(void **state)
{
	advance_from(0xffff, 0, 0);
	assert_rip(1);
	advance_from(0xffffffff, SEG_ATTR_DB, 0);
	assert_rip(1);
	advance_from(0xfffe, SEG_ATTR_DB, 0);
	assert_rip(0x10000);
	advance_from(0xffffffff, SEG_ATTR_L, EFER_LMA);
	assert_rip(0x100000001);
	/* Compatibility mode */
	advance_from(0xffffffff, SEG_ATTR_DB, EFER_LMA);
	assert_rip(1);
}

static void test_shadow_and_resume_flag_end(void **state)
{
	vcpu.hw.regs.shadow = SHADOW_STI | SHADOW_NMI;
	vcpu.hw.regs.rflags = RFLAGS_IF | RFLAGS_RF;
	leave(EXIT_HLT);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(vcpu.hw.regs.shadow, SHADOW_NMI);
	assert_int_equal(vcpu.hw.regs.rflags, RFLAGS_IF);
	assert_int_equal(vcpu.activity, VCPU_HALTED);
	assert_rip(0x100002);
	assert_true(vcpu.hw.regs.dirty & RG_RIP);
}

/* What a shadow has held back: B0-3 count where one of them is enabled, the
 * others of DR6 stay (SDM 3C table 25-4, 3B 18.2.3) */
static void test_pending_breakpoints(void **state)
{
	struct vcpu_regs *r = &vcpu.hw.regs;

	r->valid |= RG_DR;
	r->dr[6] = DR6_BT | 2;
	r->shadow = SHADOW_MOV_SS;
	r->pending_debug = 1;
	leave(EXIT_CPUID);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(injected, -1);
	r->shadow = SHADOW_MOV_SS;
	r->pending_debug = DR6_PENDING | 1;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(injected, EXC_DB);
	assert_int_equal(r->dr[6], DR6_BT | 1);
	assert_int_equal(r->pending_debug, 0);
}

static u64 port_read(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	return 0x12345678;
}

static u64 in(u16 port, u8 size)
{
	struct vcpu_exit *e = leave(EXIT_PORT);

	e->port.port = port;
	e->port.size = size;
	e->port.in = true;
	vcpu.hw.regs.gpr[GPR_RAX] = 0xaaaaaaaaaaaaaaaaull;
	exit_dispatch(&vcpu, METER_COUNTED);
	return vcpu.hw.regs.gpr[GPR_RAX];
}

static void test_in_writes_its_part_of_rax(void **state)
{
	const struct bus_region r = {
		.base = 0x60, .size = 4, .name = "test", .read = port_read
	};

	assert_true(in(0x1234, 1) == 0xaaaaaaaaaaaaaaffull);
	assert_true(in(0x1234, 2) == 0xaaaaaaaaaaaaffffull);
	assert_true(in(0x1234, 4) == 0xffffffffull);
	assert_int_equal(bus_add(&vm.ports, &r), 0);
	assert_true(in(0x60, 1) == 0xaaaaaaaaaaaaaa78ull);
	assert_true(in(0x60, 2) == 0xaaaaaaaaaaaa5678ull);
	assert_true(in(0x60, 4) == 0x12345678ull);
}

static u32 polls;

static void note_poll(struct vcpu_hw *hw)
{
	assert_ptr_equal(hw, &vcpu.hw);
	polls++;
}

/* The back-end hears of a device's port, and of no other */
static void test_port_of_a_device_is_a_poll(void **state)
{
	const struct bus_region r = {
		.base = 0x60, .size = 4, .name = "test", .read = port_read
	};

	assert_int_equal(bus_add(&vm.ports, &r), 0);
	guest_polls_hook = note_poll;
	in(0x1234, 1);
	assert_int_equal(polls, 0);
	in(0x60, 1);
	assert_int_equal(polls, 1);
	guest_polls_hook = NULL;
}

/* --- others are in the devices --- */

static u32 visits;

static u64 port_visit(struct vcpu *v, void *dev, u64 offset, u8 size)
{
	visits++;
	crowd_seen = v->vm->crowd;
	return 0x5a;
}

/* Two ports of a device, one with a lock */
static void crowd_setup(void)
{
	const struct bus_region locked = {
		.base = 0x60, .size = 1, .name = "locked", .read = port_visit
	};
	const struct bus_region lockless = { .base = 0x61,
					     .size = 1,
					     .name = "lockless",
					     .read = port_visit,
					     .lockless = true };

	assert_int_equal(bus_add(&vm.ports, &locked), 0);
	assert_int_equal(bus_add(&vm.ports, &lockless), 0);
	vm.privileged = true;
	vm.vcpu_count = CROWD_PRIVILEGED + 1;
	visits = 0;
}

/* It tries again, as though it never had, and gets in once somebody is out */
static void test_port_in_a_crowd(void **state)
{
	crowd_setup();
	vm.crowd = CROWD_PRIVILEGED;
	assert_true(in(0x60, 1) == 0xaaaaaaaaaaaaaaaaull);
	assert_rip(0x100000);
	assert_int_equal(visits, 0);
	assert_int_equal(vm.crowd, CROWD_PRIVILEGED);
	vm.crowd = CROWD_PRIVILEGED - 1;
	assert_true(in(0x60, 1) == 0xaaaaaaaaaaaaaa5aull);
	assert_rip(0x100002);
	assert_int_equal(visits, 1);
	assert_int_equal(crowd_seen, CROWD_PRIVILEGED);
	assert_int_equal(vm.crowd, CROWD_PRIVILEGED - 1);
}

/* Nobody waits at these, and they have no part in the crowd */
static void test_ports_without_a_lock(void **state)
{
	crowd_setup();
	vm.crowd = CROWD_PRIVILEGED;
	assert_true(in(0x61, 1) == 0xaaaaaaaaaaaaaa5aull);
	assert_int_equal(crowd_seen, CROWD_PRIVILEGED);
	assert_true(in(0x62, 1) == 0xaaaaaaaaaaaaaaffull);
	assert_rip(0x100004);
	/* A guest of few vCPUs is not counted */
	vm.vcpu_count = CROWD_PRIVILEGED;
	assert_true(in(0x60, 1) == 0xaaaaaaaaaaaaaa5aull);
	assert_int_equal(crowd_seen, CROWD_PRIVILEGED);
}

static void test_string_io_in_a_crowd(void **state)
{
	crowd_setup();
	vm.crowd = CROWD_PRIVILEGED;
	leave(EXIT_PORT)->port.string = true;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(emulated, 0);
	assert_rip(0x100000);
	vm.crowd = 0;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(emulated, 1);
	assert_int_equal(crowd_seen, 1);
	assert_int_equal(vm.crowd, 0);
}

/* An event whose delivery touched the device comes again with it */
static void test_mmio_in_a_crowd(void **state)
{
	struct vcpu_exit *e;

	crowd_setup();
	vm.crowd = CROWD_PRIVILEGED;
	e = leave(EXIT_MMIO);
	e->mmio.gpa = GPA(TRAPPED_BASE);
	e->mmio.access = ACCESS_W;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(emulated, 0);
	assert_rip(0x100000);
	e->insn_len = 0; /* left once more */
	e->vectoring =
		(struct vcpu_event){ .type = EVENT_EXTINT, .vector = 0x41 };
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(vcpu.pending.vector, 0x41);
	assert_int_equal(fake_vm_ends, 0);
	e->insn_len = 0;
	e->vectoring.type = EVENT_NONE;
	vm.crowd = 0;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(emulated, 1);
	assert_int_equal(crowd_seen, 1);
	assert_int_equal(vm.crowd, 0);
	assert_rip(0x100003);
}

static void test_interrupted_delivery_is_repeated(void **state)
{
	leave(EXIT_IRQ)->vectoring =
		(struct vcpu_event){ .type = EVENT_EXTINT, .vector = 0x41 };
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(vcpu.pending.type, EVENT_EXTINT);
	assert_int_equal(vcpu.pending.vector, 0x41);
	assert_rip(0x100000);
}

static void touch(u64 gpa, u8 access)
{
	struct vcpu_exit *e = leave(EXIT_MMIO);

	e->mmio.gpa = GPA(gpa);
	e->mmio.access = access;
	exit_dispatch(&vcpu, METER_COUNTED);
}

static void test_isolated_guest_reaches_nothing(void **state)
{
	touch(DEVICE_BASE, ACCESS_R);
	touch(HV_MEMORY, ACCESS_W);
	touch(TRAPPED_BASE, ACCESS_R);
	assert_int_equal(emulated, 3);
	assert_int_equal(mapped.calls, 0);
	assert_rip(0x100009);
	touch(DEVICE_BASE, ACCESS_X);
	assert_int_equal(fake_vm_ends, 1);
}

static void test_privileged_guest_gets_devices_alone(void **state)
{
	vm.privileged = true;
	touch(HV_MEMORY, ACCESS_R);
	assert_int_equal(mapped.calls, 0);
	assert_int_equal(emulated, 1);
	touch(TRAPPED_BASE, ACCESS_R);
	assert_int_equal(mapped.calls, 0);
	touch(BIT(45), ACCESS_R); /* beyond MAXPHYADDR */
	assert_int_equal(mapped.calls, 0);
	touch(DEVICE_BASE + 0x1234, ACCESS_W);
	assert_int_equal(mapped.calls, 1);
	assert_true(mapped.addr == DEVICE_BASE);
	assert_int_equal(mapped.size, PAGE_2M);
	assert_true(mapped.attrs & PT_UC);
	/* In the 2 MiB of the trapped page: a small page beside it */
	touch(TRAPPED_BASE + 0x5000, ACCESS_R);
	assert_true(mapped.addr == TRAPPED_BASE + 0x5000);
	assert_int_equal(mapped.size, PAGE_SIZE);
	/* A large window far from everything */
	touch(GIB(64) + 5, ACCESS_R);
	assert_true(mapped.addr == GIB(64));
	assert_int_equal(mapped.size, PAGE_1G);
}

static void test_event_tables_outside_ram(void **state)
{
	struct vcpu_exit *e = leave(EXIT_MMIO);

	e->mmio.gpa = GPA(DEVICE_BASE);
	e->mmio.access = ACCESS_R;
	e->vectoring.type = EVENT_EXCEPTION;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(fake_vm_ends, 1);
	assert_int_equal(emulated, 0);
}

/* What the CPU writes of itself is not an instruction to emulate */
static void test_descriptor_in_rom(void **state)
{
	struct vcpu_exit *e = leave(EXIT_MMIO);

	e->mmio.gpa = GPA(ROM_GPA + 5);
	e->mmio.access = ACCESS_W;
	descriptor_in_rom = true;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(emulated, 0);
	descriptor_in_rom = false;
	e = leave(EXIT_MMIO);
	e->mmio.gpa = GPA(ROM_GPA + 5);
	e->mmio.access = ACCESS_W;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(emulated, 1);
	assert_int_equal(fake_vm_ends, 0);
}

static void mov_cr(u8 cr, u64 value)
{
	struct vcpu_exit *e = leave(EXIT_CR);

	e->cr.cr = cr;
	e->cr.write = true;
	e->cr.gpr = GPR_RBX;
	vcpu.hw.regs.gpr[GPR_RBX] = value;
	injected = -1;
	exit_dispatch(&vcpu, METER_COUNTED);
}

static void test_control_registers_are_checked(void **state)
{
	static const struct {
		u8 cr;
		u64 value;
		int fault;
	} rows[] = {
		{ 0, CR0_PG | CR0_NW | CR0_PE, EXC_GP }, /* NW without CD */
		{ 0, CR0_PG, EXC_GP },                   /* PG without PE */
		{ 0, BIT(32) | CR0_PE, EXC_GP },
		{ 0, CR0_PE, EXC_GP }, /* PG off in 64-bit code */
		{ 0, CR0_PE | CR0_PG | CR0_WP, -1 },
		{ 3, BIT(41), EXC_GP },
		{ 3, 0x5000, -1 },
		{ 4, 0, EXC_GP },                  /* PAE off in long mode */
		{ 4, CR4_PAE | CR4_VMXE, EXC_GP }, /* hidden */
		{ 4, CR4_PAE | CR4_SMEP, EXC_GP }, /* not in its CPUID */
		{ 4, CR4_PAE | CR4_PGE, -1 },
		{ 8, 16, EXC_GP },
		{ 8, 15, -1 },
		{ 5, 0, EXC_UD },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 rip = vcpu.hw.regs.rip;

		mov_cr(rows[i].cr, rows[i].value);
		assert_int_equal(injected, rows[i].fault);
		assert_rip(rows[i].fault < 0 ? rip + 2 : rip);
	}
	assert_int_equal(apic_page[APIC_TPR / 4], 0xf0);
}

static void test_lmsw_cannot_clear_pe(void **state)
{
	struct vcpu_exit *e = leave(EXIT_CR);

	e->cr.lmsw = true;
	e->cr.lmsw_value = CR0_TS;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_true(vcpu.hw.regs.cr0 & CR0_PE);
	assert_true(vcpu.hw.regs.cr0 & CR0_TS);
	leave(EXIT_CR)->cr.clts = true;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_false(vcpu.hw.regs.cr0 & CR0_TS);
}

static void test_xsetbv(void **state)
{
	static const struct {
		u64 value;
		bool ok;
	} rows[] = {
		{ XCR0_X87, true },
		{ XCR0_X87 | XCR0_SSE | XCR0_AVX, true },
		{ 0, false },
		{ XCR0_X87 | XCR0_AVX, false },
		{ XCR0_X87 | XCR0_SSE | BITS(7, 5), false },
		{ XCR0_X87 | XCR0_SSE | XCR0_AVX | BIT(5), false },
		{ XCR0_X87 | BIT(18), false },
	};

	vm.xcr0_mask = BITS(2, 0) | BITS(7, 5);
	leave(EXIT_XSETBV);
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(injected, EXC_UD); /* OSXSAVE is off */
	vcpu.hw.regs.cr4 |= CR4_OSXSAVE;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		injected = -1;
		leave(EXIT_XSETBV);
		vcpu.hw.regs.gpr[GPR_RAX] = rows[i].value;
		exit_dispatch(&vcpu, METER_COUNTED);
		assert_int_equal(injected, rows[i].ok ? -1 : EXC_GP);
		if (rows[i].ok)
			assert_int_equal(vcpu.hw.regs.xcr0, rows[i].value);
	}
}

/* SDM 3A 4.4.1: what a load of the PDPTEs refuses, and what leads to one */
static void test_pdptes_are_checked(void **state)
{
	struct vcpu_regs *r = &vcpu.hw.regs;

	r->efer = 0;
	r->seg[SEG_CS].attr = SEG_ATTR_DB;
	pdptes[2] = PTE_P | BIT(5);
	mov_cr(3, 0x2000);
	assert_int_equal(injected, EXC_GP);
	assert_int_equal(r->cr3, 0);
	mov_cr(4, CR4_PAE | CR4_PGE);
	assert_int_equal(injected, EXC_GP);
	mov_cr(4, CR4_PAE | CR4_OSFXSR); /* loads none */
	assert_int_equal(injected, -1);
	assert_false(r->load_pdptes);
	pdptes[2] = BIT(5) | BIT(62); /* not present: anything goes */
	mov_cr(3, 0x2000);
	assert_int_equal(injected, -1);
	assert_true(r->load_pdptes);
	pdptes[2] = PTE_P | BIT(40); /* beyond MAXPHYADDR */
	mov_cr(0, r->cr0 | CR0_CD);
	assert_int_equal(injected, EXC_GP);
	pdptes[2] = 0;
	mov_cr(3, RAM_END);
	assert_int_equal(injected, EXC_GP);
}

/* The core keeps CR4.MCE on; the guest reads what it wrote */
static void test_hidden_mce(void **state)
{
	struct vcpu_regs *r = &vcpu.hw.regs;
	struct vcpu_exit *e;

	mov_cr(4, CR4_PAE);
	assert_true(r->mce_hidden);
	r->cr4 |= CR4_MCE; /* as the back-end runs it */
	e = leave(EXIT_CR);
	e->cr.cr = 4;
	e->cr.gpr = GPR_RBX;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(r->gpr[GPR_RBX], CR4_PAE);
	mov_cr(4, CR4_PAE | CR4_MCE);
	assert_false(r->mce_hidden);
}

/* INT1 and its kind go on behind the instruction */
static void test_software_exception(void **state)
{
	struct vcpu_exit *e = leave(EXIT_EXCEPTION);

	e->exception.type = EVENT_PRIV_EXCEPTION;
	e->exception.vector = EXC_DB;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(injected, -1);
	assert_int_equal(vcpu.pending.type, EVENT_PRIV_EXCEPTION);
	assert_int_equal(vcpu.pending.insn_len, 1);
	assert_rip(0x100000);
}

/* Bad memory of this guest's, or of no known place, ends this guest alone */
static void test_machine_check(void **state)
{
	fake_owner_count = 0;
	fake_owner_add(RAM_END, PAGE_2M, OWNER_GUEST, 0);
	fake_owner_add(HV_MEMORY, PAGE_2M, OWNER_HYPERVISOR, 0);
	leave(EXIT_MACHINE_CHECK);
	mce = MCE_NONE;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(fake_vm_ends, 0);
	vm.restarts = true;
	mce = MCE_CONTAINED;
	mce_address = MCE_NO_ADDRESS;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(fake_vm_ends, 1);
	assert_false(vm.restarts); /* on the same memory */
	mce_address = RAM_END + PAGE_SIZE;
	fake_owners[0].vm = vm.id;
	exit_dispatch(&vcpu, METER_COUNTED);
	assert_int_equal(fake_vm_ends, 2);
	/* Of another one, of the hypervisor, and of nobody */
	fake_owners[0].vm = vm.id + 1;
	expect_panic(exit_dispatch(&vcpu, METER_COUNTED));
	mce_address = HV_MEMORY;
	expect_panic(exit_dispatch(&vcpu, METER_COUNTED));
	mce_address = 0;
	expect_panic(exit_dispatch(&vcpu, METER_COUNTED));
	mce = MCE_FATAL;
	mce_address = MCE_NO_ADDRESS;
	expect_panic(exit_dispatch(&vcpu, METER_COUNTED));
	mce = MCE_NONE;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_no_slot_is_empty),
		T(test_notes),
		T(test_the_lapic_page_is_hot),
		T(test_exceptions_are_noted),
		T(test_unknown_kind_ends_the_guest_only),
		T(test_kill_is_told_once),
		T(test_machine_check),
		T(test_user_mode_ends_nothing),
		T(test_bus_lock_goes_on),
		T(test_stuck_ends_the_guest_if_its_state_is_lost),
		T(test_shutdown),
		T(test_length_is_decoded_when_nobody_tells),
		T(test_caches_are_everybodys),
		T(test_rip_wraps_as_the_mode_says),
		T(test_shadow_and_resume_flag_end),
		T(test_pending_breakpoints),
		T(test_in_writes_its_part_of_rax),
		T(test_port_of_a_device_is_a_poll),
		T(test_port_in_a_crowd),
		T(test_ports_without_a_lock),
		T(test_string_io_in_a_crowd),
		T(test_mmio_in_a_crowd),
		T(test_interrupted_delivery_is_repeated),
		T(test_isolated_guest_reaches_nothing),
		T(test_privileged_guest_gets_devices_alone),
		T(test_event_tables_outside_ram),
		T(test_descriptor_in_rom),
		T(test_control_registers_are_checked),
		T(test_lmsw_cannot_clear_pe),
		T(test_xsetbv),
		T(test_pdptes_are_checked),
		T(test_hidden_mce),
		T(test_software_exception),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
