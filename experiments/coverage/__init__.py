"""The coverage picture: one HTML page that shows which rows of which data set are there, and why not.

It needs no script and fetches nothing; the bars are inline SVG. ``picture`` computes what is drawn,
the template only places it.
"""

from pathlib import Path
from typing import Final

from datasets.durable import replace_file
from datasets.quality import QualityReport

from .picture import page_of

TEMPLATE: Final = "page.html.j2"


def write_coverage(report: QualityReport, path: Path | str) -> Path:
    """Write the picture of ``report`` to ``path`` and return it."""
    path = Path(path)
    replace_file(path, render(report).encode())
    return path


def render(report: QualityReport) -> str:
    """The page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("experiments", "coverage"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(page=page_of(report))
