; SPDX-License-Identifier: BSD-2-Clause
; Room in the text for the code that text_patch.c makes at boot (spec_code.h)

bits 64

section .text align=64

global text_area
global text_area_end
text_area:
	times 1024 int3
text_area_end:
