"""Closings that the customers deny: we said that we had reached them, and they say we had not.

After a task was closed its customer is asked “Did somebody get back to you? Did it help?”. Only the
answered questions about closings that claimed a conversation are counted: a task closed because
nobody could be reached claims nothing that could be denied.
"""

from dataclasses import asdict, dataclass

from analysis.measures.intervals import Interval, check_counts, wilson


@dataclass(frozen=True)
class FalseClosures:
    """Counts of answered questions, each in exactly one of the three."""

    denied: int = 0  # nobody got back to them
    unhelpful: int = 0  # somebody did, and it did not help
    confirmed: int = 0  # somebody did; it helped, in part at least, or they do not say

    def __post_init__(self) -> None:
        check_counts(**asdict(self))

    @property
    def n(self) -> int:
        return self.denied + self.unhelpful + self.confirmed

    @property
    def rate(self) -> float | None:
        """Share, 0..1, of n that deny that anybody got back; None while n is 0."""
        return self.denied / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        """Wilson's 95 % interval of the rate; None while n is 0."""
        return wilson(self.denied, self.n)


def false_closures(words: list[tuple[str, str]]) -> FalseClosures:
    """From what the customers of closings that claimed a conversation said: pairs of `got_back`
    (yes, no) and `helped` (yes, partly, no, or empty). ValueError for any other `got_back`."""
    if wrong := {got_back for got_back, _ in words} - {"yes", "no"}:
        raise ValueError(f"got_back is yes or no, not {sorted(wrong)}")
    denied = sum(got_back == "no" for got_back, _ in words)
    unhelpful = sum((got_back, helped) == ("yes", "no") for got_back, helped in words)
    return FalseClosures(denied, unhelpful, len(words) - denied - unhelpful)
