; SPDX-License-Identifier: BSD-2-Clause
; The first bytes of the image: what the UEFI loader looks for
; (boot/common/image.h), then what GRUB looks for in the first 32 KiB
; (Multiboot2 Specification 2.0, 3.1 *OS image format*).

IMAGE_VERSION	equ 4		; IMAGE_HEADER_VERSION

MB2_MAGIC	equ 0xe85250d6
MB2_ARCH_I386	equ 0
MB2_LENGTH	equ mb2_end - mb2_start
MB2_CHECKSUM	equ 0x100000000 - (MB2_MAGIC + MB2_ARCH_I386 + MB2_LENGTH)

TAG_END		equ 0
TAG_INFO_REQUEST equ 1
TAG_FRAMEBUFFER	equ 5
TAG_MODULE_ALIGN equ 6
TAG_RELOCATABLE	equ 10
TAG_OPTIONAL	equ 1		; go on where the loader does not know the tag

LOAD_MIN	equ 0x200000
LOAD_MAX	equ 0xffffffff
LOAD_ALIGN	equ 0x200000
LOAD_HIGHEST	equ 2		; 3.1.11: as high as possible

	extern hv_start

	section .multiboot2 progbits alloc exec nowrite align=8
image_header:
	db	"BULKHEAD"
	dd	IMAGE_VERSION
	dd	image_header_end - image_header
	dq	hv_start
image_header_end:

	align	8
mb2_start:
	dd	MB2_MAGIC
	dd	MB2_ARCH_I386
	dd	MB2_LENGTH
	dd	MB2_CHECKSUM

	; mandatory: memory map; the others are used where they are given
	align	8
	dw	TAG_INFO_REQUEST, 0
	dd	12
	dd	6

	align	8
	dw	TAG_MODULE_ALIGN, 0
	dd	8

	align	8
	dw	TAG_RELOCATABLE, 0
	dd	24
	dd	LOAD_MIN, LOAD_MAX, LOAD_ALIGN, LOAD_HIGHEST

	; a size every adapter has; others and text mode will do as well
	align	8
	dw	TAG_FRAMEBUFFER, TAG_OPTIONAL
	dd	20
	dd	1024, 768, 32

	align	8
	dw	TAG_END, 0
	dd	8
mb2_end:

	section .note.GNU-stack noalloc noexec nowrite progbits
