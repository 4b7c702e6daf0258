"""The ``sweep`` section: what is searched, how, for what, and what stays locked away."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from engine import ConfigError

from ..config import RunConfig
from ..config_file import source_of, validated
from ..config_section import Label, Real, Section, Whole
from ..config_validation import ValidationConfig
from ..yaml_source import Source, overridden
from .own_parameters import FILES_PATH
from .trial_metrics import DIRECTIONS

SAMPLERS: Final = ("tpe", "cmaes", "nsgaii", "gp", "random")
MOST_SCREENED: Final = 2**20


class RealRange(Section):
    """A number between ``low`` and ``high``, both included; ``log`` spreads it by ratios."""

    kind: Literal["real"]
    low: Real
    high: Real
    log: bool = False

    @model_validator(mode="after")
    def _rising(self) -> "RealRange":
        if not self.low < self.high:
            raise ValueError(f"low={self.low} must be below high={self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low={self.low} must be positive where log is true")
        return self


class WholeRange(Section):
    """A whole number from ``low`` to ``high`` in steps of ``step``."""

    kind: Literal["whole"]
    low: Whole
    high: Whole
    step: Whole = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _rising(self) -> "WholeRange":
        if not self.low < self.high or (self.high - self.low) % self.step:
            raise ValueError(
                f"high={self.high} must lie a multiple of step={self.step} above low={self.low}"
            )
        return self


class Choice(Section):
    """One of ``values``, whatever they are."""

    kind: Literal["choice"]
    values: tuple[Any, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _different(self) -> "Choice":
        for index, value in enumerate(self.values):
            if any(value == other and type(value) is type(other) for other in self.values[:index]):
                raise ValueError(f"values[{index}]={value!r} is there twice")
        return self


class Weights(Section):
    """The weights of all heads that vote, uniform on the simplex."""

    kind: Literal["weights"]


Parameter = Annotated[RealRange | WholeRange | Choice | Weights, Field(discriminator="kind")]


class Objective(Section):
    """A metric to make better; what is better follows from the metric."""

    metric: Literal[tuple(DIRECTIONS)]  # type: ignore[valid-type]

    @property
    def direction(self) -> str:
        """``maximize`` or ``minimize``."""
        return DIRECTIONS[self.metric]


class Constraint(Section):
    """A bound on a metric that a trial must keep to be called feasible."""

    metric: Literal[tuple(DIRECTIONS)]  # type: ignore[valid-type]
    at_least: Real | None = None
    at_most: Real | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> "Constraint":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("state either at_least or at_most")
        return self

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"{self.metric} at least {self.at_least:g}"
        return f"{self.metric} at most {self.at_most:g}"


class Screen(Section):
    """Points of a scrambled Sobol sequence, evaluated directly; 0 leaves the stage out."""

    trials: Whole = Field(default=1024, ge=0, le=MOST_SCREENED)
    batch: Whole = Field(default=1024, ge=1, le=65_536)

    @field_validator("trials")
    @classmethod
    def _power_of_two(cls, trials: int) -> int:
        if trials & (trials - 1):
            raise ValueError("must be a power of two, or 0: the sequence is balanced only then")
        return trials


class Search(Section):
    """Trials asked from an Optuna sampler, ``batch`` at a time; 0 leaves the stage out.

    ``seeds`` of the screen are told first, half the best and half spread over the rest. With
    ``neighbours`` each trial is judged by the ``quantile`` of itself and so many points within
    ``radius`` of its coordinates.
    """

    sampler: Literal[SAMPLERS] = "tpe"  # type: ignore[valid-type]
    trials: Whole = Field(default=256, ge=0, le=1_000_000)
    batch: Whole = Field(default=64, ge=1, le=4096)
    seeds: Whole = Field(default=200, ge=0, le=500)
    neighbours: Whole = Field(default=0, ge=0, le=256)
    radius: Real = Field(default=0.05, gt=0, le=0.5)
    quantile: Real = Field(default=0.25, ge=0, le=1)


class SweepSection(Section):
    """How a configuration is searched; docs/tuning.md is the norm."""

    family: Label | None = None
    objectives: tuple[Objective, ...] = Field(
        default=(Objective(metric="sharpe"),), min_length=1, max_length=4
    )
    constraints: tuple[Constraint, ...] = ()
    space: Mapping[str, Parameter] = Field(min_length=1)
    screen: Screen = Field(default_factory=Screen)
    search: Search = Field(default_factory=Search)
    holdout_from: date | None = None

    @property
    def planned_trials(self) -> int:
        """Trials of the whole plan, neighbours included."""
        return self.screen.trials + self.search.trials * (1 + self.search.neighbours)

    @property
    def ranks_by_neighbours(self) -> bool:
        """Whether only trials of the search are ranked, each by the score of its neighbourhood."""
        return bool(self.search.neighbours and self.search.trials)

    @model_validator(mode="after")
    def _some_trial(self) -> "SweepSection":
        names = [objective.metric for objective in self.objectives]
        if len(set(names)) < len(names):
            raise ValueError(f"objectives {', '.join(names)} name one metric twice")
        if not self.screen.trials and not self.search.trials:
            raise ValueError("screen.trials and search.trials are both 0: nothing would be tried")
        if self.search.sampler == "cmaes" and len(names) > 1 and self.search.trials:
            raise ValueError(
                "search.sampler=cmaes has one objective; take tpe or nsgaii for several"
            )
        return self


class SweepConfig(RunConfig):
    """A run's configuration with what is searched in it, and how what is found will be tested."""

    sweep: SweepSection
    validation: ValidationConfig = Field(default_factory=ValidationConfig)

    @model_validator(mode="after")
    def _searchable(self) -> "SweepConfig":
        if self.targets is not None:
            raise ValueError("targets are decisions already: a sweep searches the consensus")
        last = self.sweep.holdout_from
        if last is not None and self.data.end is not None and last > self.data.end:
            raise ValueError(
                f"sweep.holdout_from={last} must not lie after data.end={self.data.end}"
            )
        return self

    @property
    def family(self) -> str:
        """Whose trials are counted together."""
        return self.sweep.family or self.name

    @property
    def base(self) -> RunConfig:
        """The run's configuration that trials change, its data ending before the holdout."""
        first = self.sweep.holdout_from
        if first is None:
            return self.with_holdout
        tree = self.with_holdout.model_dump(mode="json")
        tree["data"]["end"] = (first - timedelta(days=1)).isoformat()
        name = f"the configuration {self.name} before its holdout"
        return validated(RunConfig, Source(tree, {}, name), recorded=True)

    @property
    def with_holdout(self) -> RunConfig:
        """The run's configuration on all of its data."""
        tree = self.model_dump(mode="json", exclude={"sweep", "validation"})
        name = f"the configuration {self.name}"
        return validated(RunConfig, Source(tree, {}, name), recorded=True)


def load_sweep_config(path: Path | str, overrides: Sequence[str] = ()) -> SweepConfig:
    """Read a YAML configuration with a ``sweep`` section; errors as those of ``load_config``.

    An override of a key that is searched is refused: it would change nothing but the name of the sweep.
    """
    config = _checked(source_of(path, overrides))
    for override in overrides:
        key = _by_name(override.partition("=")[0].strip(), config)
        for searched in config.sweep.space:
            if key == searched or key.startswith(f"{searched}."):
                raise ConfigError(
                    f"-s {override}: {searched} is searched; change sweep.space.{searched} instead"
                )
    return config


def _by_name(key: str, config: SweepConfig) -> str:
    """The key of an override as a space would name it, where it is that of a head's parameter."""
    for place, file in enumerate(config.heads.files):
        above = f"{FILES_PATH}.{place}.parameters."
        if key.startswith(above):
            return f"{FILES_PATH}.{file.name}.{key.removeprefix(above)}"
    return key


def sweep_config_of(
    tree: Mapping[str, Any], overrides: Sequence[str] = (), *, recorded: bool = False
) -> SweepConfig:
    """A checked configuration from plain values, such as those that a ledger keeps.

    Where ``recorded``, files of code are left unread, as in ``config_file.validated``.
    """
    source = overridden(Source(tree, {}, "sweep configuration"), overrides)
    return _checked(source, recorded=recorded)


def _checked(source: Source, *, recorded: bool = False) -> SweepConfig:
    if "sweep" not in source.tree:
        raise ConfigError(
            f"{source.name}: there is no section 'sweep'; state sweep.space, or use `ninefold run`"
        )
    return validated(SweepConfig, source, recorded=recorded)
