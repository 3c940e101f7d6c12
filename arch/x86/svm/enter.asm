; SPDX-License-Identifier: BSD-2-Clause
; The world switch: swaps GPRs around VMRUN. After #VMEXIT none of the guest's
; values is left in one, so that none can steer what the host does speculatively.
; At the labels svm_site_* text_patch.c may put a detour (spec_code.h); sites.c has
; their list, and the instructions up to svm_site_*_end move there.
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
; Checked by static_assert in run.c
ARCH    equ 0x248 ; in struct vcpu_hw, which begins with gpr[]
VMCB    equ 0     ; in struct vcpu_arch

; RDI = hpa_t vmcb_hpa, RSI = u64 *gpr; keeps only RBP and RSP, and returns the
; vCPU's struct vcpu_arch in RSI and its struct vmcb * in RBX
global svm_enter
global svm_enter_vmrun
svm_enter:
	push	rbp
	push	rsi
	sti
	global	svm_site_entry, svm_site_entry_end
svm_site_entry:
	mov	rax, rdi
	mov	rcx, [rsi + GPR_RCX]
svm_site_entry_end:
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
	global	svm_site_last, svm_site_last_end
svm_site_last:
	mov	r15, [rsi + GPR_R8 + 56]
	mov	rsi, [rsi + GPR_RSI]
svm_site_last_end:
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
	xor	ecx, ecx
	xor	edx, edx
	mov	rsi, [rax + ARCH]
	mov	rbx, [rsi + VMCB]
	xor	edi, edi
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d
	xor	r12d, r12d
	xor	r13d, r13d
	global	svm_site_exit, svm_site_exit_end
svm_site_exit:
	xor	r14d, r14d
	xor	r15d, r15d
svm_site_exit_end:
	pop	rbp
	ret
