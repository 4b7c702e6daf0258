"""How often a rejected null hypothesis is true: false discovery rates of tests on Sharpe ratios.

López de Prado, Lipton and Zoonekynd (SSRN 5520741), in the convention ``_h0`` of ``sharpe``. A p-value
says how rare a result is without skill; what share of such results is luck depends on how common
skill is, ``skill_prior``, which nobody knows: show the answer for several. All Sharpe ratios are per
bar.
"""

from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import ndtr

from engine.errors import ConfigError

from .sharpe import psr_h0, standard_error_h0
from .track_record import TrackRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryTest:
    """A test whose rejections are false at a chosen rate: what it rejects, and its two errors."""

    critical_per_bar: float
    significance: float
    miss_probability: float


def planned_false_discovery(*, skill_prior: float, significance: float, power: float) -> float:
    """pFDR: share of luck among the results that such a test rejects, 1 ÷ (1 + (1−β)p₁ ÷ (α(1−p₁))).

    It knows the test, not the result. All three are probabilities within (0, 1).
    """
    for name, value in (
        ("skill_prior", skill_prior),
        ("significance", significance),
        ("power", power),
    ):
        _require_probability(name, value)
    return 1.0 / (1.0 + power * skill_prior / (significance * (1.0 - skill_prior)))


def observed_false_discovery(
    record: TrackRecord,
    benchmark_per_bar: float = 0.0,
    *,
    alternative_per_bar: float,
    skill_prior: float,
    trials: float = 1.0,
) -> float:
    """oFDR: share of luck among results at least as good as this one.

    p₀(1−p₁) ÷ (p₀(1−p₁) + p₁′p₁), p₀ and p₁′ the probabilities of a ratio above the observed one when
    the truth is SR₀ or SR₁. For the best of ``trials`` both ratios carry the expected maximum
    (``deflation.luck_per_bar``) already.
    """
    _require_alternative(benchmark_per_bar, alternative_per_bar)
    _require_probability("skill_prior", skill_prior)
    luck = 1.0 - psr_h0(record, benchmark_per_bar, trials=trials)
    skill = 1.0 - psr_h0(record, alternative_per_bar, trials=trials)
    lucky = luck * (1.0 - skill_prior)
    above = lucky + skill * skill_prior
    return lucky / above if above > 0.0 else 0.0


def discovery_test(
    record: TrackRecord,
    benchmark_per_bar: float = 0.0,
    *,
    alternative_per_bar: float,
    skill_prior: float,
    rate: float = 0.25,
    trials: float = 1.0,
) -> DiscoveryTest:
    """The test of which a share ``rate`` of rejections is luck.

    Solves P[H₀ | SR > c] = ``rate`` for the critical ratio c. Raises ConfigError where none does
    within ±10 standard errors, that is, where the rate is met without any test or by none.
    """
    _require_alternative(benchmark_per_bar, alternative_per_bar)
    _require_probability("skill_prior", skill_prior)
    _require_probability("rate", rate)
    luck_error = standard_error_h0(record, benchmark_per_bar, trials=trials)
    skill_error = standard_error_h0(record, alternative_per_bar, trials=trials)

    def share_of_luck(critical: float) -> float:
        luck = float(ndtr((benchmark_per_bar - critical) / luck_error)) * (1.0 - skill_prior)
        skill = float(ndtr((alternative_per_bar - critical) / skill_error)) * skill_prior
        return luck / (luck + skill) - rate

    low, high = benchmark_per_bar - 10.0 * luck_error, alternative_per_bar + 10.0 * skill_error
    if share_of_luck(low) <= 0.0 or share_of_luck(high) >= 0.0:
        raise ConfigError(
            f"rate={rate}: no critical Sharpe ratio gives it with skill_prior={skill_prior} between "
            f"{benchmark_per_bar} and {alternative_per_bar} on {record.bars} bars; "
            f"without a test {1.0 - skill_prior:g} of all results are luck"
        )
    critical = float(brentq(share_of_luck, low, high, xtol=1e-14))
    return DiscoveryTest(
        critical_per_bar=critical,
        significance=float(ndtr((benchmark_per_bar - critical) / luck_error)),
        miss_probability=float(ndtr((critical - alternative_per_bar) / skill_error)),
    )


def _require_probability(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise ConfigError(f"{name}={value} must lie within (0, 1)")


def _require_alternative(benchmark_per_bar: float, alternative_per_bar: float) -> None:
    if not alternative_per_bar > benchmark_per_bar:
        raise ConfigError(
            f"alternative_per_bar={alternative_per_bar} must lie above "
            f"benchmark_per_bar={benchmark_per_bar}"
        )
