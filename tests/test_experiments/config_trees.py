"""The smallest configuration of a run, and the message of one that is refused."""

from typing import Any

import pytest

from engine import ConfigError
from experiments import config_of

SPOT = {"venue": "binance", "market": "spot", "symbol": "BTCUSDT"}
COIN = {"venue": "binance", "market": "cm_perp", "symbol": "BTCUSD_PERP"}


def tree(**sections: Any) -> dict[str, Any]:
    return {"data": {"instruments": [{"signals": SPOT}]}, **sections}


def refused(content: dict[str, Any], *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config_of(content, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message
