#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Compare docs/promises.md with the headers and with the tests that there are.

    promises.py ROOT TESTS [--rows]

ROOT is the source tree; TESTS is a file with one name of a test in each line, as
./dev test --list prints them. The tool fails if

  - a public function has no row that names a test,
  - a sentence of a public header or of docs/design.md has a promise word in it (see
    WORDS), or is a clause of a "Return:" section, and no row carries its code,
  - a row names a test, an oracle or an identifier that does not exist,
  - a row carries the code of a sentence that was changed or removed.

The code of a sentence is a hash of its words and of the function or structure that
it is about. So a changed sentence has another code: somebody has to look at the row,
and at its tests, again. --rows prints a row to be filled in for each sentence that
has none.
"""

import hashlib
import pathlib
import re
import sys

TABLE = "docs/promises.md"
HEADERS = "include/ttmpool/*.h"
MACHINE = "shim/userspace/tpsim.h"
DESIGN = "docs/design.md"

# A sentence with one of these words says what always or never happens.
WORDS = re.compile(
    r"\b(must|never|always|at most|at least|no more than|not more than|before|"
    r"whatever|nothing|none of|cannot|can not|does not|do not|is not|are not|"
    r"may not|not be|not change|no longer|when (it|this|they) returns?|until|"
    r"exactly|refuses?|refused|aborts?|as (it|they) (is|was|were)|bounded|"
    r"deadline|guaranteed?|promises?)\b|(?<![\w-])-E[A-Z]{3,}", re.I)

# A document explains more than it promises: there, only the plainest words count.
PLAIN_WORDS = re.compile(
    r"\b(must|never|always|at most|at least|no more than|not more than|before|"
    r"whatever fails|nothing has changed|cannot|promises?)\b", re.I)

# Sentences that are no promise of ours, and why: the caller's duty, or a text that
# explains.
NO_TEST = re.compile(r"^(duty|text): \S")

# Oracles that are no test cases by themselves, and where they are: PLACE:NAME in a row.
ORACLES = {
    "model": ["tests/model/*.c"],
    "schedules": ["tests/schedules/*.c"],
    "sweep": ["tests/sim/*.c", "tests/sim/*.h"],
    "spin": ["tests/spin/*.pml"],
    "kernel": ["tests/kernel/*.c", "tests/faults/*.c", "tests/races/*.c",
               "tools/kernel/init*.sh"],
    "ttm": ["tests/ttm/*.c", "tests/ttm-client/*.c"],
    "bench": ["tools/bench/limits.txt", "tools/bench/*.sh"],
    "check": ["tools/check/steps.txt"],
    "machine": ["shim/userspace/*.c", "shim/userspace/*.h"],
}


# The beginning of a paragraph: a member, an item of a list, a row, a result, and in os.h
# a macro of the port.
BEGINS = re.compile(r"\s*(@\w+.*:|[A-Z0-9_]+(, [A-Z0-9_]+)*:|- |\* |\d+\. |\||Return:)|"
                    r"\s{2,}(\w+\s{2,})?tpos_\w+\(|\s{3}\w+\s{2,}\w")


class Sentence:
    """A sentence of a file, and what it is about."""

    def __init__(self, path, line, name, text, is_result=False):
        self.path, self.line, self.name = path, line, name
        self.text = " ".join(text.split())
        self.is_result = is_result
        digest = hashlib.sha1(f"{name}: {self.text}".encode())
        self.code = digest.hexdigest()[:6]

    def promises(self):
        """Does it need a row?"""
        if self.is_result:
            return self.text not in ("0", "Return: 0", "Return: 0.")
        words = PLAIN_WORDS if self.path.endswith(".md") else WORDS
        return bool(words.search(self.text))

    def __str__(self):
        return f"{self.path}:{self.line}: {self.name}: “{self.text}” [{self.code}]"


def split(path, line, name, text, is_result=False):
    """The sentences of a paragraph; of a result also the clauses."""
    ends = r"(?<=[.!?])(?<!vol\.)\s+(?=[A-Z@\"(*0-9`\[]|-E[A-Z])"
    if is_result:
        ends = r"(?<=;)\s+|" + ends
    for part in re.split(ends, " ".join(text.split())):
        part = part.strip(" ;") if is_result else part.strip()
        if part:
            yield Sentence(path, line, name, part, is_result)


def paragraphs(lines):
    """(line, text) of each paragraph; an @member and a list item begin one."""
    start, words = 0, []
    for number, line in lines:
        begins = BEGINS.match(line)
        line = line.strip()
        if words and (not line or begins):
            yield start, " ".join(words)
            words = []
        if line:
            if not words:
                start = number
            words.append(line)
    if words:
        yield start, " ".join(words)


def comments(text):
    """(line of the first word, lines) of each comment that stands by itself."""
    for found in re.finditer(r"^[ \t]*/\*(.*?)\*/", text, re.S | re.M):
        body = found.group(1)
        line = text.count("\n", 0, found.start(1)) + 1
        yield line, [(line + i, re.sub(r"^[ \t]*\*+ ?", "", part).rstrip())
                     for i, part in enumerate(body.split("\n"))]


def subject(lines, path):
    """What a comment is about, by its first line; and the rest of it."""
    lines = list(lines)
    while lines and not lines[0][1].strip():
        lines.pop(0)
    if lines:
        found = re.match(r"(?:(?:struct|enum|union) )?((?:ttmpool|tpos|tpsim|TTMPOOL|"
                         r"TPOS)_?\w*)(?:\(\))?(?:, [\w()]+)* - (.*)", lines[0][1].strip())
        if found:
            return found.group(1), [(lines[0][0], found.group(2))] + lines[1:]
    return pathlib.Path(path).name, lines


def of_header(path, text):
    """All sentences in the comments of a header."""
    for _, lines in comments(text):
        if any("SPDX" in part for _, part in lines):
            continue
        name, lines = subject(lines, path)
        for line, paragraph in paragraphs(lines):
            yield from split(path, line, name, paragraph,
                             paragraph.startswith("Return:"))


def of_document(path, text):
    """All sentences of a text in Markdown, but for what is set as code."""
    lines = [(i + 1, "" if line.startswith("    ") else line.rstrip())
             for i, line in enumerate(text.split("\n"))]
    for line, paragraph in paragraphs(lines):
        if paragraph.startswith("|"):
            yield Sentence(path, line, pathlib.Path(path).name, paragraph)
        elif not paragraph.startswith("#"):
            yield from split(path, line, pathlib.Path(path).name, paragraph)


def code_of(text):
    """A header without its comments."""
    return re.sub(r"/\*.*?\*/", lambda c: re.sub(r"[^\n]", " ", c.group()), text,
                  flags=re.S)


def functions(text):
    """(line, name) of each function that a header declares."""
    code = code_of(text)
    # A declaration begins in the first column; a macro and a call do not.
    for found in re.finditer(
            r"^(?!#|typedef|return|\})[A-Za-z_][^;{}()#]*?\b((?:ttmpool|tpos)_\w+)\(",
            code, re.M):
        yield code.count("\n", 0, found.start(1)) + 1, found.group(1)


class Row:
    """A line of the table."""

    def __init__(self, line, cells):
        self.line = line
        self.codes = re.findall(r"\b[0-9a-f]{6}\b", cells[0])
        self.names = re.findall(r"[\w.]+", cells[1].replace("`", "").replace("()", ""))
        self.text = cells[2]
        self.last = cells[3]
        self.is_exempt = bool(NO_TEST.match(cells[3]))
        self.tests = [] if self.is_exempt else \
            re.findall(r"[\w:.-]+", cells[3].replace("`", ""))


def rows(text):
    """The lines of all tables, but for their heads."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.startswith("|") or re.match(r"\|[-| :]+\|$", line):
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells[0] != "code":
            yield Row(number, (cells + [""] * 4)[:4])


class Tree:
    """What there is: headers, sentences, functions, tests, oracles."""

    def __init__(self, root, tests):
        self.root = pathlib.Path(root)
        self.tests = set(tests)
        self.sentences, self.functions, self.words = [], [], set()
        for path in sorted(self.root.glob(HEADERS)):
            self.add_header(path, True)
        if (self.root / MACHINE).exists():
            self.add_header(self.root / MACHINE, False)
        design = self.root / DESIGN
        if design.exists():
            self.words.add(design.name)
            self.sentences += of_document(DESIGN, design.read_text())

    def add_header(self, path, is_public):
        """Read one; each function of a public one needs a row."""
        text = path.read_text()
        name = str(path.relative_to(self.root))
        self.words.add(path.name)
        self.words.update(re.findall(r"\w+", code_of(text)))
        self.sentences += of_header(name, text)
        if is_public:
            self.functions += [(name, line, f) for line, f in functions(text)]

    def has_test(self, name):
        """Is there a test, or an oracle, of that name?"""
        place, _, oracle = name.partition(":")
        if not oracle:
            return name in self.tests
        pattern = re.compile(rf"(?<![\w-]){re.escape(oracle)}(?![\w-])")
        return any(pattern.search(path.read_text())
                   for glob in ORACLES.get(place, [])
                   for path in self.root.glob(glob))


def judge_rows(tree, table, wrong):
    """What is wrong with the rows; returns the codes and the names they cover."""
    known = {s.code: s for s in tree.sentences}
    covered, tested = set(), set()
    for row in table:
        at = f"{TABLE}:{row.line}"
        for code in row.codes:
            if code not in known:
                wrong(f"{at}: the sentence {code} of {' '.join(row.names)} was changed "
                      f"or is gone; doubt it again: “{row.text}”")
            elif code in covered:
                wrong(f"{at}: {code} is in another row already")
            covered.add(code)
        for name in row.names:
            if name not in tree.words:
                wrong(f"{at}: there is no {name} any more: “{row.text}”")
        if not row.is_exempt:
            judge_tests(tree, row, at, wrong)
            tested.update(row.names)
    return covered, tested


def judge_tests(tree, row, at, wrong):
    """Does a row name tests, and are there such?"""
    if not row.tests:
        wrong(f"{at}: no test is named for “{row.text}”")
    for name in row.tests:
        if not tree.has_test(name):
            wrong(f"{at}: there is no test {name}: “{row.text}”")


def judge(tree, table, wrong):
    """Say what is wrong, and return what there is to be counted."""
    covered, tested = judge_rows(tree, table, wrong)
    codes = {}
    for sentence in tree.sentences:
        other = codes.setdefault(sentence.code, sentence)
        if other.text != sentence.text:
            wrong(f"{sentence}: has the code of another sentence: {other}")
    missing = [s for s in codes.values() if s.promises() and s.code not in covered]
    for sentence in missing:
        wrong(f"{sentence.path}:{sentence.line}: {sentence.name}: no row covers "
              f"“{sentence.text}” [{sentence.code}]")
    for path, line, name in tree.functions:
        if name not in tested:
            wrong(f"{path}:{line}: {name}(): no row names a test of it")
    return missing, covered


def main(arguments):
    """Compare them; or print what is missing."""
    root, tests = arguments[:2]
    tree = Tree(root, pathlib.Path(tests).read_text().split())
    table = list(rows((tree.root / TABLE).read_text()))
    faults = []
    missing, covered = judge(tree, table, faults.append)
    if "--rows" in arguments:
        for s in missing:
            print(f"| {s.code} | `{s.name}` | {s.text} | |")
        return 0
    for fault in faults:
        print("wrong:", fault)
    if faults:
        print(f"promises: {len(faults)} faults")
        return 1
    names = {name for row in table for name in row.tests}
    exempt = [row for row in table if row.is_exempt]
    duties = sum(row.last.startswith("duty") for row in exempt)
    print(f"promises: {len(covered)} sentences and {len(tree.functions)} functions in "
          f"{len(table) - len(exempt)} promises, which {len(names)} tests and oracles "
          f"doubt; {duties} are the caller's part, {len(exempt) - duties} promise nothing")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
