# Redis from Debian. Limits live in it, so it appends to a file and survives a kill; databases enough for every test. Sourced by cluster.sh.
# shellcheck shell=bash disable=SC2154

redis_ports() { echo redis; }

redis_fetch() { :; }

redis_start() {
  launch redis redis-server --bind 127.0.0.1 --port "$1" --dir "$dir/redis/data" \
    --save '' --appendonly yes --appendfsync everysec --maxmemory 256mb --maxmemory-policy noeviction --databases 1024
}

redis_answers() { [ "$(timeout 2 redis-cli -h 127.0.0.1 -p "$1" ping)" = PONG ]; }
