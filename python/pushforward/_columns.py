"""Tables of Python as named columns: numpy arrays, frames of pandas, polars and Arrow, and mappings of columns."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _native

# A column is an array of float64 with NaN where a value is missing, or a list of texts with None.
Column = "np.ndarray | list[str | None]"


@dataclass
class Columns:
    """Named columns of one length."""

    cells: list[tuple[str, Any]]
    rows: int
    # The names that the table has, if they are texts; None for an array.
    names: list[str] | None
    # What makes a table of the same sort of drawn columns.
    container: str

    def select(self, names: list[str]) -> list[tuple[str, Any]]:
        """The columns of these names that are there, in the order of the names."""
        own = dict(self.cells)
        return [(name, own[name]) for name in names if name in own]

    def renamed(self, names: list[str]) -> Columns:
        """The same columns by other names."""
        cells = [(name, column) for name, (_, column) in zip(names, self.cells)]
        return Columns(cells, self.rows, self.names, self.container)


def array_names(count: int) -> list[str]:
    """The names of the columns of an array."""
    return [f"x{i}" for i in range(count)]


def columns_of(table: Any, estimator: str = "pushforward", what: str = "X") -> Columns:
    """Takes a table apart into named columns.

    Raises
    ------
    ValueError
        For a table that has not two dimensions, no rows or no columns, or complex numbers.
    TypeError
        For a sparse matrix, and for cells that are neither numbers nor texts.
    """
    # A column of a frame alone has one dimension, which is told as of an array.
    if getattr(table, "ndim", 2) == 1 or type(table).__name__ == "Series":
        return _of_array(np.asarray(table), estimator, what)
    if hasattr(table, "iloc") and hasattr(table, "columns"):
        return _of_pandas(table, what)
    if isinstance(table, dict):
        return _of_mapping(table, what)
    if hasattr(table, "__arrow_c_stream__"):
        return _of_arrow(table, what)
    return _of_array(table, estimator, what)


def _of_array(table: Any, estimator: str, what: str) -> Columns:
    if hasattr(table, "toarray") and hasattr(table, "nnz"):
        raise TypeError(
            f"Sparse data was passed for {what}, but dense data is required. Use '.toarray()' to convert to a dense "
            "numpy array."
        )
    array = np.asarray(table)
    if array.dtype.kind == "c" or (array.dtype.kind == "O" and any(isinstance(cell, complex) for cell in array.flat)):
        raise ValueError(f"Complex data not supported: {what} holds complex numbers")
    if array.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got {'scalar' if array.ndim == 0 else '1D'} array instead:\narray={array}.\n"
            "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or "
            "array.reshape(1, -1) if it contains a single sample."
        )
    if array.ndim > 2:
        raise ValueError(f"Found array with dim {array.ndim}, while dim <= 2 is required by {estimator}.")
    rows, count = array.shape
    if rows == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required by {estimator}."
        )
    if count == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required by {estimator}."
        )
    columns = [_cells(array[:, i], name) for i, name in enumerate(array_names(count))]
    return Columns(list(zip(array_names(count), columns)), rows, None, "array")


def _cells(column: np.ndarray, name: str) -> Any:
    """Numbers as they are, or texts.

    Raises ValueError for a column of numbers in which a few cells are texts.
    """
    if column.dtype == np.float64:
        return column
    if column.dtype.kind in "OUS":
        texts = [None if _is_missing(cell) else cell for cell in column.tolist()]
        are_texts = [isinstance(text, (str, bytes)) for text in texts]
        if any(are_texts):
            numbers = sum(text is not None for text in texts) - sum(are_texts)
            if numbers > sum(are_texts):
                row = are_texts.index(True)
                raise ValueError(
                    f"column {name!r} holds {numbers} numbers and {sum(are_texts)} texts: row {row} has {texts[row]!r}. Put None "
                    "where a number is missing, or make all cells texts if they are categories"
                )
            return [None if text is None else _text(text) for text in texts]
        return np.array([np.nan if cell is None else float(cell) for cell in texts])
    if column.dtype.kind in "mM":
        return [None if np.isnat(cell) else str(cell) for cell in column]
    return column.astype(np.float64)


def _is_missing(cell: Any) -> bool:
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or (isinstance(cell, float) and cell != cell)


def _text(cell: Any) -> str:
    if isinstance(cell, bytes):
        return cell.decode()
    # A whole number is written as a file has it.
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def texts(cells: Any) -> list[str | None]:
    """Numbers as the texts that they have in a file: what a category is."""
    if isinstance(cells, list):
        return cells
    return [None if cell != cell else _text(float(cell)) for cell in cells]


def _of_pandas(table: Any, what: str) -> Columns:
    labels = list(table.columns)
    names = _checked_names(labels, what)
    own = names if names is not None else array_names(len(labels))
    cells = [_pandas_cells(table.iloc[:, i], name) for i, name in enumerate(own)]
    _check_size(len(table), len(labels), what)
    return Columns(list(zip(own, cells)), len(table), names, "pandas")


def _pandas_cells(series: Any, name: str) -> Any:
    kind = getattr(series.dtype, "kind", "O")
    if kind == "c":
        raise ValueError("Complex data not supported: a column holds complex numbers")
    if kind in "fiu":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    if kind == "b":
        return [None if _is_missing(cell) else str(bool(cell)) for cell in series.tolist()]
    if kind in "mM":
        return [None if text == "NaT" else text for text in series.astype(str).tolist()]
    return _cells(np.array(series.tolist() + [None], dtype=object)[:-1], name)


def _of_mapping(table: dict[Any, Any], what: str) -> Columns:
    names = _checked_names(list(table), what)
    cells = [_cells(np.atleast_1d(np.asarray(cells)), str(name)) for name, cells in table.items()]
    lengths = {len(column) for column in cells}
    if len(lengths) > 1:
        told = ", ".join(f"{name}: {len(column)}" for name, column in zip(table, cells))
        raise ValueError(f"the columns of {what} have different lengths: {told}")
    _check_size(next(iter(lengths), 0), len(cells), what)
    return Columns(list(zip([str(name) for name in table], cells)), lengths.pop(), names, "dict")


def _of_arrow(table: Any, what: str) -> Columns:
    container = type(table).__module__.split(".")[0]
    if container == "polars":
        # Columns without any value have no type, and polars hands them over in a form that Arrow has not.
        import polars

        table = table.cast({polars.Null: polars.Float64})
    cells = _native.arrow_columns(table)
    rows = len(cells[0][1]) if cells else 0
    _check_size(rows, len(cells), what)
    return Columns(cells, rows, [name for name, _ in cells], container)


def _check_size(rows: int, count: int, what: str) -> None:
    if rows == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape=({rows}, {count})) while a minimum of 1 is required: {what}")
    if count == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape=({rows}, {count})) while a minimum of 1 is required: {what}")


def _checked_names(labels: list[Any], what: str) -> list[str] | None:
    """The names, if all are texts; none if none is."""
    kinds = {type(label).__name__ for label in labels}
    are_texts = {isinstance(label, str) for label in labels}
    if len(are_texts) > 1:
        raise TypeError(
            f"Feature names are only supported if all input features have string names, but {what} has "
            f"{sorted(kinds)} as feature name / column name types. Convert them with {what}.columns = "
            f"{what}.columns.astype(str)."
        )
    named = [str(label) for label in labels]
    repeated = sorted({name for name in named if named.count(name) > 1})
    if repeated:
        raise ValueError(f"{what} has several columns of one name: {', '.join(repeated)}")
    return named if True in are_texts else None


def refuse_infinities(columns: Columns, what: str = "X") -> None:
    """Raises ValueError for the first column with an infinite value."""
    for name, cells in columns.cells:
        if not isinstance(cells, list) and np.isinf(cells).any():
            row = int(np.flatnonzero(np.isinf(cells))[0])
            raise ValueError(
                f"Input {what} contains infinity or a value too large for dtype('float64'): row {row}, column {name!r}."
            )


def refuse_other_order(X: Any, given: Any) -> None:
    """Raises ValueError for two frames of pandas with the same rows in another order, by their labels: rows are paired by
    position.
    """
    own: Any = getattr(X, "index", None)
    other: Any = getattr(given, "index", None)
    if not hasattr(own, "equals") or not hasattr(other, "equals") or own.equals(other):
        return
    if len(own) == len(other) and own.isin(other).all() and other.isin(own).all():
        row = int(np.flatnonzero(np.asarray(own != other))[0])
        raise ValueError(
            f"the rows of X and given have the same labels in another order: row {row} is {own[row]!r} in X and {other[row]!r} "
            "in given. Rows are paired by position; pass given.loc[X.index], or arrays if the labels mean nothing"
        )


def refuse_missing(cells: list[tuple[str, Any]], advice: str, what: str = "X") -> None:
    """Raises ValueError for the first column in which a value is missing."""
    for name, column in cells:
        row = _first_missing(column)
        if row is not None:
            raise ValueError(f"Input {what} contains NaN: row {row}, column {name!r} has no value. {advice}")


def _first_missing(cells: Any) -> int | None:
    if isinstance(cells, list):
        return next((row for row, cell in enumerate(cells) if cell is None), None)
    # A sum is NaN where a number is, or where infinities of both signs are, which are refused before.
    if not np.isnan(cells.sum()):
        return None
    missing = np.flatnonzero(np.isnan(cells))
    return int(missing[0]) if len(missing) else None


def to_container(cells: list[tuple[str, Any]], container: str, names: list[str] | None = None) -> Any:
    """Makes a table of the sort that was fitted: an array, a frame of the same library, or a mapping."""
    if container == "pandas":
        import pandas

        return pandas.DataFrame(dict(cells))
    if container == "polars":
        import polars

        return polars.DataFrame(dict(cells))
    if container == "pyarrow":
        import pyarrow

        return pyarrow.table(dict(cells))
    if container != "array":
        return dict(cells)
    own, rows = dict(cells), len(cells[0][1]) if cells else 0
    columns = [own.get(name, np.full(rows, np.nan)) for name in names or own]
    if any(isinstance(column, list) for column in columns):
        return np.array([list(row) for row in zip(*columns)], dtype=object).reshape(rows, len(columns))
    return np.column_stack(columns) if columns else np.empty((rows, 0))


def seed_of(random_state: Any) -> int:
    """A seed of the library: a number is one, None and generators of numpy draw one."""
    if random_state is None or random_state is np.random:
        return int(np.random.randint(0, 2**31 - 1))
    if isinstance(random_state, (int, np.integer)):
        if not 0 <= random_state < 2**64:
            raise ValueError(f"random_state={random_state} is no seed: seeds are 0 or more, and have 64 bits")
        return int(random_state)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**63 - 1))
    raise ValueError(
        f"random_state={random_state!r} is no seed; pass a number, None, a RandomState or a Generator of numpy"
    )


def is_loaded(module: str) -> bool:
    """Whether a module has been imported: what is not loaded has made no object that is passed here."""
    return module in sys.modules
