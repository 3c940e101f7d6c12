# SPDX-License-Identifier: BSD-2-Clause
# The small Linux guests of the sticks, of the system tests, and beside the Debian of
# `make run`: a stock kernel, downloaded once, and two initrds. boot/rootfs/common is in both
# initrds, boot/rootfs/privileged and boot/rootfs/isolated in one each.
CACHE  ?= build/cache
ROOTFS := $(shell find boot/rootfs -type f ! -path 'boot/rootfs/debian/*')

$(GUESTS)/vmlinuz: scripts/fetch-kernel
	@mkdir -p $(@D)
	$(call say,FETCH,$@)
	$(Q)scripts/fetch-kernel $(CACHE)
	$(Q)cp $(CACHE)/vmlinuz $@

$(GUESTS)/privileged.cpio $(GUESTS)/isolated.cpio: $(GUESTS)/%.cpio: \
		$(GUESTS)/vmlinuz $(ROOTFS) $(CONSOLE_TOOL_STATIC) scripts/mkinitrd
	$(call say,CPIO,$@)
	$(Q)scripts/mkinitrd $* $@ $(CACHE) $(CONSOLE_TOOL_STATIC)

.PHONY: linux-guests
linux-guests: $(GUESTS)/vmlinuz $(GUESTS)/privileged.cpio $(GUESTS)/isolated.cpio

# Other stock kernels, for tests/system/kernels.py: META.vmlinuz is the kernel
# of Debian's package META
STOCK := linux-image-amd64 linux-image-6.12-cloud-amd64 linux-image-6.12-amd64
STOCK_KERNELS := $(STOCK:%=$(GUESTS)/%.vmlinuz)

$(STOCK_KERNELS): $(GUESTS)/%.vmlinuz: scripts/fetch-kernel
	@mkdir -p $(@D)
	$(call say,FETCH,$@)
	$(Q)scripts/fetch-kernel $(CACHE) $*
	$(Q)cp $(CACHE)/$*.vmlinuz $@

.PHONY: stock-kernels
stock-kernels: $(STOCK_KERNELS)
test-now test-long-now: stock-kernels
