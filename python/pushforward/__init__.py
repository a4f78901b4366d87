"""Write a bijection, get its density."""

from . import bases, layers, transformers, transforms
from ._bijection import Bijection, bijection, chain, inverse, onnx
from ._evidence import Claim, Derivation, Report, audit, derive, verify
from ._flow import FitInterruptedWarning, Flow, Progress
from ._functions import *
from ._functions import __all__ as _functions
from ._native import Condition, Model, Var, __version__

__all__ = [
    "Bijection",
    "Claim",
    "Condition",
    "Derivation",
    "FitInterruptedWarning",
    "Flow",
    "Model",
    "Progress",
    "Report",
    "Var",
    "__version__",
    "audit",
    "bases",
    "bijection",
    "chain",
    "derive",
    "inverse",
    "layers",
    "onnx",
    "transformers",
    "transforms",
    "verify",
    *_functions,
]
