#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""docs/design.md says what each file of lib/ is for and which files it may call.

    design.py LIB DESIGN [OBJECT...]

A line is | `file.c` | what it is for | files that it may call |. Fails if a file has no
line or a line no file, if a line names a file that is not above it, if an object needs
another one that its line does not name, or if a function has more than 60 lines.
"""

import glob
import os
import re
import statistics
import sys

from floors import Objects, short

LONGEST = 60
LINE = re.compile(r"^\| `(\w+)\.([ch])` \| [^|]+ \|([^|]*)\|$", re.MULTILINE)


def functions(text):
    """The lengths of the functions in a file, each with the line where it begins: what
    clang-format has written, so a body is between braces in the first column."""
    begin = opened = 0
    for at, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#") or line.endswith(("*/", ";")):
            begin = 0 if not opened else begin
        elif line == "{":
            opened = begin
        elif line == "}" and opened:
            yield at - opened + 1, opened
            begin = opened = 0
        elif not begin:
            begin = at


def main():
    lib, design = sys.argv[1:3]
    objects = Objects(sys.argv[3:])
    with open(design, encoding="utf-8") as file:
        lines = {name + "." + kind: re.findall(r"\w+", called)
                 for name, kind, called in LINE.findall(file.read())}
    files = {os.path.basename(path): path for path in
             sorted(glob.glob(os.path.join(lib, "*/*.[ch]")))}
    wrong, lengths = [], []
    for name in sorted(files.keys() - lines.keys()):
        wrong.append(f"{name} has no line")
    for name in sorted(lines.keys() - files.keys()):
        wrong.append(f"there is no {name}")
    above = set()
    for name, called in lines.items():
        for other in called:
            if other not in above:
                wrong.append(f"{name} may not call {other}.c, which is not above it")
        above.add(name.split(".")[0])
    for path in objects.symbols:
        for other, symbols in objects.needs(path).items():
            if short(other) not in lines.get(short(path) + ".c", []):
                wrong.append(f"{short(path)}.c calls {short(other)}.c, which its line "
                             f"does not name: {', '.join(sorted(symbols))}")
    for name, path in files.items():
        with open(path, encoding="utf-8") as file:
            for length, at in functions(file.read()):
                lengths.append(length)
                if length > LONGEST:
                    wrong.append(f"{name}:{at}: a function of {length} lines, of at "
                                 f"most {LONGEST}")
    if len(lengths) < 4 * len(files):
        wrong.append(f"no more than {len(lengths)} functions were found")
    for line in wrong:
        print("design: " + line)
    print(f"design: {len(files)} files, {len(lengths)} functions of at most "
          f"{max(lengths, default=0)} lines, median "
          f"{statistics.median(lengths or [0]):g}; {len(wrong)} faults")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
