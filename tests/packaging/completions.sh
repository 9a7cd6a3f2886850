#!/usr/bin/env bash
# The completions for bash and zsh know every flag of --help and no other, and every value that they
# offer for a flag of chatd is one that chatd takes.
#
# usage: completions.sh FOLDER_OF_THE_PROGRAMS FOLDER_OF_THE_COMPLETIONS
set -euo pipefail
shopt -s extglob

bin=$1
completions=$2
failures=0

fail() {
  printf 'FAILED: %s\n' "$*"
  failures=$((failures + 1))
}

flags_of() { "$bin/$1" "${@:2}" --help | grep -oE '^  +(-h,)?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' | sort -u; }

same() { # same WHAT EXPECTED FOUND
  [[ -n $2 ]] || fail "$1: --help names no flags"
  [[ $2 == "$3" ]] || fail "$1: expected
$2
found
$3"
}

# in_bash WORD... : what is offered for the last word.
in_bash() {
  COMP_WORDS=("$bin/$1" "${@:2}")
  COMP_CWORD=$(($# - 1))
  COMPREPLY=()
  _chatd "$bin/$1"
  printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

# in_zsh WORD... : what _arguments is told.
in_zsh() {
  zsh -f -c '
    _arguments() { print -rl -- "$@"; }
    _call_program() { shift; "$@"; }
    autoload -U "$1/_chatd"
    local service=$2:t
    local -a words=("${@:2}")
    _chatd' zsh "$completions" "$bin/$1" "${@:2}"
}
zsh_flags() { in_zsh "$@" | grep -oE -- '^--[a-z0-9-]+' | sort -u; }

# shellcheck source=cmake/package/completions/chatd.bash
source "$completions/chatd.bash"
for program in chatd chat chatctl 'chatbench' 'chatbench run' 'chatbench compare'; do
  read -ra words <<<"$program"
  same "bash: $program" "$(flags_of "${words[@]}")" "$(in_bash "${words[@]}" --)"
  if command -v zsh >/dev/null; then
    same "zsh: $program" "$(flags_of "${words[@]}")" "$(zsh_flags "${words[@]}")"
  fi
done
same 'bash: commands of chat' $'create\njoin\nrooms' "$(in_bash chat '')"
same 'bash: commands of chatctl' "$("$bin/chatctl" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort)" "$(in_bash chatctl '')"
same 'bash: commands of chatbench' $'compare\nrun' "$(in_bash chatbench '')"

while read -r flag; do
  values=$(in_bash chatd "$flag" '')
  [[ $flag != @(--config|--host) ]] || continue
  for value in $values; do
    "$bin/chatd" --check-config "$flag" "$value" >/dev/null 2>&1 ||
      fail "chatd does not take $flag $value"
  done
  if command -v zsh >/dev/null; then
    action=$(in_zsh chatd | sed -nE "s/^$flag\[.*:\(([^()]*)\)\$/\1/p" | tr ' ' '\n' | sort -u)
    [[ $action == "$values" ]] || fail "chatd $flag: bash offers «$values», zsh «$action»"
  fi
done < <(flags_of chatd)

command -v zsh >/dev/null || echo 'zsh is not installed: its completion was not looked at'
((failures == 0)) || exit 1
echo 'completions: every flag, and values that are taken'
