; SPDX-License-Identifier: BSD-2-Clause
; The BIOS of an isolated guest that is started at its kernel. Real-mode code,
; copied to F000:BIOS_CODE by bios_area.c, which also points the interrupt
; vectors at it by the rows at its end. It has no service to offer: a call
; returns with an error. Everything in it is relative, but for its data at 40h.

BDA		equ 0x40
BDA_EQUIPMENT	equ 0x10
BDA_MEMORY	equ 0x13
BDA_TICKS	equ 0x6c
BDA_MIDNIGHT	equ 0x70
TICKS_A_DAY	equ 0x1800b0
RST_CNT		equ 0xcf9	; include/hw/q35.h
RST_CNT_HARD	equ 0x06
MASTER		equ 0x20
SLAVE		equ 0xa0
OCW3_READ_ISR	equ 0x0b
EOI		equ 0x20
CASCADE		equ 1 << 2
FLAGS_CF_ZF	equ 0x41
FUNCTION_ABSENT	equ 0x86
LPT_TIMEOUT	equ 0x01

section .rodata

global bios_code
global bios_rows
global bios_rows_end

bits 16
bios_code:

; A kernel jumps to F000:FFF0 when it knows no better way to reset
reset:
	mov	dx, RST_CNT
	mov	al, RST_CNT_HARD
	out	dx, al
.wait:
	hlt
	jmp	.wait

; An exception, or a call that a BIOS answers by doing nothing
nothing:
	iret

; A service: CF, and AH says that the function is not there. ZF is how INT 16h
; says that no key was pressed.
absent:
	mov	ah, FUNCTION_ABSENT
failed:
	push	bp
	mov	bp, sp
	or	byte [bp + 6], FLAGS_CF_ZF
	pop	bp
	iret
; INT 17h has a status of its own in AH
printer:
	mov	ah, LPT_TIMEOUT
	jmp	failed

; INT 11h and INT 12h have no way to fail
equipment:
	mov	ax, BDA_EQUIPMENT
	jmp	data
memory:
	mov	ax, BDA_MEMORY
data:
	push	ds
	push	bx
	mov	bx, BDA
	mov	ds, bx
	mov	bx, ax
	mov	ax, [bx]
	pop	bx
	pop	ds
	iret

; IRQ 0: the clock of INT 1Ah
tick:
	push	ds
	push	eax
	mov	ax, BDA
	mov	ds, ax
	mov	eax, [BDA_TICKS]
	inc	eax
	cmp	eax, TICKS_A_DAY
	jb	.same_day
	xor	eax, eax
	mov	byte [BDA_MIDNIGHT], 1
.same_day:
	mov	[BDA_TICKS], eax
	int	0x1c
	mov	al, EOI
	out	MASTER, al
	pop	eax
	pop	ds
	iret

; An interrupt that nobody expects is masked, or a level would arrive for ever.
; It is the lowest bit in service. None is: it was spurious.
irq_slave:
	push	ax
	mov	al, OCW3_READ_ISR
	out	SLAVE, al
	in	al, SLAVE
	test	al, al
	jz	end_master
	mov	ah, al
	neg	ah
	and	ah, al
	in	al, SLAVE + 1
	or	al, ah
	out	SLAVE + 1, al
	mov	al, EOI
	out	SLAVE, al
	jmp	end_master
irq_master:
	push	ax
	mov	al, OCW3_READ_ISR
	out	MASTER, al
	in	al, MASTER
	test	al, al
	jz	end
	mov	ah, al
	neg	ah
	and	ah, al
	and	ah, ~CASCADE & 0xff
	in	al, MASTER + 1
	or	al, ah
	out	MASTER + 1, al
end_master:
	mov	al, EOI
	out	MASTER, al
end:
	pop	ax
	iret

	times 0x1f0 - ($ - bios_code) db 0	; up to F000:FFF0

; First and last vector, offset in the code; ascending, without a gap
%macro row 3
	db	%1, %2
	dw	%3 - bios_code
%endmacro
align 2
bios_rows:
	row	0x00, 0x07, nothing	; exceptions; 05h: print screen
	row	0x08, 0x08, tick
	row	0x09, 0x0f, irq_master
	row	0x10, 0x10, absent	; video
	row	0x11, 0x11, equipment
	row	0x12, 0x12, memory
	row	0x13, 0x16, absent	; disk, serial port, system, keyboard
	row	0x17, 0x17, printer
	row	0x18, 0x19, reset	; there is nothing to boot
	row	0x1a, 0x1a, absent	; time, PCI
	row	0x1b, 0x1f, nothing	; hooks of Ctrl-Break and tick; tables
	row	0x20, 0x6f, absent
	row	0x70, 0x77, irq_slave
	row	0x78, 0xff, absent
bios_rows_end:
