from ._conditional import ConditionalFlowDensity as ConditionalFlowDensity
from ._estimator import DataLeftOutWarning as DataLeftOutWarning
from ._estimator import FitInterruptedWarning as FitInterruptedWarning
from ._estimator import NotFittedError as NotFittedError
from ._explanation import Expected as Expected
from ._explanation import Explanation as Explanation
from ._explanation import LevelReason as LevelReason
from ._explanation import Reason as Reason
from ._flow_density import FlowDensity as FlowDensity
from ._jax import JaxOptions as JaxOptions
from ._native import __version__ as __version__
from ._page import Page as Page

__all__: list[str]
