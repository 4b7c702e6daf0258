"""The ``validation`` section of a sweep's configuration: how its result is tested, stated beforehand."""

from collections.abc import Sequence
from math import comb
from typing import Final

from pydantic import Field, model_validator

from engine import ConfigError

from .config_file import validated
from .config_section import Section, Whole
from .splits.combinatorial import MOST_SPLITS
from .statistics.overfitting import MOST_BLOCKS
from .yaml_source import Source, overridden

SECTION: Final = "validation"
FEWEST_TRIALS: Final = 32
"""Trials of the random stage that the tests need."""
MOST_BARS: Final = 1_000_000
SHORTEST_BLOCK: Final = 2
"""Bars without which returns cannot vary."""


class CscvConfig(Section):
    """Combinatorially symmetric cross-validation: the halvings of ``blocks`` that give the PBO."""

    blocks: Whole = Field(default=16, ge=4, le=MOST_BLOCKS)
    null_repetitions: Whole = Field(default=100, ge=20, le=10_000)

    @model_validator(mode="after")
    def _even(self) -> "CscvConfig":
        if self.blocks % 2:
            raise ValueError(f"blocks={self.blocks} must be even: one half is judged by the other")
        return self


class CpcvConfig(Section):
    """Combinatorial purged cross-validation: ``test_blocks`` of ``blocks`` are tested at a time.

    A block that is trained on right after a tested one begins ``embargo_bars`` later.
    """

    blocks: Whole = Field(default=16, ge=2, le=64)
    test_blocks: Whole = Field(default=2, ge=1)
    embargo_bars: Whole = Field(default=0, ge=0, le=MOST_BARS)

    @model_validator(mode="after")
    def _some_training(self) -> "CpcvConfig":
        if self.test_blocks >= self.blocks:
            raise ValueError(
                f"test_blocks={self.test_blocks} must be below blocks={self.blocks}: something has to be "
                "left to train on"
            )
        splits = comb(self.blocks, self.test_blocks)
        if splits > MOST_SPLITS:
            raise ValueError(
                f"test_blocks={self.test_blocks} of blocks={self.blocks} give {splits:,} splits, more than "
                f"{MOST_SPLITS:,}; take fewer blocks"
            )
        return self


class WalkForwardConfig(Section):
    """Walk-forward: chosen on ``train_blocks`` of ``blocks``, judged on the next ``test_blocks``.

    ``gap_bars`` between them are neither; ``anchored`` trains from the first block on. A last test that
    does not fit is left out.
    """

    blocks: Whole = Field(default=16, ge=2, le=1000)
    train_blocks: Whole = Field(default=4, ge=1)
    test_blocks: Whole = Field(default=1, ge=1)
    gap_bars: Whole = Field(default=0, ge=0, le=MOST_BARS)
    anchored: bool = False

    @model_validator(mode="after")
    def _some_test(self) -> "WalkForwardConfig":
        if self.train_blocks + self.test_blocks > self.blocks:
            raise ValueError(
                f"train_blocks={self.train_blocks} and test_blocks={self.test_blocks} must fit into "
                f"blocks={self.blocks}"
            )
        return self


class ValidationConfig(Section):
    """How a sweep is put to the test; docs/validation.md is the norm.

    ``trials`` of the random stage (cut to a power of two) take part in each test; ``shifts`` of the votes
    lie ``least_shift_days`` or more from the truth; the bars are permuted ``permutations`` times (0: not
    at all) in blocks of ``permutation_block_bars``. ``seed`` decides everything that is drawn.
    """

    seed: Whole = Field(default=7, ge=0, le=2**31 - 1)
    trials: Whole = Field(default=256, ge=FEWEST_TRIALS, le=65_536)
    shifts: Whole = Field(default=200, ge=1, le=100_000)
    least_shift_days: Whole = Field(default=10, ge=1, le=3_650)
    permutations: Whole = Field(default=19, ge=0, le=100_000)
    permutation_block_bars: Whole = Field(default=1, ge=1, le=MOST_BARS)
    bootstrap_draws: Whole = Field(default=2_000, ge=100, le=1_000_000)
    snooping_draws: Whole = Field(default=500, ge=20, le=1_000_000)
    random_entry_draws: Whole = Field(default=2_000, ge=20, le=1_000_000)
    cscv: CscvConfig = Field(default_factory=CscvConfig)
    cpcv: CpcvConfig = Field(default_factory=CpcvConfig)
    walk_forward: WalkForwardConfig = Field(default_factory=WalkForwardConfig)

    def check_bars(self, bars: int) -> None:
        """Raise ConfigError, naming the key, unless blocks, embargo and gap fit into ``bars`` bars."""
        kept = {
            "cscv": (self.cscv.blocks, "", 0),
            "cpcv": (self.cpcv.blocks, "embargo_bars", self.cpcv.embargo_bars),
            "walk_forward": (self.walk_forward.blocks, "gap_bars", self.walk_forward.gap_bars),
        }
        for name, (blocks, cut, cut_bars) in kept.items():
            length = bars // blocks
            if length < SHORTEST_BLOCK:
                raise ConfigError(
                    f"{SECTION}.{name}.blocks={blocks}: {bars} bars before the holdout give blocks of "
                    f"{length}, and {SHORTEST_BLOCK} are needed; take fewer blocks or more data"
                )
            if length - cut_bars < SHORTEST_BLOCK:
                raise ConfigError(
                    f"{SECTION}.{name}.{cut}={cut_bars}: a block has {length} bars, of which "
                    f"{SHORTEST_BLOCK} must be left; take less, or fewer blocks"
                )
        if self.permutations and self.permutation_block_bars > bars // SHORTEST_BLOCK:
            raise ConfigError(
                f"{SECTION}.permutation_block_bars={self.permutation_block_bars}: {bars} bars before the "
                "holdout have no two such blocks to exchange; take shorter ones"
            )


class _Tree(Section):
    """What holds the section, so that errors name its keys in full."""

    validation: ValidationConfig


def with_overrides(section: ValidationConfig, overrides: Sequence[str]) -> ValidationConfig:
    """``section`` with ``validation.KEY=VALUE`` for each of ``overrides``; errors name the key."""
    for override in overrides:
        key = override.partition("=")[0].strip()
        if not key.startswith(f"{SECTION}."):
            raise ConfigError(
                f"-s {override}: only keys of {SECTION} can be changed here ({SECTION}.{key}?); what was "
                "searched stays as it was"
            )
    source = Source({SECTION: section.model_dump(mode="json")}, {}, "validation")
    return validated(_Tree, overridden(source, overrides)).validation
