"""The examples in docstrings are run."""

import doctest
import importlib
import pkgutil

import pytest

import pushforward

MODULES = ["pushforward"] + [
    f"pushforward.{module.name}" for module in pkgutil.iter_modules(pushforward.__path__) if module.name != "_native"
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert failed == 0
