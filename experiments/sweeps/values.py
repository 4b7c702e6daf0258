"""From the values of a trial to the rules that consensus and replay take, without a configuration.

The rules are those of ``Space.config(values)``, made by replacing fields instead of validating the
whole tree again: ten thousand trials a second pass through here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine import ReplayRules
from strategies import ConsensusRules

from ..config import RunConfig
from ..config_file import config_of, resolved
from .space import WEIGHTS_PATH, Space, assigned

UPSTREAM: Final = ("heads", "measures", "entry")
"""Sections that decide votes and measures, before the consensus."""
_DECIDES: Final = ("exit_on_flat", "hold_bars")


@dataclass(frozen=True, slots=True)
class TrialRules:
    """One trial as the sweep takes it; ``upstream`` identifies its votes and measures."""

    consensus: ConsensusRules
    exit_on_flat: bool
    hold_bars: int | None
    replay: ReplayRules
    upstream: tuple[tuple[str, Any], ...]


@dataclass(slots=True, eq=False)
class RulesOf:
    """Rules of trials of one space."""

    space: Space
    _consensus: ConsensusRules = field(init=False)
    _replay: ReplayRules = field(init=False)
    _choices: dict[tuple[str, str], Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        base = self.space.base
        self._consensus, self._replay = base.consensus.rules(), base.rules()

    def __call__(self, values: Mapping[str, Any]) -> TrialRules:
        """The rules with ``values``; ConfigError when they contradict each other."""
        base = self.space.base.consensus
        consensus: dict[str, Any] = {}
        decides: dict[str, Any] = {name: getattr(base, name) for name in _DECIDES}
        sections: dict[str, dict[str, Any]] = {}
        upstream: list[tuple[str, Any]] = []
        for path, value in values.items():
            section, _, key = path.partition(".")
            if path == WEIGHTS_PATH:
                consensus["weights"] = {**dict.fromkeys(base.weights, 0.0), **value}
            elif section == "consensus":
                (decides if key in _DECIDES else consensus)[key] = value
            elif section in UPSTREAM:
                upstream.append((path, value))
            elif key:
                sections.setdefault(section, {})[key] = self._ruled(path, section, key, value)
            else:
                sections.setdefault("", {})[section] = value
        changed = {
            name: replace(getattr(self._replay, name), **fields)
            for name, fields in sections.items()
            if name
        }
        return TrialRules(
            consensus=replace(self._consensus, **consensus) if consensus else self._consensus,
            exit_on_flat=decides["exit_on_flat"],
            hold_bars=decides["hold_bars"],
            replay=replace(self._replay, **sections.get("", {}), **changed)
            if sections
            else self._replay,
            upstream=tuple(upstream),
        )

    def _ruled(self, path: str, section: str, key: str, value: Any) -> Any:
        """A value as the engine holds it: lists and mappings of a choice have types of their own."""
        if isinstance(value, int) and self._is_real(section, key, value):
            return float(value)
        if isinstance(value, int | float | str) or value is None:
            return value
        known = (path, repr(value))
        if known not in self._choices:
            tree = assigned(resolved(self.space.base), {path: value})
            config = config_of(tree, recorded=True)
            self._choices[known] = getattr(getattr(config.rules(), section), key)
        return self._choices[known]

    def _is_real(self, section: str, key: str, value: int) -> bool:
        annotation = str(type(getattr(self._replay, section)).__annotations__.get(key, ""))
        return not isinstance(value, bool) and "float" in annotation


def upstream_config(base: RunConfig, upstream: tuple[tuple[str, Any], ...]) -> RunConfig:
    """The configuration whose heads and measures ``upstream`` states."""
    if not upstream:
        return base
    return config_of(assigned(resolved(base), dict(upstream)), recorded=True)
