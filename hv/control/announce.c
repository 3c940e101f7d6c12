/* SPDX-License-Identifier: BSD-2-Clause */
/* The command by which the privileged guest says how it will end. Called under
 * control.lock. */
#include "arch/x86/cpu/nospec.h"
#include "hv/control/priv.h"
#include "hv/vm/privileged.h"

s32 control_announce(struct control *c, struct control_call *call)
{
	static const enum privileged_word words[BH_CTL_ANNOUNCES] = {
		[BH_CTL_WILL_ANNOUNCE] = PRIVILEGED_TELLS,
		[BH_CTL_SHUTS_DOWN] = PRIVILEGED_ANNOUNCED,
	};
	u64 which = call->command.arg[0];

	if (which >= BH_CTL_ANNOUNCES)
		return control_error(c, call, BH_CTL_EINVAL,
				     "there is no such announcement");
	privileged_say(words[index_nospec(which, BH_CTL_ANNOUNCES)]);
	return 0;
}
