# SPDX-License-Identifier: BSD-2-Clause
# Programs for a Linux: build/bh-judge, the judgement of check/ that tools/bh-report
# calls. The sources of check/ and lib/ are the hypervisor's own.
JUDGE       := $(B)/bh-judge
JUDGE_C     := tools/bh-judge.c $(wildcard check/*.c) lib/printf.c lib/string.c
JUDGE_OBJS  := $(JUDGE_C:%.c=$(B)/host/%.o)
HOST_CFLAGS := -std=gnu11 -O2 -I. -Wall -Wextra -Wno-unused-parameter -Wshadow -Wundef -Werror \
	       -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE

all: $(JUDGE)

$(B)/host/%.o: %.c tools/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(JUDGE): $(JUDGE_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) -pie -Wl,-z,relro,-z,now -s -o $@ $^

-include $(JUDGE_OBJS:.o=.d)

# Programs for the privileged guest: bh-console by the C library that is there, for
# the Debian package, and in one piece for the small guests and the live Debian
TOOL_C      := tools/bh-console.c lib/replay.c
TOOL_CFLAGS := -std=gnu11 -O2 -I. $(WARN) -Wno-unused-parameter -fstack-protector-strong \
	       -D_FORTIFY_SOURCE=2
CONSOLE_TOOL        := $(B)/tools/bh-console
CONSOLE_TOOL_STATIC := $(B)/tools/bh-console.static

$(CONSOLE_TOOL): TOOL_LDFLAGS := -fPIE -pie -Wl,-z,relro,-z,now
$(CONSOLE_TOOL_STATIC): TOOL_LDFLAGS := -static -no-pie

# The same sources give the same bytes
$(CONSOLE_TOOL) $(CONSOLE_TOOL_STATIC): $(TOOL_C) include/bulkhead/console_port.h \
		include/bulkhead/cpuid.h lib/replay.h lib/string.h lib/types.h tools/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(TOOL_CFLAGS) $(TOOL_LDFLAGS) -s -Wl,--build-id=sha1 $(TOOL_C) -o $@

.PHONY: tools
tools: $(CONSOLE_TOOL) $(CONSOLE_TOOL_STATIC)
all: tools
