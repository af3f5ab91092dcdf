#!/bin/sh
# Start time and memory of the server, and the size of each program without its symbols.
# Usage: footprint.sh [BIN_DIR]       (default: build/release/bin beside this folder)
set -eu
bin=${1:-$(cd "$(dirname "$0")/.." && pwd)/build/release/bin}
"$bin/bench/footprint"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for program in bencher-server bencher-runner bencher; do
  [ -x "$bin/$program" ] || continue
  strip -o "$work/$program" "$bin/$program"
  printf '| %s, stripped | %s MiB |\n' "$program" "$(wc -c <"$work/$program" | awk '{ printf "%.1f", $1 / 1048576 }')"
done
