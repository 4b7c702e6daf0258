from experiments import RunResult
from strategies import GATES, HEADS_BY_NAME


def test_shares_equal_a_count_by_hand(result: RunResult):
    rules = result.config.consensus.rules()
    for firing in result.firing:
        votes = result.votes[firing["symbol"]]
        rows = len(votes)
        assert firing["bars"] == rows
        assert [head["name"] for head in firing["heads"]] == list(votes.names)
        for column, head in enumerate(firing["heads"]):
            voted = valid = present = 0
            reasons = dict.fromkeys((reason["name"] for reason in head["reasons"]), 0)
            for row in range(rows):
                has_data = votes.coverage[row, column] > 0
                speaks = votes.direction[row, column] != 0
                present += has_data
                voted += speaks
                valid += (
                    has_data
                    and speaks
                    and votes.probability[row, column] >= rules.p_min - 1e-12
                    and votes.confidence[row, column] >= rules.c_min - 1e-12
                )
                bits = int(votes.reasons[row, column])
                for bit, reason in enumerate(HEADS_BY_NAME[head["name"]].REASONS):
                    reasons[reason.name] += bits >> bit & 1
            assert (head["present"], head["voted"], head["valid"]) == (
                present / rows,
                voted / rows,
                valid / rows,
            )
            assert round((head["voted"] - head["long"] - head["short"]) * rows, 6) == 0
            assert {r["name"]: r["rate"] for r in head["reasons"]} == {
                name: count / rows for name, count in reasons.items()
            }


def test_gates_and_agreeing_heads_cover_every_bar_once(result: RunResult):
    for firing in result.firing:
        assert list(firing["gates"]) == list(GATES)
        assert sum(firing["gates"].values()) == firing["bars"]
        assert sum(firing["agreeing_heads"]) == firing["bars"]
        assert firing["gates"]["stands"] == firing["consensus_long"] + firing["consensus_short"]
        column = result.panel.symbols.index(firing["symbol"])
        assert firing["decisions"] == int(result.decisions.acts[:, column].sum()) > 0
