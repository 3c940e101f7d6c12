# SPDX-License-Identifier: BSD-2-Clause
# The package of bhd and bhctl: build/bulkhead-tools_VERSION_amd64.deb

TOOLS_DEB       := $(DEB:$(B)/bulkhead_%=$(B)/bulkhead-tools_%)
TOOLS_DEB_FILES := $(wildcard packaging/tools/*) docs/bhctl.md docs/bhctl.schema.json \
		   packaging/debian/changelog packaging/debian/copyright

$(TOOLS_DEB): $(BHD) $(BHCTL) $(TOOLS_DEB_FILES)
	$(call say,DEB,$@)
	$(Q)packaging/tools/build $(BHD) $(BHCTL) $@

package: $(TOOLS_DEB)
deb-now: $(TOOLS_DEB)
