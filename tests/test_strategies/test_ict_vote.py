"""The vote of the ICT head by hand: points, confidences, multipliers, what is told and not counted."""

import numpy as np
import pytest

from strategies import HeadInputs
from strategies.heads.ict import IctHead
from tests.test_strategies.head_answers import quiet_inputs, reasons_on


def ict_inputs(rows: int = 170, **events: dict[int, float]) -> HeadInputs:
    """Everything known and nothing happening, but for ``events`` (alias: value by row)."""
    return quiet_inputs(IctHead(), rows, events, trend=1.0)


def test_ict_sweep_counts_two_and_its_confidence_is_that_of_the_event() -> None:
    head = IctHead()
    output = head.vote(
        ict_inputs(sweep={155: 1.0}, sweep_confidence={155: 0.7, 156: 0.1}, kill_zone={157: 3.0})
    )
    valid = head.sweep_validity_bars
    assert output.direction.tolist() == [155 <= t < 155 + valid for t in range(170)]
    assert output.probability[155] == 0.8
    assert output.confidence[155] == pytest.approx(1.2 * 0.7)
    assert output.confidence[156] == pytest.approx(1.2 * 0.7)
    assert output.confidence[157] == 0.95
    assert reasons_on(head, output, 157) == {"sweep_up", "kill_zone"}


def test_ict_mean_confidence_points_and_the_silver_bullet() -> None:
    head = IctHead()
    output = head.vote(
        ict_inputs(
            entry={160: -1.0}, judas={160: -1.0}, judas_strength={160: 0.4},
            gap_reaction={161: 1.0}, silver_bullet={161: 1.0}, kill_zone={161: 2.0},
        )
    )  # fmt: skip
    judas = 0.65 + 0.25 * 0.4
    assert output.direction[160] == -1
    assert output.probability[160] == pytest.approx(0.8)
    assert output.confidence[160] == pytest.approx((0.75 + judas) / 2)
    assert output.score[160] == pytest.approx(50.0 - 50.0 * 2 / 6)
    assert output.direction[161] == -1
    assert output.confidence[161] == pytest.approx(1.1 * (0.75 + judas) / 2)
    assert output.score[161] == pytest.approx(50.0 - 50.0 / 6)


def test_ict_ties_do_not_vote_and_blocks_need_the_trend() -> None:
    head = IctHead()
    tie = head.vote(ict_inputs(entry={160: 1.0}, gap_reaction={160: -1.0}))
    assert tie.direction[160] == 0
    assert reasons_on(head, tie, 160) == {"entry_up", "gap_down"}
    touch = head.vote(ict_inputs(block_touch={155: 1.0, 160: -1.0}, balanced_touch={164: 1.0}))
    assert touch.direction[155] == 1
    assert touch.direction[160] == 0
    assert reasons_on(head, touch, 155) == {"block_up"}
    assert reasons_on(head, touch, 164) == {"balanced_up"}


def test_ict_warm_up_and_missing_families() -> None:
    early = IctHead().vote(ict_inputs(entry={149: 1.0}))
    assert early.coverage[149] == 0
    assert early.direction[149] == 0
    assert early.direction[150] == 1
    inputs = ict_inputs(entry={160: 1.0})
    inputs.columns["entry_known"][:] = np.nan
    without = IctHead().vote(inputs)
    assert without.coverage[160] == pytest.approx(5 / 6)
    assert without.direction[160] == 0


def test_the_seeds_macros_multiply_like_the_silver_bullets_and_once() -> None:
    head = IctHead(kill_zones="seed", silver_bullet_multiplier=1.3)
    output = head.vote(
        ict_inputs(
            entry={160: 1.0}, kill_zone={160: 3.0, 161: 3.0}, silver_bullet={161: 1.0, 162: 1.0}
        )
    )
    assert output.confidence[160:164] == pytest.approx([0.75 * 1.2, 0.95, 0.95, 0.75])
    assert reasons_on(head, output, 161) == {"entry_up", "kill_zone", "silver_bullet"}


def test_what_is_told_and_not_counted() -> None:
    head = IctHead()
    output = head.vote(
        ict_inputs(
            shift={160: -1.0}, range_zone={160: 3.0, 161: 1.0}, sweep={158: 1.0},
            sweep_equal={158: 1.0}, sweep_busy={158: 1.0}, sweep_confidence={158: 0.7},
        )
    )  # fmt: skip
    swept = reasons_on(head, output, 158)
    assert swept == {"sweep_up", "equal_swept", "busy_sweep"}
    assert reasons_on(head, output, 160) == swept | {"shift_down", "premium"}
    assert reasons_on(head, output, 161) == swept | {"shift_down", "discount"}
    assert reasons_on(head, output, 162) == {"shift_down"}
    assert output.direction[158:163].tolist() == [1, 1, 1, 1, 0]
    assert output.probability[158] == output.probability[161] == 0.8
    strong = IctHead(judas_confidence=0.9, judas_gain=0.5)
    judas = strong.vote(ict_inputs(judas={160: 1.0}, judas_strength={160: 7.0}))
    assert judas.confidence[160] == 0.95
