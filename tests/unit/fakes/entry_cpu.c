/* SPDX-License-Identifier: BSD-2-Clause */
/* See entry_cpu.h */
#include "tests/unit/fakes/entry_cpu.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/unit/test.h"

/* VMX: where an exit goes on; SVM has none */
extern const u8 vmx_exit_point[] __attribute__((weak));
extern u8 text_area[] __attribute__((weak));
extern u8 text_area_end[] __attribute__((weak));

#define MAX_SITES  8
#define SITE_BYTES 15

struct entry_cpu entry_cpu;
/* entry_cpu.host, for the assembly below */
u64 *entry_cpu_host = entry_cpu.host;
static u8 built[MAX_SITES][SITE_BYTES];

static const u8 order[GPR_COUNT] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/* clang-format off */
__asm__(".text\n"
	".globl entry_cpu_capture\n"
	"entry_cpu_capture:\n"
	"	push	%rax\n"
	"	mov	entry_cpu_host(%rip), %rax\n"
	"	pop	0(%rax)\n"
	"	mov	%rcx, 8(%rax)\n"
	"	mov	%rdx, 16(%rax)\n"
	"	mov	%rbx, 24(%rax)\n"
	"	mov	%rsp, 32(%rax)\n"
	"	mov	%rbp, 40(%rax)\n"
	"	mov	%rsi, 48(%rax)\n"
	"	mov	%rdi, 56(%rax)\n"
	"	mov	%r8, 64(%rax)\n"
	"	mov	%r9, 72(%rax)\n"
	"	mov	%r10, 80(%rax)\n"
	"	mov	%r11, 88(%rax)\n"
	"	mov	%r12, 96(%rax)\n"
	"	mov	%r13, 104(%rax)\n"
	"	mov	%r14, 112(%rax)\n"
	"	mov	%r15, 120(%rax)\n"
	"	ret\n"
	"entry_cpu_call_asm:\n"
	"	push	%rbx\n"
	"	push	%rbp\n"
	"	push	%r12\n"
	"	push	%r13\n"
	"	push	%r14\n"
	"	push	%r15\n"
	"	mov	%rdi, %rax\n"
	"	mov	%rsi, %rdi\n"
	"	mov	%rdx, %rsi\n"
	"	mov	$0x1b, %ebx\n"
	"	mov	$0x1c, %ebp\n"
	"	call	*%rax\n"
	"	call	entry_cpu_capture\n"
	"	pop	%r15\n"
	"	pop	%r14\n"
	"	pop	%r13\n"
	"	pop	%r12\n"
	"	pop	%rbp\n"
	"	pop	%rbx\n"
	"	ret\n");
/* clang-format on */

void entry_cpu_call_asm(void (*entry)(void), u64 rdi, u64 rsi);

u64 entry_cpu_guest_value(u32 gpr)
{
	return 0xbad0bad000000000ull | gpr;
}

static void enter_and_exit(greg_t *g)
{
	const u8 *insn = (const u8 *)g[REG_RIP];
	u64 rax = (u64)g[REG_RAX];

	entry_cpu.launched = insn[2] == 0xc2;
	entry_cpu.exited = true;
	for (u32 i = 0; i < GPR_COUNT; i++) {
		entry_cpu.guest[i] = (u64)g[order[i]];
		if (i != GPR_RSP)
			g[order[i]] = (greg_t)entry_cpu_guest_value(i);
	}
	if (insn[2] == 0xd8) {
		g[REG_RAX] = (greg_t)rax; /* the host's comes back */
		g[REG_RIP] += 3;
	} else {
		g[REG_RIP] = (greg_t)vmx_exit_point;
	}
}

static void note_wrmsr(greg_t *g)
{
	u32 n = entry_cpu.write_count++;

	if (n >= ENTRY_WRITES)
		abort();
	entry_cpu.writes[n].msr = (u32)g[REG_RCX];
	entry_cpu.writes[n].value = (u64)g[REG_RDX] << 32 | (u32)g[REG_RAX];
	entry_cpu.writes[n].exited = entry_cpu.exited;
	g[REG_RIP] += 2;
}

/* VMREAD into the register that names the field, or to [rdi + disp32]: a
 * field's value is its number */
static void read_field(greg_t *g)
{
	const u8 *insn = (const u8 *)g[REG_RIP];
	u64 field = (u64)g[order[insn[2] >> 3 & 7]];
	s32 offset;

	if (insn[2] >= 0xc0) {
		g[REG_RIP] += 3;
		return;
	}
	memcpy(&offset, insn + 3, sizeof(offset));
	*(u64 *)(g[REG_RDI] + offset) = field;
	g[REG_RIP] += 7;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
	const u8 *insn = (const u8 *)g[REG_RIP];

	if (insn[0] == 0xfa || insn[0] == 0xfb)
		g[REG_RIP]++;
	else if (insn[0] == 0x0f && insn[1] == 0x30)
		note_wrmsr(g);
	else if (insn[0] == 0x0f && insn[1] == 0x78)
		read_field(g);
	else if (insn[0] == 0x0f && insn[1] == 0x79) /* register, or disp32 */
		g[REG_RIP] += insn[2] >= 0xc0 ? 3 : 7;
	else if (insn[0] == 0x0f && insn[1] == 0x01)
		enter_and_exit(g);
	else
		abort();
}

static void make_writable(const u8 *start, const u8 *end)
{
	u64 first = ALIGN_DOWN((u64)start, PAGE_SIZE);

	if (mprotect((void *)first, ALIGN_UP((u64)end, PAGE_SIZE) - first,
		     PROT_READ | PROT_WRITE | PROT_EXEC))
		abort();
}

void entry_cpu_init(const struct spec_site *sites, u32 count)
{
	assert_in_range(count, 1, MAX_SITES);
	for (u32 i = 0; i < count; i++) {
		make_writable(sites[i].at, sites[i].end);
		memcpy(built[i], sites[i].at,
		       (size_t)(sites[i].end - sites[i].at));
	}
	make_writable(text_area, text_area_end);
}

void entry_cpu_patch(const struct spec_site *sites, u32 count,
		     const struct speculation *choice)
{
	struct spec_buffer b = { .bytes = text_area,
				 .va = (u64)text_area,
				 .size = (u32)(text_area_end - text_area) };

	memset(text_area, 0xcc, b.size);
	spec_code_begin(&b);
	for (u32 i = 0; i < count; i++) {
		memcpy(sites[i].at, built[i],
		       (size_t)(sites[i].end - sites[i].at));
		spec_code_detour(&b, choice, &sites[i], sites[i].at);
	}
	memset(&entry_cpu, 0, sizeof(entry_cpu));
}

bool entry_cpu_detoured(const struct spec_site *sites, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (memcmp(sites[i].at, built[i],
			   (size_t)(sites[i].end - sites[i].at)))
			return true;
	return false;
}

/* cmocka has handlers of its own while a test runs */
void entry_cpu_call(void (*entry)(void), u64 rdi, u64 rsi)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };
	struct sigaction ill, segv;

	assert_int_equal(sigaction(SIGILL, &action, &ill), 0);
	assert_int_equal(sigaction(SIGSEGV, &action, &segv), 0);
	entry_cpu_call_asm(entry, rdi, rsi);
	assert_int_equal(sigaction(SIGILL, &ill, NULL), 0);
	assert_int_equal(sigaction(SIGSEGV, &segv, NULL), 0);
}

void entry_cpu_expect_write(u32 n, u32 msr, u64 value, bool exited)
{
	assert_in_range(n, 0, entry_cpu.write_count - 1);
	assert_int_equal(entry_cpu.writes[n].msr, msr);
	assert_int_equal(entry_cpu.writes[n].value, value);
	assert_int_equal(entry_cpu.writes[n].exited, exited);
}
