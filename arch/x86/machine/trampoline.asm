; SPDX-License-Identifier: BSD-2-Clause
; Real mode to long mode in one step (SDM 3A 10.8.5 *Initializing IA-32e Mode*).
; smp.c copies this to a page below 1 MiB and fills the words at its end. A SIPI
; starts a core at its first byte, with CS = page / 16 and IP = 0. All cores run
; it at the same time, so it has no stack and writes nothing. The tables that it
; loads map its page at its own address, and the hypervisor's half.

CR4_PAE		equ 1 << 5
CR0_LONG	equ 1 << 31 | 1 << 16 | 1 << 5 | 1 << 4 | 1 << 1 | 1
			; PG WP NE ET MP PE; CD and NW off
MSR_MISC_ENABLE	equ 0x1a0
XD_DISABLE	equ 34
MSR_EFER	equ 0xc0000080
CODE64		equ 0x08

%define AT(label) (label - trampoline_start)

section .rodata

global trampoline_start
global trampoline_end
global trampoline_data

bits 16
align 16
trampoline_start:
	cli
	cld
	mov	ax, cs
	mov	ds, ax
	o32 lgdt [AT(gdt_pointer)]
	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	eax, [AT(root)]
	mov	cr3, eax
	cmp	dword [AT(open_nx)], 0
	je	.nx_open
	mov	ecx, MSR_MISC_ENABLE
	rdmsr
	btr	edx, XD_DISABLE - 32	; EFER.NXE is reserved while it is set
	jnc	.nx_open
	wrmsr
.nx_open:
	mov	ecx, MSR_EFER
	mov	eax, [AT(efer)]
	xor	edx, edx
	wrmsr
	mov	eax, CR0_LONG
	mov	cr0, eax
	jmp	far dword [AT(far_pointer)]

bits 64
long_mode:
	mov	rax, [rel entry]
	jmp	rax

align 8
gdt:
	dq	0
	dq	0x00209b0000000000	; 64-bit code, present, accessed
gdt_end:

; struct trampoline_data in smp.c
align 8
trampoline_data:
entry:		dq 0			; ap_start
root:		dd 0			; CR3
efer:		dd 0
open_nx:	dd 0
far_pointer:	dd AT(long_mode)	; + page
		dw CODE64
gdt_pointer:	dw gdt_end - gdt - 1
		dd AT(gdt)		; + page
trampoline_end:
