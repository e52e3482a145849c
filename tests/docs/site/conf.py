# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A page of comments with mistakes, which docs/kerneldoc.py has to find: ./dev docs."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../../docs"))
project = "planted"
extensions = ["myst_parser", "kerneldoc"]
