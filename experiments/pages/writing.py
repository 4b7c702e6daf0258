"""A page as a file, in any of its formats."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from datasets.durable import replace_file
from engine import ConfigError

from .document import Document
from .html import html_text
from .pdf import write_pdf
from .plain import document_json, markdown_text


@dataclass(frozen=True, slots=True)
class Format:
    """A format of a page: ``text`` writes it down, None for one that only a browser can print."""

    text: Callable[[Document], str] | None


def _json(document: Document) -> str:
    text = json.dumps(document_json(document), ensure_ascii=False, allow_nan=False, indent=1)
    return f"{text}\n"


FORMATS: Final[Mapping[str, Format]] = {
    "html": Format(html_text),
    "json": Format(_json),
    "md": Format(markdown_text),
    "pdf": Format(None),
}


def check_format(name: str) -> None:
    """ConfigError unless a page can be written so."""
    if name not in FORMATS:
        raise ConfigError(f"--format {name}: a page is written as one of {', '.join(FORMATS)}")


def write_document(document: Document, path: Path | str, format_: str = "html") -> Path:
    """Write ``document`` to ``path`` as a whole or not at all, and return the path.

    Raises ConfigError for a format that is not of FORMATS, or a PDF where no browser prints one;
    DataError where the disk refuses.
    """
    check_format(format_)
    path, text = Path(path), FORMATS[format_].text
    if text is None:
        return write_pdf(html_text(document), path)
    replace_file(path, text(document).encode())
    return path
