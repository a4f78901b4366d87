"""The notebook runs from its first cell to its last, and what its cells show can be shown."""

import ast
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


def shown(source, names):
    """Runs a cell and returns the value of its last line, as a notebook does."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    names, pages = {"__name__": "__main__"}, 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == [] and cell["execution_count"] is None, "it is kept without outputs"
        value = shown("".join(cell["source"]), names)
        if hasattr(value, "_repr_html_"):
            ElementTree.fromstring(f"<div>{value._repr_html_()}</div>")
            pages += 1
    assert pages >= 2


def test_there_is_a_notebook():
    assert NOTEBOOKS
