; SPDX-License-Identifier: BSD-2-Clause
; What the compiler calls in place of an indirect branch (-mindirect-branch=
; thunk-extern): a jump to the register's value. arch/x86/machine/text_patch.c
; makes retpolines of them at boot where the CPU wants them. Each lies in the
; upper half of a cache line of its own, where ITS cannot reach it. In the
; order of the registers' numbers; RSP's place is empty.

bits 64

section .text align=64

%macro thunk 1
	align	64, int3
	times 32 int3
global __x86_indirect_thunk_%1
__x86_indirect_thunk_%1:
	jmp	%1
	int3
%endmacro

global indirect_thunks
	align	64, int3
indirect_thunks:
	thunk	rax
	thunk	rcx
	thunk	rdx
	thunk	rbx
	align	64, int3
	times 64 int3
	thunk	rbp
	thunk	rsi
	thunk	rdi
	thunk	r8
	thunk	r9
	thunk	r10
	thunk	r11
	thunk	r12
	thunk	r13
	thunk	r14
	thunk	r15
	align	64, int3
	; Not assembled if a thunk is too long
	times 16 * 64 - ($ - indirect_thunks) int3
