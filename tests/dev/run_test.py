#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What ./dev test says of what ctest ran: run_test.py tools/test"""

import io
import sys
import unittest
import xml.etree.ElementTree as xml

sys.path.insert(0, sys.argv.pop(1))
import run  # noqa: E402

SUITE = "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n{}\n[==========] 2 test(s) run.\n"


def counted(*cases, total=None):
    """The summary of (name, status, output, failure)."""
    count = run.Count()
    for name, status, said, failure in cases:
        case = xml.Element("testcase", name=name, status=status)
        if failure:
            xml.SubElement(case, "failure", message=failure)
        xml.SubElement(case, "system-out").text = said
        count.add(case)
    return count, count.summary(total or len(cases))


class Counts(unittest.TestCase):
    def test_a_case_of_a_suite_is_one(self):
        _, text = counted(("unit/s", "run", SUITE.format("[       OK ] b"), None))
        self.assertEqual(text, "test: 2 passed, 0 failed")

    def test_a_run_under_valgrind_is_one(self):
        _, text = counted(("memcheck/s", "run", SUITE.format("[       OK ] b"), None))
        self.assertEqual(text, "test: 1 passed, 0 failed")

    def test_a_failed_case_counts_once_and_is_shown(self):
        said = SUITE.format("[  FAILED  ] b") + "[  FAILED  ] b\n"
        count, text = counted(("unit/s", "fail", said, "Failed"))
        self.assertEqual(text, "test: 1 passed, 1 failed")
        self.assertIn("--- unit/s: failed", count.shown)

    def test_failures_that_a_passing_program_provokes_do_not_count(self):
        said = SUITE.format("[  ERROR   ] b")
        _, text = counted(("unit/s", "run", said, None))
        self.assertEqual(text, "test: 1 passed, 0 failed")

    def test_a_timeout_is_named(self):
        count, text = counted(("unit/s", "fail", "[       OK ] a\n", "Timeout"))
        self.assertEqual(text, "test: 1 passed, 1 failed, 1 timed out")
        self.assertIn("--- unit/s: timed out", count.shown)

    def test_what_did_not_run_is_named(self):
        _, text = counted(("unit/p", "run", "", None), ("unit/q", "notrun", "", None),
                          total=3)
        self.assertEqual(text, "test: 1 passed, 0 failed, 2 of 3 programs did not run")

    def test_progress_has_number_total_and_name(self):
        stream = io.StringIO()
        progress = run.Progress(stream)
        progress.take("      Start  7: unit/s\n")
        progress.take("  1/12 Test  #7: unit/s ......   Passed    0.02 sec\n")
        self.assertEqual(stream.getvalue(), "[1/12] unit/s: Passed 0.02 sec\n")


if __name__ == "__main__":
    unittest.main()
