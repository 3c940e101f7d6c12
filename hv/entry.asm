; SPDX-License-Identifier: BSD-2-Clause
; Where the boot CPU enters the hypervisor: from a loader, in long mode
; (include/bulkhead/boot_info.h says in what state). It takes a stack whose
; bottom word is its struct pcpu (arch/x86/cpu/percpu.h) and goes on in C;
; nothing is enabled here. The other cores: arch/x86/machine/ap_start.asm.

%include "arch/x86/cpu/asm_offsets.inc"

bits 64
default rel

extern boot_cpu_area
extern tsc_boot
extern stack_guard_init
extern hv_main

section .text.entry

; RDI = physical address of struct boot_info
global hv_start
hv_start:
	cli
	cld
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	mov	[tsc_boot], rax
	lea	rax, [boot_cpu_area]
	mov	[rax], rax		; pcpu.self: this_cpu() works from here
	lea	rsp, [rax + STACK_SIZE]
	xor	ebp, ebp
	mov	rbx, rdi
	call	stack_guard_init
	mov	rdi, rbx
	call	hv_main
.halt:
	cli
	hlt
	jmp	.halt
