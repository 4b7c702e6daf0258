"""Boolean expressions over features, as a user writes them into a configuration.

``parser`` reads them, ``syntax`` is what they are, ``evaluation`` says where they hold. The grammar is
in docs/user-rules.md.

>>> str(parsed_condition("rsi.rsi(length=14) < 30 and close > mean(close, 5)"))
'rsi.rsi(length=14)@bars < 30.0 and bar.close()@bars > mean(bar.close()@bars, 5)'
"""

from .evaluation import Truth, evaluated
from .parser import parsed_condition
from .syntax import Condition, bars_back, features_of

__all__ = ["Condition", "Truth", "bars_back", "evaluated", "features_of", "parsed_condition"]
