# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Which faults can be planted in lib/: each is one place in one file, and what is
written there instead.

clang parses the files (python3-clang, kept with LLVM), so a place is an expression or
a statement and not a pattern of text, and what is planted compiles. (pycparser, the
other parser that Debian has, gives no end of an expression, and wants preprocessed
text.)

    relation    a < b     a <= b, a >= b
    arithmetic  a + b     a - b
    logic       a && b    a || b;  !a  a;  if (a)  if (!(a))
    constant    3         4
    return      return x  return another value of that kind
    dropped     f(x);     nothing; also assignments, increments, break, continue
    safety      one of those that are dropped: what unmaps, flushes, clears, makes
                write-back, unlocks, releases, wakes, or returns to a budget

Left alone are assertions, and tpos_cond_resched(), which do nothing that can be told
from outside.
"""

import bisect
import re
from collections import namedtuple

from clang.cindex import CursorKind, Index

Mutant = namedtuple("Mutant",
                    "file function line begin end text kind what")

RELATIONS = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="),
             ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "<<": ">>", ">>": "<<",
              "&": "|", "|": "&", "^": "&", "%": "/"}
ASSIGNED = {"+=": "-=", "-=": "+=", "|=": "=", "&=": "="}
LOGIC = {"&&": "||", "||": "&&"}

SAFETY = re.compile(
    r"unmap|clear|strip|caching|unlock|free|release|quarantine|condemn|forget|"
    r"wake|budget_return|note_parked|note_issued|set_chunk|close|drop|retry|"
    r"unclaim|check|verify")
INVISIBLE = re.compile(r"^tpos_(cond_resched|(mutex_)?assert)")


class File:
    """One file of lib/, and the places in it."""

    def __init__(self, path, name, args):
        self.path = path
        self.name = name
        with open(path, "rb") as source:
            self.bytes = source.read()
        self.unit = Index.create().parse(path, args=args)
        self.starts = [0] + [i + 1 for i, c in enumerate(self.bytes)
                             if c == 10]
        self.quiet = self.assertions()
        self.functions = [c for c in self.unit.cursor.get_children()
                          if c.kind == CursorKind.FUNCTION_DECL and
                          c.is_definition() and self.is_here(c)]
        self.found = []

    def assertions(self):
        """The extents of what stands in an assertion."""
        return [(m.start(), m.end()) for m in
                re.finditer(rb"(tpos_assert\w*|_Static_assert)\([^;]*;|"
                            rb"if \(TPOS_CHECK_LEVEL[^;]*;", self.bytes)]

    def text(self, begin, end):
        return self.bytes[begin:end].decode()

    def add(self, begin, end, text, kind, what):
        if any(a <= begin < b for a, b in self.quiet):
            return
        line = bisect.bisect_right(self.starts, begin)
        self.found.append(Mutant(self.name, self.function_at(begin), line,
                                 begin, end, text, kind, what))

    def function_at(self, offset):
        for cursor in self.functions:
            extent = cursor.extent
            if extent.start.offset <= offset < extent.end.offset:
                return cursor.spelling
        return ""

    def is_here(self, cursor):
        place = cursor.location.file
        return place and place.name == self.path

    def operator(self, cursor):
        """A binary operator: its text, and where it stands."""
        left, right = list(cursor.get_children())[:2]
        begin, end = left.extent.end.offset, right.extent.start.offset
        between = self.text(begin, end)
        word = between.strip()
        if not word or re.search(r"[\w()]", word):
            return None
        at = begin + between.index(word)
        return word, at, at + len(word)

    def binary(self, cursor):
        found = self.operator(cursor)
        if not found:
            return
        word, begin, end = found
        for table, kind in ((RELATIONS, "relation"),):
            for other in table.get(word, ()):
                self.add(begin, end, other, kind, f"{word} is {other}")
        for table, kind in ((ARITHMETIC, "arithmetic"), (LOGIC, "logic"),
                            (ASSIGNED, "arithmetic")):
            if word in table:
                self.add(begin, end, table[word], kind,
                         f"{word} is {table[word]}")

    def condition(self, cursor):
        begin, end = cursor.extent.start.offset, cursor.extent.end.offset
        text = self.text(begin, end)
        self.add(begin, end, f"!({text})", "logic", f"not ({text})")

    def unary(self, cursor):
        begin, end = cursor.extent.start.offset, cursor.extent.end.offset
        text = self.text(begin, end)
        if text.startswith("!") and not text.startswith("!="):
            self.add(begin, begin + 1, "!!", "logic", f"{text} without !")

    def constant(self, cursor):
        begin, end = cursor.extent.start.offset, cursor.extent.end.offset
        text = self.text(begin, end)
        if re.fullmatch(r"\d+", text):
            self.add(begin, end, str(int(text) + 1), "constant",
                     f"{text} is {int(text) + 1}")

    def returned(self, cursor, result):
        value = list(cursor.get_children())
        if not value:
            return
        begin, end = value[0].extent.start.offset, value[0].extent.end.offset
        text = self.text(begin, end)
        if result == "_Bool" or result == "bool":
            others = [f"!({text})"]
        elif "*" in result or "enum" in result:
            return
        elif text == "0":
            others = ["-5"] if result == "int" else ["1"]
        else:
            others = ["0"]
        for other in others:
            self.add(begin, end, other, "return", f"returns {other}")

    def statement(self, cursor):
        """What stands by itself can be left out."""
        begin, end = cursor.extent.start.offset, cursor.extent.end.offset
        text = self.text(begin, end)
        called = cursor.kind == CursorKind.CALL_EXPR
        assigns = cursor.kind in (CursorKind.BINARY_OPERATOR,
                                  CursorKind.COMPOUND_ASSIGNMENT_OPERATOR,
                                  CursorKind.UNARY_OPERATOR)
        leaves = cursor.kind in (CursorKind.BREAK_STMT,
                                 CursorKind.CONTINUE_STMT)
        # Only the name of an expanded macro is in this file.
        after = self.text(end, end + 200).lstrip()
        if not (called or assigns or leaves) or not after.startswith(";"):
            return
        if INVISIBLE.match(text):
            return
        safe = called and SAFETY.search(text.split("(")[0])
        self.add(begin, end, "(void)0", "safety" if safe else "dropped",
                 "without " + " ".join(text.split()))

    def lock(self, match):
        """tpos_spin_lock() and its kin may be macros: found by name."""
        self.add(match.start(), match.end(), "(void)0", "safety",
                 "without " + match.group().decode())

    def walk(self, cursor, result):
        kind = cursor.kind
        if kind == CursorKind.FUNCTION_DECL:
            result = cursor.result_type.spelling
        if kind in (CursorKind.BINARY_OPERATOR,
                    CursorKind.COMPOUND_ASSIGNMENT_OPERATOR):
            self.binary(cursor)
        elif kind == CursorKind.UNARY_OPERATOR:
            self.unary(cursor)
        elif kind == CursorKind.INTEGER_LITERAL:
            self.constant(cursor)
        elif kind == CursorKind.RETURN_STMT:
            self.returned(cursor, result)
        children = list(cursor.get_children())
        if kind in (CursorKind.IF_STMT, CursorKind.WHILE_STMT):
            self.condition(children[0])
        if kind == CursorKind.COMPOUND_STMT:
            for child in children:
                self.statement(child)
        elif kind in (CursorKind.IF_STMT, CursorKind.WHILE_STMT,
                      CursorKind.FOR_STMT):
            for child in children[1:]:
                self.statement(child)
        for child in children:
            self.walk(child, result)

    def mutants(self):
        for cursor in self.functions:
            self.walk(cursor, "")
        for match in re.finditer(
                rb"tpos_(spin|mutex)_(un)?lock\([^;]*\)(?=;)", self.bytes):
            self.lock(match)
        unique = {(m.begin, m.end, m.text): m for m in self.found}
        return sorted(unique.values(), key=lambda m: (m.begin, m.text))


def errors_of(unit):
    return [d for d in unit.diagnostics if d.severity >= 3]
