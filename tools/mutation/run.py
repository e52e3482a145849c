#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Plants faults in lib/, one at a time, and sees which of them the suites catch.

    run.py --root DIR --build DIR --suites FILE [--sample N] [--seed S] [--file NAME]
        [--jobs N]

The library is a shared object, of which a fault costs one file's compilation and a
link; the test programs stay as they are. They run in an order that changes: who has
caught something runs first. What a program says does not count, but that it fails,
ends by a signal, or does not end. Whatever survives is run under other machines (no
IOMMU, bouncing), then against the programs that wrap the port and the threaded ones,
and last under AddressSanitizer.

Without --sample, all mutants. With it, a random choice of so many, by a seed that is
printed, and besides them all of the kind "safety", which is never sampled.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import mutants
from build import Build

# A mutant that hangs is caught. Most programs take less than a second.
LIMIT_S = 6
SLOW_LIMIT_S = 120


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True)
    parser.add_argument("--build", required=True, type=os.path.abspath)
    parser.add_argument("--suites", help="what CMake wrote: the files of each")
    parser.add_argument("--reviewed", help="survivors with their reasons")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--again", help="only what survived in this log")
    parser.add_argument("--file")
    parser.add_argument("--places", action="store_true",
                        help="print where faults can be planted, and plant none")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def key(mutant):
    """A name that outlives the lines that come and go above it."""
    return (f"{mutant.file}: {mutant.function}(): {mutant.kind}: "
            f"{mutant.what}")


class Judge:
    """Runs programs against a mutant until one catches it."""

    def __init__(self, build, watched):
        self.build = build
        self.watched = watched
        self.order = list(build.programs)
        self.lock = threading.Lock()

    def prefer(self, program):
        with self.lock:
            self.order.remove(program)
            self.order.insert(0, program)

    def run(self, command, libraries, more=None, limit=LIMIT_S):
        env = dict(os.environ, LD_LIBRARY_PATH=libraries, **(more or {}))
        try:
            return subprocess.run(
                command, env=env, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                timeout=limit, check=False).returncode != 0
        except subprocess.TimeoutExpired:
            return True

    def watches(self, mutant):
        """The same under AddressSanitizer, for what is not seen otherwise."""
        made = self.watched.plant(mutant)
        if not made:
            return None
        with made as (libraries, _):
            for program in self.watched.programs:
                if self.run([program], libraries, limit=SLOW_LIMIT_S):
                    return os.path.basename(program)
        return None

    def catches(self, libraries, objects):
        """The name of the program that catches it, or None."""
        with self.lock:
            order = list(self.order)
        for program in order:
            if self.run([program], libraries):
                self.prefer(program)
                return os.path.basename(program)
        for more in ({"TPSIM_IOMMU": "off"}, {"TPSIM_IOMMU": "lazy"},
                     {"TPSIM_IOMMU": "off", "TPSIM_SWIOTLB": "force"},
                     {"TPSIM_PAGE_SHIFT": "16"}):
            for program in self.build.portable:
                if self.run([program], libraries, more):
                    return os.path.basename(program)
        for program in self.build.wrapped(objects, libraries):
            if self.run([program], libraries):
                return os.path.basename(program)
        for program in self.build.slow:
            if self.run([program], libraries, limit=SLOW_LIMIT_S):
                return os.path.basename(program)
        return None


def choose(everything, options):
    if not options.sample or options.sample >= len(everything):
        return everything
    seed = options.seed or random.SystemRandom().randrange(1 << 32)
    print(f"mutation: a sample of {options.sample}, --seed {seed}")
    drawn = set(random.Random(seed).sample(range(len(everything)),
                                           options.sample))
    return [m for i, m in enumerate(everything)
            if i in drawn or m.kind == "safety"]


def reviewed(path):
    """Survivors that cannot be caught, each with its reason."""
    reasons = {}
    if not path:
        return reasons
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("| `"):
                name, reason = line.strip("|\n ").split("` | ", 1)
                reasons[name.strip("` ").replace("\\|", "|")] = reason
    return reasons


def stale(reasons, everything, only):
    """Reviewed names of places that are not there, in all files or in one."""
    there = {key(m) for m in everything}
    return [name for name in reasons
            if only in (None, name.split(":")[0]) and name not in there]


def survived(path):
    """What survived in a run before, by what it is: lines may have moved."""
    with open(path, encoding="utf-8") as log:
        return {re.sub(r"^survives: \d+: ", "", line).strip()
                for line in log if line.startswith("survives: ")}


def main():
    options = arguments()
    build = Build(options.root, options.suites, options.build)
    everything = [m for f in build.files(options.file) for m in f.mutants()]
    reasons = reviewed(options.reviewed)
    if options.places:
        print("\n".join(sorted({key(m) for m in everything})))
    gone = stale(reasons, everything, options.file)
    for name in gone:
        print(f"mutation: {options.reviewed} names a place that is not there: {name}")
    if gone or options.places:
        return bool(gone)
    build.prepare()
    watched = Build(options.root, options.suites, os.path.join(options.build, "asan"),
                    "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    watched.prepare()
    judge = Judge(build, watched)
    for one in (build, watched):
        for program in one.everything():
            if judge.run([program], one.plain, limit=SLOW_LIMIT_S):
                sys.exit(f"mutation: {program} fails without any fault")
    if options.again:
        everything = [m for m in everything
                      if key(m) in survived(options.again)]
    chosen = choose(everything, options)
    counts = {}
    survivors = []
    start = time.time()

    def one(mutant):
        made = build.plant(mutant)
        if not made:
            return mutant, "does not compile"
        with made as (libraries, objects):
            by = judge.catches(libraries, objects)
        return mutant, by or judge.watches(mutant)

    with ThreadPoolExecutor(options.jobs) as pool:
        for n, (mutant, by) in enumerate(pool.map(one, chosen)):
            if by == "does not compile":
                continue
            tried, caught = counts.get(mutant.kind, (0, 0))
            counts[mutant.kind] = (tried + 1, caught + (by is not None))
            if not by:
                survivors.append(mutant)
                print(f"survives: {mutant.line}: {key(mutant)}", flush=True)
            if n % 100 == 99:
                print(f"{n + 1} of {len(chosen)}, {len(survivors)} survive, "
                      f"{time.time() - start:.0f} s", flush=True)
    return report(counts, survivors, reasons, len(everything))


def report(counts, survivors, reasons, total):
    for kind, (tried, caught) in sorted(counts.items()):
        print(f"mutation: {kind:10s} {caught} of {tried} caught")
    open_ones = [m for m in survivors if key(m) not in reasons]
    for mutant in open_ones:
        print(f"open: {mutant.line}: {key(mutant)}")
    tried = sum(t for t, _ in counts.values())
    caught = sum(c for _, c in counts.values())
    same = len(survivors) - len(open_ones)
    score = 100 * caught / (tried - same) if tried > same else 0
    safe = [m for m in open_ones if m.kind == "safety"]
    print(f"mutation: {caught} of {tried - same} planted faults caught, "
          f"{score:.1f} %, of {total} there are; {same} more change nothing "
          f"that can be seen; {len(safe)} dropped safety statements survive")
    return score < 95 or safe


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
