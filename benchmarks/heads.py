"""Features, votes and consensus of all nine heads on three years of hourly bars."""

from strategies import HEADS, ConsensusRules, consensus, latest_votes, vote_matrix

from .timing import timed

HOURS = 26_280


def figures() -> dict[str, float]:
    """Seconds for one symbol, for each head alone, and for one more bar."""
    from datasets import SimulationSpec, simulate

    spec = SimulationSpec(symbols=("BTCSIM",), days=HOURS // 24, seed=3)
    market = simulate(spec).markets["BTCSIM"]
    heads = [head() for head in HEADS]
    votes = vote_matrix(market, heads)
    figures = {
        f"{head.name}_s": timed(lambda head=head: vote_matrix(market, [head]), runs=3).best_s
        for head in heads
    }
    return {
        "simulate_three_years_s": timed(lambda: simulate(spec), runs=2).best_s,
        "all_heads_s": timed(lambda: vote_matrix(market, heads), runs=3).best_s,
        "all_heads_one_more_bar_s": timed(lambda: latest_votes(market, heads), runs=9).best_s,
        "consensus_s": timed(lambda: consensus(votes, ConsensusRules()), runs=5).best_s,
        **figures,
    }
