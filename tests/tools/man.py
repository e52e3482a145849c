#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A man page says what the program's --help says.

    man.py PROGRAM PAGE [--plant OPTION]

Fails if PAGE lacks an option that PROGRAM --help names, or words its description
differently. --plant: as if --help named OPTION, too.
"""

import re
import subprocess
import sys


def words(text):
    return " ".join(text.split())


def options(text):
    """The options of a page of help, and what is said of each."""
    found = []
    for line in text.splitlines():
        start = re.match(r"  (-\S.*?)(?:  +(.*))?$", line)
        if start:
            found.append([start.group(1), start.group(2) or ""])
        elif found and re.match(r" {8,}\S", line):
            found[-1][1] += " " + line
        elif found and found[-1][1]:
            found.append(["", ""])
    return [(name, words(about)) for name, about in found if name]


def plain(roff):
    """The text of a page, without its macros."""
    lines = []
    for line in roff.splitlines():
        line = re.sub(r"^\.(TP|HP|PP|IP|RS|RE|SS|SH|TH|\\\").*", "", line)
        lines.append(re.sub(r"^\.[BI]R? ", "", line))
    text = re.sub(r"\\f[A-Z]", "", "\n".join(lines))
    return words(re.sub(r"\\(.)", r"\1", text.replace("\\&", "")))


def main():
    program, page = sys.argv[1:3]
    help_text = subprocess.run([program, "--help"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
    with open(page, encoding="utf-8") as file:
        text = plain(file.read())
    named = options(help_text)
    if sys.argv[3:4] == ["--plant"]:
        named.append((sys.argv[4], "planted"))
    if len(named) < 2:
        sys.exit("man: --help names no options")
    lacking = [name for name, about in named
               if f"{name} {about}" not in text]
    for name in lacking:
        print(f"man: {page} differs from --help: {name}")
    print(f"man: {len(named) - len(lacking)} of {len(named)} options agree")
    sys.exit(bool(lacking))


if __name__ == "__main__":
    main()
