"""The stubs of the extension module say what is in it."""

import ast
from pathlib import Path

import pushforward
from pushforward import _native

STUBS = Path(pushforward.__file__).with_name("_native.pyi")


def test_the_stubs_name_what_there_is():
    tree = ast.parse(STUBS.read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    public = {name for name in dir(_native) if not name.startswith("_")}
    assert functions | set(classes) == public
    for name, node in classes.items():
        told = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        own = {item for item in vars(getattr(_native, name)) if not item.startswith("_")}
        assert {item for item in told if not item.startswith("_")} == own, name
        assert all(hasattr(getattr(_native, name), item) for item in told), name


def test_the_package_is_typed():
    assert STUBS.with_name("py.typed").exists()
    exported = [name for name in pushforward.__all__ if not hasattr(pushforward, name)]
    assert not exported
