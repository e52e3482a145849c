#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""ttmpool-top shows what the files in debugfs say, from outside.

    top_test.py TTMPOOL_TOP VERSION
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

TOP, VERSION = sys.argv[1:3]
COUNTERS = ("takes", "takes_failed", "gives", "pages_in_use", "pages_pooled", "pages_hit",
            "pages_fresh", "pages_released", "bytes_mapped", "bytes_cleared",
            "caching_batches", "caching_pages", "map_batches", "maps", "unmap_batches",
            "unmaps", "maps_kept", "fallbacks")


def stats(**changed):
    """The file of a machine with one pool."""
    counters = dict.fromkeys(COUNTERS, 0)
    counters.update(takes=10, pages_in_use=512, pages_pooled=258, pages_hit=300,
                    pages_fresh=100, bytes_mapped=3 << 20, caching_batches=7)
    counters.update(changed)
    lines = ["manager pages 770", "manager pages_pooled 258",
             "manager pages_quarantined 0", "manager pages_shrunk 0",
             "linux iotlb_flushes 3", "linux pages_stored 0"]
    lines += [f"0000:00:02.0 {name} {value}" for name, value in counters.items()]
    return "\n".join(lines + ['0000:00:02.0 "double give" 2', ""])


PAGE_POOL = """\t  --- 0--- --- 1---
0000:00:02.0 plain
uc\t:        0        0
wc\t:        2      128
wb\t:        0        0
0000:00:02.0 coherent
uc\t:        0        0
wc\t:        0        0
wb\t:        0        0

total\t:      258 of     5000
"""


class Top(unittest.TestCase):
    """Each case has files of its own."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.write("stats", stats())
        self.write("page_pool", PAGE_POOL)

    def write(self, name, text):
        """One of the files."""
        path = os.path.join(self.directory.name, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def top(self, *options):
        """Its exit status, and what it says on stdout and stderr."""
        done = subprocess.run([TOP, "--path", self.directory.name, *options],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_a_pool_has_a_row_with_its_sizes(self):
        """2 MiB are in use, 1 MiB lies pooled, and 3 of 4 pages came from the pool."""
        status, out, _ = self.top("--once")
        self.assertEqual(status, 0)
        row = next(line for line in out.splitlines() if line.startswith("0000:"))
        self.assertEqual(row.split(), ["0000:00:02.0", "2.0", "1.0", "0.0", "0.0", "3.0",
                                       "75", "%", "10", "7", "0", "0"])

    def test_the_json_has_every_counter(self):
        """Programs get numbers, under the names of the files."""
        _, out, _ = self.top("--once", "--json")
        found = json.loads(out)
        pool = found["pools"][0]
        self.assertEqual(found["manager"]["pages"], 770)
        self.assertEqual(found["linux"]["iotlb_flushes"], 3)
        self.assertEqual({name for name in COUNTERS if name in pool}, set(COUNTERS))
        self.assertEqual(pool["pages_pooled_by_caching"], {"uc": 0, "wc": 258, "wb": 0})
        self.assertEqual(pool["pooled"]["plain"]["wc"], [2, 128])
        self.assertEqual(pool["refused"], {"double give": 2})

    def test_a_refusal_is_shown(self):
        """What a driver did wrong is in the table."""
        self.assertIn("0000:00:02.0: refused, double give: 2", self.top("--once")[1])

    def test_live_numbers_are_rates(self):
        """500 takes between two states of half a second are a thousand a second."""
        with subprocess.Popen([TOP, "--path", self.directory.name, "--interval", "0.5"],
                              stdout=subprocess.PIPE, text=True) as process:
            line = ""
            takes = 10
            while not (line.startswith("0000:00:02.0 ") and float(line.split()[8]) > 0):
                takes += 500
                self.write("stats", stats(takes=takes))
                line = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.stdout.read()
        self.assertEqual(process.returncode, 0)

    def test_a_bad_line_is_named(self):
        """Whoever changes the file's form learns where."""
        self.write("stats", "manager pages 1\nmanager pages\n")
        status, _, err = self.top("--once")
        self.assertEqual(status, 1)
        self.assertIn("stats:2: not", err)

    def test_no_files_are_one_clear_line(self):
        """A machine without the module."""
        os.unlink(os.path.join(self.directory.name, "stats"))
        status, out, err = self.top("--once")
        self.assertEqual((status, out), (1, ""))
        self.assertIn('has no file "stats"', err)
        self.assertEqual(err.count("\n"), 1)

    def test_a_reader_that_goes_ends_it(self):
        """As with "ttmpool-top | head"."""
        with subprocess.Popen([TOP, "--path", self.directory.name, "--interval", "0.1"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.close()
            self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(process.returncode, 0)

    def test_a_wrong_interval_is_refused(self):
        """Before anything is shown."""
        status, out, err = self.top("--interval", "0")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("not 0.1 to 3600 seconds", err)

    def test_its_version_is_the_library_s(self):
        """All of a release has one version."""
        self.assertEqual(self.top("--version")[1], f"ttmpool-top {VERSION}\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
