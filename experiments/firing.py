"""How often heads, their detectors and the gates of the consensus speak: plain numbers for JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from strategies import GATES, Consensus, ConsensusRules, Head, VoteMatrix

TOLERANCE = 1e-12
"""The same slack as in the consensus: a value on the threshold passes."""
SYMBOLS_APART = 4
"""Symbols up to which each is shown by itself; more are summed up first."""
SHARES = ("present", "coverage", "long", "short", "voted", "valid")
"""What the table of a head states as means over the bars."""


def firing_table(
    symbol: str,
    votes: VoteMatrix,
    consensus: Consensus,
    rules: ConsensusRules,
    *,
    heads: Sequence[Head],
    enabled: Sequence[str],
    decisions: int,
) -> dict[str, Any]:
    """Shares of bars on which each head, each of its reasons and each gate spoke.

    Shares are fractions of all bars of ``votes``. ``valid`` means: data, a direction, and probability
    and confidence at the thresholds. ``gates`` counts bars by the first gate that blocked them.
    """
    counts = np.bincount(consensus.gate, minlength=len(GATES))
    agreeing = np.bincount(consensus.votes_for, minlength=len(votes.names) + 1)
    return {
        "symbol": symbol,
        "bars": len(votes),
        "decisions": decisions,
        "heads": [
            _head(votes, column, rules, head, head.name in enabled)
            for column, head in enumerate(heads)
        ],
        "gates": {name: int(count) for name, count in zip(GATES, counts, strict=True)},
        "agreeing_heads": [int(count) for count in agreeing],
        "consensus_long": int((consensus.direction > 0).sum()),
        "consensus_short": int((consensus.direction < 0).sum()),
    }


def over_symbols(firings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The tables of several symbols as one: shares of all their bars, and sums of what was counted."""
    bars = np.array([firing["bars"] for firing in firings], dtype=np.float64)
    weights = bars / bars.sum()

    def averaged(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, float]:
        return {
            name: float(weights @ np.array([row[name] for row in rows], dtype=np.float64))
            for name in names
        }

    heads = []
    for rows in zip(*(firing["heads"] for firing in firings), strict=True):
        reasons = zip(*(row["reasons"] for row in rows), strict=True)
        found = [{**of_reason[0], **averaged(of_reason, ["rate"])} for of_reason in reasons]
        heads.append({**rows[0], **averaged(rows, SHARES), "reasons": found})
    counts = ("decisions", "consensus_long", "consensus_short")
    agreeing = zip(*(firing["agreeing_heads"] for firing in firings), strict=True)
    return {
        "symbol": f"{len(firings)} symbols",
        "bars": sum(firing["bars"] for firing in firings),
        **{name: sum(firing[name] for firing in firings) for name in counts},
        "heads": heads,
        "gates": {
            gate: sum(firing["gates"][gate] for firing in firings) for gate in firings[0]["gates"]
        },
        "agreeing_heads": [sum(of_count) for of_count in agreeing],
    }


def _head(
    votes: VoteMatrix, column: int, rules: ConsensusRules, head: Head, enabled: bool
) -> dict[str, Any]:
    direction = votes.direction[:, column]
    present = votes.coverage[:, column] > 0
    valid = (
        present
        & (direction != 0)
        & (votes.probability[:, column] >= rules.p_min - TOLERANCE)
        & (votes.confidence[:, column] >= rules.c_min - TOLERANCE)
    )
    reasons = votes.reasons[:, column]
    return {
        "name": head.name,
        "enabled": enabled,
        "weight": float(rules.weights[head.name]),
        "present": float(present.mean()),
        "coverage": float(votes.coverage[:, column].mean()),
        "long": float((direction > 0).mean()),
        "short": float((direction < 0).mean()),
        "voted": float((direction != 0).mean()),
        "expected": list(head.FIRING_RATE),
        "valid": float(valid.mean()),
        "reasons": [
            {
                "name": reason.name,
                "text": reason.text,
                "direction": reason.direction,
                "rate": float(((reasons >> np.uint64(bit)) & np.uint64(1)).mean()),
                "expected": list(reason.firing_rate),
            }
            for bit, reason in enumerate(head.REASONS)
        ],
    }
