; SPDX-License-Identifier: BSD-2-Clause
; Entry of a guest test: PVH (32-bit, paging off, EBX = start_info) to long
; mode with the first 4 GiB identity-mapped, and the trampoline by which a
; second vCPU gets there too.

%include "tests/guest/lib/macros.inc"

	bits 32
	section .note.pvh note alloc noexec nowrite align=4
	dd 4, 8, 18			; "Xen\0", 8 bytes, XEN_ELFNOTE_PHYS32_ENTRY
	db "Xen", 0
	dq pvh_entry

	section .bss nobits alloc write align=4096
	global boot_pml4
boot_pml4:	resb 4096
pdpt:		resb 4096
pds:		resb 4 * 4096
stack:		resb 16384
stack_top:
ap_stacks:	resb 128 * 4096

	section .data progbits alloc write align=16
	global guest_gdt
guest_gdt:
	dq 0
	dq 0x00cf9b000000ffff		; 08: 32-bit code
	dq 0x00cf93000000ffff		; 10: data
	dq 0x00af9b000000ffff		; 18: 64-bit code
	dq 0x00cff3000000ffff		; 20: user data
	dq 0x00affb000000ffff		; 28: user 64-bit code
	dq 0, 0				; 30: TSS, filled by lib
gdt_end:
gdtr:	dw gdt_end - guest_gdt - 1
	dq guest_gdt
	global start_info_gpa
start_info_gpa: dq 0
ap_next: dd 0

	section .text exec alloc align=16
	extern guest_start, guest_ap_start
	global pvh_entry
pvh_entry:
	cld
	mov [start_info_gpa], ebx
	mov edi, pds			; 2048 pages of 2 MiB
	mov eax, 0x83
	xor edx, edx
	mov ecx, 2048
.pd:	mov [edi], eax
	mov [edi + 4], edx
	add eax, 0x200000
	adc edx, 0
	add edi, 8
	loop .pd
	mov eax, pds + 3
	mov edi, pdpt
	mov ecx, 4
.pdpt:	mov [edi], eax
	add eax, 4096
	add edi, 8
	loop .pdpt
	mov dword [boot_pml4], pdpt + 3
	mov esp, stack_top
	mov esi, guest_start
enter_long:				; ESI = 64-bit function, ESP = stack
	mov eax, cr4
	or eax, 0x620			; PAE, OSFXSR, OSXMMEXCPT
	mov cr4, eax
	mov eax, boot_pml4
	mov cr3, eax
	mov ecx, 0xc0000080
	rdmsr
	or eax, 0x901			; SCE, LME, NXE
	wrmsr
	mov eax, cr0
	and eax, ~0x60000004		; CD, NW, EM off
	or eax, 0x80010022		; PG, WP, NE, MP
	mov cr0, eax
	lgdt [gdtr]
	jmp 0x18:long_mode
	bits 64
long_mode:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	xor eax, eax
	mov fs, ax
	mov gs, ax
	mov esi, esi
	call rsi
.dead:	cli
	hlt
	jmp .dead

; Copied to 8000h; the vCPU comes here in real mode with CS = 0800h
	bits 16
	global ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	mov ax, cs
	mov ds, ax
	o32 lgdt [ap_gdtr - ap_trampoline]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp dword 0x08:ap_protected
ap_gdtr: dw gdt_end - guest_gdt - 1
	dd guest_gdt
ap_trampoline_end:
	bits 32
ap_protected:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov eax, 1
	lock xadd [ap_next], eax
	and eax, 127
	inc eax
	shl eax, 12
	lea esp, [ap_stacks + eax]
	mov esi, guest_ap_start
	jmp enter_long

; Exceptions and interrupts: 256 stubs of 16 bytes, one frame
	bits 64
	extern guest_trap
	global trap_stubs
	align 16
trap_stubs:
	trap_entries trap_common
trap_common:
	push rax
	push rcx
	push rdx
	push rbx
	push rbp
	push rsi
	push rdi
	push r8
	push r9
	push r10
	push r11
	push r12
	push r13
	push r14
	push r15
	mov rdi, rsp
	cld
	mov rbx, rsp
	and rsp, -16
	call guest_trap
	mov rsp, rbx
	pop r15
	pop r14
	pop r13
	pop r12
	pop r11
	pop r10
	pop r9
	pop r8
	pop rdi
	pop rsi
	pop rbp
	pop rbx
	pop rdx
	pop rcx
	pop rax
	add rsp, 16
	iretq

; u8 guest_try(void (*fn)(void *), void *arg): run fn; 0xff, or the vector of
; the exception that stopped it (guest_trap unwinds to try_resume)
	global guest_try, try_resume, try_rsp
	section .bss
try_rsp: resq 1
	section .text
guest_try:
	push_saved
	mov [try_rsp], rsp
	mov rax, rdi
	mov rdi, rsi
	sub rsp, 8
	call rax
	mov eax, 0xff
try_resume:				; AL = vector
	mov rsp, [try_rsp]
	mov qword [try_rsp], 0
	pop_saved
	ret
