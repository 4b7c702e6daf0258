"""``ninefold data check``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import EXIT_CHECK
from ..options import (
    DEFAULT_STORE,
    AsJson,
    FormatName,
    MappingPath,
    MarketName,
    RowStep,
    StorePath,
    SymbolName,
    VenueName,
    time_given,
)
from ..output import print_json, progress, stdout

if TYPE_CHECKING:
    from collections.abc import Callable

    from datasets import DatasetKey, Store
    from datasets.quality import Period


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Files to check; without any, the store."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", "--as", help="Kind of data, such as ohlcv.")
    ] = None,
    symbol: SymbolName = None,
    venue: VenueName = None,
    market: MarketName = None,
    timeframe: RowStep = None,
    source: Annotated[str | None, typer.Option(help="Name of the source.")] = None,
    format_name: FormatName = None,
    mapping: MappingPath = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Start of the period that should be there.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="End of the period that should be there.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the coverage picture into this file.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Exit code 1 also when rows are wrong, not only files refused."
        ),
    ] = False,
    record: Annotated[
        bool, typer.Option(help="Keep the result in the manifests of the store.")
    ] = True,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Find gaps and their causes, and what is wrong with the rows, in files or in the store.

    For files the options say what they do not say themselves, as for an import; for the store they
    choose data sets. Exit code 1 when a file is refused; rows that are wrong and kept are told, and
    fail the check with --strict only.
    """
    from datasets import Store
    from datasets.importers.files import checked_request
    from datasets.importers.report import Request
    from datasets.quality import check_files, check_store

    from ...quality_tables import print_quality

    period = _period(since, until)
    if paths:
        request = checked_request(Request(kind, venue, market, symbol, timeframe, source))
        report = check_files(
            paths, request, format_name=format_name, mapping=mapping, period=period
        )
    else:
        opened = Store(store, create=False, wait_seconds=60.0)
        wanted = (kind, venue, market, symbol, timeframe, source)
        keys = _chosen(opened, wanted)
        report = check_store(
            opened,
            keys,
            period=period,
            record=record,
            on_dataset=_tenths(len(keys), progress(quiet=as_json)),
        )
    if html is not None:
        from ...coverage import write_coverage

        write_coverage(report, html)
    if as_json:
        print_json(report.to_json())
    else:
        print_quality(report, stdout())
        if html is not None:
            typer.echo(f"picture {html}")
    if report.refusals or (strict and report.problems()):
        raise typer.Exit(EXIT_CHECK)


def _tenths(total: int, say: "Callable[[str], None]") -> "Callable[[DatasetKey], None]":
    """A listener that says something at every tenth of the data sets; comparisons read some again."""
    step = max(1, -(-total // 10))
    seen: set[DatasetKey] = set()

    def on_dataset(key: "DatasetKey") -> None:
        if key not in seen:
            if len(seen) % step == 0:
                say(f"checking data set {len(seen) + 1} of {total}")
            seen.add(key)

    return on_dataset


def _period(since: str | None, until: str | None) -> "Period | None":
    from datasets.quality import Period
    from engine import ConfigError

    if since is None and until is None:
        return None
    start_ns, end_ns = time_given(since, "--since"), time_given(until, "--until")
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        raise ConfigError(f"--until {until} is not after --since {since}")
    return Period(start_ns, end_ns)


def _chosen(store: "Store", wanted: tuple[str | None, ...]) -> "list[DatasetKey]":
    """The data sets that every given option fits; ConfigError when that leaves none of them."""
    from dataclasses import astuple

    from engine import ConfigError

    keys = store.keys()
    fitting = [
        key
        for key in keys
        if all(want in (None, have) for want, have in zip(wanted, astuple(key), strict=True))
    ]
    if keys and not fitting:
        raise ConfigError(
            "data check: no data set of the store fits these options; `ninefold data ls` lists them"
        )
    return fitting
