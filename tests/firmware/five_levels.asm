; SPDX-License-Identifier: BSD-2-Clause
; Five levels of paging under a firmware that uses four: through protected mode
; without paging and back (SDM 3A 4.1.2 *Paging-Mode Enabling*). For residue.c.

CR0_PG		equ 1 << 31
CR4_LA57	equ 1 << 12
SEL_CODE32	equ 0x08
SEL_DATA	equ 0x10
SEL_CODE64	equ 0x18
STACK_TOP	equ 8192

	bits 64
	default rel
	section .text

; five_levels(rdi: root of five levels, rsi: 8 KiB, all below 4 GiB), SysV. The
; block begins with a copy of five_code to five_code_end.
	global five_levels
five_levels:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	pushfq
	cli
	mov	rbx, rsi
	mov	[rbx + ROOT], rdi
	mov	[rbx + OLD_RSP], rsp
	sgdt	[rbx + OLD_GDT]
	mov	word [rbx + OLD_CS], cs
	mov	word [rbx + OLD_DS], ds
	mov	word [rbx + OLD_SS], ss
	lea	rax, [.back]
	mov	[rbx + BACK], rax
	lea	rax, [rbx + (gdt - five_code)]
	mov	[rbx + NEW_GDT + 2], rax
	lgdt	[rbx + NEW_GDT]
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	lea	rsp, [rbx + STACK_TOP]
	lea	rax, [rbx + (code32 - five_code)]
	push	SEL_CODE32
	push	rax
	o64 retf
.back:
	popfq
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

	global five_code
	global five_code_end
	align	16
five_code:
ROOT	equ $ - five_code
	dq	0
OLD_RSP	equ $ - five_code
	dq	0
BACK	equ $ - five_code
	dq	0
OLD_CS	equ $ - five_code
	dw	0
OLD_DS	equ $ - five_code
	dw	0
OLD_SS	equ $ - five_code
	dw	0
OLD_GDT	equ $ - five_code
	times 10 db 0
NEW_GDT	equ $ - five_code
	dw	gdt_end - gdt - 1
	dq	0
	align	8
gdt:	dq	0
	dq	0x00cf9b000000ffff	; 32-bit code
	dq	0x00cf93000000ffff	; data
	dq	0x00af9b000000ffff	; 64-bit code
gdt_end:

	bits 32
code32:
	mov	eax, cr0
	and	eax, ~CR0_PG
	mov	cr0, eax
	mov	eax, cr4
	or	eax, CR4_LA57
	mov	cr4, eax
	mov	eax, [ebx + ROOT]
	mov	cr3, eax
	mov	eax, cr0
	or	eax, CR0_PG
	mov	cr0, eax
	lea	eax, [ebx + (code64 - five_code)]
	push	dword SEL_CODE64
	push	eax
	retf

	bits 64
code64:
	mov	ebx, ebx
	lgdt	[rbx + OLD_GDT]
	mov	ax, [rbx + OLD_DS]
	mov	ds, ax
	mov	es, ax
	mov	ax, [rbx + OLD_SS]
	mov	ss, ax
	mov	rsp, [rbx + OLD_RSP]
	movzx	eax, word [rbx + OLD_CS]
	push	rax
	push	qword [rbx + BACK]
	o64 retf
five_code_end:

	section .note.GNU-stack noalloc noexec nowrite progbits
