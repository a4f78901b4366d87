"""Why a row is unlikely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Expected:
    """What a value would be expected to be, given the other values of its row."""

    #: Half of the values are below.
    median: float
    #: A twentieth of the values is below.
    lower: float
    #: A twentieth of the values is above.
    upper: float
    #: The share of the values that are at least as far out.
    tail: float


@dataclass(frozen=True)
class Reason:
    """How likely the value of a column is within its row."""

    column: str
    value: float
    #: ln p of the value given those before it, averaged over the orders of the flows; None for a model of couplings.
    contribution: float | None
    #: The share of the training rows whose value of this column is less likely; None for a model of couplings.
    rank: float | None
    #: None where the other values of the row are impossible.
    expected: Expected | None
    #: What a value must be that the column cannot have: "above 0".
    outside: str | None

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
    """Why a row is unlikely: its least likely values first."""

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
        return "; ".join(str(reason) for reason in [*self.levels, *self.reasons])
