"""Names and options that are nearly right: the error says which was meant."""

from __future__ import annotations

import difflib
import functools
import inspect
import json
from typing import Any, Callable, Iterable, Sequence, TypeVar, Union, cast

import numpy as np


def hint(name: str, known: Iterable[str]) -> str:
    """Returns ` (did you mean …?)` if a known name is like the given one."""
    name, known = str(name), list(known)
    # A part of a name says more than as many letters in common.
    holding = [own for own in known if len(name) > 2 and name in own]
    near = holding or difflib.get_close_matches(name, known, n=1)
    return f" (did you mean `{near[0]}`?)" if near else ""


Numbers = Union[Sequence[float], "np.ndarray[Any, Any]"]
"""Numbers as a setting: a list, a tuple or an array."""

Function = TypeVar("Function", bound=Callable[..., Any])


def checked(function: Function) -> Function:
    """Refuses options that the function does not have, with the nearest one."""
    known = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        for option in options:
            if option not in known:
                raise TypeError(
                    f"{function.__name__} has no option `{option}`{hint(option, known)}; "
                    f"its options are {', '.join(known)}"
                )
        return function(*arguments, **options)

    return cast(Function, call)


def named(
    module: str, kind: str, known: Iterable[str], also: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and the `__dir__` of a module of named things, which has ``also`` other public names."""
    known = sorted(known)
    public = [*known, "NAMES", *also]

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise AttributeError(
            f"there is no {kind} `{name}`{hint(name, known)}; there are {', '.join(known)}"
        )

    # What completion offers: the things, and not what their module imports.
    return get, lambda: public


def one_of(name: str, given: str, known: dict[str, Any]) -> Any:
    """Returns the value of a name."""
    if given not in known:
        raise ValueError(f"{name}={given!r} is not known{hint(given, known)}; it is one of {', '.join(known)}")
    return known[given]


def whole(values: Any) -> list[int]:
    """A list of whole numbers; of one number, a list of it."""
    if isinstance(values, (int, np.integer)):
        return [int(values)]
    numbers = [int(value) for value in values]
    if any(number != value for number, value in zip(numbers, values)):
        raise ValueError(f"whole numbers are needed, not {list(values)}")
    return numbers


def numbers(values: Any) -> list[float]:
    """A flat list of numbers."""
    return np.asarray(values, dtype=float).ravel().tolist()


def written(settings: Any) -> str:
    """Settings as JSON, which has no NaN and no infinity."""
    try:
        return json.dumps(settings, allow_nan=False)
    except ValueError:
        raise ValueError("a setting is NaN or infinite; settings are finite numbers") from None
