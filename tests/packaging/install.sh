#!/usr/bin/env bash
# Installs the packages, uses what is installed, installs it once more over a changed configuration,
# removes it, purges it, and looks for anything left. All on a copy-on-write view of this machine's
# root, in a mount and a network namespace of its own: the machine itself stays as it is.
#
# usage: install.sh CHATD.deb LIBCHATD-CLIENT-DEV.deb    (as root)
set -euo pipefail

fail() {
  printf 'install.sh: FAILED: %s\n' "$*" >&2
  exit 1
}
say() { printf 'install.sh: %s\n' "$*"; }

if [[ ${1-} != --inside ]]; then
  ((EUID == 0)) || fail 'root is needed: dpkg installs for root alone'
  exec unshare --mount --net --pid --fork --kill-child -- \
    "$(readlink -f "$0")" --inside "$(readlink -f "$1")" "$(readlink -f "$2")"
fi

package=$2 client_dev=$3
work=$(mktemp -d)
root=$work/root
unmount() {
  umount -R -l "$work" || true
  rmdir "$work"
}
trap unmount EXIT
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$root" ||
  fail 'no overlay of / can be mounted here'
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
ip link set lo up
cp "$package" "$root/tmp/chatd.deb"
cp "$client_dev" "$root/tmp/client-dev.deb"

in_root=(chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
  DEBIAN_FRONTEND=noninteractive)
inside() { "${in_root[@]}" "$@"; }
# shellcheck disable=SC2016  # dpkg-query expands this
state() { inside dpkg-query -W -f='${db:Status-Status}' chatd 2>/dev/null || true; }
[[ -z $(state) ]] || fail 'chatd is installed on this machine already'

# What has changed since, but for dpkg's own records: the upper side of the overlay has it. Lists of
# users count by what is in them; the copies that the tools make of them are the system's own.
left() {
  local path
  (cd "$work/upper" && find . -mindepth 1 \( -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/log \
    -o -path ./root -o -path ./tmp \) -prune -o -printf '%P\n') | while read -r path; do
    case $path in
      etc/passwd- | etc/group- | etc/shadow- | etc/gshadow- | etc/subuid- | etc/subgid- | etc/.pwd.lock) ;;
      etc/passwd | etc/group | etc/shadow | etc/gshadow | etc/subuid | etc/subgid)
        cmp -s <(sort "/$path") <(sort "$root/$path") || echo "/$path has changed"
        ;;
      *)
        if [[ -d $work/upper/$path && -d /$path ]]; then continue; fi
        cmp -s "/$path" "$root/$path" || echo "/$path"
        ;;
    esac
  done
}

# --- Installed -----------------------------------------------------------------------------------
# As where systemd runs, with a kernel that gives too little to receive and more than enough to send.
core=$root/proc/sys/net/core
mount -t tmpfs tmpfs "$core"
echo 212992 >"$core/rmem_max"
echo 8388608 >"$core/wmem_max"
mkdir -p "$root/run/systemd/system"
inside dpkg -i /tmp/chatd.deb >"$work/log" 2>&1 || fail "dpkg -i: $(<"$work/log")"
[[ $(<"$core/rmem_max") == 4194304 ]] || fail "the kernel was not told of receive buffers: $(<"$work/log")"
[[ $(<"$core/wmem_max") == 8388608 ]] || fail 'the bound of send buffers was lowered'
umount "$core"
rm -r "$root/run/systemd"
[[ $(state) == installed ]] || fail "the state is $(state)"
for file in usr/sbin/chatd usr/bin/chat usr/bin/chatctl usr/bin/chatbench etc/chatd/chatd.toml \
  lib/systemd/system/chatd.service lib/systemd/system/chatd.socket lib/systemd/system/chatd-tls.socket usr/lib/sysusers.d/chatd.conf \
  usr/lib/sysctl.d/10-chatd.conf \
  usr/share/man/man8/chatd.8.gz usr/share/man/man8/chatctl.8.gz \
  usr/share/man/man1/chat.1.gz usr/share/man/man1/chatbench.1.gz usr/share/doc/chatd/copyright \
  usr/share/doc/chatd/changelog.gz usr/share/doc/chatd/examples/chatd.toml \
  usr/share/doc/chatd/guide/operations.md usr/share/doc/chatd/reference/protocol.md \
  usr/share/bash-completion/completions/chat usr/share/zsh/vendor-completions/_chatd; do
  [[ -s $root/$file ]] || fail "/$file is not there"
done
[[ -L $root/etc/systemd/system/multi-user.target.wants/chatd.service ]] || fail 'the service is not enabled'
[[ ! -e $root/etc/systemd/system/sockets.target.wants/chatd.socket ]] || fail 'the socket unit is enabled'
passwd=$(inside getent passwd chatd) || fail 'there is no user chatd'
[[ $passwd == *:/usr/sbin/nologin ]] || fail "chatd can log in: $passwd"
inside chatd --version | grep -q '^chatd [0-9]' || fail 'chatd --version'
inside chatd --check-config --config /etc/chatd/chatd.toml >/dev/null || fail 'the installed configuration is not sound'
inside chatd --check-config --config /usr/share/doc/chatd/examples/chatd.toml >/dev/null || fail 'the example is not sound'
inside systemd-analyze verify --man=no /lib/systemd/system/chatd.{service,socket} /lib/systemd/system/chatd-tls.socket >"$work/log" 2>&1 ||
  fail "systemd-analyze: $(<"$work/log")"
[[ ! -s $work/log ]] || fail "systemd-analyze: $(<"$work/log")"

[[ $(left) == */usr/sbin/chatd* ]] || fail 'this test would not see what is left'

# wait_for TEXT FILE : until a program in the background has written it. It makes the file as well,
# a moment from now.
wait_for() {
  for ((i = 0; i < 200; ++i)); do
    ! grep -qs "$1" "$2" || return 0
    sleep 0.05
  done
  fail "not said: $1 ($(<"$2"))"
}

# --- Used, as the service would, with the configuration as it comes -------------------------------
"${in_root[@]}" setpriv --reuid chatd --regid chatd --init-groups --no-new-privs --bounding-set -all \
  chatd --config /etc/chatd/chatd.toml >"$work/ready" 2>"$work/log" &
chatd=$!
for ((i = 0; i < 200; ++i)); do
  ! grep -qs '^chatd ready' "$work/ready" || break
  kill -0 "$chatd" 2>/dev/null || fail "chatd did not start: $(<"$work/log")"
  sleep 0.05
done
grep -qx 'chatd ready tcp=127.0.0.1:8000 udp=127.0.0.1:9000 tls=127.0.0.1:8001' "$work/ready" || fail "not ready: $(<"$work/ready") $(<"$work/log")"
listening=$(ss -Hlntu | awk '{print $5}' | grep -v '^127\.0\.0\.1:' || true)
[[ -z $listening ]] || fail "it listens beyond loopback: $listening"
"${in_root[@]}" chat create kitchen --name alice --timeout 1m --count 1 </dev/null >"$work/alice" 2>"$work/alice.err" &
alice=$!
wait_for 'you are in kitchen' "$work/alice.err"
# A program of somebody else's: what the other package brings is enough to build the example, which
# joins, hears, answers and leaves.
inside dpkg -i /tmp/client-dev.deb >"$work/dpkg" 2>&1 || fail "dpkg -i libchatd-client-dev: $(<"$work/dpkg")"
examples=/usr/share/doc/libchatd-client-dev/examples
inside sh -c "g++ -std=c++20 -Wall -Wextra -Werror $examples/parrot.cpp \
  \$(pkg-config --cflags --libs chatd-client) -o /tmp/parrot" >"$work/dpkg" 2>&1 || fail "the example: $(<"$work/dpkg")"
"${in_root[@]}" chat create den --name dan --timeout 1m </dev/null >"$work/dan" 2>&1 &
dan=$!
wait_for 'you are in den' "$work/dan"
"${in_root[@]}" /tmp/parrot localhost den 2>"$work/parrot" &
parrot=$!
wait_for 'parrot joined' "$work/dan"
echo bye | inside chat join den --name carol >/dev/null 2>&1 || fail 'carol cannot say bye'
wait "$parrot" || fail "the example: $(<"$work/parrot")"
kill "$dan"
wait "$dan" || true
inside dpkg --purge libchatd-client-dev >"$work/dpkg" 2>&1 || fail "dpkg --purge: $(<"$work/dpkg")"

# An upgrade while alice is there: another file in place of the one that runs, and a reload, which is
# what the package does where there is a systemd.
inside dpkg -i /tmp/chatd.deb >"$work/dpkg" 2>&1 || fail "dpkg -i over a running chatd: $(<"$work/dpkg")"
kill -HUP "$chatd"
for ((i = 0; i < 200; ++i)); do
  ! grep -q 'handed over to process' "$work/log" || break
  kill -0 "$chatd" 2>/dev/null || fail "chatd did not hand over: $(<"$work/log")"
  sleep 0.05
done
grep -q 'handed over to process' "$work/log" || fail "chatd did not hand over: $(<"$work/log")"
# The room may end while bob is still in it: alice goes when she has heard him.
echo hello | inside chat join kitchen --name bob >/dev/null 2>&1 || true
wait "$alice" || fail "alice's chat: $(<"$work/alice.err")"
grep -qx 'bob: hello' "$work/alice" || fail 'alice did not hear bob'
# The first process has stayed, passes on what it is told, and ends with the service.
kill -TERM "$chatd"
wait "$chatd" || fail "chatd did not end well: $(<"$work/log")"
[[ $(tail -n 1 "$work/log") == *' stopped' ]] || fail "chatd did not end as asked: $(<"$work/log")"
say 'installed, serves, and hands over to an upgrade'

# --- Once more, removed, purged -------------------------------------------------------------------
echo '# mine' >>"$root/etc/chatd/chatd.toml"
inside systemctl disable chatd.service >/dev/null 2>&1 || fail 'systemctl disable'
inside systemctl enable chatd.socket >/dev/null 2>&1 || fail 'systemctl enable chatd.socket'
inside dpkg -i /tmp/chatd.deb >"$work/log" 2>&1 || fail "dpkg -i over itself: $(<"$work/log")"
grep -qx '# mine' "$root/etc/chatd/chatd.toml" || fail 'a changed configuration was written over'
[[ ! -e $root/etc/systemd/system/multi-user.target.wants/chatd.service ]] ||
  fail 'a service that was disabled is enabled again'
[[ -L $root/etc/systemd/system/sockets.target.wants/chatd.socket ]] ||
  fail 'a socket unit that was enabled is disabled'
inside dpkg --remove chatd >"$work/log" 2>&1 || fail "dpkg --remove: $(<"$work/log")"
[[ ! -e $root/usr/sbin/chatd ]] || fail 'chatd is still there after the removal'
grep -qx '# mine' "$root/etc/chatd/chatd.toml" || fail 'the removal took the configuration with it'
inside dpkg --purge chatd >"$work/log" 2>&1 || fail "dpkg --purge: $(<"$work/log")"
left=$(left)
[[ -z $left ]] || fail "after the purge the machine is not as it was:
$left"
say 'removed, purged, and nothing is left'
