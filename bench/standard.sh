#!/usr/bin/env bash
# chatbench's standard set against a chatd of its own on loopback: few cases, each a few seconds. One
# line a case on stdout; the whole results, as JSON and as pages, go to the folder that is named.
#
# usage: standard.sh FOLDER_OF_THE_PROGRAMS FOLDER_FOR_RESULTS [SECONDS_PER_CASE [CASES]]
# CASES is a regular expression: only cases whose names match are run.
set -euo pipefail

bin=$1
results=$2
duration_s=${3:-3}
wanted=${4:-.}
readonly invalid=3 # chatbench's exit code: it was the bottleneck itself

# What a case is called, and how it is run. The first two cannot form trains, the next two do;
# the last two show latency, for a closed loop says little about it.
cases=(
  'fan-out-1x1000-w1     --rooms 1 --members 1000 --window 1'
  'rooms-100x10-w1       --rooms 100 --members 10 --window 1'
  'fan-out-1x1000-w16    --rooms 1 --members 1000 --window 16'
  'rooms-100x10-w16      --rooms 100 --members 10 --window 16'
  'fan-out-1x1000-w64    --rooms 1 --members 1000 --window 64'
  'fan-out-1x1000-20ps   --rooms 1 --members 1000 --rate 20'
  'rooms-100x10-2000ps   --rooms 100 --members 10 --rate 2000'
)

chatd_pid=
work=$(mktemp -d)
finish() {
  [[ -z $chatd_pid ]] || kill "$chatd_pid" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "standard: $*" >&2
  cat "$work/chatd.err" >&2 || true
  exit 1
}

# A server of its own for each case: memory and tables start empty.
start_chatd() {
  local ready='' deadline=$((SECONDS + 20))
  "$bin/chatd" --host 127.0.0.1 --tcp-port 0 --udp-port 0 --tls-port off --log-level warn --rate-limits off \
    >"$work/chatd.out" 2>"$work/chatd.err" </dev/null &
  chatd_pid=$!
  until [[ $ready =~ ^chatd\ ready\ tcp=127\.0\.0\.1:([0-9]+)\ udp=127\.0\.0\.1:([0-9]+) ]]; do
    kill -0 "$chatd_pid" 2>/dev/null || fail 'chatd did not start'
    ((SECONDS < deadline)) || fail 'chatd did not get ready'
    sleep 0.02
    read -r ready <"$work/chatd.out" || true
  done
  ports=(--tcp-port "${BASH_REMATCH[1]}" --udp-port "${BASH_REMATCH[2]}")
}

stop_chatd() {
  local status=0 pid=$chatd_pid
  chatd_pid=
  kill -TERM "$pid"
  wait "$pid" || status=$?
  ((status == 0)) || fail "chatd ended with exit code $status"
}

# field SECTION KEY FILE [FACTOR] : a number of the result. Each key stands on a line of its own, and
# that of its section before it (bench/chatbench/report/formats.h).
field() {
  awk -v section="\"$1\": {" -v key="\"$2\":" -v factor="${4:-1}" '
    index($0, section) { inside = 1 }
    inside && $1 == key {
      sub(/,$/, "", $2)
      if ($2 == "null") print "n/a"
      else if ($2 == "18446744073709551615") print "never"
      else printf "%.6g\n", $2 * factor
      found = 1
      exit
    }
    END { exit !found }' "$3" || fail "no $1.$2 in $3"
}

run_case() {
  local name=$1 json=$results/$1.json status=0 remark=
  shift
  start_chatd
  "$bin/chatbench" run --host 127.0.0.1 "${ports[@]}" --server-pid "$chatd_pid" "$@" \
    --warmup 500ms --duration "${duration_s}s" --json "$json" --html "${json%.json}.html" \
    >"${json%.json}.txt" 2>"$work/chatbench.err" || status=$?
  if ((status == invalid)); then
    remark='INVALID: see the page'
  elif ((status != 0)); then
    cat "$work/chatbench.err" >&2
    fail "chatbench ended with exit code $status in $name"
  fi
  stop_chatd
  local deliveries cost p50 p99 lost
  deliveries=$(field rates delivered_per_s "$json")
  cost=$(field server cpu_ns_per_delivery "$json")
  p50=$(field response_time p50_ns "$json" 1e-6)
  p99=$(field response_time p99_ns "$json" 1e-6)
  lost=$(field totals lost "$json")
  printf '%-22s %14.0f %12s %10s %10s %8s  %s\n' "$name" "$deliveries" "$cost" "$p50" "$p99" "$lost" \
    "$remark"
}

mkdir -p "$results"
printf '%-22s %14s %12s %10s %10s %8s\n' 'rooms x members' 'deliveries/s' 'CPU ns each' 'p50 ms' \
  'p99 ms' lost
for line in "${cases[@]}"; do
  read -ra words <<<"$line"
  [[ ! ${words[0]} =~ $wanted ]] || run_case "${words[@]}"
done
echo
echo "w1, w16, w64: a closed loop, so many messages under way in each room. 20ps, 2000ps: open loop, so"
echo "many messages per second in all. The whole results, with pages: $results"
