# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A Sphinx extension: the kernel-doc comments of a header, as the API reference.

    .. kernel-doc:: include/ttmpool/pool.h

Each comment that begins with /** becomes an entry of Sphinx's C domain, with the
declaration that follows it. The members of structures marked "All members are private"
are left out. A comment that documents nothing is a warning, and so is a parameter or a
member that is named and not there.
"""

import os
import re

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

LOG = logging.getLogger(__name__)
COMMENT = re.compile(r"^/\*\*\s(.*?)\*/\n", re.DOTALL | re.MULTILINE)
TITLE = re.compile(r"(struct|enum|union)?\s*(\w+)(\(\))?\s+-\s+(.*)", re.DOTALL)
NAMED = re.compile(r"@([\w.]+|\.\.\.):\s*(.*)")


def lines_of(comment):
    """The text of a comment, without its stars."""
    return [re.sub(r"^ ?\* ?", "", line.rstrip()).replace("\t", "    ")
            for line in comment.strip().split("\n")]


def escape(text):
    """Text that says the same in reStructuredText, with names marked as such."""
    text = re.sub(r"([\\*`|])", r"\\\1", text)
    text = re.sub(r"(\w)_(?!\w)", r"\1\\_", text)
    text = re.sub(r"@(\w+(?:(?:->|\.)\w+)*)", r"``\1``", text)
    return re.sub(r"(?<![\w`])((?:ttmpool|tpos|tpsim)_\w+)\(\)", r":c:func:`\1`", text)


def body_of(lines):
    """Paragraphs; what is indented stays as it is."""
    result, inside = [], False
    for line in lines:
        indented = line.startswith("   ")
        if indented and not inside:
            result += ["", "::", ""]
        elif inside and line and not indented:
            result.append("")
            indented = False
        inside = indented or (inside and not line)
        result.append(line if inside else escape(line))
    return result


class Entry:
    """One comment: what it names, what it says of parameters, and its text."""

    def __init__(self, comment, code):
        lines = lines_of(comment)
        title = []
        while lines and lines[0] and not NAMED.match(lines[0]):
            title.append(lines.pop(0))
        match = TITLE.match(" ".join(title))
        if not match:
            raise ValueError(f"no name: {title[:1]}")
        self.kind, self.name, self.call, self.brief = match.groups()
        self.named, self.text = [], []
        while lines and NAMED.match(lines[0]):
            name, about = NAMED.match(lines.pop(0)).groups()
            while lines and lines[0].startswith(" "):
                about += " " + lines.pop(0).strip()
            self.named.append((name, about))
        self.text = lines
        self.code = code

    def declaration(self):
        """The C domain's directive, and what it is given."""
        if self.kind:
            return self.kind, self.name
        macro = re.match(rf"\s*#define {self.name}(\([^)]*\))?", self.code)
        if macro:
            return "macro", self.name + (macro.group(1) or "")
        text = re.split(r"[;{]", self.code, maxsplit=1)[0]
        text = re.sub(r"\b(static|inline|extern|TPOS_MUST_CHECK|TPOS_API)\b", "", text)
        text = re.sub(r"__attribute__\(\(.*?\)\)", "", text)
        text = " ".join(text.split())
        if not re.search(rf"\b{self.name}\b", text):
            raise ValueError(f"{self.name}: is not what follows the comment")
        return ("function" if "(" in text else "var"), text

    def private(self):
        return any("All members are private" in line for line in self.text)

    def check(self):
        for name, _ in self.named:
            if name != "..." and not re.search(
                    rf"\b{re.escape(name.split('.')[-1])}\b", self.code):
                raise ValueError(f"{self.name}: has no {name}")

    def rest(self, functions):
        """The entry in reStructuredText. Sphinx's C has one name for a structure and a
        function; then it is the function's."""
        self.check()
        kind, declaration = self.declaration()
        out = [escape(self.brief[:1].upper() + self.brief[1:]).rstrip(".") + ".", ""]
        if kind in ("function", "macro"):
            out += [f":param {name}: {escape(about)}" for name, about in self.named]
        text = list(self.text)
        for at, line in enumerate(text):
            if line.startswith("Return:"):
                end = at
                while end < len(text) and text[end]:
                    end += 1
                said = " ".join(part.strip() for part in text[at:end])
                out.append(":returns: " + escape(said[len("Return:"):].strip()))
                del text[at:end]
                break
        out += [""] + body_of(text) + [""]
        if kind == "enum":
            for name, about in self.named:
                out += [f".. c:enumerator:: {name}", "", "   " + escape(about), ""]
        elif kind in ("struct", "union") and not self.private():
            for name, about in self.named:
                out += [f"``{name}``", "   " + escape(about), ""]
        directive = f"c:{kind}:: {declaration}"
        if self.kind and self.name in functions:
            directive = f"describe:: {kind} {declaration}"
        return ([f".. {directive}", ""] +
                ["   " + line if line else "" for line in out] + [""])


def entries(text):
    """The comments of a header, in order."""
    for match in COMMENT.finditer(text):
        rest = text[match.end():]
        # What it may name: up to the next comment of this kind.
        end = COMMENT.search(rest)
        yield match.group(1), rest[:end.start()] if end else rest


class KernelDoc(SphinxDirective):
    """The directive."""

    required_arguments = 1

    def run(self):
        root = os.path.dirname(self.env.srcdir)
        path = os.path.join(root, self.arguments[0])
        self.env.note_dependency(path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        out = []
        functions = set(re.findall(r"(\w+)\(\) - ", text))
        for comment, code in entries(text):
            try:
                out += Entry(comment, code).rest(functions)
            except ValueError as why:
                LOG.warning("%s: %s", self.arguments[0], why,
                            location=self.get_location())
        if not out:
            LOG.warning("%s documents nothing", self.arguments[0],
                        location=self.get_location())
        node = nodes.section()
        node.document = self.state.document
        nested_parse_with_titles(self.state, StringList(out, source=path), node)
        return node.children


def setup(app):
    app.add_directive("kernel-doc", KernelDoc)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
