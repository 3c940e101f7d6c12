; SPDX-License-Identifier: BSD-2-Clause
; Where the other cores enter the hypervisor in long mode, from trampoline.asm.
; Each takes a stack whose bottom word is its struct pcpu (percpu.h) and goes on
; in smp.c; nothing is enabled here.

%include "arch/x86/cpu/asm_offsets.inc"

bits 64
default rel

extern smp_slots
extern smp_slot_count
extern smp_ap_main

section .text

; Another core, in long mode on the hypervisor's tables, without a stack. It
; finds its slot by its APIC id and claims it. It waits while the slot is held,
; because an INIT is on its way. A core that comes after it was given up halts.
global ap_start
ap_start:
	cli
	cld
	call_free_apic_id
	lea	rdi, [smp_slots]
	mov	ecx, [smp_slot_count]
.next:
	sub	ecx, 1
	jb	.halt
	cmp	[rdi + SLOT_APIC_ID], edx
	je	.found
	add	rdi, SLOT_SIZE
	jmp	.next
.found:
	mov	edx, SLOT_ARRIVED
.claim:
	mov	eax, SLOT_WAITING
	lock cmpxchg [rdi + SLOT_STATE], edx
	je	.claimed
	pause
	cmp	eax, SLOT_HELD
	je	.claim
	jmp	.halt
.claimed:
	mov	rsp, [rdi + SLOT_STACK_TOP]
	xor	ebp, ebp
	call	smp_ap_main		; RDI = the slot
.halt:
	cli
	hlt
	jmp	.halt
