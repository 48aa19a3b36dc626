"""The link from an estimator's picture in a notebook to its documentation."""

from functools import cache
from importlib import metadata


class DocumentationLink:
    """Points scikit-learn's HTML representation to the documentation of this package.

    Its address is the URL named "Documentation" in the package's metadata; without one there is
    no link.
    """

    @property
    def _doc_link_module(self) -> str:
        return "sktextcnn" if _documentation() else ""

    @property
    def _doc_link_template(self) -> str:
        return f"{_documentation()}/api.html#sktextcnn.{{name}}"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"name": type(self).__name__}


@cache
def _documentation() -> str:
    try:
        urls = metadata.metadata("sktextcnn").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    found = dict(url.split(", ", 1) for url in urls)
    return found.get("Documentation", "").rstrip("/")
