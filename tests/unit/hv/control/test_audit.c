/* SOURCES: hv/control/audit.c hv/control/audit_machine.c mm/pt.c mm/pt_format.c tests/unit/mm/table_pages.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What BH_CTL_OP_AUDIT lists, in parts, of tables and bitmaps that are made up:
 * all that is there, nothing else, and whether it changed meanwhile. Over 400
 * lines: one made-up machine. */
#include "hv/control/audit.h"

#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/irq.h"
#include "hv/assign/passthrough.h"
#include "hv/irq/route.h"
#include "hv/policy/msr.h"
#include "hv/vm/pool.h"
#include "mm/owner.h"
#include "tests/unit/mm/table_pages.h"
#include "tests/unit/test.h"

#define ITEMS_MAX 4096u

static struct control c;
static struct vm guest, privileged;
static struct vcpu vcpu;
struct vm *vms[VM_MAX];
u32 vm_count;
struct pcpu *pcpus[MAX_CPUS];
u32 pcpu_count;
static struct pcpu cores[3];
static u8 port_bits[8192];
static struct bh_ctl_reach items[ITEMS_MAX];
static u32 item_count, parts;

/* --- what stands around it --- */

s32 control_error(struct control *ctl, struct control_call *call,
		  enum bh_ctl_error error, const char *sentence)
{
	return -(s32)error;
}

void *control_next(struct control *ctl, struct control_call *call, u32 size)
{
	void *place = ctl->out + call->bytes;

	if (call->out_bytes - call->bytes < size)
		return NULL;
	call->bytes += size;
	memset(place, 0, size);
	return place;
}

u32 ids_count(void)
{
	return 2;
}

u64 vm_number(const struct vm *vm)
{
	return vm->number;
}

struct vm *vm_numbered(u64 id)
{
	return id == guest.number ? &guest : NULL;
}

/* Ports 3F8h to 3FFh have a device of the hypervisor's */
const struct bus_region *bus_find(const struct bus *bus, u64 addr)
{
	static const struct bus_region uart = { .base = 0x3f8, .size = 8 };

	assert_ptr_equal(bus, &guest.ports);
	return addr - uart.base < uart.size ? &uart : NULL;
}

static u32 msr_passes(const struct vm_intercepts *i, u32 msr)
{
	if (msr == 0x174)
		return ACCESS_R;
	if (msr == 0xc0000080 || msr == 0xc0000081)
		return ACCESS_R | ACCESS_W;
	return msr == 0xc0011fff ? ACCESS_W : 0;
}

u32 msr_policy_passes(const struct vm *vm, u32 msr)
{
	return msr == 0xc0011fff ? 0 : ACCESS_R | ACCESS_W;
}

static u8 ports_pass(const struct vm_intercepts *i, u16 first)
{
	assert_int_equal(first % 8, 0);
	return port_bits[first / 8];
}

static const struct vcpu_ops backend = { .msr_passes = msr_passes,
					 .ports_pass = ports_pass };
const struct vcpu_ops *vcpu_ops = &backend;

static u64 owners_changed;
struct extent owner_find(hpa_t hpa)
{
	if (hpa.v < PAGE_1G)
		return (struct extent){ 0, PAGE_1G, OWNER_HYPERVISOR, 0, 0 };
	if (hpa.v < 2 * PAGE_1G)
		return (struct extent){ PAGE_1G, PAGE_1G, OWNER_GUEST, 1, 0 };
	if (hpa.v < 3 * PAGE_1G)
		return (struct extent){ 2 * PAGE_1G, PAGE_1G, OWNER_FILES, 0,
					0 };
	return (struct extent){ 3 * PAGE_1G, BIT(52) - 3 * PAGE_1G,
				OWNER_DEVICE, 0, 0 };
}

u64 owner_changes(void)
{
	return owners_changed++;
}

u32 pool_range_count(void)
{
	return 1;
}

bool pool_run(u32 *unit, struct bh_ctl_range *range, u16 *vm)
{
	if (*unit >= 6)
		return false;
	*range = (struct bh_ctl_range){ .base = *unit * POOL_UNIT,
					.size = 2 * POOL_UNIT };
	*vm = *unit < 4 ? 1 : POOL_NOBODY;
	*unit += 2;
	return true;
}

u64 pool_changes(void)
{
	return 5;
}

hpa_t pool_scratch(void)
{
	return HPA(9 * POOL_UNIT);
}

u64 pool_free_bytes(void)
{
	return 77;
}

u64 pmm_free_pages(void)
{
	return 33;
}

/* One pin of all cores, one message of core 1, which has left row 2 to nobody,
 * and two sources that share a vector */
static struct irq own, pin, message, left, shared[2];

struct irq *irq_bound(const struct pcpu *cpu, u8 vector, u32 member)
{
	assert_true(member < IRQ_SHARE_MAX);
	if (vector == VEC_SHARED_LAST)
		return member < 2 ? &shared[member] : NULL;
	if (member)
		return NULL;
	if (vector == VEC_TIMER)
		return &own;
	if (vector == 0x30)
		return &pin;
	if (cpu == &cores[1] && vector == 0xdf)
		return &message;
	return cpu == &cores[2] && vector == 0xdf ? &left : NULL;
}

bool irq_is_pin(const struct irq *irq, const struct vm **vm, u32 *gsi)
{
	if (irq != &pin && irq != &shared[0] && irq != &shared[1])
		return false;
	*vm = &privileged;
	*gsi = irq == &pin ? 9 : 10 + (u32)(irq - shared);
	return true;
}

bool irq_is_message(const struct irq *irq, const struct vm **vm,
		    struct pci_bdf *bdf)
{
	if (irq != &message && irq != &left)
		return false;
	*vm = irq == &left ? NULL : &privileged;
	*bdf = (struct pci_bdf){ .segment = 1, .bus = 2, .devfn = 3 };
	return true;
}

u32 irq_bound_count(void)
{
	return 44;
}

u64 irq_changes(void)
{
	return 100;
}

u64 irq_pin_changes(void)
{
	return 20;
}

u64 irq_message_changes(void)
{
	return 3;
}

bool passthrough_list(struct vm *vm, u32 *at, struct passthrough_entry *entry)
{
	assert_ptr_equal(vm, &privileged);
	*entry = (struct passthrough_entry){
		.bdf = { .bus = 1, .devfn = (u8)*at },
		.is_virtual = *at == 0,
		.kept = *at == 2,
		.hidden = *at == 3,
	};
	return (*at)++ < 40;
}

u64 passthrough_changes(struct vm *vm)
{
	return 8;
}

/* --- the command --- */

static s32 ask(u64 list, u64 id, u64 at, u32 room)
{
	s32 status;

	c.call = (struct control_call){
		.command = { .op = BH_CTL_OP_AUDIT, .arg = { list, id, at } },
		.out_bytes = room,
	};
	do {
		status = control_audit(&c, &c.call);
	} while (status == CONTROL_GOES_ON);
	return status;
}

/* The whole list, with room for so many items in a part */
static void read_list(u64 list, u32 room)
{
	u64 at = 0;

	item_count = parts = 0;
	do {
		u32 n;

		assert_int_equal(
			ask(list, guest.number, at, room * sizeof(items[0])),
			0);
		n = c.call.bytes / sizeof(items[0]);
		assert_true(item_count + n <= ITEMS_MAX);
		memcpy(&items[item_count], c.out, n * sizeof(items[0]));
		item_count += n;
		parts++;
		assert_true(!c.call.result[0] || c.call.result[0] > at);
		at = c.call.result[0];
	} while (at);
}

static void expect(u32 i, u64 base, u64 size, u64 where, u32 kind, u32 flags)
{
	assert_true(i < item_count);
	assert_int_equal(items[i].base, base);
	assert_int_equal(items[i].size, size);
	assert_int_equal(items[i].where, where);
	assert_int_equal(items[i].kind, kind);
	assert_int_equal(items[i].flags, flags);
}

static void map(u64 gpa, u64 hpa, u64 size, u32 attrs)
{
	assert_int_equal(pt_map(&guest.npt, gpa, HPA(hpa), size, attrs), 0);
}

static const struct pt_format *const formats[] = { &pt_ept, &pt_npt };

static void make_table(const struct pt_format *format)
{
	table_pages_reset();
	guest.budget = (struct budget){ 0 };
	assert_int_equal(pt_init(&guest.npt, format, &guest.budget, 2), 0);
	vcpu.hw.npt_root = virt_to_hpa(guest.npt.root);
}

static int setup(void **state)
{
	c = (struct control){ .vm = &privileged };
	guest = (struct vm){ .number = 7, .id = 1, .vcpu_count = 1 };
	privileged = (struct vm){ .number = 3, .id = 0 };
	guest.vcpus[0] = &vcpu;
	vms[0] = &privileged;
	vms[1] = &guest;
	vm_count = 2;
	pcpu_count = 3;
	for (u32 i = 0; i < pcpu_count; i++)
		pcpus[i] = &cores[i];
	memset(port_bits, 0, sizeof(port_bits));
	cpu_features.phys_bits = PHYS_BITS_MAX;
	owners_changed = 0;
	pmm_self.used_pages = 12;
	return 0;
}

static void check_memory(void)
{
	const u32 rwx = BH_CTL_REACH_R | BH_CTL_REACH_W | BH_CTL_REACH_X;

	map(0, PAGE_1G, 8 * PAGE_2M, PT_R | PT_W | PT_X);
	map(8 * PAGE_2M, PAGE_1G + 8 * PAGE_2M, PAGE_2M, PT_R | PT_X);
	map(PAGE_1G, 0xc0000000, 5 * PAGE_SIZE, PT_R | PT_W | PT_UC);
	map(BIT(47), 0, PAGE_SIZE, PT_R | PT_W | PT_X);
	for (u32 room = 1; room < 9; room++) {
		read_list(BH_CTL_AUDIT_MEMORY, room);
		assert_true(parts <= 16);
	}
	assert_int_equal(parts, 1);
	assert_int_equal(item_count, 4);
	expect(0, PAGE_1G, 8 * PAGE_2M, 0, BH_CTL_TYPE_WB, rwx);
	expect(1, PAGE_1G + 8 * PAGE_2M, PAGE_2M, 8 * PAGE_2M, BH_CTL_TYPE_WB,
	       BH_CTL_REACH_R | BH_CTL_REACH_X);
	expect(2, 0xc0000000, 5 * PAGE_SIZE, PAGE_1G, BH_CTL_TYPE_UC,
	       BH_CTL_REACH_R | BH_CTL_REACH_W);
	expect(3, 0, PAGE_SIZE, BIT(47), BH_CTL_TYPE_WB, rwx);
}

static void test_memory(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(formats); i++) {
		make_table(formats[i]);
		check_memory();
		pt_destroy(&guest.npt);
	}
}

/* What is listed is what the vCPU runs on, and not what the guest's structure
 * says of it */
static void test_other_root(void **state)
{
	struct page_table planted;

	make_table(&pt_ept);
	map(0, PAGE_1G, PAGE_2M, PT_R | PT_W | PT_X);
	assert_int_equal(pt_init(&planted, &pt_ept, &guest.budget, 2), 0);
	assert_int_equal(pt_map(&planted, 0, HPA(0x5000), PAGE_SIZE, PT_R), 0);
	vcpu.hw.npt_root = virt_to_hpa(planted.root);
	read_list(BH_CTL_AUDIT_MEMORY, 8);
	assert_int_equal(item_count, 1);
	expect(0, 0x5000, PAGE_SIZE, 0, BH_CTL_TYPE_WB, BH_CTL_REACH_R);
	pt_destroy(&planted);
	pt_destroy(&guest.npt);
}

/* Each change counts, and the count comes without a list, too */
static void test_changes(void **state)
{
	u64 before;

	make_table(&pt_npt);
	map(0, PAGE_1G, PAGE_2M, PT_R | PT_W | PT_X);
	assert_int_equal(ask(BH_CTL_AUDIT_MEMORY, 7, 0, 0), 0);
	before = c.call.result[1];
	assert_int_equal(ask(BH_CTL_AUDIT_MEMORY, 7, 0, 0), 0);
	assert_int_equal(c.call.result[1], before);
	assert_int_equal(c.call.bytes, 0);
	assert_int_equal(pt_unmap(&guest.npt, 0, PAGE_SIZE), 0);
	assert_int_equal(ask(BH_CTL_AUDIT_MEMORY, 7, 0, 4096), 0);
	assert_int_not_equal(c.call.result[1], before);
	pt_destroy(&guest.npt);
	/* A list that takes steps tells what the first one found */
	assert_int_equal(ask(BH_CTL_AUDIT_OWNERS, 0, 0, 4096), 0);
	assert_int_equal(c.call.result[1], 0);
	guest.intercept_changes = 6;
	assert_int_equal(ask(BH_CTL_AUDIT_PORTS, 7, 0, 4096), 0);
	assert_int_equal(c.call.result[1], 6);
}

static void test_ports(void **state)
{
	port_bits[0] = 0x81;
	port_bits[1] = 0x0f;
	port_bits[0x3f8 / 8] = 0xff;
	port_bits[8191] = 0x80;
	for (u32 room = 1; room < 9; room++) {
		read_list(BH_CTL_AUDIT_PORTS, room);
		assert_int_equal(items[0].base, 0);
	}
	assert_int_equal(item_count, 4);
	expect(0, 0, 1, 0, 0, 0);
	expect(1, 7, 5, 0, 0, 0);
	expect(2, 0x3f8, 8, 0, 0, 0);
	expect(3, 0xffff, 1, 0, 0, 0);
	memset(port_bits, 0xff, sizeof(port_bits));
	read_list(BH_CTL_AUDIT_PORTS, 8);
	assert_int_equal(item_count, 1);
	expect(0, 0, 0x10000, 0, 0, 0);
}

/* A port of the hypervisor's that passes all the same, as the hardware has it,
 * is told apart; an isolated guest may have none at all */
static void test_port_policy(void **state)
{
	guest.privileged = true;
	guest.ports.block_shift = BUS_INDEXED_SHIFT;
	guest.ports.filter = 1; /* the first 1,024 */
	memset(port_bits, 0xff, sizeof(port_bits));
	port_bits[0x3f8 / 8] = 0x10;
	for (u32 room = 1; room < 9; room++) {
		read_list(BH_CTL_AUDIT_PORTS, room);
		assert_int_equal(item_count, 3);
		expect(0, 0, 0x3f8, 0, 0, BH_CTL_REACH_POLICY);
		expect(1, 0x3fc, 1, 0, 0, 0);
		expect(2, 0x400, 0xfc00, 0, 0, BH_CTL_REACH_POLICY);
	}
	port_bits[0x3f8 / 8] = 0;
	read_list(BH_CTL_AUDIT_PORTS, 9);
	assert_int_equal(item_count, 2);
}

static void test_msrs(void **state)
{
	const u32 rw = BH_CTL_REACH_R | BH_CTL_REACH_W;

	read_list(BH_CTL_AUDIT_MSRS, 1);
	assert_int_equal(item_count, 3);
	expect(0, 0x174, 1, 0, 0, BH_CTL_REACH_R | BH_CTL_REACH_POLICY);
	expect(1, 0xc0000080, 2, 0, 0, rw | BH_CTL_REACH_POLICY);
	expect(2, 0xc0011fff, 1, 0, 0, BH_CTL_REACH_W);
}

static void test_owners(void **state)
{
	read_list(BH_CTL_AUDIT_OWNERS, 2);
	assert_int_equal(item_count, 4);
	expect(0, 0, PAGE_1G, 0, BH_CTL_OWNER_HYPERVISOR, 0);
	expect(1, PAGE_1G, PAGE_1G, 0, BH_CTL_OWNER_GUEST, 0);
	assert_int_equal(items[1].owner, 7);
	expect(2, 2 * PAGE_1G, PAGE_1G, 0, BH_CTL_OWNER_FILES, 0);
	expect(3, 3 * PAGE_1G, BIT(52) - 3 * PAGE_1G, 0, BH_CTL_OWNER_DEVICE,
	       0);
	assert_int_equal(items[2].owner, 0);
	read_list(BH_CTL_AUDIT_POOL, 9);
	assert_int_equal(item_count, 3);
	expect(0, 0, 4 * POOL_UNIT, 0, BH_CTL_OWNER_GUEST, 0);
	assert_int_equal(items[0].owner, 7);
	expect(1, 4 * POOL_UNIT, 2 * POOL_UNIT, 0, BH_CTL_OWNER_FREE, 0);
	expect(2, 9 * POOL_UNIT, POOL_UNIT, 0, BH_CTL_OWNER_SCRATCH, 0);
	assert_int_equal(c.call.result[1], 5);
	/* One that is in the making, or already taken apart */
	vms[1] = NULL;
	read_list(BH_CTL_AUDIT_POOL, 9);
	assert_int_equal(items[0].owner, 0);
}

static void test_interrupts(void **state)
{
	for (u32 room = 1; room < 9; room++) {
		read_list(BH_CTL_AUDIT_INTERRUPTS, room);
		assert_int_equal(item_count, 5);
	}
	assert_int_equal(c.call.result[1], 123);
	expect(0, 9, 1, 0x30, BH_CTL_SOURCE_PIN, BH_CTL_REACH_ALL);
	assert_int_equal(items[0].owner, 3);
	expect(1, 10, 1, VEC_SHARED_LAST, BH_CTL_SOURCE_PIN, BH_CTL_REACH_ALL);
	expect(2, 11, 1, VEC_SHARED_LAST, BH_CTL_SOURCE_PIN, BH_CTL_REACH_ALL);
	expect(3, 0, 1, VEC_TIMER, BH_CTL_SOURCE_OWN, BH_CTL_REACH_ALL);
	assert_int_equal(items[3].owner, 0);
	expect(4, 0x10203, 1, 1ull << 32 | 0xdf, BH_CTL_SOURCE_MESSAGE, 0);
}

static void test_functions(void **state)
{
	read_list(BH_CTL_AUDIT_FUNCTIONS, 3);
	assert_int_equal(item_count, 40);
	expect(0, 0x100, 1, 0, BH_CTL_FUNCTION_VIRTUAL, 0);
	expect(1, 0x101, 1, 0, BH_CTL_FUNCTION_WHOLE, 0);
	expect(2, 0x102, 1, 0, BH_CTL_FUNCTION_KEPT, 0);
	expect(3, 0x103, 1, 0, BH_CTL_FUNCTION_HIDDEN, 0);
	assert_int_equal(items[1].owner, 3);
	assert_int_equal(items[2].owner, 0); /* the hypervisor's */
	assert_int_equal(items[3].owner, 0);
	expect(39, 0x127, 1, 0, BH_CTL_FUNCTION_WHOLE, 0);
	assert_int_equal(items[39].owner, 3);
}

static void test_sums(void **state)
{
	static const u64 sums[] = { 33, 12, 77, 2, 44 };

	read_list(BH_CTL_AUDIT_SUMS, 9);
	assert_int_equal(item_count, ARRAY_SIZE(sums));
	for (u32 i = 0; i < item_count; i++)
		expect(i, 0, sums[i], 0, i, 0);
}

static void test_refused(void **state)
{
	assert_int_equal(ask(BH_CTL_AUDITS, 7, 0, 4096), -BH_CTL_EINVAL);
	assert_int_equal(ask(~0ull, 7, 0, 4096), -BH_CTL_EINVAL);
	assert_int_equal(ask(BH_CTL_AUDIT_MSRS, 6, 0, 4096), -BH_CTL_ENOENT);
	make_table(&pt_npt);
	for (u64 list = 0; list < BH_CTL_AUDITS; list++)
		for (u64 at = 1; at; at <<= 1)
			assert_int_equal(ask(list, 7, ~0ull - at, 4096), 0);
	pt_destroy(&guest.npt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_other_root, setup),
		cmocka_unit_test_setup(test_changes, setup),
		cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_port_policy, setup),
		cmocka_unit_test_setup(test_msrs, setup),
		cmocka_unit_test_setup(test_owners, setup),
		cmocka_unit_test_setup(test_interrupts, setup),
		cmocka_unit_test_setup(test_functions, setup),
		cmocka_unit_test_setup(test_sums, setup),
		cmocka_unit_test_setup(test_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
