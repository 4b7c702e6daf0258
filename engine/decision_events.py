"""Decisions of many configurations at once: rows that may act, and what each does there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from .arrays import Float1D, Float2D, Int1D
from .decisions import Decisions
from .errors import ContractError

UInt8Array2D: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.uint8]]

NO_ACTION: Final = 0
LONG: Final = 1
SHORT: Final = 2
FLAT: Final = 4
"""Actions are bits, so that a search for several of them is one mask."""
WORD: Final = 8
"""Actions searched at a time; the rows of a symbol fill whole words."""

_TARGETS: Final = np.array([0.0, 1.0, -1.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionEvents:
    """What K configurations decide at the rows at which any of them may act.

    The rows of symbol *s* are ``rows[offsets[s]:offsets[s + 1]]``, int64 bars of the panel that do
    not decrease; of equal rows the last that acts counts. ``actions`` uint8 ``(K, len(rows))``:
    ``NO_ACTION``, ``LONG``, ``SHORT`` (full targets 1 and -1) or ``FLAT`` (target 0). ``atr_frac``
    float64 ``(T, S)`` as in ``Decisions``, the same for every configuration. A symbol's rows come
    in whole ``WORD``s; what fills up repeats the last row and never acts. Raises ContractError
    otherwise.
    """

    rows: Int1D
    offsets: Int1D
    actions: UInt8Array2D
    atr_frac: Float2D

    def __post_init__(self) -> None:
        bars, symbols = self.atr_frac.shape
        if self.offsets.shape != (symbols + 1,) or self.offsets[0] != 0:
            raise ContractError(
                f"decision events: offsets must start at 0 and have shape ({symbols + 1},)"
            )
        if (np.diff(self.offsets) % WORD).any() or (np.diff(self.offsets) < 0).any():
            raise ContractError(
                f"decision events: offsets={self.offsets.tolist()} must rise in steps of {WORD}"
            )
        if self.rows.shape != (self.offsets[-1],) or self.rows.dtype != np.int64:
            raise ContractError(f"decision events: rows must be int64 ({self.offsets[-1]},)")
        if self.actions.ndim != 2 or self.actions.shape[1] != len(self.rows):
            raise ContractError(
                f"decision events: actions have shape {self.actions.shape}, expected one column for "
                f"each of {len(self.rows)} rows"
            )
        if self.actions.dtype != np.uint8 or not self.actions.flags.c_contiguous:
            raise ContractError("decision events: actions must be uint8 in C order")
        for s in range(symbols):
            rows = self.rows[self.offsets[s] : self.offsets[s + 1]]
            if len(rows) and (rows[0] < 0 or rows[-1] >= bars or (np.diff(rows) < 0).any()):
                raise ContractError(
                    f"decision events: rows of symbol {s} must not decrease and lie in [0, {bars})"
                )

    @property
    def configurations(self) -> int:
        """K."""
        return len(self.actions)

    @classmethod
    def from_decisions(cls, decisions: Sequence[Decisions]) -> "DecisionEvents":
        """Events of ready decisions, one element a configuration, all with one ``atr_frac``.

        Raises ContractError where a target is not -1, 0 or 1, or a style, kind or volatility is
        given.
        """
        atr_frac = decisions[0].atr_frac
        bars, symbols = atr_frac.shape
        for k, one in enumerate(decisions):
            for name in ("style", "order_kind", "order_price", "volatility"):
                if getattr(one, name) is not None:
                    raise ContractError(f"decision events: configuration {k} states {name}")
            if one.atr_frac.shape != (bars, symbols) or not np.array_equal(
                one.atr_frac, atr_frac, equal_nan=True
            ):
                raise ContractError(f"decision events: configuration {k} has its own atr_frac")
            if not np.isin(one.target[one.acts], (-1.0, 0.0, 1.0)).all():
                raise ContractError(
                    f"decision events: configuration {k}: targets must be -1, 0 or 1"
                )
        rows, columns = [], []
        for s in range(symbols):
            acting = np.any([one.acts[:, s] for one in decisions], axis=0)
            own = np.flatnonzero(acting)
            filling = -len(own) % WORD
            rows.append(np.concatenate((own, np.full(filling, own[-1] if len(own) else 0))))
            actions = np.zeros((len(decisions), len(own) + filling), dtype=np.uint8)
            for k, one in enumerate(decisions):
                target, acts = one.target[own, s], one.acts[own, s]
                action = np.where(target > 0, LONG, np.where(target < 0, SHORT, FLAT))
                actions[k, : len(own)] = np.where(acts, action, NO_ACTION)
            columns.append(actions)
        return cls(
            rows=np.concatenate(rows).astype(np.int64),
            offsets=np.concatenate(([0], np.cumsum([len(own) for own in rows]))).astype(np.int64),
            actions=np.concatenate(columns, axis=1),
            atr_frac=atr_frac,
        )

    def decisions(self, configuration: int) -> Decisions:
        """The decisions of one configuration in full, as a single replay takes them."""
        target = np.zeros(self.atr_frac.shape)
        acts = np.zeros(self.atr_frac.shape, dtype=np.bool_)
        for s in range(self.atr_frac.shape[1]):
            own = slice(int(self.offsets[s]), int(self.offsets[s + 1]))
            action = self.actions[configuration, own]
            rows = self.rows[own][action != NO_ACTION]
            target[rows, s] = _targets(action[action != NO_ACTION])
            acts[rows, s] = True
        return Decisions(target=target, acts=acts, atr_frac=self.atr_frac)


def _targets(action: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Float1D:
    return _TARGETS[action]
