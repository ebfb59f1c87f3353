#!/usr/bin/env bash
# A whole cluster on this machine, on loopback, without containers. README.md beside it says what for.
#   cluster.sh up | down | status | env
#   cluster.sh stop | kill | start | pause | continue <kafka|registry|mongo|redis>
# Data, logs, pids and ports are in $RETRIGGER_CLUSTER_DIR, downloads in ${XDG_CACHE_HOME:-~/.cache}/retrigger.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${RETRIGGER_CLUSTER_DIR:-${TMPDIR:-/tmp}/retrigger-cluster}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/retrigger
servers=(kafka registry mongo redis)

for part in versions process packages "${servers[@]}"; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done

# Found free once and kept, so that a server comes back where its clients look for it.
choose_ports() {
  [ ! -s "$dir/ports" ] || return 0
  local server name
  for server in "${servers[@]}"; do
    for name in $("${server}_ports"); do echo "$name=$(free_port)"; done
  done >"$dir/ports.partial"
  mv "$dir/ports.partial" "$dir/ports"
}

fetch_all() {
  mkdir -p "$cache"
  exec 8>"$cache/lock"
  flock 8
  need_commands javac:default-jdk-headless mvn:maven curl:curl kcat:kcat redis-server:redis-server
  for server in "${servers[@]}"; do "${server}_fetch"; done
  exec 8>&-
}

start() {
  pid_of "$1" >/dev/null && return
  mkdir -p "$dir/$1/data"
  "$1_start" "$(port_of "$1")"
}

# bring_up <server>…: returns once each answers. One that ends as it starts is started once more, as a supervisor does.
bring_up() {
  local server
  for server in "$@"; do start "$server"; done
  for server in "$@"; do
    (wait_until_answers "$server") || {
      start "$server"
      wait_until_answers "$server"
    }
  done
}

up() {
  fetch_all
  choose_ports
  bring_up "${servers[@]}"
}

# The data goes too, so there is nothing to close in order.
down() {
  [ -e "$dir/ports" ] || return 0
  for server in "${servers[@]}"; do signal_and_wait "$server" KILL 60 || die "$server does not end"; done
  rm -rf "$dir"
}

status() {
  local server pid all=0
  for server in "${servers[@]}"; do
    if ! pid=$(pid_of "$server"); then
      echo "$server: not running"
      all=1
    elif "${server}_answers" "$(port_of "$server")" >/dev/null 2>&1; then
      echo "$server: answers on 127.0.0.1:$(port_of "$server") (pid $pid)"
    else
      echo "$server: runs and does not answer (pid $pid)"
      all=1
    fi
  done
  return "$all"
}

addresses() {
  [ -e "$dir/ports" ] || die "there is no cluster in $dir; run cluster.sh up first"
  echo "export RETRIGGER_KAFKA_BROKERS=127.0.0.1:$(port_of kafka)"
  echo "export RETRIGGER_SCHEMA_REGISTRY_URL=http://127.0.0.1:$(port_of registry)/apis/ccompat/v7"
  echo "export RETRIGGER_MONGODB_URL=mongodb://127.0.0.1:$(port_of mongo)/retrigger"
  echo "export RETRIGGER_REDIS_URL=redis://127.0.0.1:$(port_of redis)"
}

known() {
  case " ${servers[*]} " in *" ${1:-} "*) ;; *) die "name one of: ${servers[*]}" ;; esac
  [ -e "$dir/ports" ] || die "there is no cluster in $dir; run cluster.sh up first"
}

case ${1:-} in
  status) status ;;
  env) addresses ;;
  up | down | stop | kill | start | pause | continue)
    mkdir -p "$dir"
    # One change at a time; the lock lies beside the folder because `down` removes the folder.
    exec 9>"$dir.lock"
    flock 9
    case $1 in
      up) up ;;
      down) down ;;
      stop) known "${2:-}" && { signal_and_wait "$2" TERM 120 || die "$2 does not stop"; } ;;
      kill) known "${2:-}" && { signal_and_wait "$2" KILL 60 || die "$2 does not end"; } ;;
      start) known "${2:-}" && bring_up "$2" ;;
      pause) known "${2:-}" && pause "$2" ;;
      continue) known "${2:-}" && signal "$2" CONT ;;
    esac
    ;;
  *) die "usage: cluster.sh up|down|status|env, or stop|kill|start|pause|continue <${servers[*]}>" ;;
esac
