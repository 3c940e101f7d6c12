# SPDX-License-Identifier: BSD-2-Clause
# The package of an installed Debian: build/bulkhead_VERSION_amd64.deb

DEB_FILES := $(wildcard packaging/debian/*)
DEB_DOCS  := docs/debian.md docs/hardware.md docs/manifest.md docs/guests.md docs/speculation.md
DEB       := $(B)/bulkhead_$(shell sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)_amd64.deb

$(DEB): $(ELF) $(JUDGE) tools/bh-report tools/bh-report.1 $(CONSOLE_TOOL) $(DEB_FILES) $(DEB_DOCS)
	$(call say,DEB,$@)
	$(Q)packaging/debian/build $(ELF) $(JUDGE) $(CONSOLE_TOOL) $@

.PHONY: deb deb-now package
package: $(DEB)
deb:
	@scripts/setup build
	@$(MAKE) --no-print-directory -j$(JOBS) deb-now
deb-now: $(DEB)
	@echo "$^: apt install ./FILE"
test-now test-long-now: package
