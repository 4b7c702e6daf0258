"""The space of a sweep: from points of the unit cube to values of a configuration, and to Optuna."""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine import ConfigError, Float2D
from strategies import HEAD_NAMES
from strategies.consensus_sweep import MOST_HEADS

from ..config import RunConfig
from ..config_file import config_of, resolved
from ..config_problems import NEAR_ENOUGH
from ..yaml_source import overridden, read_source
from .config import (
    Choice,
    Parameter,
    RealRange,
    SweepConfig,
    Weights,
    WholeRange,
    load_sweep_config,
)
from .own_parameters import (
    FILES_PATH,
    assign_own,
    check_own_path,
    check_own_values,
    own_parameter,
)

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

WEIGHTS_PATH: Final = "consensus.weights"
USER_RULES_PATH: Final = "heads.rules.user_rules"
NOT_SEARCHED: Final = (
    "data",
    "name",
    "seed",
    "symbol_rules",
    "targets",
    "indicators",
    "features",
    "origin",
    "sweep",
    "heads.enabled",
    "margin.contract",
)
"""Keys that decide what is compared with what: one sweep keeps them."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One coordinate of the cube: of ``parameter`` at ``path``; ``head`` where it is a head's weight."""

    path: str
    parameter: Parameter
    head: str | None = None

    @property
    def name(self) -> str:
        """How the coordinate is called, alone in its space."""
        return self.path if self.head is None else f"{self.path}.{self.head}"


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The axes in the order of their paths, the configuration around them, and the trials planned in it."""

    base: RunConfig
    axes: tuple[Axis, ...]
    planned: int = 1

    def __len__(self) -> int:
        return len(self.axes)

    def values(self, coordinates: Sequence[float]) -> dict[str, Any]:
        """What the point ``coordinates``, each in [0, 1), holds, by path in order."""
        if len(coordinates) != len(self.axes):
            raise ConfigError(
                f"coordinates have {len(coordinates)} numbers, the space has {len(self.axes)} axes"
            )
        found: dict[str, Any] = {}
        shares: dict[str, float] = {}
        for axis, given in zip(self.axes, coordinates, strict=True):
            u = float(given)
            if not 0.0 <= u < 1.0:
                raise ConfigError(f"coordinates: {axis.name}={u} must lie in [0, 1)")
            if axis.head is None:
                found[axis.path] = _valued(axis.parameter, u)
            else:
                found[axis.path] = shares
                shares[axis.head] = -math.log1p(-u)
        total = math.fsum(shares.values())
        for head, share in shares.items():
            shares[head] = share / total if total > 0 else 1.0 / len(shares)
        return found

    def distributions(self) -> dict[str, "BaseDistribution"]:
        """What Optuna samples, by the names of the axes: the coordinates themselves of numbers that
        are real, so that a point of the ledger is told exactly as it was asked; else the value's place.
        """
        from optuna.distributions import (
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )

        made: dict[str, BaseDistribution] = {}
        for axis in self.axes:
            parameter = axis.parameter
            match parameter:
                case Choice():
                    made[axis.name] = CategoricalDistribution(range(len(parameter.values)))
                case WholeRange(low=low, high=high, step=step):
                    made[axis.name] = IntDistribution(low, high, step=step)
                case RealRange() | Weights():
                    made[axis.name] = FloatDistribution(0.0, _BELOW_ONE)
        return made

    def coordinates(self, sampled: Mapping[str, Any]) -> list[float]:
        """The point of the cube of what Optuna sampled, by the names of the axes."""
        return [_coordinate(axis.parameter, sampled[axis.name]) for axis in self.axes]

    def sampled(self, coordinates: Sequence[float]) -> dict[str, Any]:
        """What Optuna would have to sample for the point ``coordinates``."""
        return {
            axis.name: _sampled(axis.parameter, u)
            for axis, u in zip(self.axes, coordinates, strict=True)
        }

    def config(self, values: Mapping[str, Any]) -> RunConfig:
        """The whole configuration with ``values``; ConfigError when it refuses them together."""
        return config_of(assigned(resolved(self.base), values), recorded=True)


_BELOW_ONE: Final = math.nextafter(1.0, 0.0)


def space_of(config: SweepConfig) -> Space:
    """The space that ``config`` states, every path and bound of it checked.

    No file of the user's own is run: what its head takes is asked by ``checked_files``, before the first
    trial. Raises ConfigError naming ``sweep.space.<path>``, the rule and the value.
    """
    base = config.base
    too_many = len(HEAD_NAMES) + len(base.heads.files) - MOST_HEADS
    if too_many > 0:
        raise ConfigError(
            f"heads.files has {len(base.heads.files)} heads beside the {len(HEAD_NAMES)}: a sweep decides "
            f"up to {MOST_HEADS}; leave {too_many} out"
        )
    tree = resolved(base)
    axes: list[Axis] = []
    for path in sorted(config.sweep.space):
        parameter = config.sweep.space[path]
        if isinstance(parameter, Weights) != (path == WEIGHTS_PATH):
            raise ConfigError(
                f"sweep.space.{path}: kind {parameter.kind} does not fit; {WEIGHTS_PATH} takes kind "
                "weights, and nothing else does"
            )
        if isinstance(parameter, Weights):
            heads = [head for head in tree["consensus"]["weights"] if head in base.heads.enabled]
            if len(heads) < 2:
                raise ConfigError(f"sweep.space.{path}: {len(heads)} head votes; weights need two")
            axes += [Axis(path, parameter, head) for head in heads]
            continue
        _check_path(path, tree)
        if own_parameter(path) is not None:
            check_own_values(path, extremes(parameter))
        else:
            for value in extremes(parameter):
                _check_value(path, value, tree, set(config.sweep.space) - {path})
        axes.append(Axis(path, parameter))
    return Space(base, tuple(axes), config.sweep.planned_trials)


def load_searchable(path: Path | str, overrides: Sequence[str] = ()) -> SweepConfig:
    """Read a sweep's configuration, its space checked too; errors name ``file:line`` as well."""
    config = load_sweep_config(path, overrides)
    try:
        space_of(config)
    except ConfigError as error:
        source = overridden(read_source(path), overrides)
        for searched in config.sweep.space:
            if str(error).startswith(f"sweep.space.{searched}:"):
                where = source.origin(("sweep", "space", searched))
                raise ConfigError(f"{where}: {error}") from None
        raise
    return config


def sobol_points(dimensions: int, trials: int, seed: int) -> Float2D:
    """The first ``trials`` points of a scrambled Sobol sequence, ``(trials, dimensions)`` in [0, 1)."""
    from scipy.stats import qmc

    points = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed)).random(trials)
    found: Float2D = np.minimum(points, _BELOW_ONE)
    return found


def neighbours_of(
    coordinates: Sequence[float], count: int, radius: float, seed: Sequence[int]
) -> Float2D:
    """``count`` points whose coordinates differ from the given ones by at most ``radius``.

    Uniform in the box cut at the walls of the cube; ``seed`` decides them.
    """
    centre = np.asarray(coordinates)
    low, high = np.maximum(centre - radius, 0.0), np.minimum(centre + radius, _BELOW_ONE)
    drawn = np.random.default_rng(list(seed)).random((count, len(centre)))
    points: Float2D = np.minimum(low + drawn * (high - low), _BELOW_ONE)
    return points


def assigned(tree: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """``tree`` with the value of each dotted path put in its place, in place."""
    for path, value in values.items():
        own = own_parameter(path)
        if own is not None:
            assign_own(tree, own, value)
            continue
        here, parts = tree, path.split(".")
        for part in parts[:-1]:
            here = here[part]
        if isinstance(value, Mapping):
            here[parts[-1]] = {**dict.fromkeys(here[parts[-1]], 0.0), **value}
        else:
            here[parts[-1]] = value
    return tree


def _valued(parameter: Parameter, u: float) -> Any:
    match parameter:
        case RealRange(low=low, high=high, log=log):
            if log:
                value = math.exp(math.log(low) + u * (math.log(high) - math.log(low)))
            else:
                value = low + u * (high - low)
            return min(max(value, low), high)
        case WholeRange(low=low, high=high, step=step):
            return low + step * int(u * ((high - low) // step + 1))
        case Choice(values=values):
            return values[int(u * len(values))]
    raise ConfigError(f"kind {parameter.kind} has no value of its own")


def _sampled(parameter: Parameter, u: float) -> Any:
    if isinstance(parameter, RealRange | Weights):
        return u
    if isinstance(parameter, Choice):
        return int(u * len(parameter.values))
    return _valued(parameter, u)


def _coordinate(parameter: Parameter, sampled: Any) -> float:
    match parameter:
        case WholeRange(low=low, high=high, step=step):
            u = ((sampled - low) // step + 0.5) / ((high - low) // step + 1)
        case Choice(values=values):
            u = (sampled + 0.5) / len(values)
        case _:
            u = sampled
    return float(min(max(u, 0.0), _BELOW_ONE))


def extremes(parameter: Parameter) -> tuple[Any, ...]:
    """The values of ``parameter`` that a rule would refuse first: every choice, both ends of a range."""
    match parameter:
        case Choice(values=values):
            return values
        case RealRange(low=low, high=high):
            # A whole number would be refused between two bounds that are whole.
            return (low, high, low + (high - low) / math.e)
        case WholeRange(low=low, high=high):
            return (low, high)
    return ()


def _check_path(path: str, tree: Mapping[str, Any]) -> None:
    for name in NOT_SEARCHED:
        if path == name or path.startswith(f"{name}."):
            raise ConfigError(
                f"sweep.space.{path}: {name} cannot be searched; trials are compared on one market"
            )
    if path.startswith(f"{WEIGHTS_PATH}."):
        raise ConfigError(
            f"sweep.space.{path}: a weight alone cannot be searched, since weights are shares; search "
            f"{WEIGHTS_PATH} with kind weights"
        )
    if path.startswith(f"{USER_RULES_PATH}."):
        raise ConfigError(
            f"sweep.space.{path}: what stands inside a rule is not searched; search {USER_RULES_PATH} with "
            "kind choice, whose values are whole lists of rules"
        )
    if path == FILES_PATH or path.startswith(f"{FILES_PATH}."):
        check_own_path(path, tree)
        return
    here: Any = tree
    parts = path.split(".")
    for depth, part in enumerate(parts):
        if not isinstance(here, Mapping) or part not in here:
            above = ".".join(parts[:depth]) or "the configuration"
            known = ", ".join(here) if isinstance(here, Mapping) else "nothing below it"
            near = difflib.get_close_matches(path, list(_paths(tree)), n=1, cutoff=NEAR_ENOUGH)
            meant = f"did you mean {near[0]!r}? It has" if near else "it has"
            raise ConfigError(f"sweep.space.{path}: {above} has no key {part!r}; {meant} {known}")
        here = here[part]
    if isinstance(here, Mapping):
        raise ConfigError(
            f"sweep.space.{path}: is a section; name one of its keys ({', '.join(here)})"
        )


def _paths(tree: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Every key that holds a value, by its dotted path."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _paths(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def _check_value(path: str, value: Any, tree: Mapping[str, Any], searched: set[str]) -> None:
    """Refuse a value that no trial could have; what contradicts other searched keys is found in trials."""
    import json

    copy = json.loads(json.dumps(tree))
    try:
        config_of(assigned(copy, {path: value}), recorded=True)
    except ConfigError as error:
        if path in str(error) and not any(other in str(error) for other in searched):
            rule = str(error).removeprefix("configuration: ")
            raise ConfigError(f"sweep.space.{path}: {rule}") from None
