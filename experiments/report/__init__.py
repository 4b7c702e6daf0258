"""The report of a run: one self-contained HTML page made from the run folder alone.

Pictures are Plotly, whose script is inside the page once; nothing is fetched from anywhere, and the
page's own policy forbids it.
"""

import json
from pathlib import Path
from typing import Any, Final

from datasets.durable import replace_file

from ..record import RunRecord
from .figures import costs_figure, equity_figure, symbol_figure
from .sections import page_values

NEEDED: Final = ("equity", "orders", "trades", "votes", "prices")
"""Tables of the run that the page is made of."""
TEMPLATE: Final = "page.html.j2"
MAX_SYMBOL_FIGURES: Final = 8
"""Symbols drawn; the tables have all of them."""


def write_report(record: RunRecord, path: Path | str) -> Path:
    """Write the page of ``record`` to ``path`` and return it. DataError for a damaged table or disk."""
    path = Path(path)
    replace_file(path, render(record).encode())
    return path


def render(record: RunRecord) -> str:
    """The page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    tables = {name: record.table(name) for name in NEEDED}
    content = record.content
    drawn = content["symbols"][:MAX_SYMBOL_FIGURES]
    pictures: dict[str, Any] = {"equity": equity_figure(tables["equity"], content)}
    for number, symbol in enumerate(drawn):
        pictures[f"symbol-{number}"] = symbol_figure(symbol, tables, content)
    pictures["costs"] = costs_figure(tables["trades"])
    environment = Environment(
        loader=PackageLoader("experiments", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(
        **page_values(record, tables),
        drawn=drawn,
        captions={name: picture.caption for name, picture in pictures.items()},
        # In both scripts nothing can close the element: "<" is escaped, "</script" broken up.
        figures=Markup(
            json.dumps({name: picture.content for name, picture in pictures.items()}).replace(
                "<", "\\u003c"
            )
        ),
        plotly=Markup(get_plotlyjs().replace("</script", "<\\/script")),
    )
