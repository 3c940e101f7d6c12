# SPDX-License-Identifier: BSD-2-Clause
# What the rc scripts of both guests share; sourced.

# The value of KEY=VALUE on the kernel's command line, or nothing
param() {
	tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tail -n 1
}

# One line per test, for a person and for the test runner
pass() {
	echo "TEST $1 ok"
}

fail() {
	echo "TEST $1 FAILED: $2"
}

memory_mib() {
	awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo
}

# With bulkhead.test= on the command line: say that the guest is up, and run what
# it names, one after the other; waitN sleeps N seconds
run_tests() {
	grep -q 'bulkhead\.test=' /proc/cmdline || return 0
	pass up
	for t in $(param bulkhead.test | tr , ' '); do
		if [ -n "${t#wait}" ] && [ "$t" != "${t#wait}" ]; then
			sleep "${t#wait}"
		elif type "test_$t" >/dev/null 2>&1; then
			"test_$t"
		else
			fail "$t" "there is no such test"
		fi
	done
}

# What the kernel thinks worth a warning, or blames the firmware for, at any
# level; who reads it judges
test_klog() {
	dmesg -r | sed -n -e 's/^<[0-4]>/KLOG /p' \
		-e '/Firmware \(Bug\|Warn\|Info\)/s/^<[5-7]>/KLOG /p' \
		-e '/ACPI.*\(Error\|Warning\|BIOS Bug\)/s/^<[5-7]>/KLOG /p'
	pass klog
}

# Every CPU runs something, and they are as many as bulkhead.cpus= says
test_cpus() {
	have=$(nproc)
	want=$(param bulkhead.cpus)
	for c in $(seq 0 $((have - 1))); do
		taskset "$(printf %x $((1 << c)))" true ||
			{ fail cpus "CPU $c does not run"; return; }
	done
	if [ "${want:-$have}" = "$have" ]; then
		pass cpus
	else
		fail cpus "$have of $want"
	fi
}

# Others had the cores that these CPUs share, and the hypervisor says so
test_steal() {
	stolen=$(awk '/^cpu / { print $9 }' /proc/stat)
	if [ "$stolen" -gt 0 ]; then
		pass steal
	else
		fail steal "no time was stolen"
	fi
}

# One second of sleep takes about one second of uptime
test_clock() {
	a=$(cut -d ' ' -f 1 /proc/uptime | tr -d .)
	sleep 1
	b=$(cut -d ' ' -f 1 /proc/uptime | tr -d .)
	if [ $((b - a)) -ge 95 ] && [ $((b - a)) -le 200 ]; then
		pass clock
	else
		fail clock "$((b - a)) hundredths for a second"
	fi
}

test_poweroff() {
	echo "TEST poweroff: now"
	sync
	poweroff -f
}

test_reboot() {
	echo "TEST reboot: now"
	sync
	reboot -f
}
