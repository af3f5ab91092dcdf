#!/usr/bin/env python3
"""Times (of the processor) our change points beside Apache Otava's on the same series, in the same run, and compares what they find.

It installs nothing. Otava is a package of PyPI:

    python3 -m venv /tmp/otava && /tmp/otava/bin/pip install apache-otava
    /tmp/otava/bin/python bench/change_points.py [BIN_DIR]     (default: build/release/bin beside this folder)
"""

import pathlib
import random
import subprocess
import sys
import time


def series(length):
    noise = random.Random(length)
    return [round(1000 + (100 if i // 60 % 2 else 0) + 20 * noise.gauss(0, 1), 3) for i in range(length)]


def best(work, runs):
    times = []
    for _ in range(runs):
        begin = time.process_time()
        found = work()
        times.append(time.process_time() - begin)
    return min(times), found


def main():
    try:
        from otava.analysis import compute_change_points
    except ImportError:
        sys.exit(__doc__)
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "build/release/bin"
    all_series = [series(n) for n in (100, 1_000, 10_000, 100_000)]
    text = "".join(" ".join(map(str, one)) + "\n" for one in all_series)
    ours = subprocess.run([folder / "bench/detection", "series"], input=text, capture_output=True, text=True, check=True)
    print("| values | Otava, ms | e-divisive, ms | ratio | robust, ms | ratio | same change points |")
    print("|--:|--:|--:|--:|--:|--:|---|")
    for one, line in zip(all_series, ours.stdout.splitlines()):
        length, divisive, robust, *found = line.split()
        taken, (points, _) = best(lambda: compute_change_points(one, 50, 0.001, 0.0), 3 if len(one) < 50_000 else 1)
        divisive, robust = float(divisive) / 1e6, float(robust) / 1e6
        same = [point.index for point in points] == [int(index) for index in found]
        print(f"| {int(length):,} | {taken * 1e3:.1f} | {divisive * 1e3:.2f} | {taken / divisive:.0f} "
              f"| {robust * 1e3:.2f} | {taken / robust:.0f} | {'yes' if same else 'no'} |", flush=True)


if __name__ == "__main__":
    main()
