#!/bin/sh
# Builds a small benchmark image as an OCI layout, without network: busybox and one static program.
# Usage: build.sh OUT_DIR        (OUT_DIR/index.json is the layout; its tag is `latest`)
# Needs umoci, a static busybox and a C++ compiler (Debian: umoci, busybox-static, g++).
set -eu
[ $# -eq 1 ] || { echo "usage: $0 OUT_DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
out=$1
cxx=${CXX:-g++}
busybox=${BUSYBOX:-$(command -v busybox || echo busybox)}
for tool in umoci "$busybox" "$cxx"; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is missing" >&2; exit 1; }
done
[ ! -e "$out" ] || { echo "$0: $out is there already" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rootless=
[ "$(id -u)" = 0 ] || rootless=--rootless
umoci init --layout "$out"
umoci new --image "$out:latest"
# shellcheck disable=SC2086
umoci unpack $rootless --image "$out:latest" "$work/bundle"
root=$work/bundle/rootfs
mkdir -p "$root/bin" "$root/etc" "$root/work"
chmod 1777 "$root/work"
cp "$busybox" "$root/bin/busybox"
for applet in sh awk cat date env head ls seq sleep sort; do
  ln -s busybox "$root/bin/$applet"
done
printf 'root:x:0:0::/:/bin/sh\nbench:x:1000:1000::/work:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nbench:x:1000:\n' >"$root/etc/group"
"$cxx" -std=c++20 -O2 -static -s -o "$root/bin/benchmark" "$here/benchmark.cpp"
umoci repack --image "$out:latest" "$work/bundle"
umoci config --image "$out:latest" --config.entrypoint /bin/benchmark --config.env PATH=/bin \
  --config.workingdir /work --config.user bench
umoci gc --layout "$out"
