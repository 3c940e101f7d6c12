#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The privileged guest of tests/system/bhctl.py: its rc sources this in place of
# control.sh. bhctl and bhd as a person uses them, with another guest, box, that
# says what is typed.
mkdir -p /var/lib /run

insmod_all() { # FOLDER [OPTION]: those of /lib/modules/FOLDER; the first takes it
	option=${2-}
	while read -r ko; do
		insmod "/lib/modules/$1/$ko" $option || return 1
		option=
	done <"/lib/modules/$1/order"
}

says() { # NAME PATTERN COMMAND...: it succeeds and says so
	name=$1 pattern=$2
	shift 2
	"$@" >/tmp/said 2>&1
	got=$?
	if [ $got -eq 0 ] && { [ -z "$pattern" ] || grep -q "$pattern" /tmp/said; }; then
		pass "$name"
	else
		fail "$name" "$got: $(tail -n 3 /tmp/said)"
	fi
}

refused() { # NAME STATUS PATTERN COMMAND...: it says so and ends with that
	name=$1 status=$2 pattern=$3
	shift 3
	"$@" >/tmp/said 2>&1
	got=$?
	if [ $got -eq "$status" ] && grep -q "$pattern" /tmp/said; then
		pass "$name"
	else
		fail "$name" "$got: $(tail -n 3 /tmp/said)"
	fi
}

kept() {
	cat /var/lib/bulkhead/console/box/*.log
}

# Types on box's console and waits for what comes back; the console is left
# when nobody types any more and the time is over
echoes() {
	(echo "$1"; sleep 3) | timeout 2 bhctl console box >/tmp/said 2>&1
	grep -q "$2" /tmp/said
}

start_bhd() {
	rm -f /run/bulkhead/bhd.sock # of one that was killed
	bhd >/tmp/bhd.log 2>&1 &
	bhd=$!
	wait_for 30 test -S /run/bulkhead/bhd.sock
}

test_bhctl() {
	insmod_all vfio || { fail bhctl "no module $ko"; return; }
	says alone '^box  *running  *static' bhctl list
	refused alone_changes 6 'bhd does not run' bhctl stop box
	mkdir -p /run/bulkhead
	start_bhd || { fail bhctl "$(cat /tmp/bhd.log)"; return; }
	says list '^linux  *running  *privileged' bhctl list
	says info '^cores  *[1-9]' bhctl info
	says events '^20.*box  *running' bhctl events
	says json '"tsc_khz":' bhctl info --json
	says audit '^  holds: ' bhctl audit
	says top '"vcpu":' bhctl top --json
	says metering '^histograms' bhctl metering histograms
	refused metering_word 2 'write off, counters' bhctl metering all
	sleep 1
	says stats '^exit  *HLT  *[1-9]' bhctl stats linux
	says host '"host_seconds":[0-9]*\.[0-9]*[1-9]' bhctl top --json
	says costs 'guest_exit_seconds_count{guest="linux",kind="HLT"} [1-9]' bhctl metrics
	says trace '' bhctl trace --seconds 2 -o /tmp/trace.json
	says traced '"name":"port","ph":"X"' grep -m 1 '"port"' /tmp/trace.json
	says trace_ends '"lost":' tail -n 1 /tmp/trace.json
	says metering_off '^off' bhctl metering off
	says log 'init: Bulkhead' bhctl log
	says console 'echo: ready' bhctl console --dump box
	if echoes hello HELLO; then
		pass types
	else
		fail types "$(tail -n 3 /tmp/said)"
	fi
	says kept HELLO kept
	says box_pause '' bhctl pause box
	says box_paused '^box  *paused' bhctl list
	refused box_pause_twice 4 'guest box is paused; only one that is running' bhctl pause box
	says box_dump_paused '1 vCPU, paused' bhctl dump box /tmp/core
	says box_resume '' bhctl resume box
	says box_dump '1 vCPU, paused' bhctl dump box /tmp/core
	says box_goes_on '^box  *running' bhctl list
	refused no_guest 3 'no guest nobody' bhctl pause nobody
	refused itself 4 '.' bhctl destroy linux
	kill -9 $bhd
	start_bhd || { fail bhctl "$(cat /tmp/bhd.log)"; return; }
	says next_bhd 'echo: ready' bhctl console --dump box
	says stop '' bhctl stop --timeout 5 box
	says stopped '^box  *stopped' bhctl list
	says box_start '' bhctl start box
	refused box_start_twice 4 'is running' bhctl start box
	says box_reset '' bhctl reset box
	says box_runs '^box  *running' bhctl list
	says box_stop '' bhctl stop --timeout 0 box
	refused box_destroy 4 'cannot be destroyed' bhctl destroy box
	kill $bhd
	cat /tmp/bhd.log
	pass bhctl
}

# Guests of the pool: made of a kernel, of a definition, ended, made again by the
# next bhd
made_says() { # NAME PATTERN [SECONDS]
	wait_for "${3:-20}" sh -c "bhctl console --dump $1 | grep -q '$2'"
}

milliseconds() { # JSON KEY
	sed -n "s/.*\"$2\": *\([0-9.]*\).*/\1/p" "$1" | awk '{ printf "%d", $1 * 1000 }'
}

# What a guest gets of its core while it wants all, in percent, over 4 s. Both times are
# of one answer, as this machine may stand still between two.
has_part() { # NAME LEAST MOST GUEST
	bhctl info --json "$4" >/tmp/before
	sleep 4
	bhctl info --json "$4" >/tmp/after
	used=$(($(milliseconds /tmp/after cpu_seconds) - $(milliseconds /tmp/before cpu_seconds)))
	since=$(($(milliseconds /tmp/after up_seconds) - $(milliseconds /tmp/before up_seconds)))
	part=$((used * 100 / since))
	if [ $part -ge "$2" ] && [ $part -le "$3" ]; then
		pass "$1"
	else
		fail "$1" "$part %: $used of $since ms"
	fi
}

pool_free() {
	bhctl info --json | sed -n 's/.*"pool_free_bytes": *\([0-9]*\).*/\1/p'
}

# What is in use of what guests are made of
sums() {
	bhctl audit --json | sed -n '/"sums":/,/}/p'
}

# Guests that come and go leave nothing behind. The first ones fill what is kept
# for the next: slabs, and the books of consoles.
come_and_go() { # TIMES
	n=$1
	while [ $n -gt 0 ]; do
		bhctl run --kernel /boot/echo --memory 2M --name "cycle$n" >/tmp/said 2>&1 &&
			bhctl destroy "cycle$n" >>/tmp/said 2>&1 || return 1
		n=$((n - 1))
	done
}

cycles() {
	come_and_go 3 || { fail cycles "$(tail -n 3 /tmp/said)"; return; }
	before=$(sums)
	come_and_go "$(param bulkhead.cycles)" || { fail cycles "$(tail -n 3 /tmp/said)"; return; }
	after=$(sums)
	if [ -n "$before" ] && [ "$before" = "$after" ]; then
		pass cycles
	else
		fail cycles "$before, then $after"
	fi
}

# Is some guest's memory, with what echo has to say, to be read in a device here?
dax_reads() {
	for dax in /dev/dax*; do
		peek "$dax" 0x100000 0xf0000 | grep -q 'echo: ready' && return 0
	done
	return 1
}

dax_reads_nothing() {
	! dax_reads
}

# As a kernel that has just started has it: no device of the pool's memory
drop_dax() {
	for dax in /sys/bus/dax/devices/dax*; do
		name=${dax##*/} region=$(readlink -f "$dax/../dax_region")
		[ ! -e "$dax/driver" ] || echo "$name" >"$dax/driver/unbind"
		echo 0 >"$dax/size"
		[ "$name" = "$(cat "$region/seed")" ] || echo "$name" >"$region/delete"
	done
}

# A device of the memory that the next guest gets, as of a bhd that died: it gives way
stale_device() {
	region=$(cd -P /sys/bus/dax/devices/dax0.0/.. && pwd)
	base=$(bhctl info --json | tr -d ' \n' | sed -n 's/.*"pool":\[{"base":\([0-9]*\).*/\1/p')
	echo 1 >"$region/dax_region/create" &&
		stale=$(cat "$region/dax_region/create") &&
		printf '0x%x-0x%x' $((base + (16 << 20))) $((base + (32 << 20) - 1)) \
			>"/sys/bus/dax/devices/$stale/mapping"
}

# Memory that the privileged guest has while the guest runs, and no longer
test_share() {
	says not_shared '' dax_reads_nothing
	printf '[guest shared]\nkernel = echo\nmemory = 4M\nshare = memory\n' >/boot/shared.conf
	says share '^shared$' bhctl create /boot/shared.conf
	says share_says '' made_says shared 'echo: ready'
	says shared '' dax_reads
	says share_granted 'shared.*granted to the privileged guest' bhctl audit
	says share_audit '^  holds: ' bhctl audit
	says share_device '^memory shared by  */dev/dax[0-9]' bhctl info shared
	kill -9 $bhd
	drop_dax
	says share_dropped '' dax_reads_nothing
	start_bhd || { fail share_again "$(cat /tmp/bhd.log)"; return; }
	says share_again '' dax_reads
	says share_stop '' bhctl stop --timeout 0 shared
	says shared_no_more '' dax_reads_nothing
	says share_destroy '' bhctl destroy shared
}

test_bhmake() {
	insmod_all dax region_idle=1 || { fail bhmake "no module $ko"; return; }
	start_bhd || { fail bhmake "$(cat /tmp/bhd.log)"; return; }
	free=$(pool_free)
	says run '^made$' bhctl run --kernel /boot/echo --memory 16M --name made
	says run_list '^made  *running  *dynamic' bhctl list
	says run_says '' made_says made 'echo: ready'
	says dump '16 MiB of memory, 1 vCPU, paused' bhctl dump made /tmp/core
	says dump_elf '^.ELF' head -c 4 /tmp/core
	says dump_goes_on '^made  *running' bhctl list
	says dump_paused '' bhctl pause made
	says dump_json '"last_exits":' bhctl dump --json made /tmp/core
	says dump_note '[1-9]' grep -c 'NAME=made' /tmp/core
	says info_exits 'vCPU 0: last exit' bhctl info made
	says info_json '"kinds":' bhctl info --json made
	says dump_resumed '' bhctl resume made
	rm -f /tmp/core
	printf '[guest web]\nkernel = echo\nmemory = 16M\n' >/boot/web.conf
	says checked 'nothing is wrong' bhctl check /boot/web.conf
	says stale '' stale_device
	says create '^web$' bhctl create /boot/web.conf
	refused twice 4 'a guest web already' bhctl create /boot/web.conf
	refused too_much 7 'MiB of the pool are free' \
		bhctl run --kernel /boot/echo --memory 60G
	refused no_kernel 8 'cannot be loaded' bhctl run --kernel /etc/rc --memory 16M
	says web_stop '' bhctl stop --timeout 0 web
	says web_stopped '^web  *stopped' bhctl list
	says web_start '' bhctl start web
	says web_says '' made_says web 'echo: ready'
	test_share
	kill -9 $bhd
	start_bhd || { fail bhmake "$(cat /tmp/bhd.log)"; return; }
	says found '^web  *running' bhctl list
	says audit_two '^  holds: ' bhctl audit
	says set '' bhctl set web weight=512 cap=50%
	says weight '^weight  *512' bhctl info web
	says cap '"cap_percent": *50' bhctl info --json web
	refused set_wrong 2 'weight: write a number from 1 to 10000' \
		bhctl set web cap=60% weight=10001
	refused set_unknown 2 'no key colour' bhctl set web weight=7 colour=red
	says set_kept '^cap  *50 %' bhctl info web
	says destroy_run '' bhctl destroy made
	has_part cap_half 40 60 web
	bhctl set web cap=100%
	has_part cap_off 80 101 web
	says web_reset '' bhctl reset web
	says destroy '' bhctl destroy web
	says audit_after '^  holds: ' bhctl audit
	cycles
	[ "$(pool_free)" = "$free" ] && pass all_back || fail all_back "$(pool_free) of $free"
	kill $bhd
	cat /tmp/bhd.log
	pass bhmake
}

crashes_again() { # NAME: it has crashed twice, as restart = on-crash started it again
	[ "$(bhctl events | grep -c " $1  *crashed  *triple fault")" -ge 2 ]
}

# One that crashes stays for a look, unless its definition has it start again
test_bhcrash() {
	grep -q '^vfio_pci ' /proc/modules || insmod_all vfio || fail bhcrash "no module $ko"
	grep -q '^dax_hmem ' /proc/modules || insmod_all dax region_idle=1 ||
		fail bhcrash "no module $ko"
	mkdir -p /run/bulkhead
	start_bhd || { fail bhcrash "$(cat /tmp/bhd.log)"; return; }
	says crash_run '^fallen$' bhctl run --kernel /boot/ends --cmdline triple --memory 16M \
		--name fallen
	says crash_listed '' wait_for 20 sh -c "bhctl list | grep -q '^fallen  *crashed .* triple fault$'"
	says crash_info '^ended  *triple fault' bhctl info fallen
	says crash_exits 'vCPU 0: last exit triple fault' bhctl info fallen
	says crash_event ' fallen  *crashed  *triple fault' bhctl events
	says crash_log 'guest fallen crashed: triple fault' bhctl log
	says crash_dump '16 MiB of memory, 1 vCPU, crashed' bhctl dump fallen /tmp/core
	says crash_note '[1-9]' grep -c 'REASON=triple fault' /tmp/core
	rm -f /tmp/core
	refused crash_pause 4 'guest fallen is crashed' bhctl pause fallen
	says crash_audit '^  holds: ' bhctl audit
	says crash_destroy '' bhctl destroy fallen
	printf '[guest again]\nkernel = ends\ncmdline = triple\nmemory = 16M\nrestart = on-crash\n' \
		>/boot/again.conf
	says crash_create '^again$' bhctl create /boot/again.conf
	says crash_again '' wait_for 30 crashes_again again
	says crash_forget '' bhctl destroy again
	kill $bhd
	cat /tmp/bhd.log
	pass bhcrash
}

# Guests that start at a firmware's reset vector, and that read files by fw_cfg. rom
# resets itself once, so that it is loaded twice.
ends_well() { # NAME: all its checks passed, and it has powered off
	wait_for 60 sh -c "bhctl list | grep -q '^$1  *stopped'" || return 1
	bhctl console --dump "$1" | grep -E '^(FAIL|DONE)' | tr -d '\r' >/tmp/ends
	cat /tmp/ends
	grep -q '^DONE [0-9]* 0$' /tmp/ends
}

# OVMF starts a stock kernel
firm_efi() {
	says efi_run '^efi$' bhctl run --firmware /boot/OVMF.fd --kernel /boot/vmlinuz \
		--initrd /boot/isolated.cpio --cmdline "console=ttyS0 bulkhead.test=poweroff" \
		--memory 192M --name efi
	says efi_stub '' made_says efi 'EFI stub: ' 120
	says efi '' made_says efi 'TEST up ok' 120
	says efi_audit '^  holds: ' bhctl audit
	bhctl destroy efi || fail efi destroy
}

test_bhfirm() {
	insmod_all vfio && insmod_all dax region_idle=1 || { fail bhfirm "no module $ko"; return; }
	mkdir -p /run/bulkhead
	start_bhd || { fail bhfirm "$(cat /tmp/bhd.log)"; return; }
	free=$(pool_free)
	says rom_run '^rom$' bhctl run --firmware /boot/rom.bin --memory 4M --name rom
	says rom '' ends_well rom
	cat >/boot/fwcfg.conf <<-'END'
		[guest fwcfg]
		kernel = fwcfg.elf
		memory = 18M
		fw_cfg = opt/test/text "hello fw_cfg"
		fw_cfg = opt/test/file fwcfg.elf
	END
	says items_run '^fwcfg$' bhctl create /boot/fwcfg.conf
	says items '' ends_well fwcfg
	says options_run '^options$' bhctl run --kernel /boot/fwcfg.elf --memory 18M --name options \
		--fw-cfg 'opt/test/text "hello fw_cfg"' --fw-cfg 'opt/test/file /boot/fwcfg.elf'
	says options '' ends_well options
	says bios_run '^bios$' bhctl run --firmware /boot/bios.bin --memory 8M --name bios
	says bios '' made_says bios 'SeaBIOS (version'
	says bios_list '^bios  *running  *dynamic  *1  *8 MiB' bhctl list
	if [ -e /boot/OVMF.fd ]; then
		firm_efi
	fi
	says firm_audit '^  holds: ' bhctl audit
	says bios_reset '' bhctl reset bios
	says bios_again '' made_says bios 'SeaBIOS (version'
	refused firm_size 8 'no firmware: its size' \
		bhctl run --firmware /boot/fwcfg.conf --memory 16M
	refused firm_room 8 'give it more memory' bhctl run --firmware /boot/bios.bin --memory 2M
	refused firm_none 8 'No such file' bhctl run --firmware /boot/none --memory 16M
	for name in rom fwcfg options bios; do
		bhctl destroy $name || fail bhfirm "$name"
	done
	[ "$(pool_free)" = "$free" ] && pass firm_back || fail firm_back "$(pool_free) of $free"
	kill $bhd
	cat /tmp/bhd.log
	pass bhfirm
}

# Debian's gdb and a guest of ours, echo, which looks for what is typed all the
# time and calls put_char() for it. Hardware breakpoints are test_bhwatch's: TCG's
# VMRUN loads DR7 and arms none of them.
gdb_says() { # NAME PATTERN: gdb has said so
	if grep -q "$2" /tmp/gdb.log; then
		pass "$1"
	else
		fail "$1" "$(tail -n 5 /tmp/gdb.log)"
	fi
}

test_bhgdb() {
	start_bhd || { fail gdb "$(cat /tmp/bhd.log)"; return; }
	bhctl run --kernel /boot/echo --memory 16M --name dbg
	says gdb_guest '' made_says dbg 'echo: ready'
	cat >/tmp/gdb.cmd <<-'END'
		set confirm off
		set pagination off
		file /boot/echo
		target remote | bhctl gdb dbg --listen -
		info threads
		info symbol $pc
		stepi
		stepi
		stepi
		info symbol $pc
		break *put_char
		shell (echo q; sleep 2) | timeout 2 bhctl console dbg >/dev/null &
		continue
		print/c $rdi
		x/1xb $pc
		stepi
		info symbol $pc
		delete
		detach
	END
	timeout 200 gdb -nx -batch -x /tmp/gdb.cmd >/tmp/gdb.log 2>&1
	cat /tmp/gdb.log
	gdb_says gdb_threads 'Thread 1.*vCPU 0'
	gdb_says gdb_steps 'guest_main + [0-9]* in section'
	gdb_says gdb_stops '^Breakpoint 1, '
	gdb_says gdb_planted '0x[0-9a-f]* <put_char>:.*0xba'
	gdb_says gdb_reads "= 81 'Q'"
	gdb_says gdb_steps_on 'put_char + [1-9][0-9]* in section'
	says gdb_detached '^dbg  *running' bhctl list
	sleep 3 # the one that typed for gdb has gone
	(echo again; sleep 3) | timeout 3 bhctl console dbg >/tmp/said 2>&1
	says gdb_answers '' made_says dbg AGAIN
	# A debugger that dies, with a breakpoint planted and the guest stopped
	printf 'file /boot/echo\ntarget remote | bhctl gdb dbg --listen -\nshell kill -9 $(pidof bhctl)\n' \
		>/tmp/gdb.cmd
	timeout 60 gdb -nx -batch -x /tmp/gdb.cmd >/tmp/gdb.log 2>&1
	says gdb_killed '' wait_for 20 sh -c "bhctl list | grep -q '^dbg  *running'"
	bhctl dump dbg /tmp/core
	timeout 60 gdb -nx -batch /boot/echo -c /tmp/core -ex 'info symbol $pc' >/tmp/gdb.log 2>&1
	gdb_says gdb_core 'in section .text'
	rm -f /tmp/core
	bhctl destroy dbg
	kill $bhd
	pass gdb
}

# Under VMX: the processor's breakpoints, a core and a trace
test_bhwatch() {
	insmod_all vfio || { fail watch "no module $ko"; return; }
	mkdir -p /run/bulkhead
	start_bhd || { fail watch "$(cat /tmp/bhd.log)"; return; }
	says watch_guest '^box  *running  *static' bhctl list
	cat >/tmp/gdb.cmd <<-'END'
		set confirm off
		set pagination off
		file /boot/echo
		target remote | bhctl gdb box --listen -
		stepi
		stepi
		info symbol $pc
		hbreak *put_char
		shell (echo q; sleep 2) | timeout 2 bhctl console box >/dev/null &
		continue
		print/c $rdi
		delete
		awatch -l *(long *)$rsp
		continue
		echo returned to\n
		info symbol $pc
		delete
		detach
	END
	timeout 200 gdb -nx -batch -x /tmp/gdb.cmd >/tmp/gdb.log 2>&1
	cat /tmp/gdb.log
	gdb_says watch_hbreak '^Breakpoint 1, '
	gdb_says watch_reads "= 81 'Q'"
	gdb_says watch_awatch '^Hardware access (read/write) watchpoint 2'
	sed -i '1,/^returned to/d' /tmp/gdb.log
	gdb_says watch_returns 'guest_main + [0-9]* in section'
	says watch_detached '^box  *running' bhctl list
	sleep 3 # the one that typed for gdb has gone
	says watch_answers '' echoes again AGAIN
	insmod_all dax region_idle=1 || fail watch "no module $ko"
	says watch_run '^dbg$' bhctl run --kernel /boot/echo --memory 16M --name dbg
	says watch_run_says '' made_says dbg 'echo: ready'
	says watch_dump '1 vCPU, paused' bhctl dump dbg /tmp/core
	timeout 60 gdb -nx -batch /boot/echo -c /tmp/core -ex 'info symbol $pc' >/tmp/gdb.log 2>&1
	gdb_says watch_core 'in section .text'
	says watch_trace '' bhctl trace --seconds 1 -o /tmp/trace.json
	says watch_traced '"name":"port","ph":"X"' grep -m 1 '"port"' /tmp/trace.json
	says watch_destroy '' bhctl destroy dbg
	kill $bhd
	pass watch
}
