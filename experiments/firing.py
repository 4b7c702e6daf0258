"""How often heads, their detectors and the gates of the consensus speak: plain numbers for JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from strategies import GATES, HEADS_BY_NAME, Consensus, ConsensusRules, VoteMatrix

TOLERANCE = 1e-12
"""The same slack as in the consensus: a value on the threshold passes."""


def firing_table(
    symbol: str,
    votes: VoteMatrix,
    consensus: Consensus,
    rules: ConsensusRules,
    *,
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
            _head(votes, column, rules, name in enabled) for column, name in enumerate(votes.names)
        ],
        "gates": {name: int(count) for name, count in zip(GATES, counts, strict=True)},
        "agreeing_heads": [int(count) for count in agreeing],
        "consensus_long": int((consensus.direction > 0).sum()),
        "consensus_short": int((consensus.direction < 0).sum()),
    }


def _head(votes: VoteMatrix, column: int, rules: ConsensusRules, enabled: bool) -> dict[str, Any]:
    name = votes.names[column]
    head = HEADS_BY_NAME[name]
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
        "name": name,
        "enabled": enabled,
        "weight": float(rules.weights[name]),
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
