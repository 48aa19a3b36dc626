"""Configuration of the documentation."""

import sktextcnn

project = "sktextcnn"
author = "The sktextcnn developers"
copyright = f"2026, {author}"
version = release = sktextcnn.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_member_order = "bysource"
html_theme = "pydata_sphinx_theme"
html_title = project
