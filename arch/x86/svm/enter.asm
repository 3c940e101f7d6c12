; SPDX-License-Identifier: BSD-2-Clause
; The world switch: swaps general registers around VMRUN. After #VMEXIT none of
; the guest's values is left in one, so that none can steer what the host does
; speculatively. RIP, RAX and RSP are the VMCB's: #VMEXIT brings back the host's.
; At the labels svm_site_* text_patch.c may put a detour (spec_code.h); sites.c has
; their list, and the instructions up to svm_site_*_end move there.
;
; svm_run is struct vcpu_ops' run: it keeps RBX, RBP and RSP; nobody saves the
; other callee-saved registers. It ends in a jump to svm_exited, which returns to
; svm_run's caller. GIF is clear at the entry, so that STI opens nothing here: it
; only lets physical interrupts through while the guest runs (with V_INTR_MASKING
; the host's IF is what masks them, APM 2 15.21.1).

	bits 64

; Checked by static_assert in run.c: struct vcpu_hw and, from arch on,
; struct vcpu_arch, and the VMCB
RIP_		equ 0x80
DIRTY_		equ 0x98
ARCH_		equ 0x248
VMCB_		equ 0
VMCB_HPA_	equ 8
ATTENTION_	equ 16
SAVE_RIP	equ 0x578
SAVE_RAX	equ 0x5f8
RG_IP		equ 1 << 8

; Offsets in struct vcpu_hw: regs.gpr[] comes first, in encoding order
RAX_	equ 0 * 8
RCX_	equ 1 * 8
RDX_	equ 2 * 8
RBX_	equ 3 * 8
RBP_	equ 5 * 8
RSI_	equ 6 * 8
RDI_	equ 7 * 8
R8_	equ 8 * 8
R9_	equ 9 * 8
R10_	equ 10 * 8
R11_	equ 11 * 8
R12_	equ 12 * 8
R13_	equ 13 * 8
R14_	equ 14 * 8
R15_	equ 15 * 8

	extern svm_prepare, svm_exited

	section .text.svm_enter progbits alloc exec nowrite align=16

; void svm_run(struct vcpu_hw *)
	global svm_run
svm_run:
	endbr64
	push rbp
	push rbx
	push rdi
	mov rbx, [rdi + ARCH_]
	mov eax, [rdi + DIRTY_]
	or eax, [rbx + ATTENTION_]
	mov rcx, [rbx + VMCB_]
	cmp eax, RG_IP		; an instruction was stepped over
	jne more
	mov rax, [rdi + RIP_]
	mov [rcx + SAVE_RIP], rax
enter:
	mov rax, [rdi + RAX_]
	mov [rcx + SAVE_RAX], rax
	sti
	global svm_site_entry, svm_site_entry_end
svm_site_entry:
	mov rax, [rbx + VMCB_HPA_]
	mov rcx, [rdi + RCX_]
svm_site_entry_end:
	mov rdx, [rdi + RDX_]
	mov rbx, [rdi + RBX_]
	mov rbp, [rdi + RBP_]
	mov rsi, [rdi + RSI_]
	mov r8, [rdi + R8_]
	mov r9, [rdi + R9_]
	mov r10, [rdi + R10_]
	mov r11, [rdi + R11_]
	mov r12, [rdi + R12_]
	mov r13, [rdi + R13_]
	mov r14, [rdi + R14_]
	global svm_site_last, svm_site_last_end
svm_site_last:
	mov r15, [rdi + R15_]
	mov rdi, [rdi + RDI_]
svm_site_last_end:
	global svm_enter_vmrun
svm_enter_vmrun:
	vmrun
	cli
	pop rax
	mov [rax + RCX_], rcx
	mov [rax + RDX_], rdx
	mov [rax + RBX_], rbx
	mov [rax + RBP_], rbp
	mov [rax + RSI_], rsi
	mov [rax + RDI_], rdi
	mov [rax + R8_], r8
	mov [rax + R9_], r9
	mov [rax + R10_], r10
	mov [rax + R11_], r11
	mov [rax + R12_], r12
	mov [rax + R13_], r13
	mov [rax + R14_], r14
	mov [rax + R15_], r15
	xor ecx, ecx
	mov rdi, rax
	mov rsi, [rax + ARCH_]
	xor r8d, r8d
	xor r9d, r9d
	xor r10d, r10d
	xor r11d, r11d
	xor r12d, r12d
	xor r13d, r13d
	global svm_site_exit, svm_site_exit_end
svm_site_exit:
	xor r14d, r14d
	xor r15d, r15d
svm_site_exit_end:
	mov rdx, [rsi + VMCB_]
	pop rbx
	pop rbp
	jmp svm_exited

; Nothing, or more than RIP: bool svm_prepare(struct vcpu_hw *). False: there is
; an exit without an entry.
more:
	test eax, eax
	jz enter
	call svm_prepare
	mov rdi, [rsp]
	mov rbx, [rdi + ARCH_]
	mov rcx, [rbx + VMCB_]
	test al, al
	jnz enter
	pop rdi
	pop rbx
	pop rbp
	ret
