"""The density of some columns given others."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._columns import Columns, columns_of, refuse_other_order, seed_of
from ._density import TableDensity
from ._explanation import Explanation
from ._jax import JaxOptions
from ._page import Page


class ConditionalFlowDensity(TableDensity):
    """An exact density p(x | c) of the rows of a table given the rows of another: what x may be, where c is known.

    Parameters
    ----------
    model : {"auto", "coupling", "spline", "autoregressive"}
        Which densities are tried. "auto": autoregressive spline flows.
    time, kinds, missing, held_out, progress, random_state
        As of :class:`FlowDensity`. ``kinds`` may name columns of both tables.

    Examples
    --------
    >>> import numpy as np
    >>> from pushforward import ConditionalFlowDensity
    >>> C = np.random.default_rng(0).normal(size=(400, 1))
    >>> X = C + 0.1 * np.random.default_rng(1).normal(size=(400, 1))
    >>> density = ConditionalFlowDensity(time=5).fit(X, given=C)
    >>> density.score_samples([[0.5]], given=[[0.5]]) > density.score_samples([[0.5]], given=[[1.5]])
    array([ True])
    >>> density.quantiles([0.05, 0.95], given=[[0.5]], random_state=0).shape
    (1, 1, 2)
    """

    _is_conditional = True

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        given: Any,
        sample_weight: Any = None,
        groups: Any = None,
        engine: str = "native",
        jax_options: JaxOptions | None = None,
    ) -> ConditionalFlowDensity:
        """Fits the density of the rows of X given those of ``given``. Ctrl-C ends the fit, and keeps the best so far.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
        y : ignored
        given : table of shape (n_samples, n_given)
            Row by row, by position, that of ``X``. The columns of an array are called c0, c1, ...
        sample_weight, groups, engine, jax_options
            As of :meth:`FlowDensity.fit`.
        """
        self._checked_engine(engine)
        refuse_other_order(X, given)
        columns = columns_of(X, type(self).__name__)
        own = self._named(columns_of(given, type(self).__name__, "given"))
        if own.rows != columns.rows:
            raise ValueError(f"given has {own.rows} rows, and X has {columns.rows}")
        both = [name for name, _ in own.cells if name in dict(columns.cells)]
        if both:
            raise ValueError(f"the column {both[0]!r} is in X and in given; a density is of one and given the other")
        self._keep_features(columns)
        self._fit(columns, own, sample_weight, groups)
        if engine == "jax":
            cells = columns.select(self.model_.needs()) + self._read(own, self.model_.given(), "given")
            self._train_with_jax(cells, jax_options, sample_weight)
        return self

    def score_samples(self, X: Any, given: Any) -> np.ndarray:
        """ln p(x | c) of each row, in nats and in the units of the table.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
        given : table of shape (n_samples, n_given), or of one row for all

        Returns
        -------
        log_prob : array of shape (n_samples,)
        """
        return self.model_.score(self._pairs(X, given))[0]

    def score(self, X: Any, y: Any = None, *, given: Any) -> float:
        """The mean of ln p(x | c) over the rows."""
        return float(np.mean(self.score_samples(X, given)))

    def explain(self, X: Any, given: Any, most: int = 3) -> list[Explanation | None]:
        """Why each row is unlikely, given c: at most ``most`` columns, the least likely ones first."""
        return self._explain(self._pairs(X, given), most)

    def sample(self, n_samples: int = 1, random_state: Any = None, *, given: Any) -> Any:
        """Draws ``n_samples`` rows for each row of ``given``, in their order: an array, or a frame like that of the fit."""
        self._check_is_fitted()
        return self._draw(n_samples, self._given(given), random_state)

    def quantiles(self, q: Any, given: Any, random_state: Any = None) -> Any:
        """Quantiles of each column for each row of ``given``.

        Returns
        -------
        quantiles : array of shape (n_given, n_features, n_quantiles), or a frame with columns ``name_0.05``, ...
        """
        self._check_is_fitted()
        return self._quantiles(q, self._given(given), random_state)

    def report(self, X: Any, given: Any, rows: int = 2000, audit: bool = True, random_state: Any = 0) -> Page:
        """A page on the density and these rows; see :meth:`FlowDensity.report`."""
        cells = self._pairs(X, given)
        return Page(self.model_.report(cells, int(rows), bool(audit), seed_of(random_state)))

    def _pairs(self, X: Any, given: Any) -> list[tuple[str, Any]]:
        refuse_other_order(X, given)
        own = self._features(X)
        others = self._given(given)
        rows, count = len(own[0][1]) if own else 0, len(others[0][1])
        if count == 1 and rows != 1:
            others = [(name, cells * rows if isinstance(cells, list) else np.repeat(cells, rows)) for name, cells in others]
        elif count != rows:
            raise ValueError(f"given has {count} rows, and X has {rows}")
        return own + others

    def _given(self, given: Any) -> list[tuple[str, Any]]:
        columns, known = self._named(columns_of(given, type(self).__name__, "given")), self.model_.given()
        names = [name for name, _ in columns.cells]
        lacking = [name for name in known if name not in names]
        if lacking:
            raise ValueError(f"given has no column {lacking[0]!r}; the density is conditioned on {', '.join(known)}")
        return self._read(columns, known, "given")

    @staticmethod
    def _named(columns: Columns) -> Columns:
        """Columns of an array are c0, c1, ..."""
        if columns.names is not None:
            return columns
        return columns.renamed([f"c{i}" for i in range(len(columns.cells))])
