"""Write a bijection, get its density: normalizing flows that are derived, proven and trained."""

from importlib import import_module as _import_module
from typing import Any as _Any

from ._native import __version__

# Where names are from. Modules are loaded when one of theirs is used: estimators are estimators of scikit-learn, which
# takes a second to load where it is installed.
_MODULES = {
    "_bijection": ["Bijection", "bijection", "chain", "inverse", "onnx"],
    "_conditional": ["ConditionalFlowDensity"],
    "_estimator": [
        "DataLeftOutWarning", "ExtrapolationWarning", "FitDivergedWarning", "FitInterruptedWarning", "NotFittedError",
    ],
    "_evidence": ["Claim", "Derivation", "Report", "audit", "derive", "verify"],
    "_explanation": ["Expected", "Explanation", "LevelReason", "Reason"],
    "_flow": ["Flow", "Progress"],
    "_flow_density": ["FlowDensity"],
    "_functions": [
        "Uniform", "abs", "asinh", "asinh_slope", "atan", "atan2", "atan_pi", "broadcast", "column",
        "concat", "cos", "cosh", "cumsum", "diagonal", "diagonal_matrix", "dot", "erf", "exp", "exp_m1",
        "gather", "glorot", "inverse_matrix", "inverse_mills", "ln", "ln_1p", "ln_gamma", "ln_normal_cdf",
        "log", "log_abs_det", "log_add_exp", "log_softmax", "log_sum_exp", "matmul", "matrix_exp",
        "max_element", "maximum", "minimum", "neg", "norm", "normal_cdf", "normal_quantile", "outer",
        "parameter", "polygamma", "pow", "powi", "recip", "reshape", "row", "scatter", "sech_squared",
        "sigmoid", "sign", "sin", "sinh", "softmax", "softplus", "sqrt", "stack", "sum", "tan_pi", "tanh",
        "transpose", "where",
    ],
    "_jax": ["JaxOptions"],
    "_native": ["Condition", "Var", "constant", "context", "select"],
    "_page": ["Page"],
}
# Modules of layers, bases and so on, by whose functions they are made.
_CATALOGUES = ["bases", "layers", "transformers", "transforms"]
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted([*_HOMES, *_CATALOGUES, "__version__"])


def __getattr__(name: str) -> _Any:
    if name in _CATALOGUES:
        return _import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'pushforward' has no attribute {name!r}")
    value = getattr(_import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
