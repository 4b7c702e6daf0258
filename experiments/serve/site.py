"""The pages of the app: which address is answered with what."""

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from engine import BacktestError, ConfigError, DataError

from .. import pages
from ..comparison.comparison import MOST_RUNS
from ..sweeps.export import trials_file
from ..sweeps.ledger import SWEEP_NAME
from .curves import score_picture, spark_svg
from .documents import Reports
from .files import equity_of, run_files
from .guard import REPORT_POLICY, Guard
from .listing import KINDS, RunQuery, page_of, run_query
from .page_cache import PageCache
from .run_index import RunIndex
from .summaries import RunSummary, writable
from .sweep_index import SweepIndex
from .sweep_watch import SweepWatch
from .words import (
    DISPLAY,
    amount,
    bytes_text,
    metric_text,
    score_text,
    span,
    state_sentence,
)

ASSETS: Final[Mapping[str, tuple[str, str, str]]] = {
    "style.css": (pages.__name__, "assets/style.css", "text/css"),
    "site.css": (__package__, "assets/site.css", "text/css"),
    "list.js": (__package__, "assets/list.js", "text/javascript"),
    "live.js": (__package__, "assets/live.js", "text/javascript"),
}
"""Files that the app's own pages use, each from its package, and their types."""
SWEEP_FILES: Final = (SWEEP_NAME, "trials.csv", "trials.parquet")
LARGEST_SPARKS_BYTES: Final = 4 * 1024 * 1024
MOST_SYMBOLS: Final = 500
"""Symbols that the field for them suggests."""
HTML: Final = "text/html; charset=utf-8"


class Site:
    """The app over one folder of runs; ``asgi`` answers requests. It writes nothing.

    ``names`` are further host names that it is asked by, ``is_local`` says that nobody but this machine
    is meant to ask.
    """

    def __init__(self, runs: Path, *, names: tuple[str, ...] = (), is_local: bool = True) -> None:
        self.runs = runs
        self.run_index = RunIndex(runs)
        self.sweep_index = SweepIndex(runs)
        self.reports = Reports(runs)
        # Of their own: a small picture waits for no report that is being made.
        self.sparks = PageCache(LARGEST_SPARKS_BYTES)
        routes = [
            Route("/", self.list_runs),
            Route("/sweeps", self.list_sweeps),
            Route("/compare", self.compare),
            Route("/assets/{name}", self.asset),
            Route("/runs/{run_id}", self.run),
            Route("/runs/{run_id}/equity.svg", self.spark),
            Route("/runs/{run_id}/files", self.run_downloads),
            Route("/runs/{run_id}/files/{name}", self.run_file),
            Route("/sweeps/{family}/{sweep_id}", self.sweep),
            Route("/sweeps/{family}/{sweep_id}/progress.json", self.progress),
            Route("/sweeps/{family}/{sweep_id}/report", self.sweep_report),
            Route("/sweeps/{family}/{sweep_id}/files/{name}", self.sweep_file),
        ]
        app = Starlette(
            routes=routes,
            exception_handlers={
                HTTPException: _on_http,
                ConfigError: _on_config,
                DataError: _on_data,
                BacktestError: _on_data,
                Exception: _on_defect,
            },
        )
        app.router.redirect_slashes = False
        self.asgi = Guard(app, names=names, is_local=is_local)

    def prepare(self) -> None:
        """Begin to read the records, and load what the first page needs."""
        self.run_index.listed(patience_seconds=0.0)
        _environment().get_template("runs.html.j2")

    def list_runs(self, request: Request) -> Response:
        """The list of runs, as the address filters and sorts it."""
        query = run_query(request.query_params)
        listed = self.run_index.listed()
        return _page(
            "runs.html.j2",
            title="Runs",
            folder=str(self.runs.absolute()),
            query=query,
            page=page_of(listed.runs, query),
            waiting=listed.waiting,
            kinds=KINDS,
            timeframes=sorted({run.timeframe for run in listed.runs if run.timeframe}),
            symbols=sorted({symbol for run in listed.runs for symbol in run.symbols})[
                :MOST_SYMBOLS
            ],
            display=DISPLAY,
            is_filtered=query != RunQuery(sort=query.sort, page=query.page),
            most=MOST_RUNS,
        )

    def list_sweeps(self, _request: Request) -> Response:
        """The list of sweeps, the newest first."""
        rows, waiting = self.sweep_index.listed()
        return _page(
            "sweeps.html.j2",
            title="Sweeps",
            folder=str(self.runs.absolute()),
            rows=rows,
            waiting=waiting,
        )

    def run(self, request: Request) -> Response:
        """The report of one run."""
        return _report(self.reports.of_run(self._found(request.path_params["run_id"])))

    def compare(self, request: Request) -> Response:
        """Runs beside each other, those that ``run`` names in the address, in its order."""
        names = list(dict.fromkeys(request.query_params.getlist("run")))
        if not 2 <= len(names) <= MOST_RUNS:
            raise ConfigError(
                f"{len(names)} runs are marked: mark 2 to {MOST_RUNS} of them in the list"
            )
        return _report(self.reports.of_runs([self._found(name) for name in names]))

    def spark(self, request: Request) -> Response:
        """The equity of one run as a small picture."""
        summary = self._found(request.path_params["run_id"])
        key = ("spark", summary.run_id, summary.signature)

        def make() -> bytes:
            equity = equity_of(self.runs / summary.run_id, summary)
            return spark_svg(equity, float(equity[0])).encode()

        return Response(
            self.sparks.get(key, make),
            media_type="image/svg+xml",
            headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"},
        )

    def run_downloads(self, request: Request) -> Response:
        """Files of one run, each to be taken away."""
        summary = self._inside(request)
        return _page(
            "files.html.j2",
            title=f"Files of {summary.name or summary.run_id}",
            folder=str(self.runs / summary.run_id),
            run=summary,
            files=run_files(self.runs / summary.run_id),
        )

    def run_file(self, request: Request) -> Response:
        """A file of a run: run.json or a table."""
        summary = self._inside(request)
        folder = self.runs / summary.run_id
        return _download(folder, request.path_params["name"], run_files(folder), summary.run_id)

    def sweep(self, request: Request) -> Response:
        """How far a sweep is: what its page shows and fetches again while it runs."""
        watch = self._watched(request)
        state, curve = watch.look()
        objectives = watch.config.sweep.objectives
        picture = score_picture(
            curve, state.planned, is_rising=objectives[0].direction == "maximize"
        )
        return _page(
            "sweep.html.j2",
            title=f"Sweep {watch.ledger.sweep['name']}",
            folder=str(watch.ledger.folder),
            watch=watch,
            state=state,
            sentence=state_sentence(state, watch.clock()),
            objectives=objectives,
            picture=picture,
            files=SWEEP_FILES,
        )

    def progress(self, request: Request) -> Response:
        """The state of a sweep in numbers."""
        state, _ = self._watched(request).look()
        return JSONResponse(
            {name: getattr(state, name) for name in state.__dataclass_fields__}
            | {"best": None if state.best is None else list(state.best)}
        )

    def sweep_report(self, request: Request) -> Response:
        """The report of one sweep, finished or not."""
        return _report(self.reports.of_sweep(self._watched(request)))

    def sweep_file(self, request: Request) -> Response:
        """A file of a sweep: sweep.json, or every trial as one table."""
        ledger, name = self._watched(request).ledger, request.path_params["name"]
        if name not in SWEEP_FILES:
            raise HTTPException(404)
        content = (
            (ledger.folder / name).read_bytes()
            if name == SWEEP_NAME
            else bytes(trials_file(ledger, Path(name).suffix))
        )
        return Response(content, headers=_taken_away(f"{ledger.sweep_id}-{name}"))

    def asset(self, request: Request) -> Response:
        """A style or a script of the app's own pages."""
        name = request.path_params["name"]
        if name not in ASSETS:
            raise HTTPException(404)
        return Response(
            _asset(name), media_type=ASSETS[name][2], headers={"cache-control": "max-age=300"}
        )

    def _found(self, run_id: str) -> RunSummary:
        """The run of that id, which can be opened; a page that says why where it cannot."""
        summary = self.run_index.find(run_id)
        if summary is None:
            raise HTTPException(404)
        if not summary.can_be_opened:
            raise DataError(f"{summary.run_id}: {summary.problem}")
        return summary

    def _inside(self, request: Request) -> RunSummary:
        """The run that the address names, whatever is wrong with it, if its folder lies here."""
        summary = self.run_index.find(request.path_params["run_id"])
        if summary is None or not summary.is_inside:
            raise HTTPException(404)
        return summary

    def _watched(self, request: Request) -> SweepWatch:
        watch = self.sweep_index.find(
            request.path_params["family"], request.path_params["sweep_id"]
        )
        if watch is None:
            raise HTTPException(404)
        return watch


def _download(folder: Path, name: str, known: Mapping[str, int], prefix: str) -> Response:
    if name not in known:
        raise HTTPException(404)
    return FileResponse(folder / name, headers=_taken_away(f"{prefix}-{name}"))


def _taken_away(name: str) -> dict[str, str]:
    """Headers of a file that a browser keeps and never shows as a page."""
    kind = "application/json" if name.endswith(".json") else "application/octet-stream"
    return {
        "content-type": kind,
        "content-disposition": f"attachment; filename*=utf-8''{quote(os.fsencode(name))}",
        "content-security-policy": "default-src 'none'; sandbox",
    }


def _report(page: bytes) -> Response:
    return Response(page, media_type=HTML, headers={"content-security-policy": REPORT_POLICY})


def _page(template: str, status: int = 200, **values: Any) -> Response:
    return Response(_environment().get_template(template).render(**values), status, media_type=HTML)


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("experiments.serve", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": amount,
        "bytes": bytes_text,
        "span": span,
        "part": lambda text: quote(os.fsencode(text), safe=""),
        "text": writable,
        "metric": metric_text,
        "score": score_text,
    }
    return environment


@cache
def _asset(name: str) -> bytes:
    package, path, _ = ASSETS[name]
    return files(package).joinpath(path).read_bytes()


def _message(status: int, title: str, words: str) -> Response:
    return _page("message.html.j2", status, title=title, folder="", words=words)


def _on_http(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _message(
        status,
        "There is no such page",
        "No run and no sweep of this folder has this address. It may have been removed since the list "
        "was shown.",
    )


def _on_config(_request: Request, error: Exception) -> Response:
    return _message(400, "This cannot be asked", str(error))


def _on_data(_request: Request, error: Exception) -> Response:
    return _message(422, "This cannot be shown", str(error))


def _on_defect(_request: Request, _error: Exception) -> Response:
    return _message(
        500,
        "This is a defect of Ninefold",
        "The page could not be made. The terminal where `ninefold serve` runs shows why.",
    )
