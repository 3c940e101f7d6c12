; SPDX-License-Identifier: BSD-2-Clause
; GRUB's way in (Multiboot2 Specification 2.0, 3.3 *I386 machine state*): 32-bit
; protected mode, paging off, EAX the magic, EBX the boot information, no stack.
; The image may lie at any 2 MiB boundary below 4 GiB: every address is taken
; relative to the code. Leads to long mode and to multiboot2_main() in the
; higher half, on a stack of the image's .bss.

MB2_LOADER_MAGIC	equ 0x36d76289

CR0_PG			equ 1 << 31
CR4_PAE			equ 1 << 5
MSR_EFER		equ 0xc0000080
EFER_LME		equ 1 << 8
EFLAGS_ID		equ 1 << 21
CPUID_EXT_MAX		equ 0x80000000
CPUID_EXT_FEATURES	equ 0x80000001
CPUID_EXT_EDX_LM	equ 1 << 29

PTE_TABLE		equ 0x003	; present, writable
PTE_LEAF_2M		equ 0x083	; present, writable, page size
PAGE_2M_SHIFT		equ 21
ENTRIES			equ 512
LINK_PML4_INDEX		equ 511		; of the link base, linker.ld
LINK_PDPT_INDEX		equ 510
IDENTITY_GIB		equ 4		; multiboot2_main() maps the rest

SEL_CODE64		equ 0x08
SEL_DATA		equ 0x10

STACK_BYTES		equ 16384

COM1			equ 0x3f8
COM1_LSR		equ COM1 + 5
LSR_THRE		equ 0x20
COM1_SPINS		equ 100000
VGA_TEXT		equ 0xb8000
VGA_WHITE_ON_RED	equ 0x4f
LOW_STACK		equ 0x7000	; conventional memory of any PC

	extern multiboot2_main
	extern __image_start
	extern __image_end
	global multiboot2_entry
	global multiboot2_tsc
	global multiboot2_pml4

; %1 = physical address of the symbol that distance %2 names; EBP = base
%macro phys 2
	lea	%1, [ebp + %2 - base]
	add	%1, [%1]
%endmacro

	bits 32
	section .text.multiboot2_entry progbits alloc exec nowrite align=16
multiboot2_entry:
	cli
	cld
	cmp	eax, MB2_LOADER_MAGIC
	jne	wrong_loader
	rdtsc
	mov	esi, eax
	mov	edi, edx
	; the reserved word of the boot information is stack enough for a call
	lea	esp, [ebx + 8]
	call	base
base:
	pop	ebp
	phys	esp, to_stack_top
	phys	eax, to_tsc
	mov	[eax], esi
	mov	[eax + 4], edi
	mov	edi, ebx
	call	check_long_mode
	call	build_tables

	sub	esp, 8
	lea	eax, [ebp + gdt - base]
	mov	word [esp], gdt_end - gdt - 1
	mov	[esp + 2], eax
	lgdt	[esp]

	mov	eax, CR4_PAE	; and nothing else: no LA57, no PGE
	mov	cr4, eax
	phys	eax, to_pml4
	mov	cr3, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, EFER_LME
	wrmsr
	phys	esi, to_image_start
	mov	eax, cr0
	or	eax, CR0_PG
	mov	cr0, eax
	push	dword SEL_CODE64
	lea	eax, [ebp + long_mode - base]
	push	eax
	retf

check_long_mode:
	pushfd
	pop	eax
	mov	ecx, eax
	xor	eax, EFLAGS_ID
	push	eax
	popfd
	pushfd
	pop	eax
	cmp	eax, ecx
	je	no_long_mode
	mov	eax, CPUID_EXT_MAX
	cpuid
	cmp	eax, CPUID_EXT_FEATURES
	jb	no_long_mode
	mov	eax, CPUID_EXT_FEATURES
	cpuid
	test	edx, CPUID_EXT_EDX_LM
	jz	no_long_mode
	ret

; The tables are in .bss, all zero: 4 GiB 1:1 and the image at its link address
build_tables:
	push	edi
	phys	edi, to_pml4
	phys	edx, to_pdpt_low
	lea	eax, [edx + PTE_TABLE]
	mov	[edi], eax
	phys	ecx, to_pdpt_link
	lea	eax, [ecx + PTE_TABLE]
	mov	[edi + LINK_PML4_INDEX * 8], eax
	phys	eax, to_pd_link
	mov	edi, eax
	or	eax, PTE_TABLE
	mov	[ecx + LINK_PDPT_INDEX * 8], eax

	phys	eax, to_image_start
	phys	ecx, to_image_end
	or	eax, PTE_LEAF_2M
.image:	mov	[edi], eax
	add	eax, 1 << PAGE_2M_SHIFT
	add	edi, 8
	cmp	eax, ecx
	jb	.image

	phys	edi, to_pd_low
	lea	eax, [edi + PTE_TABLE]
	xor	ecx, ecx
.gib:	mov	[edx + ecx * 8], eax
	add	eax, ENTRIES * 8
	inc	ecx
	cmp	ecx, IDENTITY_GIB
	jb	.gib

	mov	eax, PTE_LEAF_2M
	xor	ecx, ecx
.leaf:	mov	[edi + ecx * 8], eax
	add	eax, 1 << PAGE_2M_SHIFT
	inc	ecx
	cmp	ecx, IDENTITY_GIB * ENTRIES
	jb	.leaf
	pop	edi
	ret

wrong_loader:
	mov	esp, LOW_STACK
	call	.base
.base:	pop	ebp
	lea	esi, [ebp + text_wrong_loader - .base]
	jmp	stop_with_text

no_long_mode:
	lea	esi, [ebp + text_no_long_mode - base]

; ESI: text, ends with 0. To COM1 and the VGA text screen; for good.
stop_with_text:
	mov	edi, VGA_TEXT
.next:	lodsb
	test	al, al
	jz	.halt
	mov	ah, VGA_WHITE_ON_RED
	stosw
	mov	bl, al
	mov	ecx, COM1_SPINS
.wait:	mov	dx, COM1_LSR
	in	al, dx
	test	al, LSR_THRE
	loopz	.wait
	mov	dx, COM1
	mov	al, bl
	out	dx, al
	jmp	.next
.halt:	hlt
	jmp	.halt

text_wrong_loader:
	db	"Bulkhead cannot start: it was not started by a multiboot2 "
	db	"loader; start it with GRUB's multiboot2 command.", 0
text_no_long_mode:
	db	"Bulkhead cannot start: this processor has no 64-bit mode; use "
	db	"a machine with an x86-64 processor.", 0

	bits 64
long_mode:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	xor	eax, eax
	mov	fs, eax
	mov	gs, eax
	mov	rax, higher_half
	jmp	rax
higher_half:
	mov	rsp, stack_top
	mov	edi, edi		; clear the upper halves
	mov	esi, esi
	xor	ebp, ebp
	push	rbp			; a return address of 0 ends a backtrace
	mov	rax, multiboot2_main	; rdi: boot information, rsi: image
	jmp	rax

	align	8
gdt:	dq	0
	dq	0x00af9b000000ffff	; 64-bit code, accessed
	dq	0x00cf93000000ffff	; data, accessed
gdt_end:

; Distances from here to things in other sections
	align	4
to_tsc:		dd	multiboot2_tsc - $
to_stack_top:	dd	stack_top - $
to_pml4:	dd	multiboot2_pml4 - $
to_pdpt_low:	dd	pdpt_low - $
to_pd_low:	dd	pd_low - $
to_pdpt_link:	dd	pdpt_link - $
to_pd_link:	dd	pd_link - $
to_image_start:	dd	__image_start - $
to_image_end:	dd	__image_end - $

	section .bss.multiboot2 nobits alloc noexec write align=4096
multiboot2_pml4: resb	4096
pdpt_low:	resb	4096
pdpt_link:	resb	4096
pd_link:	resb	4096
pd_low:		resb	4096 * IDENTITY_GIB
		resb	STACK_BYTES
stack_top:
multiboot2_tsc:	resq	1

	section .note.GNU-stack noalloc noexec nowrite progbits
