"""Write a bijection, get its density: normalizing flows that are derived, proven and trained."""

from importlib import import_module as _import_module
from typing import Any as _Any

from ._native import __version__

# Where names are from. Modules are loaded when one of theirs is used: estimators are estimators of scikit-learn, which
# takes a second to load where it is installed.
_MODULES = {
    "_conditional": ["ConditionalFlowDensity"],
    "_estimator": ["DataLeftOutWarning", "FitInterruptedWarning", "NotFittedError"],
    "_explanation": ["Expected", "Explanation", "LevelReason", "Reason"],
    "_flow_density": ["FlowDensity"],
    "_jax": ["JaxOptions"],
    "_page": ["Page"],
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> _Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pushforward' has no attribute {name!r}")
    value = getattr(_import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
