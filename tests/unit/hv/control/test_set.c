/* SOURCES: hv/control/set.c hv/manifest/values.c sched/keys.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What BH_CTL_OP_SET takes: all of it, for all vCPUs, or a sentence */
#include "hv/control/priv.h"
#include "sched/sched.h"
#include "tests/unit/test.h"

#define VCPUS 150u /* more than a step has */

static struct control c;
static struct vm guest;
static struct vcpu vcpus[VCPUS];
static char said[256];

s32 control_error(struct control *ctl, struct control_call *call,
		  enum bh_ctl_error error, const char *sentence)
{
	snprintf(said, sizeof(said), "%s", sentence);
	return -(s32)error;
}

struct vm *vm_numbered(u64 id)
{
	return id == 9 ? &guest : NULL;
}

static s32 set_bytes(u64 id, const void *text, u32 len)
{
	s32 status;

	memcpy(c.in, text, len);
	memset(c.in + len, 'x', sizeof(c.in) - len);
	c.call = (struct control_call){ .command = { .arg = { id } },
					.in_bytes = len };
	said[0] = 0;
	do {
		status = control_set(&c, &c.call);
	} while (status == CONTROL_GOES_ON);
	return status;
}

static s32 set(const char *text)
{
	return set_bytes(9, text, (u32)strlen(text));
}

void sched_set_cap(struct sched_entity *e, u32 percent)
{
	e->cap = percent;
}

static void expect_both(u32 weight, u32 cap)
{
	for (u32 i = 0; i < VCPUS; i++) {
		assert_int_equal(vcpus[i].entity.weight, weight);
		assert_int_equal(vcpus[i].entity.cap, cap);
	}
}

static void expect_weight(u32 weight)
{
	expect_both(weight, 100);
}

static int setup(void **state)
{
	guest = (struct vm){ .vcpu_count = VCPUS };
	for (u32 i = 0; i < VCPUS; i++) {
		guest.vcpus[i] = &vcpus[i];
		vcpus[i].entity.weight = 100;
		vcpus[i].entity.cap = 100;
	}
	return 0;
}

static void test_set(void **state)
{
	assert_int_equal(set("weight=512\n"), 0);
	expect_weight(512);
	assert_int_equal(set("weight=1"), 0);
	expect_weight(1);
	assert_int_equal(set("weight=10000"), 0);
	expect_weight(10000);
	assert_int_equal(set_bytes(8, "weight=7", 8), -BH_CTL_ENOENT);
	expect_weight(10000);
	assert_int_equal(set("weight=512\ncap=50%\n"), 0);
	expect_both(512, 50);
	assert_int_equal(set("cap=1%"), 0);
	expect_both(512, 1);
	assert_int_equal(set("cap=100%"), 0);
	expect_weight(512);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *sentence;
	} rows[] = {
		{ "", "nothing is to be set" },
		{ "\n", "has no value" },
		{ "weight", "weight has no value" },
		{ "weight=", "weight: write a number from 1 to 10000" },
		{ "weight=0", "from 1 to 10000" },
		{ "weight=10001", "from 1 to 10000" },
		{ "weight=-1", "from 1 to 10000" },
		{ "weight=5 ", "from 1 to 10000" },
		{ "weight=99999999999999999999999999999", "from 1 to 10000" },
		{ "weight =5", "no key weight? that" },
		{ "colour=red", "no key colour that can be set" },
		{ "=5", "no key  that" },
		{ "weight=7\nweight=8\n", "weight is there twice" },
		{ "weight=7\ncolour=red\n", "no key colour" },
		{ "weight=7\n\n", "has no value" },
		{ "weight=7\ncap=50\n", "cap: write a number from 1% to 100%" },
		{ "cap=0%", "from 1% to 100%" },
		{ "cap=101%", "from 1% to 100%" },
		{ "cap=%", "from 1% to 100%" },
		{ "cap=50%%", "from 1% to 100%" },
		{ "cap=50%\nweight=0\n", "weight: write a number" },
		{ "cap=50%\ncap=50%\n", "cap is there twice" },
		{ "\xff\x01\n", "?? has no value" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(set(rows[i].text), -BH_CTL_EINVAL);
		if (!strstr(said, rows[i].sentence))
			fail_msg("%s: %s", rows[i].text, said);
		expect_weight(100);
	}
}

/* Any bytes, as many as there may be: what is not taken changes nothing */
static void test_garbage(void **state)
{
	static u8 text[BH_CTL_IN_MAX];

	srand(1);
	for (u32 i = 0; i < 500; i++) {
		u32 len = (u32)rand() % sizeof(text);

		for (u32 k = 0; k < len; k++)
			text[k] = "=\nweight cap%0123456789\0\xff"[rand() % 26];
		if (set_bytes(9, text, len))
			expect_weight(100);
		else
			setup(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_set, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_garbage, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
