"""A page as a reader without a browser sees it."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Collects what a browser would fetch, the text outside scripts, and the scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.ids: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action", "poster") and value:
                self.loads.append(value)
            if name == "id" and value:
                self.ids.append(value)
        if tag in ("link", "iframe", "object", "embed", "base"):
            self.loads.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.text.append(data)
