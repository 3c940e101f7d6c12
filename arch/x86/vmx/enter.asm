; SPDX-License-Identifier: BSD-2-Clause
; The world switch: swaps general registers around the entry instruction. After
; an exit none of the guest's values is left in one, so that none can steer what
; the host does speculatively. RSP, RIP, RFLAGS and segments travel in the VMCS.
; At the labels vmx_site_* text_patch.c may put a detour (spec_code.h); sites.c has
; their list, and the instructions up to vmx_site_*_end move there.
;
; vmx_run is struct vcpu_ops' run: it keeps RBX, RBP and RSP; nobody saves
; the other callee-saved registers. It falls into the entry, and the exit ends
; in a jump to vmx_exited or vmx_refused, which returns to vmx_run's caller. The
; stack between entry and exit, from HOST_RSP up: vcpu_hw, rbx, rbp,
; return. HOST_RSP is rewritten only when it differs from arch->host_rsp.

	bits 64
	default rel

VMCS_EXIT_REASON equ 0x4402
VMCS_GUEST_RIP	equ 0x681e
VMCS_GUEST_RFLAGS equ 0x6820
VMCS_HOST_RSP	equ 0x6c14
VMCS_HOST_SSP	equ 0x6c1a

; Checked by static_assert in run.c: struct vcpu_hw and, from arch on,
; struct vcpu_arch
RIP_		equ 0x80
RFLAGS_		equ 0x88
DIRTY_		equ 0x98
ARCH_		equ 0x248
HOST_RSP_	equ 0
ATTENTION_	equ 8
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

	extern vmx_prepare, vmx_exited, vmx_refused

; @1: what the labels of its sites end in
%macro load_registers 1
	global vmx_site_entry%1, vmx_site_entry%1_end
	global vmx_site_last%1, vmx_site_last%1_end
vmx_site_entry%1:
	mov rax, [rdi + RAX_]
	mov rcx, [rdi + RCX_]
vmx_site_entry%1_end:
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
vmx_site_last%1:
	mov r15, [rdi + R15_]
	mov rdi, [rdi + RDI_]
vmx_site_last%1_end:
%endmacro

; The exit comes back to this stack, and to the shadow stack where there is one.
; vmx_run has one caller: as long as RSP is the same, so is SSP. Clobbers RAX and
; RCX; the ZF that it leaves means nothing.
%macro store_stacks 0
	mov eax, VMCS_HOST_RSP
	vmwrite rax, rsp
	mov [rdx + HOST_RSP_], rsp
	xor ecx, ecx
	rdsspq rcx
	test rcx, rcx
	jz %%none
	mov eax, VMCS_HOST_SSP
	vmwrite rax, rcx
%%none:
%endmacro

	section .text.vmx_enter progbits alloc exec nowrite align=16

; void vmx_run(struct vcpu_hw *)
	global vmx_run
vmx_run:
	endbr64
	push rbp
	push rbx
	push rdi
	mov rdx, [rdi + ARCH_]
	mov eax, [rdi + DIRTY_]
	or eax, [rdx + ATTENTION_]
	cmp eax, RG_IP		; an instruction was stepped over
	jne more
	mov eax, VMCS_GUEST_RIP
	vmwrite rax, [rdi + RIP_]
resume:
	cmp rsp, [rdx + HOST_RSP_]
	jne new_rsp
resume_now:
	load_registers _resume
	vmresume
	jmp refused

new_rsp:
	store_stacks
	jmp resume_now

; Nothing, or more than RIP: bool vmx_prepare(struct vcpu_hw *), true: launch
more:
	test eax, eax
	jz resume
	call vmx_prepare
	mov rdi, [rsp]
	mov rdx, [rdi + ARCH_]
	test al, al
	jz resume
	store_stacks
	load_registers _launch
	vmlaunch

; VMfail: no guest instruction ran. ZF: there is an error number in the VMCS
refused:
	setz sil
	pop rdi
	pop rbx
	pop rbp
	movzx esi, sil
	jmp vmx_refused

	align 16
	global vmx_exit_point
vmx_exit_point:
	push rdi
	mov rdi, [rsp + 8]
	mov [rdi + RAX_], rax
	mov [rdi + RCX_], rcx
	mov [rdi + RDX_], rdx
	mov [rdi + RBX_], rbx
	mov [rdi + RBP_], rbp
	mov [rdi + RSI_], rsi
	pop qword [rdi + RDI_]
	mov [rdi + R8_], r8
	mov [rdi + R9_], r9
	mov [rdi + R10_], r10
	mov [rdi + R11_], r11
	mov [rdi + R12_], r12
	mov [rdi + R13_], r13
	mov [rdi + R14_], r14
	mov [rdi + R15_], r15
	mov rsi, [rdi + ARCH_]
	xor r8d, r8d
	xor r9d, r9d
	xor r10d, r10d
	xor r11d, r11d
	xor r12d, r12d
	xor r13d, r13d
	global vmx_site_exit, vmx_site_exit_end
vmx_site_exit:
	xor r14d, r14d
	xor r15d, r15d
vmx_site_exit_end:
	; What every exit needs; it takes the guest's values out of three more.
	; A detour still has them, and loads nothing by them.
	mov eax, VMCS_GUEST_RFLAGS
	mov ecx, VMCS_GUEST_RIP
	mov edx, VMCS_EXIT_REASON
	vmread [rdi + RFLAGS_], rax
	vmread [rdi + RIP_], rcx
	vmread rdx, rdx
	pop rdi
	pop rbx
	pop rbp
	jmp vmx_exited
