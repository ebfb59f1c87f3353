# Starting, finding and stopping one server. Sourced by cluster.sh, which sets `dir`.
# shellcheck shell=bash disable=SC2154

say() { printf '%s\n' "$*" >&2; }
die() { say "cluster: $*"; exit 1; }

# When a process started, in clock ticks since boot: with the pid it names one process for good, a pid alone is reused.
started_at() {
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The second field is the program's name in brackets and may hold blanks; the start is the 20th after it.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$1" != Z ] && echo "${20}"
}

# Prints the pid of a server that this cluster started and that still runs; fails otherwise. One that ended at once has no start.
pid_of() {
  local pid start
  { read -r pid start <"$dir/$1/pid"; } 2>/dev/null || return 1
  [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ] && echo "$pid"
}

port_of() { sed -n "s/^$1=//p" "$dir/ports"; }

# launch <server> <command…>: in the background, in its own session, its output in the server's log.
launch() {
  local name=$1 pid
  shift
  # 9 is the lock of cluster.sh: a server that inherited it would hold it for life.
  setsid "$@" >>"$dir/$name/log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid $(started_at "$pid")" >"$dir/$name/pid"
}

# wait_until_answers <server>: returns once the server speaks its protocol; dies with its log when it ends or 180 s pass.
# On a machine that is full a broker that was killed with hundreds of topics took a minute.
wait_until_answers() {
  local name=$1 deadline=$((SECONDS + 180))
  until "${name}_answers" "$(port_of "$name")" >/dev/null 2>&1; do
    if ! pid_of "$name" >/dev/null; then
      tail -n 20 "$dir/$name/log" >&2
      die "$name ended while starting; its log is $dir/$name/log"
    fi
    [ "$SECONDS" -lt "$deadline" ] || die "$name does not answer after 180 s; its log is $dir/$name/log"
    sleep 0.1
  done
}

# signal <server> <signal>: nothing when it does not run.
signal() {
  local pid
  pid=$(pid_of "$1") || return 0
  kill "-$2" "$pid" 2>/dev/null || true
}

# pause <server>: returns once every thread stands still. The first that is scheduled stops the others: until then they answer.
pause() {
  local pid deadline=$((SECONDS + 60))
  pid=$(pid_of "$1") || return 0
  kill -STOP "$pid" 2>/dev/null || true
  while grep -qvE '^[0-9]+ \(.*\) [TZ] ' "/proc/$pid/task/"*/stat 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || die "$1 does not stand still"
    sleep 0.02
  done
}

# signal_and_wait <server> <signal> <seconds>: fails when the process is still there afterwards.
signal_and_wait() {
  local name=$1 signal=$2 deadline=$((SECONDS + $3)) pid
  pid=$(pid_of "$name") || return 0
  kill "-$signal" "$pid" 2>/dev/null || true
  while pid_of "$name" >/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

# A port that nothing uses, below the range that the kernel gives to outgoing connections: a server that is
# stopped and started again finds its port still free. A file claims it, for another cluster may be chosen at the same moment.
free_port() {
  local port claims=$cache/ports
  mkdir -p "$claims"
  find "$claims" -type f -mmin +5 -delete 2>/dev/null || true
  while :; do
    port=$((20000 + RANDOM % 10000))
    (set -o noclobber && : >"$claims/$port") 2>/dev/null || continue
    if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}
