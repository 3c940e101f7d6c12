; SPDX-License-Identifier: BSD-2-Clause
; A firmware image of our own: the CPU's state after power-on and after a reset,
; read-only memory below 4 GiB and its shadow below 1 MiB, descriptor tables in
; it. The first start marks the CMOS and resets; the second one checks.

	org 0xffff0000

STATE		equ 0x6000		; EAX EBX ECX EDX ESI EDI EBP ESP CR0
SELECTORS	equ 0x6030		; CS DS ES FS GS SS
FLAGS		equ 0x6040
LEFT		equ 0x6800		; zero, unless a reset leaves RAM as it is
STACK		equ 0x7000
COPY		equ 0x7100
DMA		equ 0x7200
SHADOW		equ 0xf0000		; of start
COM1		equ 0x3f8
CMOS_MARK	equ 0x50
SIGNATURE	equ 0x554d4551		; "QEMU", which fw_cfg begins with

	bits 16
start:
	mov [STATE], eax
	mov [STATE + 4], ebx
	mov [STATE + 8], ecx
	mov [STATE + 12], edx
	mov [STATE + 16], esi
	mov [STATE + 20], edi
	mov [STATE + 24], ebp
	mov [STATE + 28], esp
	mov eax, cr0
	mov [STATE + 32], eax
	mov [SELECTORS], cs
	mov [SELECTORS + 2], ds
	mov [SELECTORS + 4], es
	mov [SELECTORS + 6], fs
	mov [SELECTORS + 8], gs
	mov [SELECTORS + 10], ss
	mov sp, STACK
	pushfd
	pop dword [FLAGS]

	mov al, CMOS_MARK
	out 0x70, al
	in al, 0x71
	cmp al, 0x5a
	je second
	mov al, 0x5a
	out 0x71, al
	mov dword [LEFT], 0x12345678
	mov dx, 0xcf9
	mov al, 6
	out dx, al
.wait:	hlt
	jmp .wait

second:
	o32 lgdt [cs:gdtr - start]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp dword 8:protected

	bits 32
; ESI: zero-terminated
print:
	lodsb
	test al, al
	jz .done
	mov ah, al
	mov dx, COM1 + 5
.busy:	in al, dx
	test al, 0x20
	jz .busy
	mov dx, COM1
	mov al, ah
	out dx, al
	jmp print
.done:	ret

; check CONDITION, NAME
%macro check 2
	j%1 %%ok
	inc dword [failed]
	mov esi, %%bad
	jmp %%say
%%bad:	db "FAIL ", %2, " [", SECTION, "]: see rom.asm", 10, 0
%%good:	db "PASS ", %2, " [", SECTION, "]", 10, 0
%%ok:	inc dword [passed]
	mov esi, %%good
%%say:	call print
%endmacro

passed	equ 0x6900
failed	equ 0x6904

protected:
	mov eax, 0x10
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov esp, STACK
	cld
	mov dword [passed], 0
	mov dword [failed], 0

%define SECTION "SDM 3A 10.1.4"
	cmp word [SELECTORS], 0xf000
	check e, "rom_cs"
	cmp dword [LEFT], 0
	check e, "rom_reset_clears_ram"

%define SECTION "SDM 3A 10.1.1"
	mov eax, [SELECTORS + 2]
	or eax, [SELECTORS + 6]
	or eax, [SELECTORS + 8]
	check z, "rom_data_segments"
	cmp dword [FLAGS], 2
	check e, "rom_eflags"
	cmp dword [STATE + 32], 0x60000010
	check e, "rom_cr0"
	test dword [STATE + 12], 0xf00	; the family, in the signature
	check nz, "rom_edx_signature"
	mov eax, [STATE]
	or eax, [STATE + 4]
	or eax, [STATE + 8]
	or eax, [STATE + 16]
	or eax, [STATE + 20]
	or eax, [STATE + 24]
	or eax, [STATE + 28]
	check z, "rom_registers_zero"

%define SECTION "docs/guests.md Ways in"
	mov esi, start
	mov edi, SHADOW
	mov ecx, (gdt - start) / 4	; of the GDT, bits are set
	repe cmpsd
	check e, "rom_shadow_is_the_same"
	mov dword [SHADOW + scratch - start], 0x11223344
	cmp dword [SHADOW + scratch - start], 0x11223344
	check e, "rom_shadow_is_ram"
	cmp dword [scratch], 0xa5a5a5a5
	check e, "rom_is_not_the_shadow"
	mov dword [scratch], 1
	cmp dword [scratch], 0xa5a5a5a5
	check e, "rom_write_is_lost"
	mov eax, 1
	xchg eax, [scratch]
	cmp eax, 0xa5a5a5a5
	check e, "rom_xchg_reads"
	lock or dword [scratch], 0xff
	cmp dword [scratch], 0xa5a5a5a5
	check e, "rom_locked_write_is_lost"
	mov edi, scratch
	mov ecx, 8
	xor eax, eax
	rep stosd
	cmp edi, scratch + 32
	check e, "rom_string_goes_on"
	mov esi, scratch
	mov edi, COPY
	mov ecx, 8
	rep movsd
	cmp dword [COPY + 28], 0xa5a5a5a5
	check e, "rom_string_write_is_lost"

	; select item 0 and read 4 bytes of it to ROM, big-endian
	mov dword [DMA], 0x0a000000
	mov dword [DMA + 4], 0x04000000
	mov dword [DMA + 8], 0
	mov eax, scratch
	bswap eax
	mov [DMA + 12], eax
	mov dx, 0x518
	mov eax, DMA
	bswap eax
	out dx, eax
	cmp dword [scratch], 0xa5a5a5a5
	check e, "rom_dma_is_lost"
	mov eax, [DMA]
	bswap eax
	test eax, ~1			; 0, or the error bit
	check z, "rom_dma_ends"
	mov dword [DMA], 0x0a000000	; the same to RAM
	mov eax, COPY
	bswap eax
	mov [DMA + 12], eax
	mov dx, 0x518
	mov eax, DMA
	bswap eax
	out dx, eax
	cmp dword [COPY], SIGNATURE
	check e, "rom_dma_to_ram"

%define SECTION "SDM 3A 3.4.5.1"
	mov eax, 0x20			; accessed: no, and nobody can write it
	mov fs, eax
	mov eax, [fs:scratch]
	cmp eax, 0xa5a5a5a5
	check e, "rom_descriptor_loads"
%define SECTION "SDM 3A 7.2.4"
	mov eax, 0x18
	ltr ax
	str ebx
	cmp bx, 0x18
	check e, "rom_ltr"
	cmp byte [tss_descriptor + 5], 0x89
	check e, "rom_tss_stays_available"
	mov eax, 0x18
	ltr ax				; so this is no #GP
	str ebx
	cmp bx, 0x18
	check e, "rom_ltr_again"

	mov eax, [passed]
	aam				; AH tens, AL ones
	add ax, 0x3030
	mov [COPY], byte ' '
	mov [COPY + 1], ah
	mov [COPY + 2], al
	mov [COPY + 3], byte ' '
	mov al, [failed]
	add al, '0'
	mov [COPY + 4], al
	mov word [COPY + 5], 10
	mov esi, done
	call print
	mov esi, COPY
	call print
	mov dx, 0x604			; PM1 control: S5
	mov ax, 0x2000
	out dx, ax
.halt:	hlt
	jmp .halt

done:	db "DONE", 0
	align 8
gdt:	dq 0
	dq 0x00cf9a000000ffff
	dq 0x00cf92000000ffff
tss_descriptor:
	dq 0x0000890060000067
	dq 0x00cf92000000ffff
gdt_end:
gdtr:	dw gdt_end - gdt - 1
	dd gdt
	align 4096
scratch: times 1024 dd 0xa5a5a5a5

	times 0xfff0 - ($ - $$) db 0xff
	bits 16
	jmp start
	times 0x10000 - ($ - $$) db 0xff
