; SPDX-License-Identifier: BSD-2-Clause
; CPL 3 for the guest tests: user_run(fn) calls fn there and returns when it
; returns; within guest_try() a fault ends it. The page tables get the U bit.

%include "tests/guest/lib/macros.inc"

	section .bss nobits alloc write align=16
user_rsp:	resq 1
stack:		resb 8192
stack_top:

	section .text exec alloc align=16
	bits 64
	global user_run, user_return
user_run:
	push_saved
	mov [user_rsp], rsp
	mov rax, stack_top - 16
	mov qword [rax], .done
	push 0x23		; user data
	push rax
	push 0x2		; RFLAGS: IOPL 0
	push 0x2b		; user 64-bit code
	push rdi
	iretq
.done:	int 0x81		; its handler goes to user_return
user_return:
	mov rsp, [user_rsp]
	pop_saved
	ret
