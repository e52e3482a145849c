#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The floors hold: lib/buffer stands on lib/pool, and nothing calls upward.

    floors.py --pool A.o... --buffer B.o... [--others O.o...]
    floors.py --others O.o... [--kernel] [--interface HEADER]

Reads the objects with nm, and fails, naming files and symbols, if

- an object of the pool floor needs a symbol that the buffer floor defines
- two objects need each other, directly or through others
- an object of the pool floor needs magazine.o, runs.o or prime.o: these are ways
  in and out on which nothing may stand
- a global name does not begin with ttmpool_, tpos_ or tpsim_. --kernel: a trace
  event adds names of the kernel's own make, and a module has an entry and an exit.
  --interface: so may be what this header declares, whose functions the objects are.
"""

import argparse
import functools
import os
import re
import subprocess
import sys

OURS = ("ttmpool_", "tpos_", "tpsim_")

# The names that the kernel's macros make from an event, a function or a module.
KERNEL = re.compile(r"^(__pfx_|__SC[KT]__tp_func_|__(tracepoint|traceiter|probestub)_)*")
MODULE = ("init_module", "cleanup_module", "__this_module", "__start_alloc_tags",
          "__stop_alloc_tags")

TOPS = ("magazine", "runs", "prime")


@functools.lru_cache(maxsize=None)
def nm(path):
    """The global symbols that an object defines, and those that it needs."""
    defined, needed = set(), set()
    text = subprocess.run(["nm", "-g", path], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2:
            continue
        (needed if words[-2] in "Uwv" else defined).add(words[-1])
    return defined, needed


def short(path):
    """lib/pool/bin.c.o is bin."""
    return os.path.basename(path).split(".")[0]


class Objects:
    """Objects, and who needs whom for which symbols."""

    def __init__(self, paths):
        self.symbols = {path: nm(path) for path in paths}
        self.owner = {}
        for path, (defined, _) in self.symbols.items():
            for symbol in defined:
                self.owner[symbol] = path

    def needs(self, path):
        """{other object: symbols}"""
        found = {}
        for symbol in self.symbols[path][1]:
            other = self.owner.get(symbol)
            if other and other != path:
                found.setdefault(other, set()).add(symbol)
        return found

    def cycle(self):
        """A list of objects of which each needs the next and the last the first."""
        state, way = {}, []

        def visit(path):
            state[path] = "open"
            way.append(path)
            for other in self.needs(path):
                if state.get(other) == "open":
                    return way[way.index(other):]
                if other not in state:
                    found = visit(other)
                    if found:
                        return found
            state[path] = "done"
            way.pop()
            return None

        for path in self.symbols:
            if path not in state:
                found = visit(path)
                if found:
                    return found
        return None


def is_ours(symbol, kernel, interface):
    """May a global symbol have this name?"""
    if kernel:
        symbol = KERNEL.sub("", symbol)
    return (symbol.startswith(OURS) or kernel and symbol in MODULE or
            re.search(rf"\b{re.escape(symbol)}\(", interface) is not None)


def check_names(objects, kernel, interface):
    """What is wrong with the names of global symbols, one line each."""
    for path in objects:
        for symbol in sorted(nm(path)[0]):
            if not is_ours(symbol, kernel, interface):
                yield f"{short(path)}.c: the global name {symbol} is not ours"


def check_floors(pool, buffer):
    """What is wrong between the floors, one line each."""
    objects = Objects(pool + buffer)
    for path in pool:
        for other, symbols in objects.needs(path).items():
            names = ", ".join(sorted(symbols))
            if other in buffer:
                yield f"{short(path)}.c is on the pool floor and calls up, " \
                      f"to {short(other)}.c: {names}"
            if short(other) in TOPS:
                yield f"{short(path)}.c stands on {short(other)}.c: {names}"
    cycle = objects.cycle()
    if cycle:
        yield "files need each other: " + " -> ".join(
            short(path) + ".c" for path in cycle + cycle[:1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for kind in ("pool", "buffer", "others"):
        parser.add_argument("--" + kind, nargs="*", default=[])
    parser.add_argument("--kernel", action="store_true")
    parser.add_argument("--interface", type=argparse.FileType("r"))
    args = parser.parse_args()
    everything = args.pool + args.buffer + args.others
    if not everything:
        sys.exit("floors: no object to look at")
    interface = args.interface.read() if args.interface else ""
    wrong = list(check_floors(args.pool, args.buffer))
    wrong += check_names(everything, args.kernel, interface)
    for line in wrong:
        print("floors: " + line)
    print(f"floors: {len(args.pool)} objects of pages, {len(args.buffer)} of buffers, "
          f"{len(args.others)} others; {len(wrong)} faults")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
