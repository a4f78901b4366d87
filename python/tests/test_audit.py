"""Audits and derivations: what they tell, in text, HTML, LaTeX, and of other libraries' graphs."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import pushforward as pf

PEERS = Path(__file__).resolve().parents[2] / "tests" / "peers"


@pf.bijection(dim=2)
def bend(z):
    return pf.stack([z[0], z[1] * pf.exp(pf.tanh(z[0]))])


def test_a_report_has_claims_with_evidence():
    report = pf.audit(bend, seed=3)
    assert report.subject == "bend" and report.has_no_refutation
    assert {claim.verdict for claim in report} == {"proven", "checked"}
    assert len(report.claims) == len(json.loads(report.to_json())["claims"])
    text = str(report)
    assert text.startswith("Audit of bend, 2 variables, seed 3")
    for claim in report:
        assert claim.verdict in text and claim.statement[:40] in re.sub(r"\s+", " ", text)
    assert report.of("log_det")[0].detail.startswith("64 points, worst error")
    assert "proven" in repr(report)
    assert report.certificates.count("\n") > 10
    assert pf.audit(bend, decide_only=True).of("mass") == []


def test_a_structure_is_advised():
    dense = pf.bijection(lambda z: pf.stack([z[0], z[1] * pf.exp(z[0])]), dim=2, structure="dense")
    assert any("LowerTriangular" in advice or "lower" in advice for advice in pf.audit(dense).advice)


def test_points_are_checked_at_the_parameters_of_a_flow():
    flow = pf.Flow(None, [pf.layers.affine([1.0, 1.0], [0.0, 0.0]), bend])
    flow.parameters = {"layers.0.scale": [1e-3, 5.0]}
    report = flow.audit()
    assert report.has_no_refutation and str(report) == str(pf.audit(flow))
    assert any(claim.topic == "chain_rule" for claim in report)
    given = pf.audit(flow, parameters={"layers.0.scale": [2.0, 2.0]})
    assert str(given) != str(report)


def without_entities(page):
    return page.split("<!DOCTYPE html>\n")[-1]


def test_pages_are_whole():
    derivation, report = pf.derive(bend), pf.audit(bend)
    for page in (derivation.to_html(), report.to_html()):
        assert page.startswith("<!DOCTYPE html>")
        ElementTree.fromstring(without_entities(page))
    ElementTree.fromstring(f"<div>{derivation._repr_html_()}</div>")
    ElementTree.fromstring(f"<div>{report._repr_html_()}</div>")
    assert "<math" in derivation._repr_html_() and "<style" not in derivation._repr_html_()
    assert report._repr_html_().count("<tr>") == len(report.claims)
    latex = derivation.to_latex()
    assert latex.startswith("% Compile with pdflatex") and r"\ln" in latex and latex.isascii()
    assert repr(derivation) == "<Derivation: bend: ℝ² → ℝ²>"
    # What a name holds is no markup.
    named = pf.bijection(lambda z: 2 * z, dim=1, name="<b>&")
    ElementTree.fromstring(without_entities(pf.audit(named).to_html()))
    ElementTree.fromstring(without_entities(pf.derive(named).to_html()))


def test_a_derivation_of_a_flow():
    text = str(pf.Flow(None, [bend, pf.layers.affine([2.0, 1.0], [0.0, 0.0])]).derive())
    assert "Layer 1 of 2: bend" in text and "The whole" in text


def test_a_refutation_shows_its_witness():
    fold = pf.bijection(lambda z: pf.stack([z[0] ** 2, z[1]]), dim=2)
    report = pf.audit(fold)
    assert not report.has_no_refutation
    refuted = [claim for claim in report if claim.verdict == "refuted"]
    assert refuted and all(claim.detail for claim in refuted)
    html = report.to_html()
    assert "<b>refuted</b>" in html


def test_maps_of_other_libraries():
    peer = json.loads((PEERS / "nflows_affine_coupling.json").read_text())
    path = PEERS / "nflows_affine_coupling.onnx"
    map_ = pf.onnx(path, log_det="log_det")
    points = np.array(peer["points"])
    assert np.allclose(map_.forward(points), peer["y"], atol=1e-6)
    assert np.allclose(map_.log_det(points), np.ravel(peer["log_det"]), atol=1e-6)
    report = pf.audit(path, log_det="log_det")
    assert report.has_no_refutation and report.of("given_log_det")
    assert "ln|det J|" in str(pf.derive(str(path)))
    with pytest.raises(ValueError, match="none.onnx"):
        pf.audit("none.onnx")
    with pytest.raises(ValueError, match="no output `ld`"):
        pf.audit(path, log_det="ld")
    with pytest.raises(TypeError, match="these are options for ONNX files"):
        pf.audit(bend, log_det="log_det")
    with pytest.raises(ValueError, match="cannot be kept in a file"):
        map_.describe()


def test_what_has_no_audit():
    for wrong in (lambda z: z, 3, None, np.ones(2)):
        with pytest.raises(TypeError, match="a bijection, a layer, a flow or the path of an ONNX file is needed"):
            pf.audit(wrong)


def test_certificates_are_read_by_the_checker():
    text = pf.audit(bend).certificates
    claims = pf.verify(text)
    assert len(claims) >= 3 and all(isinstance(claim, str) for claim in claims)
    # A certificate of something false: the sine in the place of the exponential folds.
    assert text.count("exp") > 0
    with pytest.raises(ValueError):
        pf.verify(text.replace("exp", "sin"))
    with pytest.raises(ValueError):
        pf.verify("nothing")


def test_densities_of_tables():
    x = np.random.default_rng(0).normal(size=(200, 2)) @ np.array([[1.0, 0.5], [0.0, 2.0]])
    density = pf.FlowDensity(model="mixture", time=1.0, random_state=0).fit(x)
    reports, derivations = density.audit(), pf.derive(density)
    assert len(reports) == len(derivations) >= 1
    assert all(report.has_no_refutation for report in reports)
    assert "ln|det J|" in str(derivations[0])
