#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Show promises.py a small tree that holds, and then the same tree with one fault each.

Each fault has to be found, and named with its file, its line and its words.
"""

import pathlib
import subprocess
import sys
import tempfile

HEADER = """\
/**
 * ttmpool_lend() - lend a page
 * @n: how many; at least one
 *
 * A page is never lent twice. It is white.
 *
 * Return: 0; -EINVAL for no page, and then nothing has changed.
 */
int ttmpool_lend(int n);
"""
DESIGN = "# Why\n\nLending must be quick.\n"
TESTS = "one_page_is_lent_once\nno_page_is_refused\n"
TOOL = pathlib.Path(__file__).with_name("promises.py")

# The change of each file, and what the tool must find then.
PLANTS = [
    ("lend.h", "It is white.", "It must be white.",
     ["include/ttmpool/lend.h:5: ttmpool_lend: no row covers “It must be white.”"]),
    ("lend.h", "never lent twice", "not lent twice, ever, or never",
     ["the sentence CODE of ttmpool_lend was changed or is gone",
      "no row covers “A page is not lent twice, ever, or never.”"]),
    ("lend.h", "Return: 0;", "Return: 0; -ENOMEM;",
     ["include/ttmpool/lend.h:7: ttmpool_lend: no row covers “-ENOMEM”"]),
    ("lend.h", "int ttmpool_lend(int n);",
     "int ttmpool_lend(int n);\nvoid ttmpool_end(void);",
     ["include/ttmpool/lend.h:10: ttmpool_end(): no row names a test of it"]),
    ("lend.h", "ttmpool_lend", "ttmpool_loan",
     ["there is no ttmpool_lend any more"]),
    ("design.md", "quick.", "quick. Nobody must wait.",
     ["docs/design.md:3: design.md: no row covers “Nobody must wait.”"]),
    ("tests", "no_page_is_refused\n", "", ["there is no test no_page_is_refused"]),
    ("promises.md", "no_page_is_refused", "", ["no test is named for “"]),
    ("promises.md", "model:check_lent", "model:check_loans",
     ["there is no test model:check_loans"]),
]


def run(root, *more):
    """What the tool prints, and whether it is content."""
    done = subprocess.run(
        [sys.executable, TOOL, root, root / "tests.txt", *more],
        capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, done.returncode == 0


def plant_tree(root):
    """Write the tree that holds; its table is made of what the tool asks for."""
    files = {"lend.h": root / "include/ttmpool/lend.h",
             "design.md": root / "docs/design.md",
             "promises.md": root / "docs/promises.md",
             "tests": root / "tests.txt",
             "model": root / "tests/model/checks.c"}
    for path in files.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    files["lend.h"].write_text(HEADER)
    files["design.md"].write_text(DESIGN)
    files["tests"].write_text(TESTS)
    files["model"].write_text("void check_lent(void);\n")
    files["promises.md"].write_text("")
    asked, _ = run(root, "--rows")
    rows = asked.strip().split("\n")
    for i, line in enumerate(rows):
        test = "no_page_is_refused" if "-EINVAL" in line else \
            "one_page_is_lent_once, model:check_lent"
        rows[i] = line.replace("| |", f"| {test} |")
    files["promises.md"].write_text("\n".join(rows) + "\n")
    return files


def main():
    """Plant each fault."""
    faults = []
    for name, old, new, wanted in [("", "", "", [])] + PLANTS:
        with tempfile.TemporaryDirectory() as where:
            root = pathlib.Path(where)
            files = plant_tree(root)
            table = files["promises.md"].read_text()
            if name:
                text = files[name].read_text()
                if old not in text:
                    faults.append(f"nothing to replace: {old}")
                files[name].write_text(text.replace(old, new))
            said, content = run(root)
        code = next(line[2:8] for line in table.split("\n") if "never lent" in line)
        if content == bool(name):
            faults.append(f"{name}: {new!r}: exit status\n{said}")
        for words in wanted:
            if words.replace("CODE", code) not in said:
                faults.append(f"{name}: {new!r}: not found: {words}\n{said}")
    for fault in faults:
        print("wrong:", fault)
    print(f"{len(PLANTS)} planted, {len(faults)} not found")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
