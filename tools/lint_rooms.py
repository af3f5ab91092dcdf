#!/usr/bin/env python3
"""Checks that a room includes only itself and the rooms above it in docs/architecture.md's table.

Also that public headers hold the standard library and bencher/ only, and that SQL stays in lib/storage.
"""
import pathlib
import re
import sys

# Each room with the rooms it may use besides itself. `json` is private and may be used by every .cpp and json.hpp.
ALLOWED = {
    "base": [],
    "spec": ["base"],
    "project": ["base", "spec"],
    "adapter": ["base"],
    "threshold": ["base", "project", "spec"],
    "report": ["base", "project", "spec", "adapter", "threshold"],
    "image": ["base"],
    "job": ["base", "project", "spec", "adapter", "report", "threshold"],
    "runner": ["base", "spec", "job", "image", "project", "adapter"],
    "auth": ["base", "project"],
    "json": ["base"],
}
ALLOWED["storage"] = [r for r in ALLOWED]
ALLOWED["pipeline"] = [r for r in ALLOWED]
ALLOWED["sandbox"] = ["base", "spec", "image", "job"]
ALLOWED["host"] = ["base"]
ALLOWED["render"] = ["base", "project", "report", "adapter", "threshold", "spec", "job"]
ALLOWED["client"] = ["base", "image"]
ALLOWED["http"] = ["base"]

INCLUDE = re.compile(r'^\s*#include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)
SQL = re.compile(r'"[^"]*\b(SELECT .* FROM|INSERT (OR [A-Z]+ )?INTO|UPDATE [a-z_]+ SET|DELETE FROM)\b')
FOREIGN = re.compile(r"^(boost/|SQLiteCpp|sqlite3|curl/|simdjson|fmt/|archive|openssl/)")


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    bad = []
    for folder, room_at in (("include/bencher", 2), ("lib", 1)):
        for file in sorted((root / folder).rglob("*.[ch]pp")):
            rel = file.relative_to(root)
            room = rel.parts[room_at]
            if room not in ALLOWED:
                bad.append(f"{rel}: room '{room}' is not in tools/lint_rooms.py")
                continue
            text = file.read_text(encoding="utf-8")
            for ours, theirs in INCLUDE.findall(text):
                if theirs and folder == "include/bencher" and FOREIGN.match(theirs):
                    bad.append(f"{rel}: a public header includes <{theirs}>")
                parts = ours.split("/")
                if ours.startswith("bencher/"):
                    used = parts[1]
                elif ours.startswith("lib/"):
                    used = parts[1]
                    if folder == "include/bencher":
                        bad.append(f"{rel}: a public header includes the private {ours}")
                elif ours.startswith("apps/"):
                    bad.append(f"{rel}: the library includes {ours}")
                    continue
                else:
                    continue
                if used != room and used != "json" and used not in ALLOWED[room]:
                    bad.append(f"{rel}: room '{room}' may not use room '{used}'")
            if folder == "lib" and room != "storage" and SQL.search(text):
                bad.append(f"{rel}: SQL outside lib/storage")
    for file in sorted((root / "apps").rglob("*.cpp")):
        if SQL.search(file.read_text(encoding="utf-8")):
            bad.append(f"{file.relative_to(root)}: SQL in an app")
    print("\n".join(bad) if bad else "rooms: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
