"""The indicators of the user's own as subjects of the same checks, and what they promise."""

from engine import ConfigError, ContractError

from ..config import RunConfig
from ..features.build import wanted_features
from ..features.own_indicators import indicators_of, own_indicators_of
from .conformance import indicator_faults
from .markets import null_market
from .report import CheckRow
from .subjects import CASE_ROWS, FIRST_SEED, IndicatorCase, case_market, indicator_cases
from .suite import Suite


def own_suite(config: RunConfig) -> Suite:
    """The indicators of the files that ``config`` names, with the columns that are made of them.

    ConfigError where the configuration names no file, and as :func:`own_indicators_of`.
    """
    if not config.indicators:
        raise ConfigError(
            "indicators: the configuration names no file with indicators of its own; name one, such as "
            "indicators: [my_indicator.py]"
        )
    own = own_indicators_of(config)
    names = {indicator.name for indicator in own}
    wanted = wanted_features(config, indicators_of(config))
    return Suite(
        indicators=own,
        heads=(),
        features=tuple(one for one in wanted if one.indicator in names),
    )


def contract_rows(suite: Suite) -> list[CheckRow]:
    """One row for each case: shapes, kinds, ranges, NaN, repeatability and the ends of every range."""
    market = null_market(CASE_ROWS, FIRST_SEED)
    cases = indicator_cases(suite.indicators, suite.heads, market, suite.features)
    rows = []
    for case in cases:
        faults = _faults(case)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        detail = f"{faults[0]}{more}" if faults else "shapes, kinds, ranges, ends of every range"
        rows.append(CheckRow("contract", case.name, not faults, detail))
    return rows


def _faults(case: IndicatorCase) -> list[str]:
    try:
        return indicator_faults(case, case_market(case, 0))
    except ContractError as error:
        return [str(error)]
