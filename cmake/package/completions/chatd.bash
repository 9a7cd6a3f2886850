# shellcheck shell=bash
# Completion for chatd, chat, chatctl and chatbench. The flags are asked of the program itself (--help), so
# they are those of the version that is installed; only what a flag may say is written here (for chatd
# by ./dev docs).

# _chatd_help PROGRAM [SUBCOMMAND] : its --help.
_chatd_help() {
  local subcommand=
  if [[ ${1##*/} != chatd ]]; then
    local word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
      # Only those that a program has: anything else would be an error instead of help.
      [[ $word == @(run|compare) ]] && subcommand=$word && break
    done
  fi
  "$1" ${subcommand:+"$subcommand"} --help 2>/dev/null
}

_chatd_values() {
  case ${1##*/}:$2 in
    # values: begin (written by ./dev docs from server/config/table.cpp)
    chatd:--tls-port) echo 'auto off' ;;
    chatd:--gso) echo 'off auto' ;;
    chatd:--shards) echo 'auto' ;;
    chatd:--roaming) echo 'off same-ip' ;;
    chatd:--rate-limits) echo 'off on' ;;
    chatd:--log-level) echo 'trace debug info warn error critical off' ;;
    chatd:--log-format) echo 'text json' ;;
    chatctl:log-level) echo 'trace debug info warn error critical off' ;;
    # values: end
    *:--gro | chatbench:--gso) echo 'on off' ;;
    chatbench:--arrivals) echo 'constant poisson' ;;
    chatbench:--target) echo 'chatd chatd-v2 chatd-mixed redis nats mosquitto naive lower-bound' ;;
  esac
}

_chatd() {
  local cur prev words
  cur=${COMP_WORDS[COMP_CWORD]}
  prev=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  case $prev in
    --config | --json | --html | --tls-ca)
      # Only chatbench's --json names a file.
      if [[ ${1##*/} != @(chat|chatctl) ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
      fi
      ;;
    --host)
      mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur")
      return
      ;;
  esac
  words=$(_chatd_values "$1" "$prev")
  if [[ -z $words && $cur == -* ]]; then
    words=$(_chatd_help "$1" | grep -oE '^ +(-h,)?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+')
  elif [[ -z $words && $COMP_CWORD == 1 ]]; then
    case ${1##*/} in
      chat) words='create join rooms' ;;
      chatbench) words='run compare' ;;
      chatctl) words='status top rooms members config kick close-room ban unban bans drain reload log-level' ;;
    esac
  elif [[ -z $words && ${1##*/} == chatbench && ${COMP_WORDS[1]} == compare ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _chatd chatd chat chatctl chatbench
