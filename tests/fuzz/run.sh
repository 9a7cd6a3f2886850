#!/usr/bin/env bash
# Runs fuzzers that are built, as many at a time as there are processors, and says what they did.
# What they find new goes to WORK/corpus, what breaks something to WORK/crashes. ./dev fuzz calls it:
#
#   run.sh WORK SECONDS TARGET...     each target for so long
#   run.sh WORK merge TARGET...       takes the new inputs over into the checked-in corpus: of all
#                                     inputs those few that reach the same code
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
work=$1 what=$2
shift 2
mkdir -p "$work/logs" "$work/crashes"

# The second corpus is read, never written.
corpora_of() {
  mkdir -p "$work/corpus/$1" "$here/corpus/$1"
  printf '%s\n' "$work/corpus/$1" "$here/corpus/$1"
  [[ ! -d $here/regressions/$1 ]] || printf '%s\n' "$here/regressions/$1"
}

flags_of() {
  case $1 in
    address) printf '%s\n' -max_len=64 "-dict=$here/dictionaries/address.dict" ;;
    response | event | payload) printf '%s\n' -max_len=4400 "-dict=$here/dictionaries/json.dict" ;;
    join_request) printf '%s\n' -max_len=1024 "-dict=$here/dictionaries/json.dict" ;;
    config_file) printf '%s\n' -max_len=2048 "-dict=$here/dictionaries/config_file.dict" ;;
    # Long inputs from the start; and without the bookkeeping that costs more than a run.
    relay | sealed_frames | tls) printf '%s\n' -max_len=1000 -len_control=10 -entropic=0 ;;
    *) printf '%s\n' -max_len=4400 ;;
  esac
}

fuzz() {
  local target=$1 log=$work/logs/$2 corpora flags
  mapfile -t corpora < <(corpora_of "$target")
  mapfile -t flags < <(flags_of "$target")
  "$work/bin/fuzz_$target" "${corpora[@]}" "${flags[@]}" -max_total_time="$what" -timeout=20 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$work/crashes/$target-" >"$log" 2>&1
}

# The last number after WORD in the logs of a target, and the greatest of several logs.
figure() { sed -n "s/.*$1 *\([0-9]\+\).*/\1/p" "${@:2}" | sort -n | tail -1; }
sum() { sed -n "s/.*$1 *\([0-9]\+\).*/\1/p" "${@:2}" | awk '{ all += $1 } END { print all + 0 }'; }

# One row of the table.
report() {
  local logs=("$work/logs/$1".*)
  printf '%-14s %12s %12s %8s of %-8s %6s\n' "$1" \
    "$(sum 'number_of_executed_units:' "${logs[@]}")" "$(sum 'average_exec_per_sec:' "${logs[@]}")" \
    "$(figure 'DONE *cov:' "${logs[@]}")" "$(figure 'modules *(' "${logs[@]}")" \
    "$(figure 'corp:' "${logs[@]}")"
}

explain() {
  local target=$1 log=$2 input
  input=$(sed -n 's/.*Test unit written to \(.*\)/\1/p' "$log")
  grep -m 3 -hE 'what\(\)|runtime error:|SUMMARY:' "$log" || tail -5 "$log"
  cat <<TEXT
fuzz: $target FAILED; the whole report: $log
  replay it:          $work/bin/fuzz_$target $input
  keep it as a test:  mkdir -p tests/fuzz/regressions/$target && cp $input tests/fuzz/regressions/$target/
TEXT
}

merge() {
  local target=$1 corpora smaller=$work/merged
  mapfile -t corpora < <(corpora_of "$target")
  rm -rf "$smaller"
  mkdir "$smaller"
  "$work/bin/fuzz_$target" -set_cover_merge=1 -use_counters=0 "$smaller" "${corpora[@]}" \
    >"$work/logs/$target.merge" 2>&1 || explain "$target" "$work/logs/$target.merge"
  rm -rf "$here/corpus/$target"
  mv "$smaller" "$here/corpus/$target"
  printf '%-14s %4s inputs %8s bytes\n' "$target" "$(find "$here/corpus/$target" -type f | wc -l)" \
    "$(cat "$here/corpus/$target"/* | wc -c)"
}

if [[ $what == merge ]]; then
  for target; do merge "$target"; done
  exit
fi

# One target alone gets all processors.
workers=$(nproc) each=1 failed=0
(($# > 1)) || each=$workers
rm -f "$work"/logs/*
queue=()
for target; do
  for ((i = 0; i < each; ++i)); do queue+=("$target $target.$i"); done
done

declare -A log_of=()
finish_one() {
  local pid status=0
  wait -n -p pid || status=$?
  if ((status)); then
    failed=1
    read -r target log <<<"${log_of[$pid]}"
    explain "$target" "$work/logs/$log"
  fi
  unset "log_of[$pid]"
}
for job in "${queue[@]}"; do
  ((${#log_of[@]} < workers)) || finish_one
  read -r target log <<<"$job"
  fuzz "$target" "$log" &
  log_of[$!]=$job
done
while ((${#log_of[@]})); do finish_one; done

printf '%-14s %12s %12s %20s %6s\n' target executions 'per second' 'edges covered' inputs
for target; do report "$target"; done
exit $failed
