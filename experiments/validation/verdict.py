"""The verdict: three words, the rules that lead to them, and what nobody knows yet (docs/validation.md)."""

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

EVIDENCE: Final = "evidence"
NO_EVIDENCE: Final = "no evidence"
INCONCLUSIVE: Final = "inconclusive"
LEVEL: Final = 0.05
CONFIDENCE: Final = 0.95

Word = Literal["evidence", "no evidence", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the verdict rests on; None or NaN where a number could not be had.

    ``primary_p`` of the shifted votes; ``sweeps`` of the family, each of which could have been the one
    to be validated; ``dsr`` at the effective number of trials, ``dsr_raw`` at all of them; ``pbo`` and the
    lower end of its null band; ``days`` of the track record and those it would need; ``random_p`` and
    ``random_median`` (annual Sharpe ratio) of random entries; ``interval`` of the annual Sharpe ratio;
    ``permuted_p`` of so many ``permutations`` of the bars, ``permuted_trials`` searched on each, None where
    the bars were not permuted; ``by_hand`` single runs of the family, which are not among its trials.
    """

    primary_p: float
    shifts: int
    sweeps: int
    trials: int
    effective_trials: float | None
    sharpe_annual: float
    interval: tuple[float, float]
    dsr: float | None
    dsr_raw: float | None
    pbo: float | None
    pbo_null_low: float | None
    days: int
    minimum_days: float
    random_p: float | None
    random_median: float | None
    is_simulated: bool
    holdout: str
    unfinished: str | None = None
    permuted_p: float | None = None
    permutations: int = 0
    permuted_trials: int = 0
    by_hand: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``word``, the sentences that carry it, and those that say what is not known."""

    word: Word
    because: tuple[str, ...]
    unknown: tuple[str, ...]


def verdict_of(found: Findings) -> Verdict:
    """``evidence`` when every rule holds, ``no evidence`` when the first fails, else ``inconclusive``."""
    rules = rules_of(found)
    primary = rules[0][0]
    word: Word = "inconclusive" if primary else "no evidence"
    if all(holds for holds, _ in rules):
        word = "evidence"
    because = (*(text for _, text in rules), *_told(found))
    return Verdict(word=word, because=because, unknown=_unknown(found))


def rules_of(found: Findings) -> list[tuple[bool, str]]:
    """Each rule of ``evidence``, the primary one first: whether it holds, and the sentence that says so."""
    rules = [(family_p(found) <= LEVEL, _primary(found)), _deflated(found)]
    if found.pbo is not None and found.pbo_null_low is not None:
        rules.append(
            (
                found.pbo < found.pbo_null_low,
                f"The best on half of the blocks is in the worse half on the others in {found.pbo:.1%} "
                f"of the halvings; the rule asks for less than {found.pbo_null_low:.1%}, which 5 of 100 "
                "searches without skill reach.",
            )
        )
    needed = f"{found.minimum_days:,.0f} are needed"
    if math.isinf(found.minimum_days):
        needed = "no number would do"
    rules.append(
        (
            found.days >= found.minimum_days,
            f"The track record has {found.days:,} days; {needed} to show a positive Sharpe ratio.",
        )
    )
    if found.permuted_p is not None:
        rules.append((found.permuted_p <= LEVEL, _permuted(found)))
    return rules


def share(part: float) -> str:
    """A p value as people read it: never 0."""
    return "less than 0.001" if part < 0.001 else f"{part:.3f}"


def family_p(found: Findings) -> float:
    """The primary p value for the best of the family's sweeps, 1 − (1 − p)^sweeps (Šidák)."""
    return 1.0 - (1.0 - found.primary_p) ** found.sweeps if found.sweeps > 1 else found.primary_p


def _primary(found: Findings) -> str:
    counted = "; the rule"
    if found.sweeps > 1:
        counted = f", {share(family_p(found))} for the best of the family's {found.sweeps} sweeps; the rule"
    text = (
        f"The same search on votes of another time does as well or better in a share of "
        f"{share(found.primary_p)} of {found.shifts} shifts{counted} asks for {LEVEL:g} at most."
    )
    if family_p(replace(found, primary_p=1.0 / (1 + found.shifts))) > LEVEL:
        text += f" With {found.shifts} shifts it cannot be met: take more (--shifts)."
    return text


def _permuted(found: Findings) -> str:
    assert found.permuted_p is not None
    search = "The same run" if found.permuted_trials == 1 else "The same search"
    text = (
        f"{search} on the market's bars in another order does as well or better in a share of "
        f"{share(found.permuted_p)} of {found.permutations} permutations; the rule asks for {LEVEL:g} at "
        "most."
    )
    if 1.0 / (1 + found.permutations) > LEVEL:
        text += (
            f" With {found.permutations} permutations it cannot be met: take more (--permutations)."
        )
    return text


def _deflated(found: Findings) -> tuple[bool, str]:
    if found.dsr is None or found.effective_trials is None:
        text = "The Sharpe ratio cannot be deflated: too few trials of the random stage trade."
        return (
            found.trials == 1,
            text if found.trials > 1 else "There was one trial: nothing to deflate.",
        )
    return (
        found.dsr >= CONFIDENCE,
        f"Deflated by {found.effective_trials:,.1f} effective trials, the Sharpe ratio is above that of "
        f"luck with a probability of {found.dsr:.3f}; the rule asks for {CONFIDENCE:g}.",
    )


def _told(found: Findings) -> tuple[str, ...]:
    low, high = found.interval
    sentences = [
        f"{found.trials:,} trials were run before this one was chosen. Its annual Sharpe ratio by days is "
        f"{found.sharpe_annual:.2f}, 95 % interval {low:.2f} to {high:.2f}, before any deflation."
    ]
    if found.by_hand:
        runs = "One run was" if found.by_hand == 1 else f"{found.by_hand:,} runs were"
        sentences.append(
            f"{runs} made by hand under the family's name: not among the trials, and not deflated for."
        )
    if found.dsr_raw is not None:
        sentences.append(
            f"Deflated by all {found.trials:,} trials as if they were independent, the probability is "
            f"{found.dsr_raw:.3f}."
        )
    if found.random_p is not None:
        sentences.append(
            f"The same trades at random times have an annual Sharpe ratio of {found.random_median:.2f} "
            f"in the middle, and one as good or better in a share of {share(found.random_p)}; that does "
            "not count how many trials were looked at."
        )
    return tuple(sentences)


def _unknown(found: Findings) -> tuple[str, ...]:
    sentences = [*([found.unfinished] if found.unfinished else []), found.holdout]
    if found.permuted_p is None:
        sentences.append(
            "Bars were not permuted: what the search would find in bars without order was not looked at."
        )
    if found.is_simulated:
        sentences.append("The market is simulated: nothing in it happened.")
    sentences.append(
        "One period of one set of markets was looked at: what it does in other regimes, with other "
        "liquidity or with more money is not known."
    )
    return tuple(sentences)
