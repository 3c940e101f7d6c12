/* SOURCES: arch/x86/vmx/bitmap.c arch/x86/vmx/exit.c arch/x86/vmx/state.c mm/pt_format.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* MSR and I/O bitmaps, exit rows, segment attributes and interruptibility */
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/vmx/internal.h"
#include "include/hw/cpu.h"
#include "lib/string.h"
#include "mm/pmm.h"
#include "mm/window.h"
#include "tests/unit/test.h"

/* What the register groups need and no test here reaches */
struct vmx_caps vmx_caps;

int pt_query(const struct page_table *pt, u64 addr, hpa_t *hpa, u32 *attrs,
	     u64 *left)
{
	return -1;
}
void *hpa_to_virt(hpa_t hpa)
{
	return NULL;
}
void *window_miss(struct window_cache *c, hpa_t hpa)
{
	return NULL;
}
void vmx_flush_vpid(const struct vcpu_arch *a)
{
}
void vmx_set_cpu_controls(struct vcpu_arch *a, u32 value)
{
}
void vmx_event_from_info(struct vcpu_event *event, u32 info, u32 error,
			 u8 insn_len)
{
}
void vmx_timer_expired(struct vcpu_arch *a)
{
}
void irq_poll(void)
{
}
void vmx_write_failed(u32 field)
{
	abort();
}

static u8 msrs[4096], ports[8192];
static const struct vm_intercepts maps = { msrs, ports };

static u32 ones(const u8 *map, size_t size)
{
	u32 n = 0;

	for (size_t i = 0; i < size; i++)
		n += (u32)__builtin_popcount(map[i]);
	return n;
}

static int all_off(void **state)
{
	memset(msrs, 0, sizeof(msrs));
	memset(ports, 0, sizeof(ports));
	return 0;
}

static void msr_quarters(void **state)
{
	vmx_intercept_msr(&maps, 0x10, INTERCEPT_ON, INTERCEPT_OFF);
	assert_int_equal(msrs[0x10 / 8], 1);
	vmx_intercept_msr(&maps, 0x1fff, INTERCEPT_OFF, INTERCEPT_ON);
	assert_int_equal(msrs[0x800 + 0x3ff], 0x80);
	vmx_intercept_msr(&maps, MSR_EFER, INTERCEPT_ON, INTERCEPT_ON);
	assert_int_equal(msrs[0x400 + 0x80 / 8], 1);
	assert_int_equal(msrs[0xc00 + 0x80 / 8], 1);
	assert_int_equal(ones(msrs, sizeof(msrs)), 4);
	vmx_intercept_msr(&maps, MSR_EFER, INTERCEPT_OFF, INTERCEPT_ON);
	assert_int_equal(msrs[0x400 + 0x80 / 8], 0);
	assert_int_equal(ones(msrs, sizeof(msrs)), 3);
	assert_int_equal(vmx_msr_passes(&maps, 0x10), ACCESS_W);
	assert_int_equal(vmx_msr_passes(&maps, 0x11), ACCESS_R | ACCESS_W);
	assert_int_equal(vmx_msr_passes(&maps, 0x1fff), ACCESS_R);
	assert_int_equal(vmx_msr_passes(&maps, MSR_EFER), ACCESS_R);
}

static void msrs_out_of_range_touch_nothing(void **state)
{
	static const u32 outside[] = { 0x2000, 0x40000000, 0xbfffffff,
				       0xc0002000, 0xffffffff };

	for (u32 i = 0; i < ARRAY_SIZE(outside); i++)
		vmx_intercept_msr(&maps, outside[i], INTERCEPT_ON,
				  INTERCEPT_ON);
	assert_int_equal(ones(msrs, sizeof(msrs)), 0);
	for (u32 i = 0; i < ARRAY_SIZE(outside); i++)
		assert_int_equal(vmx_msr_passes(&maps, outside[i]), 0);
}

static void port_bits(void **state)
{
	vmx_intercept_port(&maps, 0, INTERCEPT_ON);
	vmx_intercept_port(&maps, 0x7fff, INTERCEPT_ON);
	vmx_intercept_port(&maps, 0x8000, INTERCEPT_ON);
	vmx_intercept_port(&maps, 0xffff, INTERCEPT_ON);
	assert_int_equal(ports[0], 1);
	assert_int_equal(ports[4095], 0x80);
	assert_int_equal(ports[4096], 1);
	assert_int_equal(ports[8191], 0x80);
	vmx_intercept_port(&maps, 0x8000, INTERCEPT_OFF);
	assert_int_equal(ones(ports, sizeof(ports)), 3);
	assert_int_equal(vmx_ports_pass(&maps, 0), 0xfe);
	assert_int_equal(vmx_ports_pass(&maps, 0x7ff8), 0x7f);
	assert_int_equal(vmx_ports_pass(&maps, 0x8000), 0xff);
	assert_int_equal(vmx_ports_pass(&maps, 0xfff8), 0x7f);
}

static u32 access_of(enum seg seg, u32 attr, u32 limit)
{
	const struct segment s = { .attr = attr, .limit = limit };

	return vmx_segment_access(seg, &s);
}

static void segments_as_after_a_load(void **state)
{
	assert_int_equal(access_of(SEG_DS, 0x92, 0xffff), 0x93); /* accessed */
	assert_int_equal(access_of(SEG_CS, 0xa09a, 0xffffffff), 0xa09b);
	assert_int_equal(access_of(SEG_TR, 0x89, 0x67), 0x8b); /* busy */
	assert_int_equal(access_of(SEG_TR, SEG_ATTR_UNUSABLE, 0xffff), 0x82);
	assert_int_equal(access_of(SEG_LDTR, 0x82, 0xffff), 0x82);
	/* Not present: as good as never loaded */
	assert_int_equal(access_of(SEG_DS, 0x13, 0), 0x13 | SEG_ATTR_UNUSABLE);
	/* Bits the VMCS field reserves */
	assert_int_equal(access_of(SEG_DS, 0xfffe0f93, 0xffff), 0x93);
}

static void granularity_follows_the_limit(void **state)
{
	assert_int_equal(access_of(SEG_DS, 0x4093, 0xffffffff), 0xc093);
	assert_int_equal(access_of(SEG_DS, 0xc093, 0xffff0), 0x4093);
	assert_int_equal(access_of(SEG_DS, 0xc093, 0xfffff), 0xc093);
	assert_int_equal(access_of(SEG_DS, 0x4093, 0xfffff), 0x4093);
}

/* What a guest can do at any time (SDM 3C 26.1.2), and what a CPU does that has
 * the instruction and a guest that was not offered it */
static void instructions_without_a_control(void **state)
{
	static const u32 undefined[] = {
		REASON_GETSEC,   REASON_VMCLEAR,   REASON_VMLAUNCH,
		REASON_VMPTRLD,  REASON_VMPTRST,   REASON_VMREAD,
		REASON_VMRESUME, REASON_VMWRITE,   REASON_VMXOFF,
		REASON_VMXON,    REASON_INVEPT,    REASON_INVVPID,
		REASON_ENCLV,    REASON_SEAMCALL,  REASON_TDCALL,
		REASON_PCONFIG,  REASON_RDMSRLIST, REASON_WRMSRLIST,
	};

	for (u32 i = 0; i < ARRAY_SIZE(undefined); i++)
		assert_int_equal(vmx_exit_rows[undefined[i]].kind,
				 EXIT_UNDEFINED);
	assert_int_equal(vmx_exit_rows[REASON_CPUID].kind, EXIT_CPUID);
	assert_int_equal(vmx_exit_rows[REASON_INVD].kind, EXIT_INVD);
	assert_int_equal(vmx_exit_rows[REASON_XSETBV].kind, EXIT_XSETBV);
	assert_int_equal(vmx_exit_rows[REASON_VMCALL].kind, EXIT_HYPERCALL);
}

/* SDM 3C 27.3.1.5: no entry has both shadows, nor STI's with IF clear */
static void shadows_as_an_entry_wants_them(void **state)
{
	struct vcpu_regs r = { .rflags = RFLAGS_FIXED | RFLAGS_IF };

	for (u32 shadow = 0; shadow < 16; shadow++) {
		u32 fit;

		r.shadow = (u8)shadow;
		r.rflags |= RFLAGS_IF;
		fit = vmx_interruptibility(&r);
		assert_int_equal(fit & SHADOW_NMI, shadow & SHADOW_NMI);
		assert_int_equal(fit & SHADOW_MOV_SS, shadow & SHADOW_MOV_SS);
		assert_false((fit & SHADOW_STI) && (fit & SHADOW_MOV_SS));
		assert_int_equal(!!(fit & AFTER_SHADOW),
				 !!(shadow & AFTER_SHADOW));
		r.rflags &= ~RFLAGS_IF;
		assert_false(vmx_interruptibility(&r) & SHADOW_STI);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions_without_a_control),
		cmocka_unit_test(shadows_as_an_entry_wants_them),
		cmocka_unit_test_setup(msr_quarters, all_off),
		cmocka_unit_test_setup(msrs_out_of_range_touch_nothing,
				       all_off),
		cmocka_unit_test_setup(port_bits, all_off),
		cmocka_unit_test(segments_as_after_a_load),
		cmocka_unit_test(granularity_follows_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
