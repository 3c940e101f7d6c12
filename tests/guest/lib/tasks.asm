; SPDX-License-Identifier: BSD-2-Clause
; 32-bit side of tests/guest/tasks.c: ways into a task, and the task, which
; notes how it finds the machine.

	section .bss nobits alloc write align=16
	global task_seen, task_back, task_far, task_act, task_return_eip
task_seen:			; struct task_state
.eax:	resd 1
.ebx:	resd 1
.esp:	resd 1
.eflags: resd 1
.tr:	resd 1
.ldt:	resd 1
.cr0:	resd 1
.cr3:	resd 1
.dr7:	resd 1
.ds:	resd 1
.top:	resd 1			; of its stack
.old_type: resd 1		; of the descriptors' access bytes
.new_type: resd 1
.count:	resd 1
task_back:	resd 14		; the same, back in the first task
task_far:	resq 1		; offset, selector
task_act:	resd 1		; 0: IRET; 1: JMP FAR task_far_back
	global task_far_back
task_far_back:	resq 1
task_return_eip: resd 1

	extern legacy_gdt
	section .text exec alloc align=16
	bits 32

%macro note 1
	mov [%1], eax
	mov [%1 + 4], ebx
	mov [%1 + 8], esp
	pushfd
	pop dword [%1 + 12]
	xor eax, eax
	str ax
	mov [%1 + 16], eax
	sldt ax
	mov [%1 + 20], eax
	mov eax, cr0
	mov [%1 + 24], eax
	mov eax, cr3
	mov [%1 + 28], eax
	mov eax, dr7
	mov [%1 + 32], eax
	xor eax, eax
	mov ax, ds
	mov [%1 + 36], eax
	mov eax, [esp]
	mov [%1 + 40], eax
	movzx eax, byte [legacy_gdt + 0x35]
	mov [%1 + 44], eax
	movzx eax, byte [legacy_gdt + 0x3d]
	mov [%1 + 48], eax
	inc dword [%1 + 52]
%endmacro

; The ways in: EBX is known, and what comes next notes the way back
	global task_call, task_jmp, task_int, task_ud, task_gp, task_iret
task_call:
	mov ebx, 0xb0b0b0b0
	mov dword [task_return_eip], .next
	call far dword [task_far]
.next:	note task_back
	ret
task_jmp:
	mov ebx, 0xb0b0b0b0
	mov dword [task_return_eip], .next
	jmp far dword [task_far]
.next:	note task_back
	ret
task_int:
	mov ebx, 0xb0b0b0b0
	mov dword [task_return_eip], .next
	int 0x40
.next:	note task_back
	ret
task_ud:
	mov dword [task_return_eip], .next
.next:	ud2
task_gp:
	mov dword [task_return_eip], .next
	mov ax, 0xf8
.next:	mov fs, ax
	ret
task_iret:			; as if nested: to what the TSS links to
	pushfd
	or dword [esp], 0x4000
	popfd
	mov dword [task_return_eip], .next
	iret
.next:	note task_back
	ret
	global task_leave
task_leave:			; a task that does not go back
	mov eax, 0xfe
	extern legacy_return
	jmp legacy_return

	global task_entry
task_entry:
	note task_seen
	cmp dword [task_act], 0
	jne .jump
	iret
	jmp task_entry
.jump:	jmp far dword [task_far_back]
	jmp task_entry

; An interrupt handler that drops the error code of its stack and resumes: for
; faults that the tests mend
	global task_after_fault
task_after_fault:
	note task_seen
	mov eax, 0xfd
	jmp legacy_return
