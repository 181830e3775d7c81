"""Experiments: users assigned to versions, intervals that may be read at any time, and estimates from logs before."""

from .assignment import Experiment, Rule
from .candidate import policy_of
from .decision import Decision
from .estimate import Estimated, estimate
from .logged import read_log, read_policy
from .outcomes import log_of, outcomes_of
from .summary import Summary, summary

__all__ = [
    "Decision",
    "Estimated",
    "Experiment",
    "Rule",
    "Summary",
    "estimate",
    "log_of",
    "outcomes_of",
    "policy_of",
    "read_log",
    "read_policy",
    "summary",
]
