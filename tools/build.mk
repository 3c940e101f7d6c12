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

# bhd and bhctl, for the privileged guest: tools/bhd/, tools/bhctl/ and what they share.
# bhctl looks by itself where no bhd runs, so that it has all of bhd but its own part.
BHD        := $(B)/tools/bhd
BHCTL      := $(B)/tools/bhctl
BHD_OWN_C  := $(addprefix tools/bhd/,main.c listen.c rights.c)
SHARED_C   := $(wildcard tools/control/*.c) $(filter-out $(BHD_OWN_C),$(wildcard tools/bhd/*.c)) \
	      lib/replay.c lib/printf.c lib/string.c lib/last_exit_text.c $(wildcard hv/manifest/*.c)
BHD_OBJS   := $(patsubst %.c,$(B)/control/%.o,$(BHD_OWN_C) $(SHARED_C))
BHCTL_OBJS := $(patsubst %.c,$(B)/control/%.o,$(wildcard tools/bhctl/*.c) $(SHARED_C))
CONTROL_CFLAGS := -std=gnu11 -O2 -g -I. $(WARN) -Wno-unused-parameter -D_GNU_SOURCE \
	      -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE

$(B)/control/%.o: %.c tools/build.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CONTROL_CFLAGS) -MMD -MP -c $< -o $@

# bhctl starts for each command, and most of that would be the work of the dynamic
# linker: so it is in one piece
$(BHD): $(BHD_OBJS)
$(BHD): CONTROL_LINK := -pie
$(BHCTL): $(BHCTL_OBJS)
$(BHCTL): CONTROL_LINK := -static-pie
$(BHCTL): CONTROL_LIBS := -lncursesw -ltinfo -lm
$(BHD) $(BHCTL):
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CONTROL_LINK) -Wl,-z,relro,-z,now -Wl,--as-needed -s -o $@ $^ -ljson-c -lev $(CONTROL_LIBS)

all tools: $(BHD) $(BHCTL)

-include $(BHD_OBJS:.o=.d) $(BHCTL_OBJS:.o=.d)
