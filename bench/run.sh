#!/bin/sh
# Runs every benchmark of a release build and prints one Markdown document.
# Usage: run.sh [BIN_DIR]       (default: build/release/bin beside this folder)
# TMPDIR says where the servers keep their data; let that be a real disk, since durable commits are part of what is
# measured.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=${1:-$here/../build/release/bin}
echo "## Machine"
echo
echo "- $(nproc) cores: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
echo "- $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo) of memory, $(uname -sr)"
echo
echo "## Claims"
"$bin/bench/claim_latency"
echo
echo "## Channels"
"$bin/bench/channel"
echo
echo "## Reports"
echo
"$bin/bench/ingest"
echo
echo "## Detection"
echo
"$bin/bench/detection"
echo
echo "## Adapters"
echo
"$bin/bench/adapters"
echo
echo "## Footprint"
echo
"$here/footprint.sh" "$bin"
echo
echo "## Sandboxes"
echo
"$bin/bench/sandbox"
