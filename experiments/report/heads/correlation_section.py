"""How much the heads say of each other."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from engine import Float2D

from ...formats import spoken
from ...pages import Chart, Number, Section, Table, Text
from ...pages.plots import DIVERGING, category_axis, heatmap
from ...statistics.vote_agreement import LEAST_VOTES, VoteAgreement
from .numbers import HeadNumbers

REACH: Final = {0.0: 1.0, 0.5: 0.5}
"""How far values may lie from the middle of their scale."""


def correlation_section(numbers: HeadNumbers) -> Section:
    """Correlation of the votes, shares of agreement, and what they come to."""
    found = numbers.votes
    if found.heads < 2:
        said = "n/a: it needs two heads that vote and do not always say the same."
        blocks: tuple[Text | Chart, ...] = (Text(paragraphs=(said,)),)
    else:
        said = (
            f"{found.heads} heads vote; effective number {found.effective:.1f}: so many heads without any "
            "correlation would spread as much. A quorum counts heads, and heads that read the same "
            "prices are not that many opinions."
        )
        blocks = (Text(paragraphs=(said,)), *_charts(found, numbers.heads))
    return Section(
        name="head-correlation",
        title="How much the heads say of each other",
        lead="Whether heads that agree are several opinions or one.",
        blocks=blocks,
    )


def _charts(found: VoteAgreement, heads: tuple[str, ...]) -> Iterator[Chart]:
    """The two tables of pairs as pictures; one without any pair is left out."""
    if _has_pairs(found.correlation):
        yield _chart(
            heads,
            "vote-correlation",
            "Correlation of votes",
            found.correlation,
            0.0,
            "",
            "In hundredths: Pearson's, of directions −1, 0 and 1, on bars where both heads have data; all "
            "symbols together.",
        )
    if _has_pairs(found.agree):
        yield _chart(
            heads,
            "vote-agreement",
            "Share of agreement where both vote",
            found.agree,
            0.5,
            "fraction",
            f"In percent: on bars on which both vote, from {LEAST_VOTES} of them on; two heads that vote "
            "at random on either side come to 50.",
        )


def _has_pairs(values: Float2D) -> bool:
    return bool(np.isfinite(values[~np.eye(len(values), dtype=np.bool_)]).any())


def _chart(
    heads: tuple[str, ...],
    name: str,
    title: str,
    values: Float2D,
    middle: float,
    unit: str,
    note: str,
) -> Chart:
    kept = np.flatnonzero(np.isfinite(values).any(axis=1))
    names = [spoken(heads[k]) for k in kept]
    shown = values[np.ix_(kept, kept)].copy()
    apart = [
        (float(shown[i, j]), names[i], names[j])
        for i in range(len(kept))
        for j in range(i)
        if np.isfinite(shown[i, j])
    ]
    np.fill_diagonal(shown, np.nan)
    form = "%{z:.1%}" if unit else "%{z:.2f}"
    (low, one, other), (high, first, second) = min(apart), max(apart)
    told = (
        f"from {Number(low, unit).text} ({one} and {other}) to {Number(high, unit).text} "
        f"({first} and {second})"
    )
    return Chart(
        name=name,
        title=title,
        text=f"{title} of {len(kept)} heads, pair by pair: {told}.",
        data=(
            heatmap(
                names,
                names,
                shown,
                scale=DIVERGING,
                hover=f"%{{y}}, %{{x}}: {form}<extra></extra>",
                # Twice as far as values go, so that the numbers stand out from every cell.
                zmin=middle - 2.0 * REACH[middle],
                zmax=middle + 2.0 * REACH[middle],
                text=[
                    ["" if np.isnan(one) else str(round(100 * one)) for one in row] for row in shown
                ],
                texttemplate="%{text}",
                textfont={"size": 10, "color": "@ink"},
                showscale=False,
            ),
        ),
        layout={
            "xaxis": category_axis("", tickangle=-45),
            "yaxis": category_axis("", autorange="reversed"),
        },
        height=420,
        width="half",
        note=note,
        table=Table(
            name=f"{name}-table",
            caption=title,
            columns=("head", *names),
            rows=tuple(
                (names[i], *(Number(values[kept[i], kept[j]], unit) for j in range(len(kept))))
                for i in range(len(kept))
            ),
        ),
    )
