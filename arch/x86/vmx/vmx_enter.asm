; SPDX-License-Identifier: BSD-2-Clause
; The world switch: swaps general registers around the entry instruction and
; does nothing more. RSP, RIP, RFLAGS and segments travel in the VMCS.
;
; vmx_run() ends in a jump to vmx_resume or vmx_launch, and they end in a jump
; to vmx_exited or vmx_refused, which returns to vmx_run's caller: so only this
; file saves callee-saved registers, and only once. The stack between entry and
; exit, from HOST_RSP up: vcpu_hw, vcpu_exit, r15 r14 r13 r12 rbp rbx, return.
; HOST_RSP is rewritten only when it differs from arch->host_rsp (offset 0).

	bits 64
	default rel

VMCS_HOST_RSP	equ 0x6c14

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

	extern vmx_exited, vmx_refused

; RDI: struct vcpu_hw, RSI: struct vcpu_exit, RDX: struct vcpu_arch
%macro enter_by 1
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	push rsi
	push rdi
	cmp rsp, [rdx]
	jne %%new_rsp
%%enter:
	load_registers
	%1
	jmp refused
%%new_rsp:
	mov eax, VMCS_HOST_RSP
	vmwrite rax, rsp
	mov [rdx], rsp
	jmp %%enter
%endmacro

%macro restore_stack 0
	pop rdi
	pop rsi
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
%endmacro

%macro load_registers 0
	mov rax, [rdi + RAX_]
	mov rcx, [rdi + RCX_]
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
	mov r15, [rdi + R15_]
	mov rdi, [rdi + RDI_]
%endmacro

	section .text.vmx_enter progbits alloc exec nowrite align=16

; void vmx_resume(struct vcpu_hw *, struct vcpu_exit *, struct vcpu_arch *)
	global vmx_resume
vmx_resume:
	enter_by vmresume

	global vmx_launch
vmx_launch:
	enter_by vmlaunch

; VMfail: no guest instruction ran. ZF: there is an error number in the VMCS
refused:
	setz dl
	restore_stack
	movzx edx, dl
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
	restore_stack
	jmp vmx_exited
