# SPDX-License-Identifier: BSD-2-Clause
# The DSDTs of guests: compiled from ASL and embedded as byte arrays,
# const u8 dsdt_NAME_aml[] and dsdt_NAME_aml_size.

DSDT_ASL  := $(wildcard hv/load/dsdt_*.asl)
DSDT_C    := $(DSDT_ASL:%.asl=$(B)/%_aml.c)
DSDT_OBJS := $(DSDT_C:.c=.o)
OBJS      += $(DSDT_OBJS)

$(B)/hv/load/%_aml.c: hv/load/%.asl scripts/bin2c hv/load/build.mk
	@mkdir -p $(@D)
	$(call say,ASL,$<)
	$(Q)cpp -P -undef -nostdinc -MMD -MP -MT $@ -MF $(@:.c=.asl.d) $< $(@:_aml.c=.dsl)
	$(Q)iasl -we -vs -vi -p $(@:_aml.c=) $(@:_aml.c=.dsl) >$(@:_aml.c=.log) 2>&1 || \
		{ cat $(@:_aml.c=.log); false; }
	$(Q)scripts/bin2c $*_aml $(@:_aml.c=.aml) >$@.new
	$(Q)mv $@.new $@

$(B)/hv/load/%_aml.o: $(B)/hv/load/%_aml.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

.SECONDARY: $(DSDT_C)
-include $(DSDT_C:.c=.asl.d)
$(ELF): $(DSDT_OBJS)
