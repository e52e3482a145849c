#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""No function of lib/ is longer than 60 lines.

    functions.py SOURCE...

A function begins at a brace in the first column, as everywhere in this tree, and ends
at the next one. Prints the longest, and the median.
"""

import pathlib
import statistics
import sys

MOST = 60


def functions(path):
    """(line, lines) of each function of a file."""
    begin = 0
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if line == "{":
            begin = number
        elif line == "}" and begin:
            yield begin, number - begin - 1
            begin = 0


def main(sources):
    """Look at all of them."""
    sizes, faults = [], 0
    for source in sources:
        for path in sorted(pathlib.Path(source).rglob("*.c")):
            for line, size in functions(path):
                sizes.append(size)
                if size > MOST:
                    print(f"{path}:{line}: a function of {size} lines")
                    faults += 1
    if not sizes:
        print("no function was found")
        return 1
    print(f"{len(sizes)} functions of at most {max(sizes)} lines, with a median of "
          f"{statistics.median(sizes):g}")
    return faults > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
