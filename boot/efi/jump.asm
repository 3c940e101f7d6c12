; SPDX-License-Identifier: BSD-2-Clause
; The last step of the UEFI loader: new page tables, new stack, the time, and
; the hypervisor. The loader's own code is in the identity map. Of CR4 nothing
; stays that firmware has set, but PAE: neither the new stack nor the jump is
; checked, no translation outlives the switch, and keys mean nothing.
;
; Five levels cannot be turned off in long mode (SDM 3A 2.5 *Control Registers*,
; LA57). So the block at struct level_switch takes a way through protected mode
; without paging, from below 4 GiB.

BI_ENTRY_TSC	equ 48		; offsetof(struct boot_info, entry_tsc)
CR0_PG		equ 1 << 31
CR4_PAE		equ 1 << 5
CR4_LA57	equ 1 << 12
SEL_CODE32	equ 0x08
SEL_DATA	equ 0x10
SEL_CODE64	equ 0x18

	bits 64
	default rel
	section .text

; handover_jump(rdi: boot_info, rsi: entry, rdx: cr3, rcx: stack top,
;               r8: struct level_switch), SysV
	global handover_jump
handover_jump:
	cli
	cld
	mov	r9, rdx
	mov	rax, cr4
	test	eax, CR4_LA57
	jnz	five_levels
	mov	eax, CR4_PAE
	mov	cr4, rax
	mov	cr3, r9
	mov	rsp, rcx
	xor	ebp, ebp
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	mov	[rdi + BI_ENTRY_TSC], rax
	push	rbp		; a return address of 0 ends a backtrace
	jmp	rsi

five_levels:
	mov	eax, CR4_PAE | CR4_LA57
	mov	cr4, rax
	mov	rax, [r8 + LS_ROOT5]
	mov	cr3, rax
	mov	[r8 + LS_BOOT_INFO], rdi
	mov	[r8 + LS_ENTRY], rsi
	mov	[r8 + LS_ROOT4], r9
	mov	[r8 + LS_STACK], rcx
	lea	rax, [r8 + (gdt - level_switch)]
	mov	[r8 + (gdt_pointer - level_switch) + 2], rax
	lgdt	[r8 + (gdt_pointer - level_switch)]
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	rsp, rcx
	lea	rax, [r8 + (code32 - level_switch)]
	mov	rbx, r8
	push	SEL_CODE32
	push	rax
	o64 retf

; Copied to below 4 GiB, where all of it is addressed by EBX
	global level_switch
	global level_switch_end
	align	16
level_switch:
LS_ROOT5	equ $ - level_switch
	dq	0		; struct level_switch, handover.c
LS_ROOT4	equ $ - level_switch
	dq	0
LS_ENTRY	equ $ - level_switch
	dq	0
LS_STACK	equ $ - level_switch
	dq	0
LS_BOOT_INFO	equ $ - level_switch
	dq	0
gdt:	dq	0
	dq	0x00cf9b000000ffff	; 32-bit code, accessed
	dq	0x00cf93000000ffff	; data, accessed
	dq	0x00af9b000000ffff	; 64-bit code, accessed
gdt_end:
gdt_pointer:
	dw	gdt_end - gdt - 1
	dq	0
	align	8

	bits 32
code32:
	mov	eax, cr0
	and	eax, ~CR0_PG
	mov	cr0, eax
	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	eax, [ebx + LS_ROOT4]
	mov	cr3, eax
	mov	eax, cr0
	or	eax, CR0_PG
	mov	cr0, eax
	lea	eax, [ebx + (code64 - level_switch)]
	push	dword SEL_CODE64
	push	eax
	retf

	bits 64
code64:
	mov	ebx, ebx		; the upper half is anything
	mov	rdi, [rbx + LS_BOOT_INFO]
	mov	rsp, [rbx + LS_STACK]
	xor	ebp, ebp
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	mov	[rdi + BI_ENTRY_TSC], rax
	push	rbp
	jmp	[rbx + LS_ENTRY]
level_switch_end:

	section .note.GNU-stack noalloc noexec nowrite progbits
