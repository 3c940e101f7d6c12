# SPDX-License-Identifier: BSD-2-Clause
# Bulkhead: `make help` lists the targets.

CC      := gcc
LD      := ld
NASM    := nasm
B       := build
JOBS    := $(shell nproc)

# One line a step; with V=1 the commands themselves; with -s nothing
V       := 0
Q       := $(if $(filter 1,$(V)),,@)
SILENT  := $(findstring s,$(firstword -$(MAKEFLAGS)))
say      = @$(if $(filter @,$(Q)$(SILENT)),printf '  %-5s %s\n' $(1) $(2),:)
# To scripts that take minutes: whether to say what they do
PROGRESS := $(if $(SILENT),no,yes)

# A handler in a table has the parameters of its kind, used or not
WARN    := -Wall -Wextra -Wno-unused-parameter -Wshadow -Wconversion -Wmissing-prototypes -Wundef -Werror
CFLAGS  := -std=gnu11 -O2 -g -I. $(WARN) -ffreestanding \
	   -fstack-protector-strong -mstack-protector-guard=global -Wframe-larger-than=3072 \
	   -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	   -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common \
	   -ffunction-sections -fdata-sections -fcf-protection=full -fno-jump-tables \
	   -mindirect-branch=thunk-extern -mindirect-branch-register
NFLAGS  := -f elf64 -g -F dwarf -I./

# The hypervisor is every source in its folders
DIRS    := lib check arch mm sched drivers hv boot/common boot/multiboot2
SRC_C   := $(sort $(shell find $(DIRS) -name '*.c'))
SRC_ASM := $(sort $(shell find $(DIRS) -name '*.asm'))
OBJS    := $(SRC_C:%.c=$(B)/%.o) $(SRC_ASM:%.asm=$(B)/%.asm.o)

ELF     := $(B)/bulkhead.elf

# What the small stick and the tests boot: the hypervisor, the manifest, two Linux guests
GUESTS  := $(B)/guests
PAYLOAD := $(ELF) boot/bulkhead.conf $(GUESTS)/vmlinuz \
	   $(GUESTS)/privileged.cpio $(GUESTS)/isolated.cpio
LOADER  := $(B)/BOOTX64.EFI

.PHONY: all help clean
all: $(ELF) $(LOADER)

help:
	@echo "make run     build and boot a small Debian as the privileged guest, under QEMU"
	@echo "make test    every test, on QEMU (SVM) and on Bochs (VMX)"
	@echo "make test-long   those that take an emulator minutes each, too"
	@echo "make usb     build/bulkhead.img, a stick and CD with a live Debian;"
	@echo "             USB_FILES='FILE...' go onto it too, USB_MIB is its size"
	@echo "make usb-small   build/bulkhead-small.img, a stick with two small Linux guests"
	@echo "make deb     build/bulkhead*_amd64.deb, for an installed Debian 12 or 13"
	@echo "make fuzz    each fuzzer for FUZZ_SECONDS (60), then random guests"
	@echo "make soak    random guests for SOAK_SECONDS (3600), by new seeds"
	@echo "make bench   exit costs on both emulators, beside the peers'"
	@echo "make bench-live   the boot of the stick, beside the same Debian's"
	@echo "make check   unit tests, rooms, headers, style, format, warnings, linters"
	@echo "make         the hypervisor and its UEFI loader, in build/"
	@echo "make clean   remove build/"

# The loaders run once, before the stack protector has its value and CET is on
$(B)/boot/%.o: CFLAGS += -fno-stack-protector -fcf-protection=none

# Rooms that no exit of a running guest goes through are built small
SMALL   := boot check drivers hv/assign hv/console hv/control hv/device hv/files hv/load hv/manifest \
	   hv/vm lib/qr arch/x86/cpu/spec arch/x86/machine/mce arch/x86/machine/microcode \
	   arch/x86/machine/mtrr arch/x86/machine/pstate arch/x86/machine/smp \
	   arch/x86/machine/tsc_ arch/x86/machine/ucode
$(foreach d,$(SMALL),$(eval $(B)/$(d)%.o: CFLAGS += -Os))

# But what runs for each page of a guest
$(B)/hv/vm/zero.o: CFLAGS += -O2

# Whoever enters a guest keeps none of them (hw_run() in hv/run/loop.c)
$(B)/arch/x86/svm/run.o: CFLAGS += $(addprefix -fcall-used-,r12 r13 r14 r15)

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# NASM 2.16.01 leaves %include out of what -MD writes; -M has it
$(B)/%.asm.o: %.asm Makefile
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)$(NASM) $(NFLAGS) -M -MT $@ -MF $(B)/$*.asm.d $<
	$(Q)$(NASM) $(NFLAGS) $< -o $@

$(ELF): $(OBJS) linker.ld scripts/check-branches
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --gc-sections \
		--build-id=none -T linker.ld -o $@.debug $(OBJS)
	$(Q)scripts/check-branches --mark $@.debug
	$(Q)objcopy --strip-all $@.debug $@

$(B)/bulkhead-small.img: $(PAYLOAD) $(LOADER) scripts/mkimage
	$(call say,IMAGE,$@)
	$(Q)scripts/mkimage --kind hybrid --loader $(LOADER) $(addprefix --size ,$(USB_MIB)) \
		--out $@ $(PAYLOAD) $(USB_FILES) >/dev/null
# Asked for by name, it is made anew: they may be others than last time
ifneq ($(USB_MIB)$(USB_FILES),)
.PHONY: $(B)/bulkhead.img $(B)/bulkhead-small.img
endif

.PHONY: run run-now usb usb-now usb-small usb-small-now test test-now test-long test-long-now
.PHONY: bench bench-now bench-live bench-live-now
# Each public target first installs what it needs, then builds in a fresh make
run:
	@scripts/setup run
	@$(MAKE) --no-print-directory -j$(JOBS) run-now
run-now: $(B)/run.img $(B)/run-data.img
	@scripts/run-qemu --image $(B)/run.img --nvme-kept $(DEBIAN)/root.squashfs \
		--nvme $(B)/run-data.img --net virtio

usb:
	@scripts/setup usb
	@$(MAKE) --no-print-directory -j$(JOBS) usb-now
usb-now: $(B)/bulkhead.img
	@echo "$< is ready: dd if=$< of=/dev/sdX bs=4M conv=fsync, or burn it"

usb-small:
	@scripts/setup build
	@$(MAKE) --no-print-directory -j$(JOBS) usb-small-now
usb-small-now: $(B)/bulkhead-small.img
	@echo "$< is ready: dd if=$< of=/dev/sdX bs=4M conv=fsync"

TEST_FILES := $(PAYLOAD) $(LOADER) guests unit-build fuzz-build $(B)/bulkhead-small.img
test:
	@scripts/setup test
	@$(MAKE) --no-print-directory -j$(JOBS) test-now
test-now: $(TEST_FILES)
	@BUILD=$(abspath $(B)) tests/run

# With the cases that take an emulator minutes each
test-long:
	@scripts/setup test
	@scripts/setup usb
	@$(MAKE) --no-print-directory -j$(JOBS) test-long-now
test-long-now: $(TEST_FILES) live debian
	@BUILD=$(abspath $(B)) tests/run --long

# Random input: the parsers and devices on the host, guests on the emulators
.PHONY: fuzz fuzz-now soak soak-now
fuzz:
	@scripts/setup test
	@$(MAKE) --no-print-directory -j$(JOBS) fuzz-now
# The comparisons with this CPU, by a seed of their own: about FUZZ_SECONDS each
fuzz-now: fuzz-build guests linux-guests $(ELF) $(LOADER) $(B)/unit/hv/emulate/test_insn_cpu $(B)/unit/hv/emulate/test_emulate_cpu
	@BUILD=$(B) tests/fuzz/run --seconds $(FUZZ_SECONDS)
	@INSN_SEED=$$(date +%s) INSN_ROUNDS=$$(($(FUZZ_SECONDS) * 10000)) $(B)/unit/hv/emulate/test_insn_cpu
	@EMULATE_SEED=$$(date +%s) EMULATE_ROUNDS=$(FUZZ_SECONDS) $(B)/unit/hv/emulate/test_emulate_cpu
	@BUILD=$(abspath $(B)) tests/run system.hostile

SOAK_SECONDS := 3600
soak:
	@scripts/setup test
	@$(MAKE) --no-print-directory -j$(JOBS) soak-now
soak-now: guests $(ELF) $(LOADER)
	@BUILD=$(abspath $(B)) tests/soak --seconds $(SOAK_SECONDS)

bench:
	@scripts/setup test
	@$(MAKE) --no-print-directory -j$(JOBS) bench-now
bench-now: $(PAYLOAD) $(LOADER) guests
	@BUILD=$(abspath $(B)) scripts/bench

bench-live:
	@scripts/setup test
	@scripts/setup usb
	@$(MAKE) --no-print-directory -j$(JOBS) bench-live-now
bench-live-now: live guests
	@BUILD=$(abspath $(B)) scripts/bench --live

# $(CFLAGS) so that the linters see what the compiler sees
.PHONY: check check-now
check:
	@scripts/setup check
	@$(MAKE) --no-print-directory -j$(JOBS) check-now
check-now: all unit-build
	@scripts/check --build $(B) -- "$(CFLAGS)"

clean:
	@rm -rf $(B)

include boot/build.mk
include tools/build.mk
include boot/rootfs/build.mk
include boot/live/build.mk
include hv/load/build.mk
include tests/build.mk
include packaging/debian/build.mk
include packaging/tools/build.mk
include boot/debian/build.mk

-include $(OBJS:.o=.d)
