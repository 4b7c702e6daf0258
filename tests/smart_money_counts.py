"""How often smartmoneyconcepts and ours agree on each set of bars, and each reason why they do not."""

GAPS = {
    "simulated 1": {
        "both": 903,
        "theirs, before the ATR is known": 5,
    },
    "simulated 2": {
        "both": 915,
        "theirs, before the ATR is known": 4,
    },
    "BTCUSDT 2021": {
        "both": 1499,
        "theirs, before the ATR is known": 1,
    },
}

TOUCHES = {
    "simulated 1": {
        "never": 18,
        "the same row": 874,
        "theirs, after our gap expired": 11,
    },
    "simulated 2": {
        "never": 15,
        "the same row": 892,
        "theirs, after our gap expired": 8,
    },
    "BTCUSDT 2021": {
        "never": 29,
        "the same row": 1432,
        "theirs, after our gap expired": 38,
    },
}

SWINGS = {
    "simulated 1": {
        "both": 410,
        "ours, a low on a bar that is a high as well": 11,
        "ours, before their first whole window": 1,
        "ours, deleted by them for a more extreme neighbour": 125,
        "theirs, made up on the first and last bar": 2,
    },
    "simulated 2": {
        "both": 426,
        "ours, a low on a bar that is a high as well": 7,
        "ours, before their first whole window": 2,
        "ours, deleted by them for a more extreme neighbour": 121,
        "theirs, made up on the first and last bar": 2,
    },
    "BTCUSDT 2021": {
        "both": 1034,
        "ours, a low on a bar that is a high as well": 11,
        "ours, before their first whole window": 1,
        "ours, deleted by them for a more extreme neighbour": 249,
        "theirs, an equal extreme stands before it": 1,
        "theirs, made up on the first and last bar": 2,
    },
}

BREAKS = {
    "simulated 1": {
        "both": 132,
        "ours, of a swing that they do not have": 53,
        "theirs, a newer swing of that side was known": 33,
    },
    "simulated 2": {
        "both": 130,
        "ours, of a swing that they do not have": 50,
        "ours, the four swings are in another order": 2,
        "theirs, a newer swing of that side was known": 36,
    },
    "BTCUSDT 2021": {
        "both": 345,
        "ours, of a swing that they do not have": 118,
        "ours, the four swings are in another order": 1,
        "theirs, a newer swing of that side was known": 66,
    },
}

LABELS = {
    "simulated 1": {
        "ours BOS, theirs BOS": 57,
        "ours BOS, theirs CHoCH": 6,
        "ours CHoCH, theirs BOS": 31,
        "ours CHoCH, theirs CHoCH": 38,
    },
    "simulated 2": {
        "ours BOS, theirs BOS": 58,
        "ours BOS, theirs CHoCH": 8,
        "ours CHoCH, theirs BOS": 32,
        "ours CHoCH, theirs CHoCH": 32,
    },
    "BTCUSDT 2021": {
        "ours BOS, theirs BOS": 140,
        "ours BOS, theirs CHoCH": 19,
        "ours CHoCH, theirs BOS": 93,
        "ours CHoCH, theirs CHoCH": 93,
    },
}

SHOWN = {
    "simulated 1": {
        "shown": 26,
        "zeroed, price went through it and back": 128,
    },
    "simulated 2": {
        "shown": 17,
        "zeroed, price went through it and back": 139,
    },
    "BTCUSDT 2021": {
        "shown": 36,
        "zeroed, price went through it and back": 360,
    },
}

BLOCKS = {
    "simulated 1": {
        "both, ours the last candle against the leg, theirs its extreme": 97,
        "both, the same candle": 10,
        "ours, of a swing that they do not have": 53,
        "ours, they look at a newer swing that is not confirmed yet": 2,
        "theirs, a CHoCH without displacement": 20,
        "theirs, a newer swing of that side was known": 23,
        "theirs, no candle against the leg": 3,
        "theirs, of a swing that is made up or has an equal before it": 1,
    },
    "simulated 2": {
        "both, ours the last candle against the leg, theirs its extreme": 99,
        "both, the same candle": 11,
        "ours, of a swing that they do not have": 50,
        "ours, they look at a newer swing that is not confirmed yet": 3,
        "theirs, a CHoCH without displacement": 16,
        "theirs, a newer swing of that side was known": 26,
        "theirs, no candle against the leg": 3,
        "theirs, of a swing that is made up or has an equal before it": 1,
    },
    "BTCUSDT 2021": {
        "both, ours the last candle against the leg, theirs its extreme": 244,
        "both, the same candle": 52,
        "ours, of a swing that they do not have": 118,
        "ours, they look at a newer swing that is not confirmed yet": 5,
        "theirs, a CHoCH without displacement": 42,
        "theirs, a newer swing of that side was known": 55,
        "theirs, no candle against the leg": 3,
    },
}
