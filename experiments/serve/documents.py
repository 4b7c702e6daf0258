"""Reports as they are sent: made from the records on demand, kept while they fit into memory."""

from collections.abc import Hashable, Sequence
from pathlib import Path

from datasets.durable import names_in

from ..record import load_run
from ..sweeps.holdout import HOLDOUT_NAME
from ..sweeps.ledger import SWEEP_NAME, Ledger
from ..validation.keeping import validations_folder
from .page_cache import PageCache
from .summaries import RunSummary, signature_of
from .sweep_index import places_of
from .sweep_watch import SweepWatch

HOME = "/"


class Reports:
    """Reports of runs, sweeps and comparisons under ``runs`` as bytes of HTML.

    A report is made anew when its record was replaced, a batch was added to the sweep, a validation of
    either was added or replaced, when sweeps came or went (a run says what the one that it comes from
    saw), or when what the sweep's report counts beside it changed: the family's sweeps and openings, and
    runs by hand. Raises DataError for a damaged record or table, ConfigError for runs that cannot be
    compared.
    """

    def __init__(self, runs: Path, cache: PageCache | None = None) -> None:
        self.runs = runs
        self.cache = PageCache() if cache is None else cache

    def of_run(self, summary: RunSummary) -> bytes:
        """The report of one run."""
        folder = self.runs / summary.run_id
        sweeps = tuple(
            (place, signature_of(found / SWEEP_NAME)) for place, found in places_of(self.runs)
        )
        key = ("run", summary.run_id, summary.signature, _validations(folder), sweeps)
        return self.cache.get(key, lambda: _run_page(folder))

    def of_sweep(self, watch: SweepWatch) -> bytes:
        """The report of one sweep, finished or not."""
        ledger = watch.ledger
        signature = signature_of(ledger.folder / SWEEP_NAME)
        validations = _validations(ledger.folder)
        key = ("sweep", str(ledger.folder), signature, validations, *_family(self.runs, ledger))
        return self.cache.get(key, lambda: _sweep_page(watch))

    def of_runs(self, summaries: Sequence[RunSummary]) -> bytes:
        """Runs beside each other, against the first of them."""
        key = ("compare", *((one.run_id, one.signature) for one in summaries))
        folders = [self.runs / one.run_id for one in summaries]
        return self.cache.get(key, lambda: _comparison_page(folders))


def _validations(folder: Path) -> tuple[Hashable, ...]:
    """The validations that are kept there; a page names one that it cannot read, until it is put back."""
    place = validations_folder(folder)
    return tuple((name, signature_of(place / name)) for name in names_in(place))


def _family(runs: Path, ledger: Ledger) -> tuple[Hashable, ...]:
    """What a sweep's report counts beside its own trials, and those: files that are written once."""
    folder = ledger.folder.parent
    sweeps = tuple((name, *names_in(folder / name)) for name in names_in(folder))
    return (sweeps, signature_of(folder / HOLDOUT_NAME), tuple(names_in(runs)))


def _run_page(folder: Path) -> bytes:
    from ..pages.html import html_text
    from ..report.run_page import run_document

    return html_text(run_document(load_run(folder)), home=HOME).encode()


def _sweep_page(watch: SweepWatch) -> bytes:
    from ..pages.html import html_text
    from ..sweep_report.document import sweep_document

    return html_text(sweep_document(watch.ledger), home=HOME).encode()


def _comparison_page(folders: Sequence[Path]) -> bytes:
    from ..comparison import compare_runs
    from ..comparison.page import comparison_document
    from ..pages.html import html_text

    found = compare_runs([load_run(folder) for folder in folders])
    return html_text(comparison_document(found), home=HOME).encode()
