# Debian packages and the download cache. Sourced by cluster.sh, which sets `cache`.
# shellcheck shell=bash disable=SC2154

# need_commands <command:package>…: installs the packages whose command is missing.
need_commands() {
  local pair missing=() sudo=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "cluster: installing ${missing[*]}"
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" bash "$here/apt-install.sh" "${missing[@]}" >"$cache/apt.log" 2>&1 || {
    tail -n 20 "$cache/apt.log" >&2
    die "could not install ${missing[*]}"
  }
}

# fetch <name-version> <function>: runs the function in an empty folder and keeps that folder as "$cache/<name-version>",
# complete or not at all. A network that fails now and then is tried three times.
fetch() {
  local target=$cache/$1 work=$cache/$1.partial left
  shift
  [ ! -d "$target" ] || return 0
  say "cluster: fetching ${target##*/}"
  for left in 2 1 0; do
    rm -rf "$work"
    mkdir -p "$work"
    (cd "$work" && "$@" && [ -n "$(ls -A)" ]) >"$target.log" 2>&1 && break
    [ "$left" -gt 0 ] || {
      tail -n 20 "$target.log" >&2
      die "could not fetch ${target##*/}"
    }
    sleep 5
  done
  mv "$work" "$target"
}

maven() { mvn -B -q "$@"; }
