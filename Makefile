# SPDX-License-Identifier: BSD-2-Clause
# Bulkhead: `make help` lists the targets.

CC      := gcc
LD      := ld
NASM    := nasm
B       := build

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wundef -Werror
CFLAGS  := -std=gnu11 -O2 -g -I. $(WARN) -ffreestanding -fno-stack-protector \
	   -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	   -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common \
	   -ffunction-sections -fdata-sections -fcf-protection=none
NFLAGS  := -f elf64 -g -F dwarf -I./

# The hypervisor is every source in its folders
DIRS    := lib arch/x86/cpu arch/x86/vmx arch/x86/svm mm sched drivers \
	   hv hv/vdev hv/load boot/common boot/multiboot2
SRC_C   := $(sort $(foreach d,$(DIRS),$(wildcard $(d)/*.c)))
SRC_ASM := $(sort $(foreach d,$(DIRS),$(wildcard $(d)/*.asm)))
OBJS    := $(SRC_C:%.c=$(B)/%.o) $(SRC_ASM:%.asm=$(B)/%.asm.o)

ELF     := $(B)/bulkhead.elf

.PHONY: all help clean
all: $(ELF)

help:
	@echo "make run     build and boot two Linux guests under QEMU"
	@echo "make test    every test, on QEMU (SVM) and on Bochs (VMX)"
	@echo "make usb     build/bulkhead.img, to dd onto a USB stick"
	@echo "make bench   exit costs on both emulators, beside the peers'"
	@echo "make check   format, layering, headers, warnings, linters, unit tests"

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/%.asm.o: %.asm Makefile
	@mkdir -p $(@D)
	@echo "  NASM  $<"
	@$(NASM) $(NFLAGS) -MD $(B)/$*.asm.d $< -o $@

$(ELF): $(OBJS) linker.ld
	$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --gc-sections \
		--build-id=none -T linker.ld -o $@.debug $(OBJS)
	objcopy --strip-all $@.debug $@

# $(CFLAGS) so that the linters see what the compiler sees
.PHONY: check
check:
	@scripts/setup check
	@scripts/check "$(CFLAGS)"
	@$(MAKE) --no-print-directory unit

clean:
	rm -rf $(B)

include boot/build.mk
include hv/load/build.mk
include tests/build.mk

-include $(OBJS:.o=.d)
