"""Opinions: nine heads, how they vote, and how the votes are reconciled into decisions.

Imports indicators and engine. A head is one file in ``heads/``, listed in ``HEADS``, whose order is
the order of the vote columns.

>>> from strategies import ConsensusRules
>>> ConsensusRules().quorum
4
"""

from .base import Head, HeadInputs, HeadOutput, Range, Reason, reason_bits
from .consensus import GATES, WEIGHTS, Consensus, ConsensusRules, consensus, decide
from .consensus_steps import ConsensusSteps, GateStep, HeadVote, consensus_steps
from .contributions import Contribution, ContributionTable, ScoredHead, contribution_table
from .heads import HEAD_NAMES, HEADS, HEADS_BY_NAME
from .latest import latest_votes, memory_bars
from .votes import VoteMatrix, head_inputs, stacked_votes, vote_matrix

__all__ = [
    "GATES",
    "HEADS",
    "HEADS_BY_NAME",
    "HEAD_NAMES",
    "WEIGHTS",
    "Consensus",
    "ConsensusRules",
    "ConsensusSteps",
    "Contribution",
    "ContributionTable",
    "GateStep",
    "Head",
    "HeadInputs",
    "HeadOutput",
    "HeadVote",
    "Range",
    "Reason",
    "ScoredHead",
    "VoteMatrix",
    "consensus",
    "consensus_steps",
    "contribution_table",
    "decide",
    "head_inputs",
    "latest_votes",
    "memory_bars",
    "reason_bits",
    "stacked_votes",
    "vote_matrix",
]
