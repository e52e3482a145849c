#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""ttmpool-record's command line, from outside; nothing is recorded here.

    record_cli.py TTMPOOL_RECORD VERSION
"""

import os
import subprocess
import sys
import tempfile
import unittest

RECORD, VERSION = sys.argv[1:3]


class CommandLine(unittest.TestCase):
    """Each case is one command."""

    def record(self, *arguments, **how):
        """Its exit status, and what it says on stdout and stderr."""
        done = subprocess.run([RECORD, *arguments], capture_output=True, text=True,
                              check=False, **how)
        return done.returncode, done.stdout, done.stderr

    def refused(self, what, *arguments):
        """Status 2, and one line that names what was wrong."""
        status, out, err = self.record(*arguments)
        self.assertEqual((status, out), (2, ""))
        self.assertIn(what, err)

    def test_the_output_is_asked_for(self):
        """A recording goes nowhere by itself."""
        self.refused("-o TRACE is missing")

    def test_wrong_numbers_are_named(self):
        """With the range that they must be in."""
        for option, wrong in (("--time", "0"), ("--max-size", "-1"), ("--buffer", "4k"),
                              ("--time", "1000001"), ("--max-size", "")):
            self.refused(f'{option} is 1 to', "-o", "x", option, wrong)

    def test_unknown_words_are_named(self):
        """Options, and sources."""
        self.refused("--nothing", "--nothing")
        self.refused('"drm"', "-o", "x", "--source", "drm")

    def test_help_and_version_go_to_stdout(self):
        """And nothing else happens."""
        for option in ("-h", "--help"):
            status, out, err = self.record(option)
            self.assertEqual((status, err), (0, ""))
            self.assertTrue(out.startswith("Usage: ttmpool-record -o TRACE"))
        self.assertEqual(self.record("--version"), (0, f"ttmpool-record {VERSION}\n", ""))

    def test_no_such_source_keeps_the_old_file(self):
        """Where nothing can be recorded, a recording of yesterday stays."""
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("yesterday's")
            file.flush()
            status, out, err = self.record("-o", file.name, "--source", "ttmpool",
                                           "--events", "no_such_module")
            self.assertEqual((status, out), (1, ""))
            self.assertTrue(err.startswith("ttmpool-record: "))
            self.assertEqual(err.count("\n"), 1)
            with open(file.name, encoding="utf-8") as again:
                self.assertEqual(again.read(), "yesterday's")

    @unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
    def test_others_than_root_are_told(self):
        """In one line."""
        status, _, err = self.record("-o", "-", user=65534, group=65534, extra_groups=())
        self.assertEqual(status, 1)
        # A build that counts coverage complains that it cannot write its counts.
        said = [line for line in err.splitlines() if not line.startswith("profiling:")]
        self.assertEqual(len(said), 1)
        self.assertIn("root", said[0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
