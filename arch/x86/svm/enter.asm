; SPDX-License-Identifier: BSD-2-Clause
; The world switch: swaps GPRs around VMRUN and does nothing more.
; Called by run.c with GIF clear, so that STI opens nothing here: it only
; lets physical interrupts through while the guest runs (with V_INTR_MASKING
; the host's IF is what masks them, APM 2 15.21.1).
; RAX and RSP are the VMCB's: #VMEXIT brings back the host's.

bits 64
section .text

GPR_RCX equ 8
GPR_RDX equ 16
GPR_RBX equ 24
GPR_RBP equ 40
GPR_RSI equ 48
GPR_RDI equ 56
GPR_R8  equ 64

; RDI = hpa_t vmcb_hpa, RSI = u64 *gpr; keeps only RBP and RSP
global svm_enter
global svm_enter_vmrun
svm_enter:
	push	rbp
	push	rsi
	sti
	mov	rax, rdi
	mov	rcx, [rsi + GPR_RCX]
	mov	rdx, [rsi + GPR_RDX]
	mov	rbx, [rsi + GPR_RBX]
	mov	rbp, [rsi + GPR_RBP]
	mov	rdi, [rsi + GPR_RDI]
	mov	r8, [rsi + GPR_R8]
	mov	r9, [rsi + GPR_R8 + 8]
	mov	r10, [rsi + GPR_R8 + 16]
	mov	r11, [rsi + GPR_R8 + 24]
	mov	r12, [rsi + GPR_R8 + 32]
	mov	r13, [rsi + GPR_R8 + 40]
	mov	r14, [rsi + GPR_R8 + 48]
	mov	r15, [rsi + GPR_R8 + 56]
	mov	rsi, [rsi + GPR_RSI]
svm_enter_vmrun:
	vmrun
	cli
	pop	rax
	mov	[rax + GPR_RCX], rcx
	mov	[rax + GPR_RDX], rdx
	mov	[rax + GPR_RBX], rbx
	mov	[rax + GPR_RBP], rbp
	mov	[rax + GPR_RSI], rsi
	mov	[rax + GPR_RDI], rdi
	mov	[rax + GPR_R8], r8
	mov	[rax + GPR_R8 + 8], r9
	mov	[rax + GPR_R8 + 16], r10
	mov	[rax + GPR_R8 + 24], r11
	mov	[rax + GPR_R8 + 32], r12
	mov	[rax + GPR_R8 + 40], r13
	mov	[rax + GPR_R8 + 48], r14
	mov	[rax + GPR_R8 + 56], r15
	pop	rbp
	ret
