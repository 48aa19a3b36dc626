"""Check that each link of the built pages leads to a file, and to an anchor in it.

    python docs/check_links.py docs/_build/html

The check needs no network, so it skips links to other sites.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors and the links of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the anchor and the links of a tag."""
        for name, value in attrs:
            if value and name == "id":
                self.anchors.add(value)
            elif value and name in ("href", "src"):
                self.links.append(value)


def broken(root: Path) -> list[str]:
    """Return each broken link, after the name of its page."""
    paths = (path for path in root.rglob("*.html") if "_static" not in path.parts)
    pages = {path.resolve(): Page(path) for path in paths}
    if not pages:
        raise SystemExit(f"{root} has no pages. Run make docs first.")
    found = []
    for path, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            anchor = unquote(url.fragment)
            if not target.exists() or (
                anchor and target in pages and anchor not in pages[target].anchors
            ):
                found.append(f"{path.relative_to(root.resolve())}: {link}")
    print(f"{len(pages)} pages, {sum(len(page.links) for page in pages.values()):,} links")
    return found


if __name__ == "__main__":
    if found := broken(Path(sys.argv[1])):
        sys.exit("\n".join(["Broken links:", *found]))
