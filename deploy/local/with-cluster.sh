#!/usr/bin/env bash
# Runs a command with a cluster of its own: with-cluster.sh COMMAND [ARGUMENT …]
# The cluster is up before and gone after, whatever comes of the command; a server that can't be started fails it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
RETRIGGER_CLUSTER_DIR=$(mktemp -d "${TMPDIR:-/tmp}/retrigger-cluster.XXXXXX")
export RETRIGGER_CLUSTER_DIR
trap '"$here/cluster.sh" down; rm -rf "$RETRIGGER_CLUSTER_DIR" "$RETRIGGER_CLUSTER_DIR.lock"' EXIT
"$here/cluster.sh" up
settings=$("$here/cluster.sh" env)
eval "$settings"
"$@"
