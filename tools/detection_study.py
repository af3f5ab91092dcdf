#!/usr/bin/env python3
"""Measures the threshold tests and change-point detectors, and writes the tables and plots of docs/detection.md.

    cmake --build build/release --target example_detect
    tools/detection_study.py [DETECT]       (default: build/release/bin/examples/detect; takes a few minutes)
    tools/detection_study.py --check [DETECT]    (the offline scores only, compared with the page; seconds)

Standard library only; every random number comes from a fixed seed, so that two runs write the same files.
"""

import json
import math
import pathlib
import random
import re
import subprocess
import sys

from detection_plots import bars, dots, lines

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/detection.md"
PLOTS = ROOT / "docs/detection"
SAMPLE = 64  # max_sample_size of the tests that judge by limits


class Detect:
    """The program examples/detect."""

    def __init__(self, program):
        self.program = program

    def run(self, arguments, rows):
        """Answers, in order. `rows` are texts of JSON objects."""
        done = subprocess.run([self.program, *arguments], input="\n".join(rows) + "\n", capture_output=True, text=True,
                              check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(rows), "an answer a line"
        for answer in answers:
            assert "error" not in answer, answer
        return answers

    def alerts(self, model, every_series, first=0, sides=("lower", "upper")):
        """For each series, where one of these limits is passed when each value is judged by the ones before it."""
        head = '{"model":' + json.dumps({**model, "max_sample_size": SAMPLE}) + ',"history":['
        out = []
        for series in every_series:
            texts = [repr(value) for value in series]
            backwards = texts[::-1]
            size = len(texts)
            rows = []
            for i in range(max(first, 1), size):
                from_ = size - i
                rows.append(head + ",".join(backwards[from_:from_ + SAMPLE]) + '],"value":' + texts[i] + "}")
            answers = self.run([], rows)
            out.append([max(first, 1) + at for at, answer in enumerate(answers)
                        if answer.get("outlier") in sides])
        return out

    def automatic(self, every_series):
        return [a["alerts"] for a in self.run(["--auto"], [json.dumps({"series": s}) for s in every_series])]

    def changes(self, detector, every_series, replay=False):
        """For each series, pairs of where a change is and at which value it was reported."""
        rows = [json.dumps({"series": s} | ({"params": {}} if detector.plain else {})) for s in every_series]
        arguments = ["--changepoints", "--algorithm", detector.algorithm] + (["--replay"] if replay else [])
        return [[(p["index"], p.get("reported_at", len(s) - 1)) for p in a["change_points"]]
                for s, a in zip(every_series, self.run(arguments, rows))]


class Detector:
    def __init__(self, name, short, algorithm, plain=False):
        self.name, self.short, self.algorithm, self.plain = name, short, algorithm, plain


CHANGE_POINT = Detector("`change_point`: robust, with autocorrelation", "change_point", "robust")
DETECTORS = [
    CHANGE_POINT,
    Detector("robust", "robust", "robust", plain=True),
    Detector("e-divisive on ranks, window 100, p 0.0001", "e-divisive on ranks", "edivisive_rank"),
    Detector("e-divisive, window 50, p 0.001", "e-divisive", "edivisive"),
]


def both(test, boundary):
    return {"test": test, "lower_boundary": boundary, "upper_boundary": boundary}


# As the fixtures' reference was scored.
SCORED_TESTS = [("t_test", 0.95), ("t_test", 0.99), ("t_test", 0.99999), ("z_score", 0.98), ("log_normal", 0.99),
                ("percentage", 0.10), ("percentage", 0.50), ("iqr", 3), ("delta_iqr", 3)]
# As somebody would set them up.
USED_TESTS = [("percentage", 0.10), ("z_score", 0.98), ("t_test", 0.98), ("t_test", 0.9999), ("log_normal", 0.98),
              ("iqr", 3), ("delta_iqr", 3)]


# Scores


class Score:
    def __init__(self):
        self.found = self.missed = self.false = self.values = self.quiet = 0

    def row(self):
        precision = self.found / max(1, self.found + self.false)
        recall = self.found / max(1, self.found + self.missed)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        return f1, precision, recall, 1000 * self.false / self.values


def near(a, b, most=5):
    return abs(a - b) <= most


def offline_score(series, detections):
    """Each true change, in order, takes the nearest unused detection at most 5 places away."""
    score = Score()
    for one, found in zip(series, detections):
        left = [index for index, _ in found]
        for change in one["change_points"]:
            close = [index for index in left if near(index, change)]
            if close:
                left.remove(min(close, key=lambda index: abs(index - change)))
                score.found += 1
            else:
                score.missed += 1
        score.false += len(left)
        if not one["change_points"]:
            score.quiet += len(left)
        score.values += one["n"]
    return score


def replay_score(series, detections, wait):
    """A new detection near a change finds it when it comes at most `wait` runs after it; one near none is false."""
    score = Score()
    for one, found in zip(series, detections):
        for change in one["change_points"]:
            hit = any(near(index, change) and at <= change + wait for index, at in found)
            score.found += hit
            score.missed += not hit
        score.false += sum(not any(near(index, change) for change in one["change_points"]) for index, _ in found)
        score.values += one["n"]
    return score


def alert_score(series, alerts, wait=10):
    """An alert on the change or one of the next `wait` runs finds it; one not within 64 runs after a change is false."""
    score = Score()
    for one, found in zip(series, alerts):
        for change in one["change_points"]:
            hit = any(change <= at <= change + wait for at in found)
            score.found += hit
            score.missed += not hit
        score.false += sum(not any(change <= at <= change + 64 for change in one["change_points"]) for at in found)
        score.values += one["n"]
    return score


def score_cells(score):
    f1, precision, recall, false = score.row()
    return [f"{f1:.3f}", f"{precision:.3f}", f"{recall:.3f}", f"{false:.2f}"]


def found_by_size(series, hits):
    """The share of changes that were found, by their size in noises."""
    all_, found = {}, {}
    for one, is_hit in zip(series, hits):
        for change, step in zip(one["change_points"], one["relative_steps"]):
            size = min((1.5, 2, 3, 5, 8), key=lambda s: abs(s - abs(step) / one["noise_mad"]))
            all_[size] = all_.get(size, 0) + 1
            found[size] = found.get(size, 0) + is_hit(change)
    return [(size, found[size] / all_[size]) for size in sorted(all_)]


# Made series


def normal(generator):
    return math.sqrt(-2 * math.log(1 - generator.random())) * math.cos(2 * math.pi * generator.random())


def median(values):
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def residuals(one):
    """The series without its changes: each part over its median."""
    out = []
    edges = [0, *one["change_points"], one["n"]]
    for begin, end in zip(edges, edges[1:]):
        part = one["series"][begin:end]
        out += [value / median(part) for value in part]
    return out


class Noises:
    """Noise as recorded series have it, drawn with replacement."""

    def __init__(self, labelled):
        self.all = [(one["noise_mad"], residuals(one)) for one in labelled]
        self.quiet_below = sorted(noise for noise, _ in self.all)[len(self.all) // 3]

    def quiet(self, at):
        return self.all[at][0] < self.quiet_below

    def series(self, at, size, seed, step=0.0, where=None):
        generator = random.Random(f"{seed}/{at}")
        pool = self.all[at][1]
        return [round(1000 * pool[generator.randrange(len(pool))] * (1 + step if where is not None and i >= where else 1), 6)
                for i in range(size)]


BEFORE, AFTER, CALM = SAMPLE, 60, 300


def alerts_of_all(detect, every_series, from_, sides=("lower", "upper")):
    """For each test, its alerts of each series at or after `from_`."""
    out = {}
    for test, boundary in USED_TESTS:
        out[f"`{test}` {boundary:g}"] = detect.alerts(both(test, boundary), every_series, from_, sides)
    out["`auto`"] = [[at for at in alerts if at >= from_] for alerts in detect.automatic(every_series)]
    out["`change_point`"] = [[at for index, at in found if at >= from_ and index >= from_ - 5]
                             for found in detect.changes(CHANGE_POINT, every_series, replay=True)]
    return out


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def reports(value):
    return f"{value:.0f}" if math.isfinite(value) else f"over {AFTER}"


def false_alarms(detect, noises):
    every = [noises.series(at, BEFORE + CALM, "calm") for at in range(len(noises.all))]
    return {name: 1000 * sum(map(len, found)) / (CALM * len(every))
            for name, found in alerts_of_all(detect, every, BEFORE).items()}


def delays(detect, noises, step):
    """For each test, the number of the report, from 1 at the step, that sees it: of all series, and of quiet ones."""
    every = [noises.series(at, BEFORE + AFTER, f"step {step} {again}", step, BEFORE)
             for again in range(2) for at in range(len(noises.all))]
    quiet = [noises.quiet(at % len(noises.all)) for at in range(len(every))]
    out = {}
    for name, found in alerts_of_all(detect, every, BEFORE, ("upper",)).items():
        took = [alerts[0] - BEFORE + 1 if alerts else math.inf for alerts in found]
        out[name] = took, [one for one, is_quiet in zip(took, quiet) if is_quiet]
    return out


def correlated(r, size, seed):
    generator = random.Random(f"correlated {r} {seed}")
    out, last = [], normal(generator)
    for _ in range(size):
        out.append(round(1000 + 20 * last, 6))
        last = r * last + math.sqrt(1 - r * r) * normal(generator)
    return out


CORRELATIONS = (0, 0.2, 0.4, 0.6)


def false_changes(detect):
    """For each detector, false changes in 1,000 values of noise without any, by its correlation."""
    size, count = 500, 80
    out = {}
    for r in CORRELATIONS:
        every = [correlated(r, size, seed) for seed in range(count)]
        for detector in DETECTORS:
            found = detect.changes(detector, every)
            out.setdefault(detector.name, []).append(1000 * sum(map(len, found)) / (size * count))
        out.setdefault("`auto`, replayed", []).append(1000 * sum(map(len, detect.automatic(every))) / (size * count))
        some = detect.alerts(both("t_test", 0.99), every[:20])
        out.setdefault("`t_test` 0.99, replayed", []).append(1000 * sum(map(len, some)) / (size * 20))
    return out


# The page


def table(head, rows):
    aligned = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, aligned, *rows])


def put(page, name, text):
    pattern = re.compile(rf"(<!-- table: {name} -->\n).*?(\n<!-- end -->)", re.S)
    assert pattern.search(page), f"docs/detection.md has no place for the table '{name}'"
    return pattern.sub(lambda match: match[1] + text + match[2], page)


def plain(name):
    return name.replace("`", "")


def offline_table(detect, labelled):
    every = [one["series"] for one in labelled]
    rows, scores = [], {}
    for detector in DETECTORS:
        score = offline_score(labelled, detect.changes(detector, every))
        scores[detector.name] = score
        rows.append([detector.name, *score_cells(score), str(score.quiet)])
    return table(["detector, offline", "F1", "precision", "recall", "false per 1,000 values",
                  "in the 40 series without a change"], rows), scores


def auto_table(detect, labelled):
    alerts = detect.automatic([one["series"] for one in labelled])
    return alerts, ["`auto`", *score_cells(alert_score(labelled, alerts))]


def check(detect, labelled):
    page = PAGE.read_text()
    text, _ = offline_table(detect, labelled)
    _, row = auto_table(detect, labelled)
    good = text in page and "| " + " | ".join(row) + " |" in page
    print("docs/detection.md agrees" if good else "docs/detection.md is out of date: run tools/detection_study.py\n" + text)
    return 0 if good else 1


def study(detect, labelled):
    every = [one["series"] for one in labelled]
    page = PAGE.read_text()
    PLOTS.mkdir(exist_ok=True)
    say = lambda what: print(what, flush=True)

    say("scores of change points")
    text, offline = offline_table(detect, labelled)
    page = put(page, "offline", text)
    rows, replayed = [], {}
    for detector in DETECTORS:
        found = detect.changes(detector, every, replay=True)
        replayed[detector.name] = found
        ten, twenty = (replay_score(labelled, found, wait) for wait in (10, 20))
        rows.append([detector.name, *score_cells(ten)[:3], *score_cells(twenty)])
    page = put(page, "replayed", table(["detector, replayed", "F1 in 10", "precision", "recall", "F1 in 20", "precision",
                                        "recall", "false per 1,000 values"], rows))

    say("scores of tests run by run")
    auto_alerts, auto_row = auto_table(detect, labelled)
    rows, f1 = [auto_row], [("auto", alert_score(labelled, auto_alerts).row()[0])]
    hits = {}
    for test, boundary in SCORED_TESTS:
        alerts = detect.alerts(both(test, boundary), every)
        hits[test, boundary] = alerts
        score = alert_score(labelled, alerts)
        f1.append((f"{test} {boundary:g}", score.row()[0]))
        rows.append([f"`{test}` {boundary:g}", *score_cells(score)])
    page = put(page, "tests", table(["test, in 10 runs", "F1", "precision", "recall", "false per 1,000 values"], rows))
    f1 += [(d.short + ", in 20 runs", replay_score(labelled, replayed[d.name], 20).row()[0]) for d in DETECTORS]
    bars(PLOTS / "f1.svg", "F1 on the labelled series, run by run", f1, "F1", most=1)

    def within(found, wait):
        return [lambda change, f=f: any(near(i, change) and at <= change + wait for i, at in f) for f in found]

    def alerted(found):
        return [lambda change, f=f: any(change <= at <= change + 10 for at in f) for f in found]

    lines(PLOTS / "recall.svg", "Changes found, by their size", "size of the step, in noises", "share found", [
        ("change_point, in 20 runs", found_by_size(labelled, within(replayed[CHANGE_POINT.name], 20))),
        ("auto, in 10 runs", found_by_size(labelled, alerted(auto_alerts))),
        ("change_point, in 10 runs", found_by_size(labelled, within(replayed[CHANGE_POINT.name], 10))),
        ("t_test 0.99999, in 10 runs", found_by_size(labelled, alerted(hits["t_test", 0.99999]))),
    ], most=1)

    say("false alarms")
    noises = Noises(labelled)
    alarms = false_alarms(detect, noises)
    bars(PLOTS / "false_alarms.svg", "False alarms per 1,000 reports of one benchmark",
         [(plain(name), value) for name, value in alarms.items()], "per 1,000 reports", log=True)
    say("delays")
    small, large = delays(detect, noises, 0.03), delays(detect, noises, 0.10)
    rows = []
    for name, value in alarms.items():
        cells = [name, f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"]
        for took in (small[name][1], small[name][0], large[name][1], large[name][0]):
            cells.append(f"{reports(percentile(took, 0.5))} / {reports(percentile(took, 0.9))}")
        rows.append(cells)
    page = put(page, "delays", table(["test", "false alarms per 1,000 reports", "3 %, quiet third", "3 %, all",
                                      "10 %, quiet third", "10 %, all"], rows))
    dots(PLOTS / "delay.svg", "Reports until a step of 10 % is seen, quiet third: median and 90 %",
         [(plain(name), percentile(took[1], 0.5), percentile(took[1], 0.9)) for name, took in large.items()], AFTER)

    say("correlated noise")
    false = false_changes(detect)
    page = put(page, "correlated", table(["false changes per 1,000 values; correlation", *map(str, CORRELATIONS)],
                                         [[name, *(f"{v:.2f}" for v in values)] for name, values in false.items()]))
    short = {detector.name: detector.short for detector in DETECTORS}
    lines(PLOTS / "correlated.svg", "False changes in noise whose neighbours correlate", "lag-one correlation",
          "per 1,000 values", [(short.get(name, plain(name)), list(zip(CORRELATIONS, values))) for name, values in false.items()
                               if "t_test" not in name])
    PAGE.write_text(page)
    return 0


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    if any(a.startswith("-") for a in arguments) or len(arguments) > 1:
        sys.exit(__doc__)
    program = pathlib.Path(arguments[0]) if arguments else ROOT / "build/release/bin/examples/detect"
    if not program.exists():
        sys.exit(f"error: there is no {program}; build example_detect")
    labelled = json.loads((ROOT / "tests/data/changepoint/labelled_ci.json").read_text())["series"]
    return (check if "--check" in sys.argv else study)(Detect(program), labelled)


if __name__ == "__main__":
    sys.exit(main())
