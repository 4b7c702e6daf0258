"""The limits of a batch of orders, one after the other, from docs/accounting.md §3.1."""

import math

import numpy as np

from engine import LIMITS


def unit(price: float, inverse: bool) -> float:
    return 1.0 / price if inverse else price


def value(price: float, inverse: bool) -> float:
    return -1.0 / price if inverse else price


def correlation(t, a, b, bars, close, listed):
    rows = [
        u
        for u in range(max(t - bars, 1), t)
        if listed[u, a] and listed[u, b] and listed[u - 1, a] and listed[u - 1, b]
    ]
    one, two = (np.array([close[u, s] / close[u - 1, s] - 1.0 for u in rows]) for s in (a, b))
    if len(rows) < 30 or len(set(one)) == 1 or len(set(two)) == 1:
        return -math.inf
    return float(np.corrcoef(one, two)[0, 1])


class PlainLimits:
    """Limits 1 to 11, one after the other, with dictionaries by symbol.

    ``case`` holds ``rules``, ``t``, ``equity``, ``peak``, ``trades``, ``batch``, ``slots``, ``open``,
    ``close`` and ``listed``, as the kernel takes them. After ``run`` there are ``wanted``, ``w`` (granted)
    and ``limit`` (its name) by symbol.
    """

    def __init__(self, case):
        self.__dict__.update(case)
        self.inverse = self.rules.margin.contract == "inverse"
        self.symbols = range(len(self.slots))
        self.wanted = {s: self.wants(s) for s in self.batch}
        self.w = dict(self.wanted)
        self.limit = dict.fromkeys(self.batch, "none")

    def wants(self, s):
        slot, sizing = self.slots[s], self.rules.sizing
        if slot["target"] == 0:
            return 0.0
        size = {
            "fraction": sizing.position_fraction,
            "risk": sizing.risk_frac / self.loss_at_stop(s),
            "volatility": sizing.volatility_target / slot["volatility"],
        }[sizing.method]
        return abs(slot["target"]) * size * self.equity

    def loss_at_stop(self, s):
        d, g = self.slots[s]["stop_distance"], self.slots[s]["target"]
        return d / (1 - np.sign(g) * d) if self.inverse else d

    def lower(self, s, notional, limit):
        if notional < self.w[s] * (1 - 1e-12):
            self.w[s], self.limit[s] = notional, limit

    def is_entry(self, s):
        q, g = self.slots[s]["position"], self.slots[s]["target"]
        return q == 0 or q * g < 0

    def held(self, s):
        return abs(self.slots[s]["position"]) * unit(self.open[s], self.inverse)

    def outside(self):
        return [s for s in self.symbols if s not in self.batch and self.slots[s]["position"] != 0]

    def ranked(self):
        return sorted(self.batch, key=lambda s: (-abs(self.slots[s]["target"]), s))

    def kelly(self):
        closed, sizing = self.trades, self.rules.sizing
        if sizing.kelly is None or closed.closed < 30:
            return
        p = (closed.wins + 15) / (closed.closed + 30)
        losers = closed.closed - closed.wins
        if closed.wins == 0:
            fraction = 0.0
        elif losers == 0 or closed.loss_return == 0:
            fraction = min(p, sizing.kelly_max)
        else:
            b = (closed.win_return / closed.wins) / (closed.loss_return / losers)
            fraction = min(max(p - (1 - p) / b, 0.0), sizing.kelly_max)
        for s in self.batch:
            most = abs(self.slots[s]["target"]) * sizing.kelly * fraction * self.equity
            if sizing.method == "risk":
                most /= self.loss_at_stop(s)
            self.lower(s, most, "kelly")

    def drawdown(self):
        start, halt = self.rules.limits.drawdown_start, self.rules.limits.drawdown_halt
        if halt is not None:
            share = (halt - (1 - self.equity / self.peak)) / (halt - start)
            for s in self.batch:
                self.lower(s, self.w[s] * min(max(share, 0), 1), "drawdown")

    def position(self):
        if self.rules.limits.max_position is not None:
            for s in self.batch:
                self.lower(s, self.rules.limits.max_position * self.equity, "position")

    def tier(self):
        margin = self.rules.margin
        if margin.mode == "none":
            return
        if margin.mode == "isolated":
            most = [m.notional_to for m in margin.tiers if m.max_leverage >= margin.leverage][-1]
        else:
            floors = [0.0, *(m.notional_to for m in margin.tiers)]
            most = max(
                min(m.notional_to, self.equity * m.max_leverage)
                for floor, m in zip(floors, margin.tiers, strict=False)
                if floor < self.equity * m.max_leverage
            )
        for s in self.batch:
            self.lower(s, most, "tier")

    def correlation(self):
        limits = self.rules.limits
        if limits.max_correlation is None:
            return
        accepted = set()
        for s in self.ranked():
            if not self.is_entry(s) or self.w[s] <= 0:
                continue
            side = np.sign(self.slots[s]["target"])
            rivals = [o for o in self.outside() if self.slots[o]["position"] * side > 0]
            rivals += [
                o
                for o in self.batch
                if o != s
                and self.w[o] > 0
                and self.slots[o]["target"] * side > 0
                and (not self.is_entry(o) or o in accepted)
            ]
            found = [
                correlation(self.t, s, o, limits.correlation_bars, self.close, self.listed)
                for o in rivals
            ]
            if any(one > limits.max_correlation for one in found):
                self.lower(s, 0.0, "correlation")
            else:
                accepted.add(s)

    def positions(self):
        most = self.rules.limits.max_positions
        if most is None:
            return
        accepted = set()
        for s in self.ranked():
            if self.is_entry(s) and self.w[s] > 0:
                staying = [o for o in self.batch if self.w[o] > 0 and not self.is_entry(o)]
                if len(self.outside()) + len(staying) + len(accepted) < most:
                    accepted.add(s)
                else:
                    self.lower(s, 0.0, "positions")

    def scale(self, symbols, asked, carried, cap, limit):
        if asked > 0 and carried + asked > cap:
            for s in symbols:
                self.lower(s, self.w[s] * max(0.0, (cap - carried) / asked), limit)

    def sector(self):
        most = self.rules.limits.max_sector
        if most is None:
            return
        for sector in {self.slots[s]["sector"] for s in self.batch}:
            mine = [s for s in self.batch if self.slots[s]["sector"] == sector]
            others = [s for s in self.outside() if self.slots[s]["sector"] == sector]
            asked, carried = sum(self.w[s] for s in mine), sum(self.held(s) for s in others)
            self.scale(mine, asked, carried, most * self.equity, "sector")

    def heat(self):
        if self.rules.limits.max_heat is None:
            return
        carried = 0.0
        for s in self.outside():
            slot = self.slots[s]
            if not math.isnan(slot["stop"]):
                entry = value(slot["entry_price"], self.inverse)
                loss = np.sign(slot["position"]) * (entry - value(slot["stop"], self.inverse))
                carried += max(0.0, loss) * abs(slot["position"])
        asked = 0.0
        for s in self.batch:
            slot = self.slots[s]
            if self.w[s] > 0:
                price = slot["reference"]
                stop = price * (1 - np.sign(slot["target"]) * slot["stop_distance"])
                loss = abs(value(price, self.inverse) - value(stop, self.inverse))
                asked += self.w[s] * loss / unit(price, self.inverse)
        self.scale(self.batch, asked, carried, self.rules.limits.max_heat * self.equity, "heat")

    def gross(self):
        asked = sum(self.w.values())
        carried = sum(self.held(s) for s in self.outside())
        cap = self.rules.limits.max_gross * self.equity
        self.scale(self.batch, asked, carried, cap, "gross")

    def margin(self):
        margin = self.rules.margin
        if margin.mode == "none":
            return

        def needs(notional):
            leverage = margin.leverage
            if margin.mode == "cross":
                fitting = [tier for tier in margin.tiers if tier.notional_to >= notional]
                leverage = (fitting or margin.tiers[-1:])[0].max_leverage
            return notional / leverage

        asked = sum(needs(self.w[s]) for s in self.batch)
        carried = sum(needs(self.held(s)) for s in self.outside())
        if carried + asked > self.equity * (1 + 1e-12):
            self.scale(self.batch, asked, carried, self.equity, "margin")

    def dust(self):
        for s in self.batch:
            if self.w[s] < 1e-9 * self.equity:
                self.lower(s, 0.0, "dust")

    def run(self):
        for limit in LIMITS[1:12]:
            getattr(self, limit)()
        return self
