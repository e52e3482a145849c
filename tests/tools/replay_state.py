#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""ttmpool-top shows a replay that is under way, and what was left at its end.

    replay_state.py TTMPOOL_REPLAY TTMPOOL_TOP
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

REPLAY, TOP = sys.argv[1:3]
BUFFERS, PAGES = 64, 16


def rows(operation, start):
    """A row for each buffer."""
    return "".join(f"{start + i},0,1,{operation},{i},{PAGES},1,0,0\n"
                   for i in range(BUFFERS))


class State(unittest.TestCase):
    """Each case has a directory of its own."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.state = os.path.join(self.directory.name, "state")

    def top(self):
        """The pool that ttmpool-top shows, or None if there is none yet."""
        done = subprocess.run([TOP, "--path", self.state, "--once", "--json"],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            return None
        return json.loads(done.stdout)["pools"][0]

    def wait_for(self, pages_in_use):
        """Until so many pages are shown; the test's own limit ends a wait in vain."""
        while True:
            pool = self.top()
            if pool and pool["pages_in_use"] == pages_in_use:
                return pool
            time.sleep(0.05)

    def test_a_running_replay_is_shown(self):
        """The trace comes through a pipe: what it has so far is what is shown."""
        with subprocess.Popen([REPLAY, "--json", "--state", self.state, "-"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as replay:
            replay.stdin.write(rows("alloc", 1))
            replay.stdin.flush()
            pool = self.wait_for(BUFFERS * PAGES)
            self.assertEqual(pool["name"], "replay")
            self.assertEqual(pool["takes"], BUFFERS)
            replay.stdin.write(rows("free", 1000))
            replay.stdin.close()
            found = json.loads(replay.stdout.read())
        self.assertEqual(replay.returncode, 0)
        pool = self.top()
        self.assertEqual(pool["pages_in_use"], 0)
        self.assertEqual(pool["gives"], BUFFERS)
        self.assertEqual(pool["takes"], found["populates"])
        self.assertEqual(pool["pages_pooled_by_caching"]["wc"], pool["pages_pooled"])

    def test_each_device_has_a_pool(self):
        """Two devices, one buffer each in turn."""
        subprocess.run([REPLAY, "--json", "--no-baseline", "--devices", "2", "--state",
                        self.state, "-"], input=rows("alloc", 1), text=True, check=True,
                       stdout=subprocess.DEVNULL)
        done = subprocess.run([TOP, "--path", self.state, "--once", "--json"],
                              capture_output=True, text=True, check=True)
        pools = json.loads(done.stdout)["pools"]
        self.assertEqual([(pool["name"], pool["takes"]) for pool in pools],
                         [("replay-0", BUFFERS // 2), ("replay-1", BUFFERS // 2)])

    def test_a_directory_that_cannot_be_is_reported_first(self):
        """Before anything is replayed, with the reason."""
        done = subprocess.run([REPLAY, "--json", "--state", self.state + "/none", "-"],
                              input=rows("alloc", 1), capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, "")
        self.assertIn("/none: No such file or directory", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
