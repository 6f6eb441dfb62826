#!/usr/bin/python3
"""Lines of src that tests went through: report.py BUILD LIST

BUILD is a build of MODE=coverage whose tests have run. Prints a line for each folder of src, and one
for each kind of line that was not gone through. LIST gets all of these lines with the reason of their
kind, of reasons.tsv beside this script: the first pattern that fits the run of lines, or the line
before it, which is the condition.
"""
import collections
import glob
import json
import os
import re
import subprocess
import sys

LEAST = 0.9  # of the lines of src
HERE = os.path.dirname(os.path.abspath(__file__))


def read_counts(build):
    """The highest count of each line, over the instruction sets for which a kernel is compiled."""
    counts = collections.defaultdict(dict)
    notes = sorted(glob.glob(build + "/src/**/*.gcno", recursive=True))
    for start in range(0, len(notes), 20):
        said = subprocess.run(["gcov", "--json-format", "--stdout"] + notes[start:start + 20],
                              capture_output=True, check=False).stdout
        for document in said.splitlines():
            for entry in json.loads(document)["files"]:
                name = os.path.relpath(entry["file"]) if os.path.isabs(entry["file"]) else entry["file"]
                if not name.startswith("src/"):
                    continue
                lines = counts[name]
                for line in entry["lines"]:
                    number = line["line_number"]
                    lines[number] = max(lines.get(number, 0), line["count"])
    return counts


def read_reasons():
    with open(HERE + "/reasons.tsv", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and line[0] != "#"]
    return [(re.compile(pattern), reason) for pattern, reason in rows]


def runs_of(lines):
    """Runs of lines that were not gone through; lines without code between two belong to them."""
    run = []
    for number in sorted(lines):
        if lines[number]:
            if run:
                yield run
            run = []
        else:
            run.append(number)
    if run:
        yield run


def reason_of(text, run, reasons):
    own = "".join(text[run[0] - 1:run[-1]])
    before = "".join(text[max(0, run[0] - 3):run[0] - 1])
    for part in (own, before):
        for pattern, reason in reasons:
            if pattern.search(part):
                return reason
    return "no reason given"


def main():
    counts, reasons = read_counts(sys.argv[1]), read_reasons()
    folders = collections.defaultdict(lambda: [0, 0])
    kinds = collections.Counter()
    missed = []
    for name in sorted(counts):
        with open(name, encoding="utf-8") as file:
            text = file.readlines()
        parts = name.split("/")
        folder = folders[parts[1] if len(parts) > 2 else "(main)"]
        folder[0] += sum(1 for n in counts[name].values() if n)
        folder[1] += len(counts[name])
        for run in runs_of(counts[name]):
            reason = reason_of(text, run, reasons)
            kinds[reason] += len(run)
            missed += ["%s:%d\t%s\t%s" % (name, n, reason, text[n - 1].strip()) for n in run]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write("\n".join(missed) + "\n")
    hit, total = (sum(f[k] for f in folders.values()) for k in (0, 1))
    for name, (h, n) in sorted(folders.items()) + [("src", (hit, total))]:
        print("%-12s %6d of %6d lines %6.1f %%" % (name, h, n, 100 * h / n))
    print("not gone through, %s:" % sys.argv[2])
    for reason, n in kinds.most_common():
        print("%6d  %s" % (n, reason))
    if hit < LEAST * total:
        sys.exit("coverage: expected %.0f %% of all lines" % (100 * LEAST))


if __name__ == "__main__":
    main()
