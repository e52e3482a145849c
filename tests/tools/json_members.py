#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""docs/traces.md describes each member of the JSON that a replay prints, and no other.

    json_members.py REPLAY PAGE TRACE
"""

import json
import re
import subprocess
import sys

replay, page, trace = sys.argv[1:]
# Options that make every member appear.
line = subprocess.run([replay, "--json", "--budget", "100000", trace], check=True,
                      text=True, stdout=subprocess.PIPE).stdout


def members(value):
    """The names of all members, at any depth."""
    if isinstance(value, list):
        value = {str(i): item for i, item in enumerate(value)}
        return set().union(*map(members, value.values()))
    if isinstance(value, dict):
        return set(value).union(*map(members, value.values()))
    return set()


section = open(page, encoding="utf-8").read().split("## JSON\n")[1].split("\n## ")[0]
rows = [row for row in section.split("\n") if row.startswith("| `")]
described = set(re.findall(r"`([a-z][a-z0-9_]*)`", "\n".join(rows)))
described -= {"plain", "coherent", "free"}
found = members(json.loads(line))
for name in sorted(found - described):
    print(f"json: {page} does not describe {name}")
for name in sorted(described - found):
    print(f"json: {page} describes {name}, which a replay does not print")
print(f"json: {len(found)} members")
sys.exit(found != described)
