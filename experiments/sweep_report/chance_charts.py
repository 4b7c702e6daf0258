"""Charts of a validation: what was observed beside what chance gives."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine import Float1D

from ..pages import Block, Chart, Number, Table, Text
from ..pages.plots import axis, bars, line, percent_axis
from ..sweeps.trial_metrics import DIRECTIONS
from ..validation.verdict import LEVEL, share
from .numbers import Histogram, histogram
from .validation_numbers import known_array
from .words import metric_axis, metric_label, metric_number, plural

NULL_COLOUR: Final = "@muted/0.5"


def shifts_chart(content: Mapping[str, Any]) -> Block:
    """The best of the random stage on votes of another time."""
    found, metric = content["shifted_votes"], content["objective"]
    single = found["trials"] == 1
    searched = (
        "the run" if single else f"the best of {found['trials']:,} trials of the random stage"
    )
    return _search_chart(
        "null-shifts",
        "Votes of another time",
        found,
        metric,
        what=f"{searched} on votes that were shifted against prices",
        is_of=f"{searched}, on its own votes",
        asked=_asked(content["findings"]),
        note="Market, costs, holding times and search stay: timing alone is broken.",
        drawn="shifts",
    )


def _asked(found: Mapping[str, Any]) -> str:
    if found["sweeps"] == 1:
        return f"; the rule asks for {LEVEL:g} at most"
    return (
        f"; {share(found['primary_p_family'])} for the best of {found['sweeps']:,} sweeps, of which the "
        f"rule asks {LEVEL:g}"
    )


def permutations_chart(content: Mapping[str, Any]) -> Block:
    """The best of the whole search on the market's bars in another order."""
    found, metric = content["permuted_bars"], content["objective"]
    if found is None:
        return Text(paragraphs=("Permuted bars: n/a: they were not asked for (`--permutations`).",))
    search = (
        "the run" if found["trials"] == 1 else f"the whole search of {found['trials']:,} trials"
    )
    blocks = "" if found["block_bars"] == 1 else f" in blocks of {found['block_bars']} bars"
    return _search_chart(
        "null-permutations",
        "Bars in another order",
        found,
        metric,
        what=f"{search} on {plural(found['permutations'], 'permutation')} of the bars{blocks}",
        is_of="the run, on the bars as they came"
        if found["trials"] == 1
        else "the best of that search on the bars as they came",
        note="Everything that has an order in time is gone from these bars, clusters of volatility too.",
        drawn="permutations",
    )


def _search_chart(
    name: str,
    title: str,
    found: Mapping[str, Any],
    metric: str,
    *,
    what: str,
    is_of: str,
    note: str,
    drawn: str,
    asked: str = "",
) -> Block:
    """The best of a search beside the best of the same search on markets without an edge.

    ``drawn`` is the key of ``found`` that counts them; ``asked`` goes on after the p value.
    """
    p_value = found["p_value"]
    return null_chart(
        name,
        title,
        _oriented(found["null_values"], metric),
        _oriented([found["best"]], metric)[0],
        metric,
        what=what,
        is_of=is_of,
        says=f"As good or better in {_share_of(p_value, found[drawn])} (p {share(p_value)}{asked}).",
        note=note,
        drawn=drawn,
    )


def random_entries_chart(content: Mapping[str, Any]) -> Block:
    """The same trades at random times."""
    found = content["chosen"]["random_entries"]
    if found is None:
        return Text(
            paragraphs=("Random entries: n/a: no trade could be placed, or contracts are inverse.",)
        )
    return null_chart(
        "null-entries",
        "The same trades at random times",
        known_array(found["null_sharpes_annual"]),
        float(found["sharpe_annual"]),
        "sharpe",
        what="the same trades, sides and holding times at random times of the same market",
        is_of="those trades at their own times, each entered and left at an open",
        says=f"As good or better: p {share(found['p_sharpe'])}.",
        note="It does not know how many trials were looked at: it asks about this one alone.",
        drawn="draws",
    )


def snooping_chart(content: Mapping[str, Any]) -> Block:
    """The best mean of the random stage beside resampled ones."""
    found = content["snooping"]
    if found is None:
        return Text(paragraphs=("Tests of the best of many (SPA): n/a: no trial earned anything.",))
    return null_chart(
        "null-snooping",
        "The best of many, resampled (SPA)",
        known_array(found["spa_null_values"]),
        float(found["spa_statistic"]),
        "t",
        what="the largest studentised mean of the random stage's daily returns, resampled in blocks",
        is_of="the days as they came",
        says=(
            f"p {share(found['spa_p_consistent'])} (between {share(found['spa_p_lower'])} and "
            f"{share(found['spa_p_upper'])}); Reality Check p {share(found['reality_check_p'])}; StepM "
            f"finds {plural(found['stepwise_superior'], 'trial')} better than 0."
        ),
        note="The null takes no trial for better than doing nothing.",
        drawn="draws",
    )


def null_chart(
    name: str,
    title: str,
    null: Float1D,
    observed: float,
    metric: str,
    *,
    what: str,
    is_of: str,
    says: str,
    note: str,
    drawn: str,
) -> Block:
    """A histogram of ``null`` with what was ``observed`` as a line; ``drawn`` says what is counted.

    ``what`` is that of which the null is, ``is_of`` that of which ``observed`` is. ``metric`` is that
    of the values; ``t`` for a bare statistic, ``pbo`` for a share.
    """
    if not np.isfinite(null).any():
        return Text(paragraphs=(f"{title}: n/a: no trial could be chosen under the null. {says}",))
    found = histogram(null)
    label = {"t": "statistic", "pbo": "PBO"}.get(metric) or metric_label(metric)
    observed_text = _shown(observed, metric)
    numbers = [_shown(float(x), metric) for x in np.nanquantile(null, (0.05, 0.5, 0.95))]
    top = int(found.counts.max())
    undefined = (
        f" In {found.undefined:,} of them no trial could be chosen: they count as worse."
        if found.undefined
        else ""
    )
    return Chart(
        name=name,
        title=title,
        text=(
            f"Distribution of the {label}: {what}. Half lie below {numbers[1]}, nine in ten between "
            f"{numbers[0]} and {numbers[2]}; observed, of {is_of}: {observed_text}. {says}{undefined}"
        ),
        data=(
            histogram_bars(found, "by chance"),
            line(
                [observed, observed],
                np.array([0.0, top * 1.05]),
                f"observed: {observed_text}",
                hover=f"observed: {observed_text}<extra></extra>",
                line={"color": "@down", "width": 2.5, "dash": "dash"},
            ),
        ),
        layout={
            "xaxis": _axis(label, metric),
            "yaxis": axis(drawn),
            "bargap": 0.03,
        },
        width="half",
        note=note,
        table=_bins_table(name, title, found),
    )


def _shown(value: float, metric: str) -> str:
    unit = {"t": "ratio", "pbo": "fraction"}.get(metric)
    return metric_number(value, metric).text if unit is None else Number(value, unit).text


def _axis(label: str, metric: str) -> Mapping[str, Any]:
    if metric == "pbo":
        return percent_axis(label)
    return axis(label) if metric == "t" else metric_axis(metric)


def histogram_bars(found: Histogram, name: str, colour: Any = NULL_COLOUR) -> Mapping[str, Any]:
    """Bars of a histogram, each as wide as its bin."""
    return bars(
        found.middles,
        found.counts.astype(np.float64),
        name,
        colour=colour,
        width=np.diff(found.edges) * 0.97,
        customdata=[
            f"{low:.4g} to {high:.4g}"
            for low, high in zip(found.edges[:-1].tolist(), found.edges[1:].tolist(), strict=True)
        ],
        hover="%{customdata}: %{y:,.0f}<extra></extra>",
    )


def _bins_table(name: str, title: str, found: Histogram) -> Table:
    return Table(
        name=f"{name}-bins",
        caption=f"{title}: the histogram",
        columns=("from", "to", "number"),
        rows=tuple(
            (f"{low:.4g}", f"{high:.4g}", Number(int(count), "count"))
            for low, high, count in zip(
                found.edges[:-1].tolist(), found.edges[1:].tolist(), found.counts, strict=True
            )
        ),
    )


def _oriented(values: Any, metric: str) -> Float1D:
    """Scores with more being better, back in the metric's own direction."""
    sign = 1.0 if DIRECTIONS[metric] == "maximize" else -1.0
    return sign * known_array(values)


def _share_of(p: float, drawn: int) -> str:
    """How many of ``drawn`` reached what was observed, from the p value (1 + reached) ÷ (1 + drawn)."""
    return f"{round(p * (1 + drawn)) - 1:,} of {drawn:,}"
