"""Configuration of the documentation."""

import os

# The examples train small networks, which more threads slow down.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from sphinx.addnodes import desc_signature

import sktextcnn

project = "sktextcnn"
author = "The sktextcnn developers"
copyright = f"2026, {author}"
version = release = sktextcnn.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_copybutton",
    "sphinx_design",
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
myst_enable_extensions = ["colon_fence"]
numpydoc_show_class_members = False
autodoc_member_order = "bysource"
# Public names are imported from another place than where they are defined.
add_module_names = False
toc_object_entries_show_parents = "hide"
# Types are in the docstrings.
autodoc_typehints = "none"
autodoc_preserve_defaults = True
# Members of the base classes, which scikit-learn and NumPy describe.
autodoc_default_options = {
    "exclude-members": "astype, set_fit_request, set_output, set_partial_fit_request, "
    "set_score_request"
}
# The directives of tables in api.md make a page for each name, by _templates/autosummary.
autosummary_generate = True

# The button copies neither prompts nor output.
copybutton_exclude = ".linenos, .gp, .go"

plot_html_show_formats = False
plot_html_show_source_link = False
plot_formats = [("png", 144)]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    # The other scripts are command-line programs.
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"(classify_docstrings|make_tickets|serve_http|serve_onnx)\.py",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    # Other representations contain memory addresses.
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
    "doc_module": ("sktextcnn",),
    "reference_url": {"sktextcnn": None},
    # What the pages of the API find their examples by.
    "backreferences_dir": "api/examples",
    "reset_modules": ("matplotlib",),
    "show_signature": False,
    "write_computation_times": False,
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["pages.css"]
# All pages belong to one tree, which is shown at the side, not at the top.
html_sidebars = {"**": ["site-tree.html"]}
html_theme_options = {
    "navbar_start": ["navbar-logo", "version.html"],
    "navbar_center": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_end": [],
}


def skip_fields(app, what, name, member, skip, options):
    """Leave out the fields of named tuples and slots, which their class describes."""
    return True if type(member).__name__ in ("_tuplegetter", "member_descriptor") else None


def name_where_defined(app, doctree):
    """Let the pages of the source, which know this name alone, link to the public one too."""
    for node in doctree.findall(desc_signature):
        name = node.get("fullname", ".")
        if node.get("module") == "sktextcnn" and "." not in name:
            node["ids"].append(f"{getattr(sktextcnn, name).__module__}.{name}")


def setup(app):
    """Connect the functions above."""
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("doctree-read", name_where_defined)
