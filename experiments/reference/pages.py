"""Which pages the reference has, and how they are written."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from .commands import commands_page
from .configuration import configuration_page
from .heads import heads_page
from .indicators import indicators_page
from .python_names import python_page

GENERATED: Final = (
    "<!-- Written by `python -m experiments.reference` from the code; a test compares it. "
    "Do not edit. -->\n\n"
)
PAGES: Final[Mapping[str, tuple[str, Callable[[], str]]]] = {
    "configuration.md": (
        "every key of a configuration, with its default and range",
        configuration_page,
    ),
    "command-line.md": ("every command with its arguments and options", commands_page),
    "indicators.md": ("every indicator: inputs, parameters, outputs, warm-up", indicators_page),
    "heads.md": ("the nine heads: parameters, reasons, how often they speak", heads_page),
    "python.md": ("what `from experiments import …` offers", python_page),
}
"""Pages by file name: what each holds, and the function that makes its text."""


def page_texts() -> dict[str, str]:
    """The text of every page of the reference, by file name."""
    texts = {name: GENERATED + page() for name, (_, page) in PAGES.items()}
    return {"README.md": GENERATED + _index(), **texts}


def write_pages(folder: Path) -> list[Path]:
    """Write every page into ``folder``, which is made; the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in page_texts().items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _index() -> str:
    made = "\n".join(f"| [{name}]({name}) | {text} |" for name, (text, _) in PAGES.items())
    return f"""# Reference

| page | what it holds |
|---|---|
{made}
| [metrics.md](../metrics.md) | every metric with its formula, and where libraries count otherwise |
| [run-folder.md](../run-folder.md) | every file and column that a run leaves |
| [data.md](../data.md) | every kind of data with its columns, and when a row is known |
| [data-files.md](../data-files.md) | every file format that is imported |
| [conventions.md](../conventions.md) | what the numbers mean |
"""
