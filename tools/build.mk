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
