"""What is known of a bijection: reports of audits, and derivations."""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Optional, Union, overload

from . import _native

if TYPE_CHECKING:
    from ._bijection import Bijection
    from ._density import TableDensity
    from ._flow import Flow

_STYLE = (
    "body{max-width:50rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 Georgia,serif}"
    "td{padding:.3rem .6rem;vertical-align:top;border-top:1px solid #ccc}"
)
# Notebooks align cells to the right.
_CELL = 'style="text-align:left;vertical-align:top"'


@dataclass(frozen=True)
class Claim:
    """A statement on a bijection, and how it is known."""

    topic: str
    """What it is about: `structure`, `log_det`, `inverse`, `injective`, …"""
    statement: str
    """The statement."""
    verdict: str
    """`proven` (for all inputs and parameters), `checked` (at points), `not proven` or `refuted`."""
    detail: str
    """The argument, the error and its tolerance, or the witness."""

    def __str__(self) -> str:
        return f"{self.verdict}: {self.statement}\n    {self.detail}"


class Report:
    """The report of an audit: every claim with its evidence. As text it is what the command prints."""

    def __init__(self, audited: Mapping[str, Any]):
        self._text: str = audited["text"]
        self._json: str = audited["json"]
        self._certificates: str = audited["certificates"]
        self._has_no_refutation: bool = audited["has_no_refutation"]
        self._data = json.loads(self._json)
        self.claims: list[Claim] = [_claim(claim) for claim in self._data["claims"]]

    @property
    def subject(self) -> str:
        """The name of the bijection."""
        return str(self._data["subject"])

    @property
    def advice(self) -> list[str]:
        """Structures that could be declared, and their gain."""
        return list(self._data["advice"])

    @property
    def has_no_refutation(self) -> bool:
        """Whether nothing is refuted."""
        return self._has_no_refutation

    @property
    def certificates(self) -> str:
        """The certificates of what is proven and refuted, for :func:`verify` and for `pushforward verify`."""
        return self._certificates

    def of(self, topic: str) -> list[Claim]:
        """The claims about a topic."""
        return [claim for claim in self.claims if claim.topic == topic]

    def to_json(self) -> str:
        """The report as JSON."""
        return self._json

    def to_html(self) -> str:
        """The report as an HTML page."""
        title = html.escape(f"Audit of {self.subject}")
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/><title>{title}</title>'
            f"<style>{_STYLE}</style></head>\n<body>{self._repr_html_()}</body></html>\n"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td {_CELL}><b>{html.escape(claim.verdict)}</b></td><td {_CELL}>{html.escape(claim.statement)}<br/>"
            f"<small>{html.escape(claim.detail)}</small></td></tr>\n"
            for claim in self.claims
        )
        return f"<h3>Audit of {html.escape(self.subject)}</h3>\n<table>\n{rows}</table>"

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for claim in self.claims:
            counts[claim.verdict] = counts.get(claim.verdict, 0) + 1
        return f"<Report on {self.subject}: {', '.join(f'{n} {verdict}' for verdict, n in counts.items())}>"

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.claims)


def _claim(claim: Mapping[str, Any]) -> Claim:
    evidence = claim["evidence"]
    verdict = evidence["kind"].replace("_", " ")
    if verdict == "checked":
        detail = f"{evidence['points']} points"
        # What is so or not has no error.
        if evidence["tolerance"] > 0:
            detail += f", worst error {evidence['worst']:.1e} (allowed {evidence['tolerance']:.0e})"
    else:
        detail = evidence.get("reason", evidence.get("witness", ""))
    return Claim(claim["topic"], claim["statement"], verdict, detail)


class Derivation:
    """Everything that follows from `forward`: the Jacobian, its proof, ln\\|det J\\|, the inverse and the density, step by step.

    As text it is what the command prints; a notebook shows it in MathML.
    """

    def __init__(self, derived: Mapping[str, str]):
        self._derived = dict(derived)

    def to_latex(self) -> str:
        """A LaTeX document, for pdflatex or xelatex."""
        return self._derived["latex"]

    def to_html(self) -> str:
        """A page with MathML, without scripts."""
        return self._derived["html"]

    def _repr_html_(self) -> str:
        return f"<h3>{self._derived['title']}</h3>\n{self._derived['sections']}"

    def __str__(self) -> str:
        return self._derived["text"]

    def __repr__(self) -> str:
        return f"<Derivation: {self._derived['text'].splitlines()[0]}>"


@overload
def audit(subject: "TableDensity") -> list[Report]: ...
@overload
def audit(
    subject: Union["Bijection", "Flow", str, os.PathLike[str]],
    *,
    seed: int = 0,
    points: int = 64,
    parameters: Optional[Mapping[str, Any]] = None,
    decide_only: bool = False,
    **reading: Any,
) -> Report: ...
def audit(
    subject: Any,
    *,
    seed: int = 0,
    points: int = 64,
    parameters: Optional[Mapping[str, Any]] = None,
    decide_only: bool = False,
    **reading: Any,
) -> Union[Report, list[Report]]:
    """Audits a bijection, a layer, a flow, or a map of an ONNX file: every claim with its evidence.

    Of a fitted density of a table, a mixture of flows, there is a report for each of them.

    *Proven* holds for all inputs and all parameters, *checked* at the points that were tried, *not proven* says what was
    tried, *refuted* shows a witness. ``parameters`` are the values at which points are checked: a flow has its own, others
    start from their initial values with noise. ``decide_only`` skips what is only checked. Options of :func:`onnx` are
    taken for a file.

    >>> import pushforward as pf
    >>> report = pf.audit(pf.layers.planar(2))
    >>> report.has_no_refutation
    True
    >>> report.of("determinant")[0].verdict
    'proven'
    """
    if isinstance(model := getattr(subject, "model_", None), _native.Model):
        return [Report(audited) for audited in _native.audits(model)]
    bijection, own = _of(subject, reading)
    given = parameters if parameters is not None else own
    return Report(bijection._native.audit(seed, points, decide_only, None if given is None else dict(given)))


@overload
def derive(subject: "TableDensity") -> list[Derivation]: ...
@overload
def derive(subject: Union["Bijection", "Flow", str, os.PathLike[str]], **reading: Any) -> Derivation: ...
def derive(subject: Any, **reading: Any) -> Union[Derivation, list[Derivation]]:
    """Derives everything that follows from `forward` of a bijection, a layer, a flow, or a map of an ONNX file.

    Of a fitted density of a table, a mixture of flows, there is a derivation for each of them.

    >>> import pushforward as pf
    >>> print(str(pf.derive(pf.layers.elementwise("exp", 2))).splitlines()[0])
    Exp: ℝ² → (0, ∞)²
    """
    if isinstance(model := getattr(subject, "model_", None), _native.Model):
        return [Derivation(derived) for derived in _native.derivations(model)]
    return Derivation(_of(subject, reading)[0]._native.derive())


def verify(certificates: str) -> list[str]:
    """Lets the checker, a program that shares no code with what wrote them, read certificates; returns the claims it accepts.

    Raises ``ValueError`` with the reason if it does not accept one of them.

    >>> import pushforward as pf
    >>> report = pf.audit(pf.layers.planar(2))
    >>> len(pf.verify(report.certificates)) >= len([claim for claim in report if claim.verdict == "proven"]) - 1
    True
    """
    return _native.verify(certificates)


def _of(subject: Any, reading: Mapping[str, Any]) -> tuple["Bijection", Optional[Mapping[str, Any]]]:
    from ._bijection import Bijection, onnx
    from ._flow import Flow

    if isinstance(subject, (str, os.PathLike)):
        return onnx(subject, **reading), None
    if reading:
        raise TypeError(f"{', '.join(reading)}: these are options for ONNX files")
    if isinstance(subject, Flow):
        own = {name: values for name, values in subject.parameters.items() if not name.startswith("base.")}
        return subject.bijection, own
    if isinstance(subject, Bijection):
        return subject, None
    raise TypeError(f"a bijection, a layer, a flow or the path of an ONNX file is needed, not {type(subject).__name__}")
