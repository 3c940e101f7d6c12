/* SOURCES: hv/control/inspect.c hv/core/slots.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control device's commands show of a guest that stands, what they
 * change, and which guests they refuse */
#include "hv/control/priv.h"
#include "hv/vm/kept.h"
#include "lib/errno.h"
#include "tests/unit/fakes/guest_ram.h"

#define RAM KIB(64)

static struct control c;
static enum bh_ctl_state state_is;
static int change_error;
static struct vcpu_regs changed;
static bool known;
static bool ends; /* what is kept is forgotten once it was asked for */

struct vm *vm_numbered(u64 id)
{
	return id == 7 && known ? &fake_vm : NULL;
}

enum bh_ctl_state control_state_of(const struct vm *vm)
{
	return state_is;
}

u32 control_shown_state(enum vcpu_activity activity)
{
	return 40u + activity;
}

s32 control_error(struct control *self, struct control_call *call,
		  enum bh_ctl_error error, const char *sentence)
{
	assert_true(strlen(sentence) > 10);
	return -(s32)error;
}

void *control_next(struct control *self, struct control_call *call, u32 size)
{
	void *place = self->out + call->bytes;

	if (call->out_bytes - call->bytes < size)
		return NULL;
	call->bytes += size;
	return memset(place, 0, size);
}

const struct vcpu_regs *kept_of(const struct vcpu *v)
{
	bool is = v->is_kept;

	if (ends)
		((struct vcpu *)v)->is_kept = false;
	return is ? &v->kept : NULL;
}

int kept_change(struct vcpu *v, const struct vcpu_regs *r)
{
	changed = *r;
	return change_error;
}

int gva_find(struct vcpu *v, const struct vcpu_regs *r, gva_t gva, gpa_t *gpa)
{
	assert_ptr_equal(r, &v->kept);
	*gpa = GPA(gva.v + 1);
	return gva.v == 0xbad ? -EFAULT : 0;
}

void last_exit_copy(const struct vcpu *v, struct bh_ctl_last_exits *to)
{
	memset(to, 0, sizeof(*to));
	to->count = 2;
	to->exit[1].rip = v->id;
}

static u32 flushes;

void window_flush(void)
{
	flushes++;
}

static int setup(void **state)
{
	memset(&c, 0, sizeof(c));
	fake_vm_init(2);
	fake_ram_init(RAM, 0);
	fake_vm.privileged = false;
	for (u32 i = 0; i < 2; i++)
		fake_vcpus[i].is_kept = true;
	known = true;
	ends = false;
	state_is = BH_CTL_PAUSED;
	change_error = 0;
	flushes = 0;
	return 0;
}

static s32 run(s32 (*handler)(struct control *, struct control_call *),
	       u64 arg1, u64 arg2)
{
	u32 in_bytes = c.call.in_bytes, out_bytes = c.call.out_bytes;

	memset(&c.call, 0, sizeof(c.call));
	c.call.command.arg[0] = 7;
	c.call.command.arg[1] = arg1;
	c.call.command.arg[2] = arg2;
	c.call.in_bytes = in_bytes;
	c.call.out_bytes = out_bytes;
	return handler(&c, &c.call);
}

static void test_registers(void **state)
{
	struct bh_ctl_registers *out = (void *)c.out;
	struct vcpu_regs *r = &fake_vcpus[1].kept;

	for (u32 i = 0; i < GPR_COUNT; i++)
		r->gpr[i] = 100 + i;
	r->rip = 1;
	r->cr3 = 3;
	r->dr[7] = 0x400;
	r->seg[SEG_CS] = (struct segment){ 0x10, 0xa09b, ~0u, 5 };
	r->idtr.base = 6;
	r->sysenter_eip = 7;
	fake_vcpus[1].hw.exit.kind = EXIT_HLT;
	fake_vcpus[1].hw.exit.raw_reason = 0x78;
	fake_vcpus[1].held = VCPU_HALTED;
	c.call.out_bytes = sizeof(*out);
	assert_int_equal(run(control_registers, 1, 0), 0);
	assert_int_equal(c.call.bytes, sizeof(*out));
	assert_int_equal(out->gpr[15], 115);
	assert_int_equal(out->rip, 1);
	assert_int_equal(out->cr3, 3);
	assert_int_equal(out->dr[7], 0x400);
	assert_int_equal(out->segment[1].selector, 0x10);
	assert_int_equal(out->segment[1].attributes, 0xa09b);
	assert_int_equal(out->segment[1].base, 5);
	assert_int_equal(out->idtr.base, 6);
	assert_int_equal(out->sysenter_eip, 7);
	assert_int_equal(out->exit_kind, EXIT_HLT);
	assert_int_equal(out->exit_reason, 0x78);
	assert_int_equal(out->state, 40 + VCPU_HALTED);
	c.call.out_bytes--;
	assert_int_equal(run(control_registers, 1, 0), -BH_CTL_EFAULT);
	assert_int_equal(run(control_registers, 2, 0), -BH_CTL_EINVAL);
	assert_int_equal(run(control_registers, ~0ull, 0), -BH_CTL_EINVAL);
	fake_vcpus[1].is_kept = false;
	assert_int_equal(run(control_registers, 1, 0), -BH_CTL_ESTATE);
}

static void test_last_exits(void **state)
{
	struct bh_ctl_last_exits *out = (void *)c.out;

	state_is = BH_CTL_CRASHED;
	c.call.out_bytes = sizeof(*out);
	assert_int_equal(run(control_last_exits, 1, 0), 0);
	assert_int_equal(c.call.bytes, sizeof(*out));
	assert_int_equal(out->count, 2);
	assert_int_equal(out->exit[1].rip, 1);
	c.call.out_bytes--;
	assert_int_equal(run(control_last_exits, 1, 0), -BH_CTL_EFAULT);
	c.call.out_bytes++;
	assert_int_equal(run(control_last_exits, 2, 0), -BH_CTL_EINVAL);
	fake_vcpus[1].is_kept = false;
	assert_int_equal(run(control_last_exits, 1, 0), -BH_CTL_ESTATE);
	state_is = BH_CTL_RUNNING;
	assert_int_equal(run(control_last_exits, 1, 0), -BH_CTL_ESTATE);
}

static void test_set_registers(void **state)
{
	struct bh_ctl_registers *in = (void *)c.in;

	in->gpr[3] = 33;
	in->rip = 0x44;
	in->segment[5].base = 0x55;
	c.call.in_bytes = sizeof(*in);
	assert_int_equal(run(control_set_registers, 0, 0), 0);
	assert_int_equal(changed.gpr[3], 33);
	assert_int_equal(changed.rip, 0x44);
	assert_int_equal(changed.seg[SEG_GS].base, 0x55);
	change_error = -EBUSY;
	assert_int_equal(run(control_set_registers, 0, 0), -BH_CTL_EBUSY);
	change_error = -EINVAL;
	assert_int_equal(run(control_set_registers, 0, 0), -BH_CTL_EINVAL);
	change_error = -ENOENT;
	assert_int_equal(run(control_set_registers, 0, 0), -BH_CTL_ESTATE);
	state_is = BH_CTL_CRASHED; /* it never goes on */
	assert_int_equal(run(control_set_registers, 0, 0), -BH_CTL_ESTATE);
	c.call.in_bytes--;
	state_is = BH_CTL_PAUSED;
	assert_int_equal(run(control_set_registers, 0, 0), -BH_CTL_EINVAL);
}

static void test_memory(void **state)
{
	const struct bh_ctl_memory *m = (const void *)c.out;

	fake_vm.slots[1] = (struct vm_slot){ GIB(4), 0, KIB(4), true };
	fake_vm.slot_count = 2;
	c.call.out_bytes = 4096;
	assert_int_equal(run(control_memory, 0, 0), 0);
	assert_int_equal(c.call.bytes, 2 * sizeof(*m));
	assert_int_equal(c.call.result[0], 2);
	assert_int_equal(m[0].size, RAM);
	assert_int_equal(m[0].flags, 0);
	assert_int_equal(m[1].base, GIB(4));
	assert_int_equal(m[1].flags, BH_CTL_MEMORY_ROM);
	assert_int_equal(run(control_memory, 1, 0), 0);
	assert_int_equal(c.call.bytes, sizeof(*m));
	assert_int_equal(run(control_memory, ~0ull, 0), 0);
	assert_int_equal(c.call.bytes, 0);
}

static void test_bytes(void **state)
{
	c.call.out_bytes = c.call.in_bytes = 4096;
	memset(c.in, 0x5a, 4096);
	assert_int_equal(run(control_memory_write, 0xffe, 0), 0);
	assert_int_equal(c.call.result[0], 4096);
	assert_int_equal(fake_ram[0xffd], 0);
	assert_int_equal(fake_ram[0x1ffd], 0x5a);
	assert_int_equal(fake_ram[0x1ffe], 0);
	assert_int_equal(run(control_memory_read, 0x1000, 0), 0);
	assert_int_equal(c.call.bytes, 4096);
	assert_int_equal(c.out[0xffd], 0x5a);
	assert_int_equal(c.out[0xffe], 0);
	assert_int_equal(flushes, 2);
	/* Up to the end of RAM, and none behind it */
	assert_int_equal(run(control_memory_read, RAM - 5000 + 904, 0), 0);
	assert_int_equal(c.call.bytes, 4096);
	assert_int_equal(run(control_memory_read, RAM - PAGE_SIZE + 1, 0), 0);
	assert_int_equal(c.call.bytes, PAGE_SIZE - 1);
	assert_int_equal(run(control_memory_write, RAM - PAGE_SIZE + 1, 0), 0);
	assert_int_equal(c.call.result[0], PAGE_SIZE - 1);
	assert_int_equal(run(control_memory_read, RAM, 0), -BH_CTL_EFAULT);
	assert_int_equal(run(control_memory_read, ~0ull, 0), -BH_CTL_EFAULT);
	assert_int_equal(run(control_memory_write, RAM, 0), -BH_CTL_EFAULT);
	state_is = BH_CTL_CRASHED;
	assert_int_equal(run(control_memory_read, 0, 0), 0);
	assert_int_equal(run(control_memory_write, 0, 0), -BH_CTL_ESTATE);
	c.call.out_bytes = c.call.in_bytes = 0;
	assert_int_equal(run(control_memory_read, RAM, 0), 0);
}

static void test_translate(void **state)
{
	assert_int_equal(run(control_translate, 0, 0x1234), 0);
	assert_int_equal(c.call.result[0], 0x1235);
	assert_int_equal(run(control_translate, 0, 0xbad), -BH_CTL_EFAULT);
	assert_int_equal(run(control_translate, 2, 0x1234), -BH_CTL_EINVAL);
}

/* The guest ends at that moment, and its home core forgets what it kept */
static void test_ends(void **state)
{
	struct bh_ctl_registers *out = (void *)c.out;

	fake_vcpus[0].kept.rip = 0x11;
	ends = true;
	c.call.out_bytes = sizeof(*out);
	assert_int_equal(run(control_registers, 0, 0), 0);
	assert_int_equal(out->rip, 0x11);
	assert_int_equal(run(control_registers, 0, 0), -BH_CTL_ESTATE);
	fake_vcpus[0].is_kept = true;
	assert_int_equal(run(control_translate, 0, 0x1234), 0);
	assert_int_equal(run(control_translate, 0, 0x1234), -BH_CTL_ESTATE);
}

/* A guest that runs, is made or scrubbed, none, or the caller itself */
static void test_refused(void **state)
{
	static s32 (*const all[])(struct control *, struct control_call *) = {
		control_registers,   control_set_registers, control_memory,
		control_memory_read, control_memory_write,  control_translate,
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		setup(state);
		c.call.in_bytes = sizeof(struct bh_ctl_registers);
		c.call.out_bytes = 4096;
		for (u32 s = 0; s <= BH_CTL_GONE; s++) {
			state_is = (enum bh_ctl_state)s;
			if (s != BH_CTL_PAUSED && s != BH_CTL_CRASHED)
				assert_int_equal(run(all[i], 0, 0),
						 -BH_CTL_ESTATE);
		}
		state_is = BH_CTL_PAUSED;
		assert_int_equal(run(all[i], 0, 0), 0);
		fake_vm.privileged = true;
		assert_int_equal(run(all[i], 0, 0), -BH_CTL_ESTATIC);
		known = false;
		assert_int_equal(run(all[i], 0, 0), -BH_CTL_ENOENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_last_exits, setup),
		cmocka_unit_test_setup(test_set_registers, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_bytes, setup),
		cmocka_unit_test_setup(test_translate, setup),
		cmocka_unit_test_setup(test_ends, setup),
		cmocka_unit_test_setup(test_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
