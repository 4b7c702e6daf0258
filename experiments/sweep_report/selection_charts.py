"""Charts of a validation: what choosing among the trials was worth out of sample."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine import Float1D

from ..pages import Block, Chart, Number, Table, Text
from ..pages.plots import axis, bars, category_axis, heatmap, line, points
from ..sweeps.places import short_names
from .chance_charts import histogram_bars, null_chart
from .numbers import Histogram, histogram
from .validation_numbers import drift_of, known_array
from .words import plural

MOST_DRIFTING: Final = 16
MOST_PATHS: Final = 60
"""Paths that have a bar each."""


def logits_chart(found: Mapping[str, Any]) -> Block:
    """Logits of the rank out of sample of what was best in sample, over all halvings."""
    values = known_array(found["logits"]["values"])
    halvings = np.array(found["logits"]["halvings"], dtype=np.int64)
    bins = histogram(np.repeat(values, halvings))
    bad = bins.middles <= 0
    low, middle, high = found["pbo_null"]
    return Chart(
        name="pbo",
        title="Probability of backtest overfitting (PBO)",
        text=(
            f"The best on one half of {found['blocks']} blocks is in the worse half of "
            f"{found['trials']:,} trials on the others in {found['pbo']:.1%} of {int(halvings.sum()):,} "
            f"halvings: logit 0 or below. Without skill that is {low:.0%} to {high:.0%}, {middle:.0%} in "
            f"the middle. The middle logit is {found['median_logit']:.2f}."
        ),
        data=(
            histogram_bars(_part(bins, bad), "worse half out of sample", "@down"),
            histogram_bars(_part(bins, ~bad), "better half out of sample", "@up"),
        ),
        layout={
            "xaxis": axis("logit of the rank out of sample", zeroline=True),
            "yaxis": axis("halvings"),
            "barmode": "overlay",
            "bargap": 0.03,
        },
        width="half",
        note="0 is the middle rank. A bin that 0 lies in is coloured by its middle; the share is exact.",
        table=Table(
            name="pbo-numbers",
            caption="Overfitting",
            columns=("what", "value"),
            rows=(
                ("PBO, logit at most 0", Number(found["pbo"], "fraction")),
                ("logit below 0", Number(found["pbo_strict"], "fraction")),
                ("without skill, 5 % point", Number(low, "fraction")),
                ("without skill, middle", Number(middle, "fraction")),
                ("without skill, 95 % point", Number(high, "fraction")),
                ("chosen one loses out of sample", Number(found["loss_probability"], "fraction")),
                ("slope out of on in sample", Number(found["degradation_slope"], "ratio")),
            ),
        ),
    )


def no_skill_chart(found: Mapping[str, Any]) -> Block:
    """The PBO beside those of trials without skill."""
    null = known_array(found["pbo_null_values"])
    below = int((null <= found["pbo"]).sum())
    return null_chart(
        "pbo-null",
        "PBO without skill",
        null,
        found["pbo"],
        "pbo",
        what=f"as many independent trials without skill as there effectively are "
        f"({found['effective_trials']:,.1f})",
        is_of="the trials of this sweep",
        says=f"As low or lower in {below:,} of {len(null):,}; lower is better.",
        note="Without skill a PBO is about one half and scatters widely: alone it says little.",
        drawn="repetitions",
    )


def _part(bins: Histogram, chosen: Any) -> Histogram:
    return Histogram(edges=bins.edges, counts=np.where(chosen, bins.counts, 0), undefined=0)


def degradation_chart(found: Mapping[str, Any]) -> Block:
    """Performance of the chosen one out of sample on that in sample."""
    sampled = found["halvings_sampled"]
    inside = known_array(sampled["in_sample_sharpes_annual"])
    outside = known_array(sampled["out_of_sample_sharpes_annual"])
    slope, intercept = found["degradation_slope"], found["degradation_intercept_annual"]
    traces: list[Any] = [
        points(
            inside,
            outside,
            "halvings",
            colour="@accent/0.4",
            size=4,
            hover="in sample %{x:.2f}, out of sample %{y:.2f}",
        )
    ]
    told = "In-sample numbers do not vary, so that there is no line."
    if slope is not None and intercept is not None:
        ends = np.array([float(inside.min()), float(inside.max())])
        traces.append(
            line(
                ends,
                intercept + slope * ends,
                f"slope {slope:.2f}",
                line={"color": "@down", "width": 2, "dash": "dash"},
                hover="<extra></extra>",
            )
        )
        told = (
            f"The line has a slope of {slope:.2f}: 1 would keep what was seen, 0 nothing of the "
            "differences."
        )
    return Chart(
        name="degradation",
        title="The chosen one out of sample",
        text=(
            f"Annual Sharpe ratio of the best trial of each half, there and on the other half. {told} It "
            f"loses out of sample in {found['loss_probability']:.1%} of the halvings."
        ),
        data=tuple(traces),
        layout={
            "xaxis": axis("in sample, annual Sharpe ratio"),
            "yaxis": axis("out of sample, annual Sharpe ratio", zeroline=True),
        },
        width="half",
        note=(
            f"{len(inside):,} of {sampled['of']:,} halvings are drawn, evenly spaced. Without skill the "
            "slope is below 0: what one half gains the other lacks."
        ),
    )


def paths_chart(found: Mapping[str, Any]) -> Block:
    """Annual Sharpe ratios of the paths of combinatorial cross-validation."""
    every = known_array(found["path_sharpes"])
    paths = np.sort(every[np.isfinite(every)])
    if not len(paths):
        return Text(paragraphs=("Paths of cross-validation: n/a: none has a Sharpe ratio.",))
    low, middle, high = found["path_sharpe"]
    left = len(every) - len(paths)
    drawn, layout = _ranked_paths(paths) if len(paths) <= MOST_PATHS else _counted_paths(paths)
    return Chart(
        name="paths",
        title="Paths of combinatorial cross-validation",
        text=(
            f"Annual Sharpe ratios of {plural(len(paths), 'path')} out of sample: "
            f"5 % point {low:.2f}, middle {middle:.2f}, 95 % point {high:.2f}; "
            f"{int((paths <= 0).sum())} at 0 or below."
        ),
        data=drawn,
        layout=layout,
        width="half",
        note=(
            "Each path sees every bar once, each block by the trial that was best on blocks that were "
            "not tested with it. Paths share blocks: they are not independent."
            + (f" {plural(left, 'path')} without a Sharpe ratio left out." if left else "")
        ),
    )


def _ranked_paths(paths: Float1D) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """A bar for each path, by rank."""
    one_each = bars(
        [str(place) for place in range(1, len(paths) + 1)],
        paths,
        "path",
        colour=["@up" if value > 0 else "@down" for value in paths.tolist()],
        hover="path %{x} by rank: %{y:.2f}<extra></extra>",
    )
    return (one_each,), {
        "xaxis": category_axis("path, by rank", nticks=12),
        "yaxis": axis("annual Sharpe ratio", zeroline=True),
        "showlegend": False,
    }


def _counted_paths(paths: Float1D) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """The number of paths by Sharpe ratio, where they are too many for a bar each."""
    bins = histogram(paths)
    loses = bins.middles <= 0
    counted = (
        histogram_bars(_part(bins, loses), "0 or below", "@down"),
        histogram_bars(_part(bins, ~loses), "above 0", "@up"),
    )
    return counted, {
        "xaxis": axis("annual Sharpe ratio", zeroline=True),
        "yaxis": axis("paths"),
        "barmode": "overlay",
        "bargap": 0.03,
    }


def folds_chart(found: Mapping[str, Any]) -> Block:
    """Walk-forward: each fold in and out of sample."""
    folds = found["walk_forward_folds"]
    inside = known_array([fold["in_sample_sharpe_annual"] for fold in folds])
    outside = known_array([fold["out_of_sample_sharpe_annual"] for fold in folds])
    names = _fold_names(folds)
    efficiency = found["walk_forward_efficiency"]
    decay = found["decay"]
    rank = None if decay is None else decay["rank_correlation"]
    told = "" if rank is None else f" Ranks in and out of sample correlate by {rank:.2f}."
    known = outside[np.isfinite(outside)]
    ratios = f"{known.min():.2f} to {known.max():.2f}" if len(known) else "n/a"
    idle = len(outside) - len(known)
    return Chart(
        name="folds",
        title="Walk-forward: chosen before, judged after",
        text=(
            f"{plural(len(folds), 'fold')}: the best trial of the random stage on the blocks before, and "
            "on the block after. Efficiency (mean return × a year out of sample over in sample, not "
            f"compounded) {Number(efficiency, 'ratio').text}; "
            f"{found['walk_forward_profitable']:.0%} of the folds earn out of sample; "
            f"Sharpe ratios there {ratios}.{told}"
        ),
        data=(
            bars(
                names,
                inside,
                "in sample",
                colour="@muted/0.6",
                hover="%{x} in sample: %{y:.2f}<extra></extra>",
            ),
            bars(
                names,
                outside,
                "out of sample",
                hover="%{x} out of sample: %{y:.2f}<extra></extra>",
                marker={"color": "@accent", "pattern": {"shape": "/"}},
            ),
        ),
        layout={
            "xaxis": category_axis("test from", nticks=16, tickangle=-35),
            "yaxis": axis("annual Sharpe ratio", zeroline=True),
            "barmode": "group",
        },
        height=340,
        note="An efficiency is n/a where the folds lose in sample: a loss that shrinks is none."
        + (
            f" {plural(idle, 'fold')} without a second bar: equity did not move out of sample, where no "
            "Sharpe ratio is defined."
            if idle
            else ""
        ),
        table=Table(
            name="folds-numbers",
            caption="Folds of the walk-forward",
            columns=(
                "test from",
                "to",
                "trained from",
                "trial",
                "Sharpe in",
                "Sharpe out",
                "mean return × a year, in",
                "mean return × a year, out",
            ),
            rows=tuple(
                (
                    fold["test_start"],
                    fold["test_end"],
                    fold["train_start"],
                    f"random {fold['trial']}",
                    Number(fold["in_sample_sharpe_annual"], "ratio"),
                    Number(fold["out_of_sample_sharpe_annual"], "ratio"),
                    Number(fold["in_sample_per_year"], "fraction"),
                    Number(fold["out_of_sample_per_year"], "fraction"),
                )
                for fold in folds[:60]
            ),
            note="" if len(folds) <= 60 else f"The first 60 of {len(folds)} folds.",
        ),
    )


def _fold_names(folds: Sequence[Mapping[str, Any]]) -> list[str]:
    """The day on which each test begins, or its moment where several begin on one day."""
    days = [fold["test_start"][:10] for fold in folds]
    return days if len(set(days)) == len(days) else [fold["test_start"] for fold in folds]


def drift_chart(found: Mapping[str, Any]) -> Block:
    """Where the chosen parameters of each fold lie in their ranges."""
    folds = found["walk_forward_folds"]
    drift = drift_of(folds)
    short, steps = short_names(drift.names), drift.mean_steps
    order = np.argsort(-steps, kind="stable")[:MOST_DRIFTING]
    left = len(short) - len(order)
    return Chart(
        name="drift",
        title="Drift of the chosen parameters",
        text=(
            f"Where the values chosen on each of {len(folds)} folds lie in the searched ranges, from 0 "
            f"(lowest) to 1 (highest). Another trial is chosen "
            f"{plural(drift.changes, 'time')} of {len(folds) - 1}. "
            + (
                f"{short[order[0]]} moves most, by {steps[order[0]]:.0%} of its range from fold to fold; "
                f"{short[order[-1]]} least of those drawn, by {steps[order[-1]]:.0%}."
                if steps.any()
                else "None of them moves."
            )
        ),
        data=(
            heatmap(
                _fold_names(folds),
                [short[column] for column in order],
                drift.places[:, order].T,
                scale=((0.0, "@soft"), (1.0, "@accent")),
                zmin=0,
                zmax=1,
                hover="%{y}, test from %{x}: %{z:.2f} of the range<extra></extra>",
                colorbar={"title": {"text": "place"}, "thickness": 12},
            ),
        ),
        layout={
            "xaxis": category_axis("test from", nticks=16, tickangle=-90),
            "yaxis": category_axis("", autorange="reversed"),
        },
        height=140 + 24 * len(order),
        note=(
            "A strategy that has found something chooses much the same from fold to fold; rows without a "
            "pattern say that the choice follows the noise. Weights are shares; whole numbers and choices "
            "lie in the middle of their parts of the range."
            + (
                f" {plural(left, 'parameter')} that {'moves' if left == 1 else 'move'} less "
                f"{'is' if left == 1 else 'are'} left out."
                if left
                else ""
            )
        ),
    )
