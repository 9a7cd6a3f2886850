#!/usr/bin/env bash
# Runs each micro-benchmark for an instant: all must still run, and none may report an error. That is
# all it says; for figures: ./dev bench.
set -euo pipefail

program=$1
listed=$("$program" --benchmark_list_tests | sort)
[[ -n $listed ]] || {
  echo "smoke: $program has no benchmarks" >&2
  exit 1
}
report=$("$program" --benchmark_min_time=0.0001 --benchmark_format=json)
ran=$(sed -nE 's/^ *"name": "([^"]*)",$/\1/p' <<<"$report" | sort)
if [[ $listed != "$ran" ]]; then
  echo "smoke: not every benchmark has run (< listed, > ran):" >&2
  diff <(echo "$listed") <(echo "$ran") >&2
  exit 1
fi
# A benchmark that skips itself with an error still ends with 0.
if grep -B 12 -A 1 '"error_occurred": true' <<<"$report" | grep -E '"(name|error_message)"' >&2; then
  echo "smoke: the benchmarks above report an error" >&2
  exit 1
fi
echo "smoke: $(wc -l <<<"$ran") benchmarks have run"
