#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Run ctest, show how far it is, and count what really ran.

    run.py REPORT CTEST-ARGUMENT...

On stderr: which program ended, of how many, and which run now; on a terminal in one
line that changes. On stdout, at the end: what the programs that failed have printed, and
"test: N passed, M failed". A case of a suite that runs by itself (unit/NAME) counts as
one, and so does each run under Valgrind and anything else that ctest runs. REPORT becomes
ctest's JUnit file. Exits with 0 if something passed and nothing else happened.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

START = re.compile(r"\s*Start\s+\d+: (\S+)")
END = re.compile(r"\s*(\d+)/(\d+) Test\s+#\d+: (\S+) \.*\s*(.*)")
OK = re.compile(r"^\[ +OK +\] ", re.MULTILINE)
BAD = re.compile(r"^\[ +(?:FAILED|ERROR) +\] ", re.MULTILINE)
SKIPPED = re.compile(r"^\[ +SKIPPED +\] ", re.MULTILINE)
OVER = re.compile(r"^\[=+\] .* test\(s\) run", re.MULTILINE)
SHOWN = 60  # lines of a program that failed


class Progress:
    """What is said while it goes on."""

    def __init__(self, stream):
        self.stream, self.live = stream, stream.isatty()
        self.now, self.total, self.ended = [], 0, 0

    def line(self, text, over=False):
        if self.live:
            self.stream.write("\r\033[K" + text[:100] + ("\n" if over else ""))
        elif over:
            self.stream.write(text + "\n")
        self.stream.flush()

    def take(self, line):
        start, end = START.match(line), END.match(line)
        if start:
            self.now.append(start.group(1))
        elif end:
            number, total, name, result = end.groups()
            self.ended, self.total = int(number), int(total)
            if name in self.now:
                self.now.remove(name)
            good = result.startswith("Passed")
            text = f"[{number}/{total}] {name}: " + " ".join(result.split())
            if not self.live or not good:
                self.line(text.replace("***", ""), over=True)
        if self.live and (start or end):
            self.line(f"[{self.ended}/{self.total or '?'}] now: " +
                      ", ".join(self.now))


class Count:
    """What passed, what failed, and what the failed have printed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = self.late = self.ended = 0
        self.shown = []

    def add(self, case):
        name, good = case.get("name"), case.get("status") == "run"
        if case.get("status") in ("notrun", "disabled"):
            return
        self.ended += 1
        said = case.findtext("system-out") or ""
        over = OVER.search(said)
        ok = len(OK.findall(said))
        bad = len(BAD.findall(said[:over.start()] if over else said))
        self.skipped += len(SKIPPED.findall(said))
        failure = case.find("failure")
        late = failure is not None and "Timeout" in failure.get("message", "")
        self.late += late
        if not name.startswith("unit/") or not (ok or bad):
            self.passed += good
            self.failed += not good
        else:
            self.passed += ok
            self.failed += 0 if good else max(bad, 1)
        if not good:
            self.shown.append(f"--- {name}: " +
                              ("timed out" if late else "failed"))
            self.shown += said.rstrip().split("\n")[-SHOWN:]

    def summary(self, total):
        text = f"test: {self.passed} passed, {self.failed} failed"
        if self.late:
            text += f", {self.late} timed out"
        if self.ended < total:
            text += f", {total - self.ended} of {total} programs did not run"
        return text


def run(report, arguments):
    """ctest's status, and of how many programs it spoke."""
    progress = Progress(sys.stderr)
    if os.path.exists(report):
        os.remove(report)
    with subprocess.Popen(
            ["ctest", *arguments, "--output-junit", report,
             "--test-output-size-passed", "100000000",
             "--test-output-size-failed", "100000000"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace") as ctest:
        for line in ctest.stdout:
            progress.take(line)
    progress.line("", over=progress.live)
    return ctest.returncode, progress.total


def main():
    report, arguments = os.path.abspath(sys.argv[1]), sys.argv[2:]
    status, total = run(report, arguments)
    count = Count()
    if os.path.exists(report):
        for case in xml.parse(report).getroot().iter("testcase"):
            count.add(case)
    for line in count.shown:
        print(line)
    if count.skipped:
        print(f"{count.skipped} skipped")
    print(count.summary(total))
    return int(bool(status or count.failed or not count.passed or
                    count.ended < total))


if __name__ == "__main__":
    sys.exit(main())
