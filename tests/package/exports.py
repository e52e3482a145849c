#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A shared library shows what its headers declare, and nothing else.

    exports.py PREFIX CC [--plant NAME]

Fails if libttmpool.so or libttmpool-pool.so below PREFIX exports a name that the
installed headers do not declare, lacks one that they do, or has another soname than
NAME.so.0. <ttmpool/testing*.h> do not count: they are of a library that is static
alone. --plant: as if the headers declared NAME, too.
"""

import argparse
import glob
import os
import re
import subprocess
import sys

BUFFERS = ("backend.h", "swap.h", "tt.h", "ttmpool.h")
NAME = r"((?:ttmpool|tpos|tpsim)_\w+)"


def output(*command, text=None):
    return subprocess.run(command, check=True, text=True, input=text,
                          stdout=subprocess.PIPE).stdout


def declared(cc, include, headers):
    """The functions and variables that headers declare, but do not define."""
    text = output(cc, "-std=c11", "-E", "-P", "-I" + include,
                  "-I" + os.path.join(include, "ttmpool/userspace"), "-xc", "-",
                  text="".join(f"#include <{header}>\n" for header in headers))
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"__attribute__\s*\(\(\w+\)\)", "", text)
    while re.search(r"\{[^{}]*\}", text):
        text = re.sub(r"\{[^{}]*\}", "{", text).replace("{", "\0")
    names = set()
    for statement in re.split(r"[;\0]", text):
        words = " ".join(statement.split())
        if words.startswith(("static", "typedef")):
            continue
        found = (re.match(rf"[\w\s*]*?\b{NAME}\s*\(", words) or
                 re.match(rf"extern .*\b{NAME}$", words))
        if found:
            names.add(found.group(1))
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("prefix")
    parser.add_argument("cc")
    parser.add_argument("--plant")
    args = parser.parse_args()
    include = os.path.join(args.prefix, "include")
    headers = ["tpsim.h", "ttmpool_port.h"] + sorted(
        os.path.relpath(path, include)
        for path in glob.glob(os.path.join(include, "ttmpool/*.h")))
    headers = [h for h in headers if not os.path.basename(h).startswith("testing")]
    pages = [h for h in headers if os.path.basename(h) not in BUFFERS]
    wrong = []
    for name, of in (("libttmpool", headers), ("libttmpool-pool", pages)):
        paths = glob.glob(f"{args.prefix}/**/{name}.so", recursive=True)
        if len(paths) != 1:
            sys.exit(f"exports: {name}.so is {len(paths)} times there")
        wanted = declared(args.cc, include, of)
        if args.plant:
            wanted.add(args.plant)
        there = {line.split()[-1].split("@")[0] for line in output(
            "nm", "-D", "--defined-only", paths[0]).splitlines()
                 if line.split()[-2] != "A"}
        wrong += [f"{name}.so exports {symbol}, which no header declares"
                  for symbol in sorted(there - wanted)]
        wrong += [f"{name}.so lacks {symbol}" for symbol in sorted(wanted - there)]
        if f"Library soname: [{name}.so.0]" not in output("readelf", "-d", paths[0]):
            wrong.append(f"{name}.so has another soname")
        print(f"exports: {name}.so: {len(there)} names, {len(wanted)} declared")
    for line in wrong:
        print("exports: " + line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
