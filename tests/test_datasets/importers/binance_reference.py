"""Binance and CryptoDataDownload files, read slowly: Python's csv module, int and Decimal, no arrays.

Every function gives the rows of ``str(key)`` for bytes, or raises ReferenceRefusal. It need not refuse
all that an importer refuses, but whatever an importer takes, it reads the same.
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.test_datasets.importers.fuzzing import ReferenceRefusal, Row, in_store_order

HOUR_NS = 3_600_000_000_000
Parser = Callable[[str], Any]


def number(cell: str) -> float:
    if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", cell.strip()) is None:
        raise ReferenceRefusal(f"{cell!r} is no number")
    # Zero has one sign in the store.
    return float(Decimal(cell.strip())) + 0.0


def whole(cell: str) -> int:
    if re.fullmatch(r"-?[0-9]+", cell.strip(), re.ASCII) is None:
        raise ReferenceRefusal(f"{cell!r} is no whole number")
    return int(cell)


def flag(cell: str) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    if cell.strip().lower() not in words:
        raise ReferenceRefusal(f"{cell!r} is neither true nor false")
    return words[cell.strip().lower()]


def text(cell: str) -> str:
    return cell


def number_or_none(cell: str) -> float | None:
    return None if cell in ("", "NULL", "null", "None", "NaN", "nan") else number(cell)


def whole_or_none(cell: str) -> int | None:
    return None if cell in ("", "NULL", "null", "None", "NaN", "nan") else whole(cell)


def utc_text_ns(cell: str) -> int:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", cell) is None:
        raise ReferenceRefusal(f"{cell!r} is no time")
    try:
        return int(datetime.fromisoformat(cell).replace(tzinfo=UTC).timestamp()) * 10**9
    except ValueError as error:
        raise ReferenceRefusal(f"{cell!r} is no time") from error


@dataclass(frozen=True)
class Sheet:
    """Columns in file order with their parsers, other names in headers, and columns that may lack."""

    columns: Mapping[str, Parser]
    aliases: Mapping[str, str]
    absent: tuple[str, ...] = ()

    def rows(self, data: bytes, *, banner: bool = False) -> list[Row]:
        data = data.partition(b"\n")[2] if banner else data
        lines = [line.removesuffix("\r") for line in _decoded(data).rstrip("\r\n \t").split("\n")]
        names, has_header = self._names(lines[0])
        rows = []
        for line in lines[1:] if has_header else lines:
            cells = next(csv.reader([line]), [])
            if len(cells) != len(names):
                raise ReferenceRefusal(f"{len(cells)} cells in {line!r}")
            rows.append({n: self.columns[n](c) for n, c in zip(names, cells, strict=True)})
        if not rows:
            raise ReferenceRefusal("no rows")
        return rows

    def _names(self, line: str) -> tuple[list[str], bool]:
        cells = [cell.strip() for cell in line.split(",")]
        letters = [re.sub(r"[\s_]", "", cell.lower()) for cell in cells]
        known = {name.replace("_", ""): name for name in self.columns} | dict(self.aliases)
        if sum(cell in known for cell in letters) < len(self.columns) / 2:
            return [*self.columns][: len(cells)], False
        names = [known.get(cell, cell) for cell in letters]
        needed = [name for name in self.columns if name not in self.absent]
        if (
            len(set(names)) != len(names)
            or set(needed) - set(names)
            or set(names) - set(self.columns)
        ):
            raise ReferenceRefusal(f"header {line!r}")
        return names, True


def _decoded(data: bytes) -> str:
    # What is no UTF-8 may stand only where nobody reads it: it is no number, time or flag.
    return data.decode("utf-8-sig", "replace")


def stamps(rows: Sequence[Row], *names: str) -> None:
    """Turn the stamps into ns in place; all of one file are in one unit."""
    values = [row[name] for row in rows for name in names]
    for low, unit_ns in ((10**12, 10**6), (10**15, 10**3)):
        if all(low <= value < 10 * low for value in values):
            for row in rows:
                for name in names:
                    row[name] *= unit_ns
            return
    raise ReferenceRefusal("stamps of two units, or of none")


def bars(
    rows: Iterable[Row], time: str, *, is_capture: bool = False, step_ns: int = HOUR_NS
) -> list[Row]:
    ordered = in_store_order(rows, [time])
    kept = [row for row in ordered if row[time] % step_ns == 0]
    prices = ("open", "high", "low", "close")
    run = 0
    while run < len(kept) and all(kept[run][name] == kept[0]["open"] for name in prices):
        run += 1
    if 2 <= run < len(kept):
        kept = kept[run:]
    if is_capture:
        kept = kept[:-1]
    return [{name: value for name, value in row.items() if value is not None} for row in kept]


_KLINES = Sheet(
    {
        "open_time": whole, "open": number, "high": number, "low": number, "close": number,
        "volume": number, "close_time": whole, "quote_volume": number, "trades": whole,
        "taker_buy_volume": number, "taker_buy_quote": number, "ignore": text,
    },
    {
        "count": "trades", "numberoftrades": "trades", "quoteassetvolume": "quote_volume",
        "baseassetvolume": "quote_volume", "takerbuybase": "taker_buy_volume",
        "takerbuybaseassetvolume": "taker_buy_volume",
        "takerbuyquoteassetvolume": "taker_buy_quote", "takerbuyquotevolume": "taker_buy_quote",
    },
    ("ignore",),
)  # fmt: skip


def klines(data: bytes) -> dict[str, list[Row]]:
    rows = _KLINES.rows(data)
    stamps(rows, "open_time", "close_time")
    for row in rows:
        del row["close_time"]
        row.pop("ignore", None)
    return {"ohlcv/binance/spot/BTCUSDT/1h/binance_archive": bars(rows, "open_time")}


def premiums(data: bytes) -> dict[str, list[Row]]:
    rows = _KLINES.rows(data)
    stamps(rows, "open_time", "close_time")
    columns = ("open", "high", "low", "close")
    chosen = [{"event_time": row["open_time"]} | {n: row[n] for n in columns} for row in rows]
    key = "premium_index/binance/um_perp/BTCUSDT/1h/binance_archive"
    return {key: bars(chosen, "event_time")}


def agg_trades(data: bytes) -> dict[str, list[Row]]:
    sheet = Sheet(
        {
            "trade_id": whole, "price": number, "quantity": number, "first_trade_id": whole,
            "last_trade_id": whole, "time": whole, "is_buyer_maker": flag, "is_best_match": flag,
        },
        {
            "aggtradeid": "trade_id", "aggregatetradeid": "trade_id", "transacttime": "time",
            "timestamp": "time", "wasthebuyerthemaker": "is_buyer_maker",
            "wasthetradethebestpricematch": "is_best_match",
        },
        ("is_best_match",),
    )  # fmt: skip
    rows = sheet.rows(data)
    stamps(rows, "time")
    rows = [row for row in rows if row["first_trade_id"] >= 0]
    return {"trades/binance/um_perp/BTCUSDT/event/binance_archive": _trades(rows)}


def single_trades(data: bytes) -> dict[str, list[Row]]:
    sheet = Sheet(
        {
            "trade_id": whole, "price": number, "quantity": number, "other_quantity": number,
            "time": whole, "is_buyer_maker": flag, "is_best_match": flag,
        },
        {"id": "trade_id", "qty": "quantity", "quoteqty": "other_quantity", "baseqty": "other_quantity"},
        ("is_best_match",),
    )  # fmt: skip
    rows = sheet.rows(data)
    stamps(rows, "time")
    return {"trades/binance/um_perp/BTCUSDT/event/binance_archive_trades": _trades(rows)}


def _trades(rows: Iterable[Row]) -> list[Row]:
    names = ("trade_id", "price", "quantity", "is_buyer_maker")
    chosen = [{"event_time": row["time"]} | {n: row[n] for n in names} for row in rows]
    return in_store_order(chosen, ["event_time", "trade_id"])


def settlements(rows: Iterable[Row]) -> list[Row]:
    moved = []
    for row in rows:
        late = row["event_time"] % HOUR_NS
        moved.append(row | {"event_time": row["event_time"] - late * (late <= 10**9)})
    return [
        row for row in in_store_order(moved, ["event_time"]) if row["event_time"] % HOUR_NS == 0
    ]


def funding(data: bytes) -> dict[str, list[Row]]:
    sheet = Sheet(
        {"calc_time": whole, "interval_hours": number, "rate": number},
        {"fundingintervalhours": "interval_hours", "lastfundingrate": "rate"},
    )
    rows = sheet.rows(data)
    stamps(rows, "calc_time")
    for row in rows:
        row["event_time"] = row.pop("calc_time")
    return {"funding/binance/um_perp/BTCUSDT/8h/binance_archive": settlements(rows)}


def metrics(data: bytes) -> dict[str, list[Row]]:
    values = (
        "sum_open_interest", "sum_open_interest_value", "count_toptrader_long_short_ratio",
        "sum_toptrader_long_short_ratio", "count_long_short_ratio", "sum_taker_long_short_vol_ratio",
    )  # fmt: skip
    sheet = Sheet(
        {"create_time": utc_text_ns, "symbol": text} | dict.fromkeys(values, number_or_none), {}
    )
    series: dict[str, list[Row]] = {}
    for row in sheet.rows(data):
        chosen = {name: row[name] for name in values if row[name] is not None}
        rows = series.setdefault(row["symbol"], [])
        if chosen:
            rows.append({"event_time": row["create_time"]} | chosen)
    return {
        f"metrics/binance/um_perp/{symbol}/5m/binance_archive": in_store_order(rows, ["event_time"])
        for symbol, rows in series.items()
    }


def _liquidations(rows: Iterable[Row]) -> list[Row]:
    """Rows with a time, a side, a price and a quantity; ``all`` are all cells of their line."""
    numbers: dict[int, list[object]] = {}
    result = []
    for row in rows:
        seen = numbers.setdefault(row["event_time"], [])
        if row["all"] not in seen:
            seen.append(row["all"])
            sequence = len(seen) - 1
            if row["quantity"] != 0.0:
                result.append({n: v for n, v in row.items() if n != "all"} | {"sequence": sequence})
    return sorted(result, key=lambda row: (row["event_time"], row["sequence"]))


def liquidations(data: bytes) -> dict[str, list[Row]]:
    sheet = Sheet(
        {
            "time": whole, "side": text, "order_type": text, "time_in_force": text,
            "original_quantity": number, "price": number, "average_price": number,
            "order_status": text, "last_fill_quantity": number, "accumulated_fill_quantity": number,
        },
        {},
    )  # fmt: skip
    rows = sheet.rows(data)
    stamps(rows, "time")
    chosen = [_liquidation(row, "time") for row in rows]
    key = "liquidations/binance/um_perp/BTCUSDT/event/binance_archive"
    return {key: _liquidations(chosen)}


def _liquidation(row: Row, time: str) -> Row:
    price = row["average_price"] if (row["average_price"] or 0.0) > 0.0 else row["price"]
    quantity = row["accumulated_fill_quantity"]
    return {
        "event_time": row[time],
        "side": row["side"].lower(),
        "price": price,
        "quantity": quantity,
        "notional": price * quantity,
        "all": dict(row),
    }


def force_orders(data: bytes) -> dict[str, list[Row]]:
    sheet = Sheet(
        {
            "symbol": text, "side": text, "order_type": text, "time_in_force": text,
            "original_quantity": number, "price": number, "average_price": number_or_none,
            "order_status": text, "last_fill_quantity": number, "accumulated_fill_quantity": number,
            "trade_time": whole, "notional": number,
        },
        {},
    )  # fmt: skip
    rows = sheet.rows(data)
    stamps(rows, "trade_time")
    series: dict[str, list[Row]] = {}
    for row in rows:
        coin, _, tail = row["symbol"].partition("_")
        stated = coin.endswith(("USDT", "USDC", "BUSD")) or (
            coin.endswith("USD") and "_" in row["symbol"]
        )
        symbol = row["symbol"] if stated else row["symbol"].replace(coin, f"{coin}USDT", 1)
        market = "um_future" if re.fullmatch(r"[0-9]{6}", tail) else "um_perp"
        key = f"liquidations/binance/{market}/{symbol}/event/binance_capture"
        series.setdefault(key, []).append(_liquidation(row, "trade_time"))
    return {key: _liquidations(chosen) for key, chosen in series.items()}


def depth(data: bytes) -> dict[str, list[Row]]:
    sheet = Sheet(
        {"timestamp": utc_text_ns, "percentage": number, "depth": number, "notional": number}, {}
    )
    rows = sheet.rows(data)
    for row in rows:
        row["event_time"] = row.pop("timestamp")
    key = "book_depth/binance/um_perp/BTCUSDT/event/binance_archive"
    return {key: in_store_order(rows, ["event_time", "percentage"])}


def rest_candles(data: bytes) -> dict[str, list[Row]]:
    columns = dict.fromkeys(("open", "high", "low", "close", "volume", "quote_volume"), number)
    sheet = Sheet({"timestamp": whole} | columns | {"trades": whole, "close_time": whole}, {})
    rows = sheet.rows(data)
    stamps(rows, "timestamp", "close_time")
    for row in rows:
        row["open_time"] = row.pop("timestamp")
        del row["close_time"]
    return {
        "ohlcv/binance/um_perp/DOGEUSDT/1h/binance_rest": bars(rows, "open_time", is_capture=True)
    }


def rest_funding(data: bytes) -> dict[str, list[Row]]:
    rows = Sheet({"timestamp": whole, "symbol": text, "funding_rate": number}, {}).rows(data)
    stamps(rows, "timestamp")
    series: dict[str, list[Row]] = {}
    for row in rows:
        key = f"funding/binance/um_perp/{row['symbol']}/8h/binance_rest"
        chosen = {"event_time": row["timestamp"], "rate": row["funding_rate"]}
        series.setdefault(key, []).append(chosen)
    return {key: settlements(rows) for key, rows in series.items()}


def rest_open_interest(data: bytes) -> dict[str, list[Row]]:
    names = ("sum_open_interest", "sum_open_interest_value")
    rows = Sheet({"timestamp": whole, "symbol": text} | dict.fromkeys(names, number), {}).rows(data)
    stamps(rows, "timestamp")
    series: dict[str, list[Row]] = {}
    for row in rows:
        key = f"metrics/binance/um_perp/{row['symbol']}/4h/binance_rest"
        chosen = {"event_time": row["timestamp"]} | {name: row[name] for name in names}
        series.setdefault(key, []).append(chosen)
    return {key: in_store_order(rows, ["event_time"]) for key, rows in series.items()}


def captured_trades(data: bytes) -> dict[str, list[Row]]:
    sheet = Sheet(
        {
            "event_time": whole, "symbol": text, "trade_id": whole, "price": number,
            "quantity": number, "trade_time": text, "is_buyer_maker": flag,
        },
        {},
    )  # fmt: skip
    rows = sheet.rows(data)
    stamps(rows, "event_time")
    stamped = [row for row in rows if ":" not in row["trade_time"]]
    for row in stamped:
        row["trade_time"] = whole(row["trade_time"])
    if stamped:
        stamps(stamped, "trade_time")
    series: dict[str, list[Row]] = {}
    for row in rows:
        same = [
            r
            for r in rows
            if (r["symbol"].strip(), r["trade_id"]) == (row["symbol"].strip(), row["trade_id"])
        ]
        sent = min(r["event_time"] for r in same)
        time = row["trade_time"]
        if isinstance(time, str):
            if re.fullmatch(r"[0-9]{2}:[0-9]{2}:[0-9]{2}", time.strip()) is None:
                raise ReferenceRefusal(f"{time!r} is no time")
            others = [r["trade_time"] for r in same if not isinstance(r["trade_time"], str)]
            time = others[-1] if others else sent
        names = ("trade_id", "price", "quantity", "is_buyer_maker")
        chosen = {"event_time": time, "available_at": max(time, sent)} | {n: row[n] for n in names}
        key = f"trades/binance/um_perp/{row['symbol'].strip()}/event/binance_capture"
        series.setdefault(key, []).append(chosen)
    identity = ("event_time", "trade_id", "available_at")
    return {key: in_store_order(rows, identity) for key, rows in series.items()}


def download(data: bytes) -> dict[str, list[Row]]:
    columns = dict.fromkeys(("open", "high", "low", "close", "volume", "quote_volume"), number)
    sheet = Sheet(
        {"unix": text, "date": text, "symbol": text} | columns | {"trades": whole_or_none},
        {"volumebtc": "volume", "volumeusdt": "quote_volume", "tradecount": "trades"},
        ("trades",),
    )
    generations: dict[str, list[Row]] = {}
    for row in sheet.rows(data, banner=b"cryptodatadownload.com" in data.split(b"\n")[0].lower()):
        stamp, date = row.pop("unix"), row.pop("date")
        if row.pop("symbol").strip().upper() != "BTC/USDT":
            raise ReferenceRefusal("another symbol")
        seconds = re.fullmatch(r"([0-9]{9,10})(\.0+)?", stamp)
        if seconds is None and re.fullmatch(r"[0-9]{12,13}", stamp) is None:
            raise ReferenceRefusal(f"{stamp!r} is no stamp")
        row["open_time"] = int(seconds[1]) * 10**9 if seconds else int(stamp) * 10**6
        rows = generations.setdefault("_seconds" if seconds else "", [])
        if row["open_time"] == _date_ns(date):
            rows.append(row)
    return {
        f"ohlcv/binance/spot/BTCUSDT/1h/cryptodatadownload{suffix}": bars(
            rows, "open_time", is_capture=True
        )
        for suffix, rows in generations.items()
    }


def _date_ns(cell: str) -> int | None:
    forms = {
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": "%Y-%m-%d %H:%M:%S",
        r"\d{4}-\d\d-\d\d \d\d-[AP]M": "%Y-%m-%d %I-%p",
        r"\d{4}-\d\d-\d\d": "%Y-%m-%d",
    }
    for pattern, form in forms.items():
        if re.fullmatch(pattern, cell, re.ASCII):
            try:
                at = datetime.strptime(cell, form).replace(tzinfo=UTC)
            except ValueError:
                return None
            return int(at.timestamp()) * 10**9
    return None
