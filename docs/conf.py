# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The site of these pages: ./dev docs."""

import os
import re
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)

project = "ttmpool"
copyright = "the ttmpool authors"
with open(os.path.join(here, "../include/ttmpool/version.h"), encoding="utf-8") as file:
    release = re.search(r'VERSION_STRING "(.*)"', file.read()).group(1)
extensions = ["myst_parser", "kerneldoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
html_theme = "alabaster"
html_theme_options = {"description": "A page pool for GPU drivers",
                      "page_width": "60em"}
html_static_path = []
# The reader looks at text. These would copy every page's source beside it.
html_copy_source = False
html_show_sourcelink = False
# C's names are not all in the reference: those of the system are not ours.
nitpicky = False


def links_to_source(_app, _page, source):
    """Files beside docs/ are no pages of the site: their names stay, without a link."""
    source[0] = re.sub(r"\[([^\]]+)\]\(\.\./([^)]+)\)", r"\1 (`\2`)", source[0])


def setup(app):
    app.connect("source-read", links_to_source)
