"""The technical head computed row by row, and columns made up for it."""

import math

import numpy as np

from strategies import HeadInputs

SPREADS = {
    "atr": (2.0, 0.5), "atr_frac": (0.01, 0.002), "ema_spread": (0.0, 1.0), "ma_stack": (0.0, 0.5),
    "macd": (0.0, 0.3), "adx": (25.0, 10.0), "plus_di": (20.0, 5.0), "minus_di": (20.0, 5.0),
    "hma_slope": (0.0, 0.3), "aroon": (0.0, 60.0), "dema_distance": (0.0, 2.0),
    "tema_distance": (0.0, 2.0), "ichimoku": (50.0, 20.0), "rsi": (50.0, 12.0),
    "stochastic_k": (50.0, 25.0), "stochastic_d": (50.0, 25.0), "tsi": (0.0, 15.0),
    "williams_r": (-50.0, 25.0), "cci": (0.0, 100.0), "cmo": (0.0, 40.0), "ppo": (0.0, 0.5),
    "trix": (0.0, 0.1), "ultimate_oscillator": (50.0, 10.0), "ao_score": (50.0, 25.0),
    "percent_b": (0.5, 0.4), "donchian": (0.5, 0.3), "keltner": (0.5, 0.4), "mass_index": (25.0, 1.0),
}  # fmt: skip
SIDES = ("supertrend", "chandelier", "ema_cross", "supertrend_flip", "bulge")


def made_up_inputs(rows: int, seed: int, missing: float) -> HeadInputs:
    """Independent noise around a common lean, so that every side and every gap occurs."""
    generator = np.random.default_rng(seed)
    lean = generator.standard_normal(rows)
    columns = {}
    for alias, (centre, spread) in SPREADS.items():
        noise = generator.standard_normal(rows)
        column = centre + spread * (noise if centre > 0.6 and centre < 40 else noise + lean)
        column[generator.random(rows) < missing] = np.nan
        columns[alias] = column
    columns["atr"][::17] = 0.0
    columns["atr"] = np.abs(columns["atr"])
    for alias in SIDES:
        columns[alias] = np.sign(np.round(generator.standard_normal(rows) + lean))
    return HeadInputs(rows, columns)


def literal_signals(row: dict[str, float]) -> dict[str, tuple[float, float, bool]]:
    """Component: its weight in the whole, its signal, and whether it has a direction."""

    def per_atr(alias: str) -> float:
        return 0.0 * row[alias] if row["atr"] == 0 else row[alias] / row["atr"]

    def per_percent(alias: str) -> float:
        return row[alias] / (100.0 * row["atr_frac"])

    def soft(value: float, scale: float) -> float:
        return 0.5 + 0.5 * math.tanh(value / scale)

    def clip(value: float, low: float = 0.0, high: float = 1.0) -> float:
        return value if math.isnan(value) else min(high, max(low, value))

    di = row["plus_di"] - row["minus_di"]
    di /= row["plus_di"] + row["minus_di"]
    averages = (soft(per_atr("dema_distance"), 1.0) + soft(per_atr("tema_distance"), 1.0)) / 2.0
    trend_signals = {
        "ema_cross": (0.15, soft(per_atr("ema_spread"), 0.5)),
        "ma_stack": (0.10, 0.5 + 0.5 * row["ma_stack"]),
        "macd": (0.15, soft(per_atr("macd"), 0.15)),
        "adx": (0.12, 0.5 + 0.5 * clip(row["adx"] / 25.0) * di),
        "supertrend": (0.12, 0.5 + 0.5 * row["supertrend"]),
        "hma": (0.10, soft(per_atr("hma_slope"), 0.15)),
        "aroon": (0.10, 0.5 + row["aroon"] / 200.0),
        "dema_tema": (0.08, averages),
        "ichimoku": (0.08, row["ichimoku"] / 100.0),
    }
    momentum_signals = {
        "rsi": (0.15, row["rsi"] / 100.0),
        "stochastic": (0.12, (row["stochastic_k"] + row["stochastic_d"]) / 200.0),
        "tsi": (0.12, soft(row["tsi"], 25.0)),
        "williams_r": (0.08, 1.0 + row["williams_r"] / 100.0),
        "cci": (0.08, soft(row["cci"], 150.0)),
        "cmo": (0.10, 0.5 + row["cmo"] / 200.0),
        "ppo": (0.10, soft(per_percent("ppo"), 0.5)),
        "trix": (0.10, soft(per_percent("trix"), 0.1)),
        "ultimate_oscillator": (0.08, row["ultimate_oscillator"] / 100.0),
        "ao": (0.07, row["ao_score"] / 100.0),
    }
    volatility_signals = {
        "bollinger": (0.25, clip(row["percent_b"])),
        "atr": (0.20, 0.5 + 0.0 * row["atr"]),
        "donchian": (0.15, clip(row["donchian"])),
        "keltner": (0.15, clip(row["keltner"])),
        "mass_index": (0.12, 0.5 + 0.0 * row["mass_index"]),
        "chandelier": (0.13, 0.5 + 0.5 * row["chandelier"]),
    }
    return {
        name: (share * weight, clip(signal), name not in ("atr", "mass_index"))
        for share, signals in (
            (0.40, trend_signals),
            (0.35, momentum_signals),
            (0.25, volatility_signals),
        )
        for name, (weight, signal) in signals.items()
    }


GROUP_SIZES = (9, 10, 6)


def literal_vote(row: dict[str, float], mode: str) -> tuple[int, float, float, float, float]:
    """Direction, probability, confidence, score and coverage of one row."""
    parts = literal_signals(row)
    known = [part for part in parts.values() if not math.isnan(part[1])]
    coverage = math.fsum(weight for weight, _, _ in known)
    if coverage < 1e-12:
        return 0, 0.5, 0.0, 50.0, 0.0
    s = math.fsum(weight * signal for weight, signal, _ in known) / coverage
    s = min(1.0, max(0.0, s))
    direction = 1 if s >= 0.55 else -1 if s <= 0.45 else 0
    if math.isnan(row["ma_stack"]) or coverage < 0.60 - 1e-12:
        direction = 0
    if direction == 0:
        return 0, 0.5, 0.0, 100.0 * s, coverage
    if mode == "seed":
        scores, values = [], list(parts.values())
        for size in GROUP_SIZES:
            group = [part for part in values[:size] if not math.isnan(part[1])]
            values = values[size:]
            total = math.fsum(weight for weight, _, _ in group)
            mean = math.fsum(w * x for w, x, _ in group) / total if group else 0.5
            scores.append(min(1.0, max(0.0, mean)))
        centre = math.fsum(scores) / 3.0
        sigma = math.sqrt(math.fsum((score - centre) ** 2 for score in scores) / 3.0)
        c = 0.6 * (1.0 - 2.0 * sigma) + 0.8 * abs(s - 0.5)
    else:
        directional = [signal for _, signal, has_side in known if has_side]
        agreeing = sum((signal - 0.5) * direction > 0 for signal in directional)
        c = 0.5 + 0.25 * (2.0 * agreeing / len(directional) - 1.0)
        c += 0.25 * min(1.0, 4.0 * abs(s - 0.5))
    probability = s if direction > 0 else 1.0 - s
    return direction, probability, min(0.95, max(0.0, c)), 100.0 * s, coverage
