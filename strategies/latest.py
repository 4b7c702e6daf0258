"""What the heads say about the newest bars, from a bounded window."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from engine import ContractError, Market
from indicators import INDICATORS_BY_NAME, Indicator, latest_features
from indicators.clock_tail import ClockTails

from .base import Head, HeadOutput
from .votes import VoteMatrix, head_inputs, stacked_votes


def memory_bars(head: Head) -> int:
    """Rows before its own that a row of the votes of ``head`` may depend on.

    A head holds an event for as many bars as one of its fields says, and says nothing for its first
    bars; such fields are whole numbers whose names end in ``_bars``. They are added up, for one may
    count from what another holds, and one bar more is what a head may look back by itself.
    """
    if not is_dataclass(head):
        raise ContractError(f"head {head.name} must be a dataclass of its parameters")
    spans = (getattr(head, field.name) for field in fields(head) if field.name.endswith("_bars"))
    return 1 + sum(int(span) for span in spans)


def latest_votes(
    market: Market,
    heads: Sequence[Head],
    *,
    indicators: Mapping[str, Indicator] = INDICATORS_BY_NAME,
    rows: int = 1,
) -> VoteMatrix:
    """The last ``rows`` rows of ``vote_matrix``, at a cost that does not grow with the history.

    Each head gets the rows of ``latest_features`` that it remembers (``memory_bars``) and those asked
    for. Direction, reasons and coverage are those of the batch; probability, confidence and score
    differ by what ``latest_features`` differs. Returns as many rows as there are bars at most. Raises
    what ``vote_matrix`` raises, and ConfigError when ``rows`` is below 1.
    """
    outputs: dict[str, HeadOutput] = {}
    tails = ClockTails(market)
    # The longest tail of a clock serves every head.
    for head in sorted(heads, key=memory_bars, reverse=True):
        matrix = latest_features(
            market,
            head.features().values(),
            indicators=indicators,
            rows=rows + memory_bars(head) if rows > 0 else rows,
            tails=tails,
        )
        try:
            output = head.vote(head_inputs(head, matrix))
        except ContractError as error:
            raise ContractError(f"head {head.name}: {error}") from error
        outputs[head.name] = _newest(output, rows)
    open_time = market.bars.open_time[-rows:]
    in_order = {head.name: outputs[head.name] for head in heads}
    return stacked_votes(open_time, open_time + market.bars.step_ns, in_order)


def _newest(output: HeadOutput, rows: int) -> HeadOutput:
    columns: dict[str, Any] = {
        field.name: getattr(output, field.name)[-rows:] for field in fields(output)
    }
    return replace(output, **columns)
