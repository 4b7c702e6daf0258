"""``ninefold data kinds``."""

from typing import Annotated

import typer

from ..options import AsJson
from ..output import print_json, stdout


def kinds(
    name: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="One kind, with its columns.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every kind of data: its columns, its step, and when a row may be used."""
    from datasets import KINDS, kind_named

    from ...data_tables import kind_content, print_kind, print_kinds

    chosen = tuple(KINDS.values()) if name is None else (kind_named(name),)
    if as_json:
        print_json({"kinds": [kind_content(kind) for kind in chosen]})
    elif name is None:
        print_kinds(chosen, stdout())
    else:
        print_kind(chosen[0], stdout())
