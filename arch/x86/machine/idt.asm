; SPDX-License-Identifier: BSD-2-Clause
; The 256 entry points of the IDT, STUB_SIZE bytes apart. The CPU enters them
; with interrupts off. Exceptions save every register, as struct trap_frame
; (arch/x86/cpu/panic.h). Interrupts save only what C may clobber, because they
; come often and their handlers look at no register.
;
; Below them are the MSR accesses of arch/x86/cpu/asm.h whose #GP is caught by a
; fix-up (idt.c has the rows).

bits 64
default rel

STUB_SIZE	equ 16
%define EXCEPTIONS 32
; vectors that push an error code: 8 10-14 17 21 29 30
%define ERROR_MASK 0x60227d00
EIO		equ 5
TRAP_FIXED	equ 2			; enum trap_end (idt.h)
; Offsets in struct trap_frame
FRAME_RIP	equ 136
FRAME_RFLAGS	equ 152
FRAME_RSP	equ 160

extern __x86_indirect_thunk_rax
extern exception_handle
extern irq_dispatch

section .text

global idt_stubs
align STUB_SIZE
idt_stubs:
%assign vec 0
%rep 256
	align STUB_SIZE
	endbr64
%if vec < EXCEPTIONS
  %if ((ERROR_MASK >> vec) & 1) = 0
	push	0
  %endif
	push	vec
	jmp	near exception_common
%else
	push	rdi
	mov	edi, vec
	jmp	near interrupt_common
%endif
%assign vec vec + 1
%endrep
	align STUB_SIZE

%macro pop_registers 0
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rdi
	pop	rsi
	pop	rbp
	pop	rbx
	pop	rdx
	pop	rcx
	pop	rax
%endmacro

exception_common:
	push	rax
	push	rcx
	push	rdx
	push	rbx
	push	rbp
	push	rsi
	push	rdi
	push	r8
	push	r9
	push	r10
	push	r11
	push	r12
	push	r13
	push	r14
	push	r15
	cld
	mov	rdi, rsp
	mov	rsi, cr2
	call	exception_handle
	test	eax, eax
	jnz	.not_plain
	pop_registers
	add	rsp, 16			; vector and error code
	iretq
; An interrupt pushes no error code where its vector's exception would. What was
; taken for the error code is RIP.
.not_plain:
	cmp	eax, TRAP_FIXED
	je	go_on_elsewhere
	pop_registers
	add	rsp, 8			; vector
	iretq

; The code goes on at the frame's RIP, with its flags and its stack. The exception
; is forgotten, also on the shadow stack, which has SSP, RIP and CS of it: IRETQ
; would compare them. The handler has kept what C keeps; the code expects no more.
go_on_elsewhere:
	mov	rax, [rsp + FRAME_RIP]
	mov	rcx, [rsp + FRAME_RSP]
	push	qword [rsp + FRAME_RFLAGS]
	popfq
	mov	rsp, rcx
	xor	ecx, ecx
	rdsspq	rcx
	test	rcx, rcx
	jz	.go
	mov	ecx, 3
	incsspq	rcx
.go:
	jmp	__x86_indirect_thunk_rax

interrupt_common:
	push	rax
	push	rcx
	push	rdx
	push	rsi
	push	r8
	push	r9
	push	r10
	push	r11
	cld
	call	irq_dispatch
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rsi
	pop	rdx
	pop	rcx
	pop	rax
	pop	rdi
	iretq

; int rdmsr_safe(u32 msr, u64 *value)
global rdmsr_safe
global rdmsr_safe_insn
rdmsr_safe:
	mov	ecx, edi
rdmsr_safe_insn:
	rdmsr
	shl	rdx, 32
	or	rax, rdx
	mov	[rsi], rax
	xor	eax, eax
	ret

; int wrmsr_safe(u32 msr, u64 value)
global wrmsr_safe
global wrmsr_safe_insn
wrmsr_safe:
	mov	ecx, edi
	mov	eax, esi
	mov	rdx, rsi
	shr	rdx, 32
wrmsr_safe_insn:
	wrmsr
	xor	eax, eax
	ret

; int xsetbv_safe(u32 index, u64 value)
global xsetbv_safe
global xsetbv_safe_insn
xsetbv_safe:
	mov	ecx, edi
	mov	eax, esi
	mov	rdx, rsi
	shr	rdx, 32
xsetbv_safe_insn:
	xsetbv
	xor	eax, eax
	ret

; Where all three go on after a #GP
global msr_safe_failed
msr_safe_failed:
	endbr64
	mov	eax, -EIO
	ret

; Where the call of a core's page (stub.c) goes on after an exception in it
global stub_failed
stub_failed:
	endbr64
	ret
