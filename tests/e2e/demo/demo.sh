#!/usr/bin/env bash
# A few people talk through a chatd of their own on loopback, for all to see. Exit code 0 says that
# every message reached every other member, that each `chat` ended well, and that chatd stopped
# cleanly.
#
# usage: demo.sh FOLDER_OF_THE_PROGRAMS
set -euo pipefail

bin=$1
room=kitchen
members=(alice bob carol dave)
# Who says what, in this order.
script=(
  'alice: Hello everybody, who is there?'
  'bob: Me! I brought «bread», 面包 and 🍞.'
  'carol: {"sender":"alice"} cannot fool anyone here, I hope?'
  'dave: No. It is only text.'
  'alice: Dinner is at seven.'
  'carol: Good, see you there.'
)
patience_s=20

work=$(mktemp -d)
declare -A voice  # member -> descriptor that is the member's keyboard
declare -A pid_of # member -> its chat
chatd_pid=

finish() {
  local pid
  for pid in "${pid_of[@]}" $chatd_pid; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT

say() { printf '%s\n' "$*"; }
fail() {
  say "demo: FAILED: $*" >&2
  tail -n 5 "$work"/*.err >&2 || true
  exit 1
}

# eventually FILE LINE : whether this whole line shows up in the file soon enough.
eventually() {
  local deadline=$((SECONDS + patience_s))
  until grep -qxF -- "$2" "$1" 2>/dev/null; do
    ((SECONDS < deadline)) || return 1
    sleep 0.02
  done
}

start_chatd() {
  local deadline=$((SECONDS + patience_s)) ready=
  "$bin/chatd" --host 127.0.0.1 --tcp-port 0 --udp-port 0 --tls-port 0 --log-level warn \
    >"$work/chatd.out" 2>"$work/chatd.err" </dev/null &
  chatd_pid=$!
  until [[ $ready =~ ^chatd\ ready\ tcp=127\.0\.0\.1:([0-9]+)\ udp=127\.0\.0\.1:([0-9]+)\ tls=(.*)$ ]]; do
    kill -0 "$chatd_pid" 2>/dev/null || fail 'chatd did not start'
    ((SECONDS < deadline)) || fail 'chatd did not get ready'
    sleep 0.02
    read -r ready <"$work/chatd.out" || true
  done
  server=${BASH_REMATCH[3]}
  say "$ready"
}

# enter create|join NAME : a chat whose keyboard is a pipe that this script types into.
enter() {
  local name=$2 keyboard
  mkfifo "$work/$name.in"
  exec {keyboard}<>"$work/$name.in"
  voice[$name]=$keyboard
  (
    # A keyboard held open by somebody else's chat would never come to its end.
    for keyboard in "${voice[@]}"; do exec {keyboard}>&-; done
    exec "$bin/chat" "$1" "$room" --name "$name" --server "$server" \
      <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.err"
  ) &
  pid_of[$name]=$!
  eventually "$work/$name.err" "chat: you are in $room as $name (protocol 2)" || fail "$name could not enter"
  say "* $name enters $room"
}

# speak LINE : "NAME: TEXT" is typed by NAME, and must appear on every other member's screen.
speak() {
  local name=${1%%: *} other heard_by=()
  printf '%s\n' "${1#*: }" >&"${voice[$name]}"
  for other in "${members[@]}"; do
    [[ $other != "$name" ]] || continue
    eventually "$work/$other.out" "$1" || fail "$other did not hear «$1»"
    heard_by+=("$other")
  done
  say "$1  (heard by ${heard_by[*]})"
}

# The end of its keyboard ends a chat.
leave() {
  local keyboard=${voice[$1]} status=0
  exec {keyboard}>&-
  unset "voice[$1]"
  wait "${pid_of[$1]}" || status=$?
  unset "pid_of[$1]"
  ((status == 0)) || fail "$1's chat ended with exit code $status"
  say "* $1 leaves"
}

stop_chatd() {
  local status=0 pid=$chatd_pid
  kill -TERM "$pid"
  wait "$pid" || status=$?
  chatd_pid=
  ((status == 0)) || fail "chatd ended with exit code $status"
  say '* chatd has stopped'
}

start_chatd
enter create "${members[0]}"
for name in "${members[@]:1}"; do enter join "$name"; done
for line in "${script[@]}"; do speak "$line"; done
# The host goes last: the room ends with the host.
for ((i = ${#members[@]} - 1; i >= 0; --i)); do leave "${members[i]}"; done
stop_chatd

# Each message once, and nobody hears themselves.
for name in "${members[@]}"; do
  for line in "${script[@]}"; do
    expected=1
    [[ $line != "$name: "* ]] || expected=0
    heard=$(grep -cxF -- "$line" "$work/$name.out" || true)
    ((heard == expected)) || fail "$name heard «$line» $heard times"
  done
done
say "demo: ${#script[@]} messages, each heard once by each of the other $((${#members[@]} - 1))"
