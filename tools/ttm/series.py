#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The pieces of the series that ./dev ttm patch writes (patch.sh).

    series.py step ROOT TREE N    put what patch N adds into the kernel tree TREE
    series.py message ROOT N      its commit message; none: there is no such patch
    series.py explain ROOT LOG    a table of what checkpatch.pl found (its --terse
                                  --show-types lines), with the reasons in
                                  patch/explained.txt; status 1 if an error or a warning
                                  has none
    series.py cover ROOT TABLE SUBJECTS STAT
                                  the text of the cover letter

In the kernel there is one kernel: what is compiled for 7.3 loses the "compat_" of its
name, and headers are named that Kbuild chooses elsewhere. Beyond that the text changes
only in what the kernel's style asks for: its names of types, and the end of a comment on
a line of its own.
"""

import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent / "patch"
TTM = "drivers/gpu/drm/ttm"

# TTM, which has only its own buffers, does not use these.
LEFT_OUT = {"runs.c", "magazine.c"}

HEADERS = """backup caching chunk iova list manager os owner policy pool report
version""".split()

PORT = """caching_none.c caching_x86.c clear_any.c clear_x86.c coherent.c
compat_counters_gpu.c compat_iova_link.c compat_iova_none.c compat_poison_none.c
compat_poison_stats.c compat_reclaimed.c compat_shrinker_alloc.c compat_swiotlb_none.c
compat_swiotlb_pool.c debugfs.c descriptors.c device.c dma.c faults.c flush.c index.c
module_manager.c pages.c report.c shrinker.c span.c statistics.c trace.c traced_pool.c
ttmpool_debugfs.h ttmpool_module.h ttmpool_port.h ttmpool_shrinker.h ttmpool_system.h
ttmpool_trace.h wait.c work.c""".split()

DROP_IN = """compat_backup.c compat_backup_faults.c compat_backup_no_faults.c
compat_init_flags.c compat_node_limit.c compat_restore.c manager.c mirror_lru.c
mirror_none.c pool.c ttm_backup_faults.h ttm_drop_in.h unload.c""".split()

# From the bottom up: the second patch of the library calls functions of the first.
LOWER = """account.c arrays.c bin.c budget.c chunk.c chunks.h claim.c condition.c
mapping.c ordinary.c pool_internal.h release.c report.c space.c split.c turn.c
verify.c""".split()

EXPORTED = {
    "ttm_pool_alloc": "EXPORT_SYMBOL",
    "ttm_pool_debugfs": "EXPORT_SYMBOL",
    "ttm_pool_fini": "EXPORT_SYMBOL",
    "ttm_pool_free": "EXPORT_SYMBOL",
    "ttm_pool_init": "EXPORT_SYMBOL",
    "ttm_pool_backup": "EXPORT_SYMBOL_FOR_TESTS_ONLY",
}

WORDS = [
    (r"\bcompat_(?=[a-z_]+[a-z*]\.c|[a-z]+_\*)", ""),
    (r"#include TTMPOOL_TTM_FLAGS_H", '#include "ttm_pool_internal.h"'),
    (r"#include TTMPOOL_TTM_BO_H", "#include <drm/ttm/ttm_bo.h>"),
    (r"\bshim/linux/", "linux/"),
    (r"\blib/pool\b", "lib"),
    (r"\buint(8|16|32|64)_t\b", r"u\1"),
    (r"\bint32_t\b", "s32"),
    (r"\b_Static_assert\b", "static_assert"),
    (r" docs/porting\.md is the guide\.", ""),
    (r"docs/design\.md has the figures", "ttmpool's docs/design.md has the figures"),
]


def close_comments(text):
    """The end of a comment of several lines, on a line of its own."""
    def close(match):
        comment = match.group(0)
        if "\n" not in comment or re.search(r"\n[ \t]*\*/$", comment):
            return comment
        line = text.rfind("\n", 0, match.start()) + 1
        indent = re.match(r"[ \t]*", text[line:]).group(0)
        return comment[:-2].rstrip() + "\n" + indent + " */"
    return re.sub(r"/\*.*?\*/", close, text, flags=re.S)


def export(text):
    """After each function that drivers call: that they may."""
    out = []
    name = None
    for line in text.split("\n"):
        found = re.match(r"\w[\w \*]*?\b(ttm_pool_\w+)\(", line)
        if found and not line.endswith(";"):
            name = found.group(1)
        out.append(line)
        if line == "}" and name in EXPORTED:
            out.append(f"{EXPORTED[name]}({name});")
        if line == "}":
            name = None
    text = "\n".join(out)
    if "EXPORT_SYMBOL" not in text:
        return text
    header = "#include <linux/export.h>\n"
    if "FOR_TESTS_ONLY" in text:
        header += "\n#include <drm/drm_util.h>\n"
    first = text.index("#include")
    return text[:first] + header + text[first:]


def kernel_text(source, name):
    text = source.read_text()
    for pattern, word in WORDS:
        text = re.sub(pattern, word, text)
    text = close_comments(text)
    if "/ttm/" in str(name):
        text = export(text)
    return text


def put(root, tree, files):
    for source, target in files:
        path = tree / TTM / "ttmpool" / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(kernel_text(root / source, path))


def library(root):
    return sorted(p.name for p in (root / "lib/pool").iterdir()
                  if p.suffix in (".c", ".h") and p.name not in LEFT_OUT)


def edit(path, old, new):
    text = path.read_text()
    if text.count(old) != 1:
        sys.exit(f"series: {path}: not once there: {old!r}")
    path.write_text(text.replace(old, new))


def add_headers(root, tree):
    put(root, tree, [(f"include/ttmpool/{h}.h", f"include/ttmpool/{h}.h")
                     for h in HEADERS])
    edit(tree / "MAINTAINERS", "DRM TTM SUBSYSTEM\n",
         (HERE / "MAINTAINERS").read_text().replace("@WHO@", os.environ["WHO"]) +
         "\nDRM TTM SUBSYSTEM\n")


def add_lower(root, tree):
    put(root, tree, [(f"lib/pool/{f}", f"lib/{f}") for f in LOWER])


def add_upper(root, tree):
    put(root, tree, [(f"lib/pool/{f}", f"lib/{f}") for f in library(root)
                     if f not in LOWER])


def add_port(root, tree):
    put(root, tree, [(f"shim/linux/{f}", "linux/" + f.replace("compat_", ""))
                     for f in PORT])


def add_functions(root, tree):
    put(root, tree, [(f"shim/linux/ttm/{f}",
                      "linux/ttm/" + f.replace("compat_", "")) for f in DROP_IN])


def choose(root, tree):
    """Kconfig's choice, and what is linked for it."""
    ttm = tree / TTM
    (ttm / "Kconfig").write_text((HERE / "Kconfig").read_text())
    names = [n[:-2] for n in library(root) if n.endswith(".c")]
    lines = ["ttmpool-lib :="]
    for name in names:
        if len(lines[-1]) + len(name) > 88:
            lines.append("ttmpool-lib +=")
        lines[-1] += " " + name
    (ttm / "ttmpool/Makefile").write_text(
        (HERE / "Makefile").read_text().replace("@LIB@", "\n".join(lines)))
    edit(tree / "drivers/gpu/drm/Kconfig", "config DRM_EXEC\n",
         'source "drivers/gpu/drm/ttm/Kconfig"\n\nconfig DRM_EXEC\n')
    edit(ttm / "Makefile", "ttm_resource.o ttm_pool.o", "ttm_resource.o")
    edit(ttm / "Makefile", "ttm-$(CONFIG_AGP) += ttm_agp_backend.o\n",
         "ttm-$(CONFIG_AGP) += ttm_agp_backend.o\n\n"
         "ttm-$(CONFIG_DRM_TTM_POOL_SHARED) += ttm_pool.o\n"
         "ifdef CONFIG_DRM_TTM_POOL_TTMPOOL\n"
         "include $(src)/ttmpool/Makefile\n"
         "ttm-y += $(ttmpool-y)\nendif\n")


def add_tests(root, tree):
    """What a module of tests calls, TTM's own pool exports, too."""
    tests = tree / TTM / "tests"
    (tests / "ttm_pool_both_test.c").write_text(
        (HERE / "ttm_pool_both_test.c").read_text())
    edit(tests / "Makefile", "        ttm_pool_test.o \\\n",
         "        ttm_pool_test.o \\\n        ttm_pool_both_test.o \\\n")
    pool = tree / TTM / "ttm_pool.c"
    edit(pool, "\treturn shrunken ? shrunken : ret;\n}\n",
         "\treturn shrunken ? shrunken : ret;\n}\n"
         "EXPORT_SYMBOL_FOR_TESTS_ONLY(ttm_pool_backup);\n")
    if "drm_util.h" not in pool.read_text():
        edit(pool, "#include <drm/ttm/ttm_pool.h>\n",
             "#include <drm/drm_util.h>\n#include <drm/ttm/ttm_pool.h>\n")


def add_page(root, tree):
    gpu = tree / "Documentation/gpu"
    (gpu / "ttmpool.rst").write_text((HERE / "ttmpool.rst").read_text())
    edit(gpu / "drm-mm.rst", "The Graphics Execution Manager (GEM)\n====",
         "Another page pool may be chosen when the kernel is configured: see\n"
         "Documentation/gpu/ttmpool.rst.\n\n"
         "The Graphics Execution Manager (GEM)\n====")
    index = gpu / "index.rst"
    edit(index, "   drm-mm\n", "   drm-mm\n   ttmpool\n")


STEPS = [add_headers, add_lower, add_upper, add_port, add_functions, choose,
         add_tests, add_page]


def message(n):
    parts = (HERE / "messages.txt").read_text().split("\n---\n")
    return parts[n - 1].strip() + "\n" if n <= len(parts) else ""


def figures(root):
    """A row of docs/performance.md, of 7.3, by its first cell: {T4.ours}, .other, .times."""
    rows = {}
    text = (root / "docs/performance.md").read_text()
    text = text.partition("<!-- kernel 7.3 -->")[2]
    text = text.partition("<!-- end kernel 7.3 -->")[0]
    for line in text.split("\n"):
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 7:
            rows[cells[0]] = cells
    return rows


def explain(log):
    reasons = dict(line.split("\t", 1) for line in
                   (HERE / "explained.txt").read_text().splitlines() if line)
    counts = {}
    for line in log.read_text().splitlines():
        found = re.search(r"\b(ERROR|WARNING|CHECK):(\w+):", line)
        if found:
            counts[found.groups()] = counts.get(found.groups(), 0) + 1
    missing = 0
    for (level, kind), n in sorted(counts.items(), key=lambda c: (c[0][0] == "CHECK",
                                                                   -c[1])):
        reason = reasons.get(kind, "")
        if level != "CHECK" and not reason:
            print(f"series: checkpatch: {n} {level} {kind}: not explained",
                  file=sys.stderr)
            missing += 1
        print(f"  {n:4} {level.lower():8} {kind:22} {reason}".rstrip())
    return 1 if missing else 0


def cover(root, table, subjects, stat):
    rows = figures(root)
    names = ["name", "what", "ours", "other", "times", "goal", "met"]

    def look(match):
        row = rows.get(match.group(1))
        if not row:
            sys.exit(f"series: no such figure: {match.group(0)}")
        cell = row[names.index(match.group(2))]
        return f"{cell:{match.group(3)}}" if match.group(3) else cell

    text = (HERE / "cover.txt").read_text()
    text = re.sub(r"\{([\w-]+)\.(\w+)(?::(>\d+))?\}", look, text)
    for name, path in (("TABLE", table), ("SUBJECTS", subjects), ("STAT", stat)):
        text = text.replace(f"@{name}@", pathlib.Path(path).read_text().rstrip())
    left = re.search(r"@[A-Z]+@", text)
    if left:
        sys.exit(f"series: nobody says what {left.group(0)} is")
    sys.stdout.write(text)


def main(argv):
    root = pathlib.Path(argv[2])
    if argv[1] == "step":
        STEPS[int(argv[4]) - 1](root, pathlib.Path(argv[3]))
    elif argv[1] == "message":
        sys.stdout.write(message(int(argv[3])))
    elif argv[1] == "explain":
        sys.exit(explain(pathlib.Path(argv[3])))
    else:
        cover(root, *argv[3:6])


main(sys.argv)
