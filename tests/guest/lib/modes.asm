; SPDX-License-Identifier: BSD-2-Clause
; Code of other modes for tests/guest/modes.c: 32-bit pieces for legacy_try(),
; and a stay in real mode that leaves its findings at REAL_RESULTS.

REAL_BASE	equ 0x9000	; where the 16-bit code is copied to
REAL_RESULTS	equ 0x9c00
REAL_STACK	equ 0x9bf0

	section .bss nobits alloc write align=16
	global mode_addr, mode_value
mode_addr:	resd 1
mode_value:	resd 4
saved:		resq 1

	section .text exec alloc align=16
	bits 32
	extern legacy_return
	global mode_read, mode_write, mode_cpuid, mode_load_cr3, mode_efer
	global mode_cr0, mode_cr4, mode_ports
mode_read:
	mov edx, [mode_addr]
	mov eax, [edx]
	mov [mode_value], eax
	ret
mode_write:
	mov edx, [mode_addr]
	mov dword [edx], 0x12345678
	ret
mode_cpuid:
	xor eax, eax
	cpuid
	mov [mode_value], ebx
	ret
mode_load_cr3:
	mov eax, [mode_addr]
	mov cr3, eax
	ret
mode_cr0:
	mov eax, [mode_addr]
	mov cr0, eax
	ret
mode_cr4:
	mov eax, [mode_addr]
	mov cr4, eax
	ret
; An exit that writes EFER while PAE paging runs: it must go on as it was
mode_efer:
	mov ecx, 0xc0000080
	rdmsr
	or eax, 0x800
	wrmsr
	and eax, ~0x800
	wrmsr
	or eax, 0x800
	wrmsr
	jmp mode_read
mode_ports:
	mov edx, 0x3fd
	in al, dx
	mov [mode_value], al
	mov esi, mode_value
	mov ecx, 3
	mov edx, 0x80
	rep outsb
	mov [mode_value + 4], ecx
	ret

; 64-bit: call the 32-bit function RDI in compatibility mode
	bits 64
	global compat_call
compat_call:
	push rbx
	push rbp
	mov [saved], rsp
	push 0x08
	push .compat
	o64 retf
	bits 32
.compat:
	call edi
	jmp 0x18:.long
	bits 64
.long:	mov rsp, [saved]
	pop rbp
	pop rbx
	ret

; 32-bit: into real mode and back. Selectors 58: 16-bit code at REAL_BASE, 60:
; 16-bit data at 0, 10: flat data
	bits 32
	global mode_real
mode_real:
	mov ax, 0x10
	mov es, ax		; keeps its 4 GiB in real mode
	jmp 0x58:(pm16 - real_code)
real_back:
	mov eax, 0xff
	jmp legacy_return

	global real_code, real_code_end
	align 16
	bits 16
real_code:
pm16:	mov ax, 0x60
	mov ds, ax
	mov ss, ax
	mov sp, REAL_STACK
	xor eax, eax
	cpuid
	mov [REAL_RESULTS + 0], ebx	; 0: CPUID in 16-bit protected mode
	o32 lidt [REAL_BASE + real_idtr - real_code]
	mov eax, cr0
	and al, ~1
	mov cr0, eax
	jmp REAL_BASE >> 4:(.real - real_code)
.real:	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, REAL_STACK
	mov dword [REAL_RESULTS + 4], 1	; 1: here
	call bios
	mov word [0x20 * 4], on_int - real_code
	mov word [0x20 * 4 + 2], REAL_BASE >> 4
	mov word [0], on_fault - real_code
	mov word [2], REAL_BASE >> 4
	mov word [6 * 4], on_fault - real_code
	mov word [6 * 4 + 2], REAL_BASE >> 4
	mov word [13 * 4], on_fault - real_code
	mov word [13 * 4 + 2], REAL_BASE >> 4
	int 0x20			; 2: SP as the handler found it
	mov [REAL_RESULTS + 12], sp	; 3: SP after it
	mov eax, 0
	cpuid
	mov [REAL_RESULTS + 16], ebx	; 4: CPUID
	mov ecx, 0x1b
	rdmsr
	mov [REAL_RESULTS + 20], eax	; 5: RDMSR
	mov dx, 0x3fd
	in al, dx
	mov [REAL_RESULTS + 24], al	; 6: IN
	mov si, REAL_RESULTS
	mov cx, 3
	mov dx, 0x80
	rep outsb
	mov [REAL_RESULTS + 28], cx	; 7: REP OUTSB
	mov [REAL_RESULTS + 30], si
	mov eax, [es:dword 0x100000]	; 8: beyond 1 MiB by a large limit
	mov [REAL_RESULTS + 32], eax
	mov eax, [es:dword 0x1008000]	; 9: where nothing is
	mov [REAL_RESULTS + 36], eax
	mov ax, 0xffff
	mov fs, ax
	mov eax, [fs:0x10]		; 10: FFFF:0010 with A20 on
	mov [REAL_RESULTS + 40], eax
	; faults: 11 first word: IP of the handler's frame, second: its SP
	mov bx, REAL_RESULTS + 44
	xor cl, cl
.de:	div cl
	mov bx, REAL_RESULTS + 48	; 12: #UD
.ud:	ud2
	mov bx, REAL_RESULTS + 52	; 13: #GP, a word over the limit
	mov di, 0xffff
.gp:	mov ax, [di]
	smsw ax
	mov [REAL_RESULTS + 56], ax	; 14
	mov word [REAL_RESULTS + 60], .de - real_code	; 15: where they were
	mov word [REAL_RESULTS + 62], .ud - real_code
	mov word [REAL_RESULTS + 64], .gp - real_code	; 16
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp dword 0x08:real_back
; Calls by the vectors that the loader left
bios:	int 0x12
	mov [REAL_RESULTS + 68], ax
	int 0x11
	mov [REAL_RESULTS + 70], ax
	mov ax, 0xe820
	clc
	int 0x15
	pushf
	pop word [REAL_RESULTS + 72]
	mov [REAL_RESULTS + 74], ax
	mov ah, 1			; is there a key?
	or sp, sp
	int 0x16
	pushf
	pop word [REAL_RESULTS + 76]
	mov dword [0x46c], 0x1800af	; one tick before midnight
	int 0x08
	mov eax, [0x46c]
	mov [REAL_RESULTS + 80], eax
	mov al, [0x470]
	mov [REAL_RESULTS + 78], al
	; Each vector but INT 18h and 19h, which reset
	mov word [REAL_RESULTS + 84], 0
	xor cx, cx
.vector:
	mov al, cl
	and al, 0xfe
	cmp al, 0x18
	je .next
	mov [REAL_BASE + .number + 1 - real_code], cl
	jmp .number			; what was fetched before is dropped
.number:
	int 0
	inc word [REAL_RESULTS + 84]
.next:	inc cl
	jnz .vector
	mov [REAL_RESULTS + 86], sp
	ret
on_int:	mov [REAL_RESULTS + 8], sp
	iret
on_fault:				; each is two bytes long
	mov bp, sp
	mov [bx + 2], sp
	mov ax, [bp]
	mov [bx], ax
	add word [bp], 2
	iret
real_idtr: dw 0x3ff
	dd 0
real_code_end:
