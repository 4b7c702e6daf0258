"""The report of a run as a document: verdict, numbers that matter first, and every section."""

from collections.abc import Mapping
from typing import Any, Final

from engine import DataError

from ..firing import SYMBOLS_APART
from ..pages.document import Document, Number, Section, Text, Tile, Tiles, Tone
from ..record import RunRecord
from ..verdict import finding, headline, verdict
from .benchmark import benchmark_section
from .calendar import calendar_section
from .costs import costs_section
from .drawdowns import drawdowns_section
from .exposure import exposure_section
from .heads_sections import heads_sections
from .metrics import metrics_section
from .numbers.days import FEWEST_DAYS
from .orders import orders_section
from .origin import search_verdict
from .performance import performance_section
from .price_chart import price_chart_blocks
from .provenance import conventions_section, provenance_section
from .quality import quality_section
from .reading import RunReading
from .regimes import regimes_section
from .returns import returns_section
from .rolling import rolling_section
from .rules import rules_section
from .trades import trades_section
from .wording import counted, said

TONES: Final[Mapping[str, Tone]] = {
    "gain": "plain",
    "loss": "bad",
    "nothing": "warning",
    "unknown": "warning",
}


def run_document(record: RunRecord) -> Document:
    """The page of ``record``, from its folder alone; DataError for a missing or damaged table."""
    reading = RunReading(record)
    content = record.content
    return Document(
        title=content["name"],
        subtitle=_subtitle(content),
        badges=("SIMULATED",) if content["simulated"] else (),
        verdict=verdict_texts(reading),
        tiles=tiles(reading),
        sections=run_sections(reading),
        facts={
            "run_id": record.run_id,
            "config_hash": content["config_hash"],
            "data_fingerprint": content["data_fingerprint"],
            "metrics": content["metrics"],
            "benchmark_metrics": content["benchmark_metrics"],
            "metric_units": content["metric_units"],
            "sharpe_interval_95": reading.sharpe_interval,
        },
    )


def run_sections(reading: RunReading) -> tuple[Section, ...]:
    """Every section of the page in its order; those that have nothing to say are left out."""
    market = Section(name="market", title="Prices and votes", blocks=price_chart_blocks(reading))
    sections = (
        performance_section(reading),
        market,
        *_validated(reading),
        returns_section(reading),
        rolling_section(reading),
        benchmark_section(reading),
        drawdowns_section(reading),
        exposure_section(reading),
        costs_section(reading),
        trades_section(reading),
        calendar_section(reading),
        regimes_section(reading),
        *heads_sections(reading),
        metrics_section(reading),
        quality_section(reading),
        rules_section(reading),
        orders_section(reading),
        provenance_section(reading),
        conventions_section(),
    )
    return tuple(section for section in sections if section is not None)


def verdict_texts(reading: RunReading) -> tuple[Text, ...]:
    """One sentence of what came out, then what a reader must know before the numbers."""
    content, interval = reading.content, reading.sharpe_interval
    (tested, unread), (search, unread_search) = _last_validation(reading), search_verdict(reading)
    warnings = verdict(content, search)
    if tested is not None:
        warnings[-1] = (
            f"VALIDATED: {tested['verdict']['word']}. What was tested, and how, stands below."
        )
    if unread_search:
        warnings.append(
            f"NOT KNOWN: what a validation of the sweep found cannot be read: {unread_search}"
        )
    if reading.origin.has_other_rows:
        warnings.append(f"OTHER DATA: {reading.origin.text}")
    if unread:
        warnings.append(f"NOT KNOWN: what a validation of this run found cannot be read: {unread}")
    tone = "bad" if content["ruined_bar"] >= 0 else TONES[finding(content, interval)]
    return (
        Text(paragraphs=(headline(content, interval),), tone=tone),
        Text(paragraphs=tuple(warnings), is_list=True),
    )


def tiles(reading: RunReading) -> Tiles:
    """The six numbers that matter first."""
    held = reading.content["benchmark_metrics"]
    interval, won = reading.sharpe_interval, reading.metric("win_rate")
    between = ""
    if interval is not None:
        between = f"95 % interval {said(interval[0], 'ratio')} to {said(interval[1], 'ratio')}"
    elif reading.metric("sharpe") is not None and len(reading.day_sums) < FEWEST_DAYS:
        between = "no interval: too short"
    notes = {
        "total_return": f"{reading.held_name} {said(held['total_return'], 'fraction')}",
        "annual_return": f"{reading.held_name} {said(held['annual_return'], 'fraction')}",
        "sharpe": between,
        "max_drawdown": f"{reading.held_name} {said(held['max_drawdown'], 'fraction')}",
        "trades": f"{said(won, 'fraction')} won" if won is not None else "",
        "exposure": f"on average {said(reading.metric('mean_gross_leverage'), 'ratio')} × equity",
    }
    labels = {
        "total_return": "total return",
        "annual_return": "a year",
        "sharpe": "Sharpe ratio",
        "max_drawdown": "max drawdown",
        "trades": "trades",
        "exposure": "time in the market",
    }
    units = reading.content["metric_units"]
    return Tiles(
        tiles=tuple(
            Tile(label=label, value=Number(reading.metric(name), units[name]), note=notes[name])
            for name, label in labels.items()
        )
    )


def _last_validation(reading: RunReading) -> tuple[Mapping[str, Any] | None, str]:
    """What the last validation of the run found, None where there is none; and why one cannot be read."""
    from ..validation.keeping import readable_validations

    try:
        found, unread = readable_validations(reading.record.run_dir)
    except DataError as error:
        return None, str(error)
    return (found[-1].content if found else None), "; ".join(unread)


def _validated(reading: RunReading) -> tuple[Section, ...]:
    tested, _ = _last_validation(reading)
    if tested is None:
        return ()
    # The sweep's report brings optuna, which the page of a run has no other use for.
    from ..sweep_report.validation_sections import validation_sections

    return validation_sections(tested)


def _subtitle(content: Mapping[str, Any]) -> str:
    names = content["symbols"]
    symbols = f"{len(names)} symbols" if len(names) > SYMBOLS_APART else ", ".join(names)
    return (
        f"{symbols} · {content['timeframe']} · {content['start_time']} to {content['end_time']} UTC · "
        f"{counted(content['bars'], 'bar')} · decisions from {content['decisions_from']} · "
        f"{content['run_id']}"
    )
