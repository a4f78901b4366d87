"""A page of HTML that is complete in itself."""

from __future__ import annotations

import html
import os
from pathlib import Path


class Page:
    """A page of HTML that loads nothing and runs nothing; a notebook shows it in a frame."""

    def __init__(self, source: str) -> None:
        self.html = source

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the page to a file."""
        Path(path).write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        return (
            f'<iframe sandbox srcdoc="{html.escape(self.html)}" style="width: 100%; height: 40em; border: 0"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<a page of {len(self.html)} characters: save(path) writes it>"
