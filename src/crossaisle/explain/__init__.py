"""Why a recommendation came about, and what of the old knowledge carried it."""

from .explanation import Explanation, TransferExplanation, section
from .gains import Finished
from .recommendation import explain
from .transfer import explain_transfer

__all__ = ["Explanation", "Finished", "TransferExplanation", "explain", "explain_transfer", "section"]
