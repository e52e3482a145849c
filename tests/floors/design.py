#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""docs/design.md says what each file of lib/ is for and which files it may call.

    design.py LIB DESIGN [OBJECT...]

A line is | `file.c` | what it is for | files that it may call |. Fails if a file has no
line or a line no file, if a line names a file that is not above it, or if an object
needs another one that its line does not name.
"""

import glob
import os
import re
import sys

from floors import Objects, short

LINE = re.compile(r"^\| `(\w+)\.([ch])` \| [^|]+ \|([^|]*)\|$", re.MULTILINE)


def main():
    lib, design = sys.argv[1:3]
    objects = Objects(sys.argv[3:])
    with open(design, encoding="utf-8") as file:
        lines = {name + "." + kind: re.findall(r"\w+", called)
                 for name, kind, called in LINE.findall(file.read())}
    files = {os.path.basename(path) for path in
             glob.glob(os.path.join(lib, "*/*.[ch]"))}
    wrong = []
    for name in sorted(files - lines.keys()):
        wrong.append(f"{name} has no line")
    for name in sorted(lines.keys() - files):
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
    for line in wrong:
        print("design: " + line)
    print(f"design: {len(files)} files, {len(objects.symbols)} objects; "
          f"{len(wrong)} faults")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
