"""Write a bijection, get its density."""

from ._native import Model, __version__

__all__ = ["Model", "__version__"]
