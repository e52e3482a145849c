#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The headers follow the floors.

    headers.py SOURCE CC CXX [--pages HEADER]

Fails if a public header does not compile by itself, twice over, as pedantic C11 and
C++11; or if <ttmpool/pool.h>, which has pages, declares anything that a header of
buffers defines. --pages: ask that of another header.
"""

import argparse
import glob
import os
import re
import subprocess
import sys

BUFFERS = ("tt", "backend", "swap")
# A struct or an enum with its members, a function, a variable.
DECLARED = re.compile(r"^(?:(?:struct|enum) (ttmpool_\w+)\s*\{|"
                      r"(?:\w+[\s*]+)+(ttmpool_\w+)\(|"
                      r"extern [^;]*?(ttmpool_\w+);)", re.MULTILINE)


def declared(text):
    """What this text declares, but for structs that it only names."""
    text = re.sub(r"__attribute__\(\(\w+\)\)\s*", "", text)
    return {name for names in DECLARED.findall(text) for name in names if name}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("source")
    parser.add_argument("cc")
    parser.add_argument("cxx")
    parser.add_argument("--pages", default="ttmpool/pool.h")
    args = parser.parse_args()
    include = os.path.join(args.source, "include")
    wrong = []

    def compiled(header, *options, cc=(args.cc, "-std=c11", "-xc")):
        done = subprocess.run(
            [*cc, "-Wall", "-Wextra", "-Wpedantic", "-Werror",
             "-I" + include, "-I" + os.path.join(args.source, "shim/userspace"),
             *options, "-"], text=True, capture_output=True, check=False,
            input=f"#include <{header}>\n#include <{header}>\nextern int one;\n")
        if done.returncode:
            wrong.append(f"<{header}> does not compile by itself as {cc[1]}: "
                         f"{done.stderr}")
        return done.stdout

    headers = [os.path.relpath(path, include) for path in
               sorted(glob.glob(os.path.join(include, "ttmpool/*.h")))]
    for header in headers + ["ttmpool_port.h", "tpsim.h"]:
        compiled(header, "-fsyntax-only")
        compiled(header, "-fsyntax-only", cc=(args.cxx, "-std=c++11", "-xc++"))
    buffers = set()
    for name in BUFFERS:
        with open(os.path.join(include, f"ttmpool/{name}.h"), encoding="utf-8") as file:
            buffers |= declared(file.read())
    if not {"ttmpool_backend", "ttmpool_populate", "ttmpool_backend_plain",
            "ttmpool_swapout", "ttmpool_tt_state"} <= buffers:
        wrong.append("the buffers' headers could not be read")
    for name in sorted(buffers & declared(compiled(args.pages, "-E", "-P"))):
        wrong.append(f"<{args.pages}> declares {name}")
    for line in wrong:
        print("headers: " + line)
    print(f"headers: {len(headers)} public headers, {len(buffers)} declarations of "
          f"buffers; {len(wrong)} faults")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
