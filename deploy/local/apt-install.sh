#!/usr/bin/env bash
# apt-install.sh <package…>: installs Debian packages and leaves none of the services that come with them running.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  # Debian starts a service when its package is installed, unless this file answers 101.
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update
apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install -y --no-install-recommends "$@"
for package in "$@"; do
  case $package in
    redis-server) if command -v systemctl >/dev/null; then systemctl disable redis-server || true; fi ;;
  esac
done
