; SPDX-License-Identifier: BSD-2-Clause
; The way into a guest, whichever back-end is in use: hw_run() (hv/run/loop.c)
; calls it, and text_patch() makes it a jump to vcpu_ops->run.

bits 64

section .text align=16

	align	16, int3
global vcpu_enter
vcpu_enter:
	jmp	near .unset
.unset:
	ud2
