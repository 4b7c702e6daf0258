"""Candlesticks of another library, and a walk on which every one of TA-Lib's patterns occurs."""

import numpy as np


def gapped_candles(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Open, high, low and close of bars with gaps, dojis, full bodies and shadows of every length."""
    draw = np.random.default_rng(seed)
    jitter = 1.0 + 0.1 * draw.random((4, rows))
    move = draw.choice([0.0, 0.05, 0.4, 1.0, 2.0], rows, p=[0.05, 0.15, 0.3, 0.3, 0.2])
    move *= draw.choice([-1, 1], rows) * jitter[0]
    gap = draw.choice([0.0, 0.02, 0.3, -0.5, -1.0], rows) * jitter[1]
    gap *= np.sign(np.concatenate(([1.0], move[:-1]))) * draw.choice([1, 1, 1, -1], rows)
    shadows = draw.choice([0.0, 0.02, 0.3, 1.0], (2, rows)) * jitter[2:]
    close = 1000.0 + np.cumsum(gap + move)
    open_ = close - move
    return {
        "open": open_,
        "high": np.maximum(open_, close) + shadows[0],
        "low": np.minimum(open_, close) - shadows[1],
        "close": close,
    }


PANDAS_TA_CLASSIC = {
    "2crows": (15, -403075, 1500),
    "3blackcrows": (8, -193415, 800),
    "3inside": (902, -527119, 90200),
    "3linestrike": (84, 407808, 8400),
    "3outside": (1942, -478683, 194200),
    "3starsinsouth": (2, 93797, 200),
    "3whitesoldiers": (101, 3175096, 10100),
    "abandonedbaby": (22, 250479, 2200),
    "advanceblock": (363, -11250544, 36300),
    "belthold": (13053, 2947178, 1305300),
    "breakaway": (7, 97835, 700),
    "closingmarubozu": (13212, 4792711, 1321200),
    "concealbabyswall": (3, 45783, 300),
    "counterattack": (131, 73169, 13100),
    "darkcloudcover": (331, -9323933, 33100),
    "doji": (11941, 358806065, 1194100),
    "dojistar": (1878, -2005055, 187800),
    "dragonflydoji": (2983, 88899956, 298300),
    "engulfing": (7505, -33971686, 689340),
    "eveningdojistar": (172, -5047378, 17200),
    "eveningstar": (351, -10241407, 35100),
    "gapsidesidewhite": (410, 3527065, 41000),
    "gravestonedoji": (3009, 89024092, 300900),
    "hammer": (2263, 65913063, 226300),
    "hangingman": (1711, -51894785, 171100),
    "harami": (5746, -2611529, 549340),
    "haramicross": (2381, 675391, 226420),
    "highwave": (5084, 49932718, 508400),
    "hikkake": (8249, 2193251, 1024700),
    "hikkakemod": (157, -85380, 20100),
    "homingpigeon": (792, 23752907, 79200),
    "identical3crows": (119, -3704429, 11900),
    "inneck": (112, -3467356, 11200),
    "invertedhammer": (1298, 38409681, 129800),
    "kicking": (11, -22171, 1100),
    "kickingbylength": (11, 45625, 1100),
    "ladderbottom": (62, 1886741, 6200),
    "longleggeddoji": (9550, 286802153, 955000),
    "longline": (11697, 6103336, 1169700),
    "marubozu": (6568, 5258463, 656800),
    "matchinglow": (1356, 40022488, 135600),
    "mathold": (2, 85771, 200),
    "morningdojistar": (186, 5175567, 18600),
    "morningstar": (354, 10158064, 35400),
    "onneck": (200, -5963924, 20000),
    "piercing": (325, 9526644, 32500),
    "rickshawman": (2535, 76193531, 253500),
    "risefall3methods": (10, 20362, 1000),
    "separatinglines": (967, -11604787, 96700),
    "shootingstar": (1314, -40162213, 131400),
    "shortline": (14703, 32571773, 1470300),
    "spinningtop": (5183, 49391408, 518300),
    "stalledpattern": (215, -7163440, 21500),
    "sticksandwich": (178, 5384640, 17800),
    "takuri": (3342, 99589363, 334200),
    "tasukigap": (175, 223434, 17500),
    "thrusting": (468, -13681282, 46800),
    "tristar": (88, 745120, 8800),
    "unique3river": (71, 2253951, 7100),
    "upsidegap2crows": (13, -355718, 1300),
    "xsidegap3methods": (304, 319618, 30400),
}
"""What pandas-ta-classic 0.8.32, which has the patterns in plain Python, finds on
``gapped_candles(60_000, 2)`` from row 30 on, without TA-Lib installed and with the penetrations of
``candlestick.PENETRATION``: how often, the sum of row times sign, the sum of absolute values."""
