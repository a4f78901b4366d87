"""A line that says how a fit goes, in a terminal or a notebook."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable

from ._columns import is_loaded


class Bar:
    """Tells what is being fitted, on one line of standard error that is written over."""

    WIDTH = 79
    # Seconds between two texts.
    PAUSE = 0.1
    # Of flows that are trained at the same time one is shown, until it has not been told of for so many seconds.
    SILENT = 1.0

    def __init__(self) -> None:
        self.last = 0.0
        self.shown = False
        self.leading: tuple[str, float] | None = None

    def __call__(self, told: dict[str, Any]) -> None:
        now = time.monotonic()
        if "epoch" in told:
            if self.leading and self.leading[0] != told["candidate"] and now - self.leading[1] < self.SILENT:
                return
            self.leading = told["candidate"], now
        if self.shown and now - self.last < self.PAUSE:
            return
        self.last, self.shown = now, True
        line = told["candidate"]
        if "epoch" in told:
            done, of = told["epoch"], max(told["epochs"], 1)
            filled = 20 * done // of
            bar = "█" * filled + "░" * (20 - filled)
            line = f"{line[:30]:<30} {bar} {done}/{of}  ln p {told['best']:.3f}"
        sys.stderr.write("\r" + line[: self.WIDTH].ljust(self.WIDTH))
        sys.stderr.flush()

    def close(self) -> None:
        """Clears the line."""
        if self.shown:
            sys.stderr.write("\r" + " " * self.WIDTH + "\r")
            sys.stderr.flush()


def told_to(progress: Any) -> Callable[[dict[str, Any]], None] | None:
    """What is called with the state of a fit: a function of the caller's, a bar, or nothing."""
    if callable(progress):
        function: Callable[[dict[str, Any]], None] = progress
        return function
    if isinstance(progress, str) and progress == "auto":
        return Bar() if _is_watched() else None
    if isinstance(progress, bool):
        return Bar() if progress else None
    raise ValueError(f"progress={progress!r} is not known; it is 'auto', True, False or a function")


def _is_watched() -> bool:
    """Whether somebody sees standard error: a terminal or a notebook, and no process of a pool."""
    import multiprocessing

    if multiprocessing.parent_process() is not None:
        return False
    return is_loaded("ipykernel") or (sys.stderr is not None and sys.stderr.isatty())
