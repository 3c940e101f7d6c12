; SPDX-License-Identifier: BSD-2-Clause
; The first program of a Linux that is only booted: it makes a mark and powers off. Linked where
; share.c looks for it, and no other program lies.

bits 64
section .text
global _start

SYS_REBOOT      equ 169
MAGIC1          equ 0xfee1dead  ; reboot(2)
MAGIC2          equ 672274793
CMD_POWER_OFF   equ 0x4321fedc

_start:
	db 0x0f, 0x1f, 0x80     ; MARK_INIT of mark.h
	dd 0x424d0004
	mov eax, SYS_REBOOT
	mov edi, MAGIC1
	mov esi, MAGIC2
	mov edx, CMD_POWER_OFF
	syscall
.wait:
	jmp .wait
