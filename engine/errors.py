"""The one error tree of the project.

::

    BacktestError
    ├─ ConfigError(ValueError)    unknown key, impossible range, wrong argument
    ├─ DataError(ValueError)      gap, duplicate, unsorted, negative price, broken file or store
    ├─ ContractError(ValueError)  a head, indicator or decision broke shape, range or causality
    └─ SourceError(RuntimeError)  an exchange or the network failed

Every message names the file, key, row or argument, the rule, the value, and what to do. Ruin is a
result, not an error.
"""


class BacktestError(Exception):
    """Root of every error that Ninefold raises on purpose."""


class ConfigError(BacktestError, ValueError):
    """A configuration or an argument is unknown or out of range."""


class DataError(BacktestError, ValueError):
    """Data break a rule: gaps, duplicates, order, prices, or a file that cannot be read."""


class ContractError(BacktestError, ValueError):
    """A head, an indicator or a decision array broke its contract of shape, range or causality."""


class SourceError(BacktestError, RuntimeError):
    """An exchange or the network failed."""
