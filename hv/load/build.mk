# SPDX-License-Identifier: BSD-2-Clause
# The DSDTs of guests: compiled from ASL and embedded as byte arrays,
# const u8 dsdt_NAME_aml[] and dsdt_NAME_aml_size.

DSDT_ASL  := $(wildcard hv/load/dsdt_*.asl)
DSDT_C    := $(DSDT_ASL:%.asl=$(B)/%_aml.c)
DSDT_OBJS := $(DSDT_C:.c=.o)
OBJS      += $(DSDT_OBJS)

$(B)/hv/load/%.aml: hv/load/%.asl
	@mkdir -p $(@D)
	cpp -P -undef -nostdinc $< $(@:.aml=.dsl)
	iasl -we -vs -vi -p $(@:.aml=) $(@:.aml=.dsl) >$@.log 2>&1 || \
		{ cat $@.log; rm -f $@; false; }

$(B)/hv/load/%_aml.c: $(B)/hv/load/%.aml scripts/bin2c
	scripts/bin2c $*_aml $< >$@

$(B)/hv/load/%_aml.o: $(B)/hv/load/%_aml.c
	@$(CC) $(CFLAGS) -c $< -o $@

.SECONDARY: $(DSDT_C) $(DSDT_ASL:%.asl=$(B)/%.aml)
$(ELF): $(DSDT_OBJS)

# The Linux guests of `make run` and of the system tests: a stock kernel and
# two initrds. The kernel is downloaded once.
CACHE  ?= build/cache
ROOTFS := $(shell find boot/rootfs -type f)

$(GUESTS)/vmlinuz: scripts/fetch-kernel
	@mkdir -p $(@D)
	scripts/fetch-kernel $(CACHE)
	cp $(CACHE)/vmlinuz $@

$(GUESTS)/privileged.cpio $(GUESTS)/isolated.cpio: $(GUESTS)/%.cpio: \
		$(GUESTS)/vmlinuz $(ROOTFS) scripts/mkinitrd
	scripts/mkinitrd $* $@ $(CACHE)

.PHONY: linux-guests
linux-guests: $(GUESTS)/vmlinuz $(GUESTS)/privileged.cpio $(GUESTS)/isolated.cpio

# Other stock kernels, for tests/system/kernels.py: META.vmlinuz is the kernel
# of Debian's package META
STOCK := linux-image-amd64 linux-image-6.12-cloud-amd64 linux-image-6.12-amd64
STOCK_KERNELS := $(STOCK:%=$(GUESTS)/%.vmlinuz)

$(STOCK_KERNELS): $(GUESTS)/%.vmlinuz: scripts/fetch-kernel
	@mkdir -p $(@D)
	scripts/fetch-kernel $(CACHE) $*
	cp $(CACHE)/$*.vmlinuz $@

.PHONY: stock-kernels
stock-kernels: $(STOCK_KERNELS)
test-now: stock-kernels
