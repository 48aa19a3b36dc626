"""Configuration of the documentation."""

import os

# The examples train small networks, for which more threads cost more than they gain.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import sktextcnn

project = "sktextcnn"
author = "The sktextcnn developers"
copyright = f"2026, {author}"
version = release = sktextcnn.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
nitpicky = True
# Types of other libraries, whose inventories a build without network cannot read.
nitpick_ignore_regex = [
    ("py:.*", r"(sklearn|skorch|torch|numpy|gensim|matplotlib|collections|os)\..*")
]

myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_member_order = "bysource"
# Where things are defined is not where they are imported from.
add_module_names = False
toc_object_entries_show_parents = "hide"
# Types are in the docstrings.
autodoc_typehints = "none"
autodoc_preserve_defaults = True

# The button leaves out prompts and what was printed.
copybutton_exclude = ".linenos, .gp, .go"

plot_html_show_formats = False
plot_html_show_source_link = False
plot_formats = [("png", 144)]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    # The other scripts are programs for the command line.
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"(classify_docstrings|serve_http|serve_onnx)\.py",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    # What prints has __str__; other objects have addresses in their names.
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
    "doc_module": "sktextcnn",
    "reference_url": {"sktextcnn": None},
    "backreferences_dir": None,
    "reset_modules": ("matplotlib",),
    "show_signature": False,
    "write_computation_times": False,
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["pages.css"]
# All pages hang from one tree with captions, so the tree stands at the side, not at the top.
html_sidebars = {"**": ["site-tree.html"]}
html_theme_options = {
    "navbar_center": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_end": [],
}
