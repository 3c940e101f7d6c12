; SPDX-License-Identifier: BSD-2-Clause
; The last step of the UEFI loader: new page tables, new stack, the time, and
; the hypervisor. The loader's own code is in the identity map.

BI_ENTRY_TSC	equ 48		; offsetof(struct boot_info, entry_tsc)
CR4_PGE		equ 1 << 7
CR4_CET		equ 1 << 23

	bits 64
	default rel
	section .text

; handover_jump(rdi: boot_info, rsi: entry, rdx: cr3, rcx: stack top), SysV
	global handover_jump
handover_jump:
	cli
	cld
	mov	r8, rdx
	; without PGE no translation outlives the switch; without CET neither
	; the new stack nor the jump is checked
	mov	rax, cr4
	and	eax, ~(CR4_PGE | CR4_CET)
	mov	cr4, rax
	mov	cr3, r8
	mov	rsp, rcx
	xor	ebp, ebp
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	mov	[rdi + BI_ENTRY_TSC], rax
	push	rbp		; a return address of 0 ends a backtrace
	jmp	rsi

	section .note.GNU-stack noalloc noexec nowrite progbits
