#!/usr/bin/env bash
# The full sweep: every call at every number with every error, shared among the processors. Prints a
# line for each call and the sums; the exit code is that of the tests.
#
#   sweep.sh TEST_PROGRAM [GoogleTest flags]
set -euo pipefail

program=$1
shift
parts=$(nproc)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

pids=()
for ((part = 0; part < parts; ++part)); do
  CHATD_TEST_SWEEP=all GTEST_TOTAL_SHARDS=$parts GTEST_SHARD_INDEX=$part \
    "$program" --gtest_brief=1 --gtest_filter='All/*' "$@" >"$folder/$part" 2>&1 &
  pids+=($!)
done
status=0
for pid in "${pids[@]}"; do wait "$pid" || status=1; done

if ((status != 0)); then
  grep -v '^faults:' "$folder"/* >&2 || true
fi
grep -h '^faults:' "$folder"/* | sort | sed 's/^faults: //'
grep -h '^faults:' "$folder"/* | awk '
  { for (i = 1; i <= NF; ++i) if (split($i, pair, "=") == 2) sum[pair[1]] += pair[2] }
  END {
    printf "sum: %d cases, %d reached; after %d chatd ended with a word, after %d it went on\n",
      sum["cases"], sum["reached"], sum["ended"], sum["went_on"]
  }'
if ((status == 0)); then echo 'verdict: PASS'; else echo 'verdict: FAIL'; fi
exit "$status"
