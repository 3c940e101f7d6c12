; SPDX-License-Identifier: BSD-2-Clause
; 32-bit protected mode for the guest tests: leave long mode, run 32-bit code
; under a GDT, an IDT and paging of the caller's choice, come back. See legacy.h.

%include "tests/guest/lib/macros.inc"

	section .bss nobits alloc write align=16
	global legacy_trap, legacy_fn
legacy_fn:	resd 1
result:		resd 1
legacy_trap:			; struct legacy_trap
.vector:	resd 1
.error:		resd 1
.eip:		resd 1
.cs:		resd 1
.eflags:	resd 1
.tr:		resd 1
.cr2:		resd 1
.dr6:		resd 1
saved_rsp:	resq 1
saved_cr0:	resq 1
saved_cr3:	resq 1
saved_cr4:	resq 1
saved_gdtr:	resb 16
saved_idtr:	resb 16
		alignb 16
stack:		resb 8192
stack_top:
	global legacy_gdt, legacy_idt
legacy_gdt:	resq 32
legacy_idt:	resq 256

	section .data progbits alloc write align=16
	global legacy_cr0, legacy_cr3, legacy_cr4, legacy_tr
legacy_cr0:	dd 0x31		; PE, ET, NE
legacy_cr3:	dd 0
legacy_cr4:	dd 0
legacy_tr:	dd 0		; 0: none
gdtr:	dw 32 * 8 - 1
	dq legacy_gdt
idtr:	dw 256 * 8 - 1
	dq legacy_idt

	section .text exec alloc align=16
	extern guest_gdt

; u8 legacy_try(legacy_fn fn): 0xff, or the vector that ended it
	bits 64
	global legacy_try
legacy_try:
	push_saved
	pushfq
	cli
	mov [saved_rsp], rsp
	mov [legacy_fn], edi
	sgdt [saved_gdtr]
	sidt [saved_idtr]
	mov rax, cr0
	mov [saved_cr0], rax
	mov rax, cr3
	mov [saved_cr3], rax
	mov rax, cr4
	mov [saved_cr4], rax
	lgdt [gdtr]
	lidt [idtr]
	push 0x08
	push enter_32
	o64 retf

	bits 32
enter_32:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov esp, stack_top
	mov eax, cr0
	and eax, 0x7fffffff
	mov cr0, eax		; still compatibility mode until here
	jmp 0x08:.no_paging
.no_paging:
	mov ecx, 0xc0000080
	rdmsr
	and eax, ~0x100		; LME
	wrmsr
	mov eax, [legacy_cr4]
	mov cr4, eax
	mov eax, [legacy_cr3]
	mov cr3, eax
	mov eax, [legacy_cr0]
	mov cr0, eax
	jmp 0x08:.as_asked
.as_asked:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov fs, ax
	mov gs, ax
	xor eax, eax
	lldt ax
	mov eax, [legacy_tr]
	test eax, eax
	jz .run
	ltr ax
.run:	call [legacy_fn]
	mov eax, 0xff
	global legacy_return
legacy_return:			; EAX: what legacy_try() returns
	cli
	mov cx, 0x10
	mov ds, cx
	mov es, cx
	mov ss, cx
	mov esp, stack_top
	mov [result], eax
	mov eax, cr0
	and eax, 0x7ffffff7	; PG, TS
	mov cr0, eax
	jmp 0x08:.paging_off
.paging_off:
	mov eax, [saved_cr4]
	mov cr4, eax
	mov eax, [saved_cr3]
	mov cr3, eax
	mov ecx, 0xc0000080
	rdmsr
	or eax, 0x100
	wrmsr
	mov eax, [saved_cr0]
	mov cr0, eax
	jmp 0x18:back_64

	bits 64
back_64:
	lgdt [saved_gdtr]
	lidt [saved_idtr]
	xor eax, eax
	lldt ax
	mov fs, ax
	mov gs, ax
	mov eax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	and byte [guest_gdt + 0x35], ~2	; the TSS: not busy
	mov eax, 0x30
	ltr ax
	mov rsp, [saved_rsp]
	push 0x18
	push .same_cs
	o64 retf
.same_cs:
	popfq
	pop_saved
	mov eax, [result]
	ret

; Exceptions and interrupts: 256 stubs of 16 bytes
	bits 32
	global legacy_stubs
	align 16
legacy_stubs:
	trap_entries trapped
trapped:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	pop dword [legacy_trap.vector]
	pop dword [legacy_trap.error]
	pop dword [legacy_trap.eip]
	pop dword [legacy_trap.cs]
	pop dword [legacy_trap.eflags]
	xor eax, eax
	str ax
	mov [legacy_trap.tr], eax
	mov eax, cr2
	mov [legacy_trap.cr2], eax
	mov eax, dr6
	mov [legacy_trap.dr6], eax
	mov eax, [legacy_trap.vector]
	jmp legacy_return
