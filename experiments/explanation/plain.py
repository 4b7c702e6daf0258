"""An explanation as plain values, for JSON."""

from dataclasses import asdict
from typing import Any

from datasets import time_text

from .explain import Explanation


def plain_explanation(explanation: Explanation) -> dict[str, Any]:
    """Every number of the explanation; times as text in UTC, what was not computed as null."""
    return {
        "run_id": explanation.run_id,
        "symbol": explanation.symbol,
        "timeframe": explanation.timeframe,
        "asked": time_text(explanation.asked_ns),
        "known_at": time_text(explanation.known_at_ns),
        "close": explanation.close,
        "heads": [
            {
                "name": head.vote.name,
                "enabled": head.is_enabled,
                "weight": head.weight,
                "direction": head.vote.direction,
                "probability": head.vote.probability,
                "confidence": head.vote.confidence,
                "coverage": head.vote.coverage,
                "score": head.score,
                "standing": head.standing,
                "reasons": [asdict(reason) for reason in head.reasons],
                "components": None
                if head.components is None
                else [asdict(component) for component in head.components],
                "user_rules": None if head.rules is None else [asdict(rule) for rule in head.rules],
            }
            for head in explanation.heads
        ],
        "consensus": {
            **explanation.consensus,
            "steps": [asdict(step) for step in explanation.steps.steps],
        },
        "decision": dict(explanation.decision),
        "not_computed_again": explanation.not_again or None,
    }
