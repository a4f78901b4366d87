"""Why a row is unlikely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Expected:
    """What a value would be expected to be, given the other values of its row.

    Attributes
    ----------
    median : float
        Half of the values are below.
    lower, upper : float
        A twentieth of the values is below the one, and above the other: 90 % are between.
    tail : float
        The share of the values that are at least as far out as that of the row, on both sides.
    """

    median: float
    lower: float
    upper: float
    tail: float


@dataclass(frozen=True)
class Reason:
    """How likely the value of a column is within its row.

    Attributes
    ----------
    column : str
    value : float
    contribution : float or None
        ln p of the value given those before it, averaged over the orders of the flows; None for a model of couplings.
    rank : float or None
        The share of the training rows whose value of this column is less likely; None for a model of couplings.
    expected : Expected or None
        What it would be expected to be; None where the other values of the row are impossible.
    outside : str or None
        What a value must be that the column cannot have: "above 0".
    """

    column: str
    value: float
    contribution: float | None
    rank: float | None
    expected: Expected | None
    outside: str | None

    @property
    def is_unusual(self) -> bool:
        """Whether the value is none of the 90 % in the middle, given the others of its row, or cannot be at all."""
        if self.outside is not None:
            return True
        return self.expected is not None and not self.expected.lower <= self.value <= self.expected.upper

    def __str__(self) -> str:
        if self.outside is not None:
            return f"{self.column} = {self.value:.4g}, must be {self.outside}"
        if self.expected is None:
            return f"{self.column} = {self.value:.4g}"
        return f"{self.column} = {self.value:.4g}, expected {self.expected.lower:.4g} to {self.expected.upper:.4g}"


@dataclass(frozen=True)
class LevelReason:
    """A category of which another level is more than ten times as probable, given the other values of the row."""

    column: str
    level: str
    probability: float
    expected: str
    expected_probability: float

    def __str__(self) -> str:
        return f"{self.column} = {self.level}, expected {self.expected} ({self.expected_probability:.0%})"


@dataclass(frozen=True)
class Explanation:
    """Why a row is unlikely: its least likely values first, whether or not they are unusual.

    As text, those that are unusual: outside of what 90 % of the values would be, given the others of the row.
    """

    reasons: list[Reason]
    levels: list[LevelReason]

    @staticmethod
    def of(told: dict[str, Any]) -> Explanation:
        """Reads what the library tells."""

        def reason(told: dict[str, Any]) -> Reason:
            expected = told["expected"] and Expected(**told["expected"])
            return Reason(**{**told, "expected": expected})

        return Explanation(
            [reason(one) for one in told["reasons"]], [LevelReason(**one) for one in told["levels"]]
        )

    def __str__(self) -> str:
        unusual = [reason for reason in self.reasons if reason.is_unusual]
        return "; ".join(str(reason) for reason in [*self.levels, *unusual]) or "each value is one of the usual 90 %"
