"""The density of the rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._columns import columns_of, seed_of
from ._density import TableDensity
from ._explanation import Explanation
from ._jax import JaxOptions
from ._page import Page


class FlowDensity(TableDensity):
    """An exact density of the rows of a table: normalizing flows and Gaussian mixtures, fitted by maximum likelihood.

    In the manner of ``sklearn.mixture.GaussianMixture`` and ``sklearn.neighbors.KernelDensity``. The kind of each column
    is found (real, positive, rounded, circular, categories, ...), candidates are fitted and chosen by rows that are held out,
    and the density is that of the rows in the units of the table.

    Parameters
    ----------
    model : {"auto", "gaussian", "mixture", "coupling", "spline", "autoregressive"}
        Which densities are tried. "auto": Gaussian mixtures and, from 250 rows on, autoregressive spline flows.
    time : float
        About how many seconds a fit may take. Where this is short, flows are trained for fewer epochs: then the density
        depends on the speed of the machine, otherwise on ``random_state`` alone.
    kinds : dict, optional
        Kinds of columns by name, or by number for an array: "real", "positive", "bounded:0..1", "circular:360",
        "rounded:0.5", "integer", "category", ...; the others are found.
    missing : {"error", "drop", "model"}
        What is done with rows in which a value is missing (NaN or None). "drop" leaves them out of the fit; "model" fits to
        what is there, but leaves out rows in which a category is missing. In both cases a row that is scored has the density of its other values.
    held_out : float
        The share of the rows by which candidates are chosen and training is ended.
    progress : bool, "auto" or function
        Whether a line tells how the fit goes; "auto": in a terminal or a notebook. A function is called with a dict.
    random_state : int, None, RandomState or Generator
        The seed of everything that is random.

    Attributes
    ----------
    n_features_in_, feature_names_in_
        The columns of the fit, as in scikit-learn.
    look_ : dict
        What was found in the table before the fit.
    fit_record_ : dict
        The candidates with ln p of the rows that were held out, and what was left out.
    jax_record_ : Trained or None
        What became of training by JAX.

    Examples
    --------
    >>> import numpy as np
    >>> from pushforward import FlowDensity
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) * [1.0, 2.0]
    >>> density = FlowDensity(model="gaussian").fit(X)
    >>> density.score_samples([[0.0, 0.0]]).round(1)
    array([-2.5])
    >>> density.sample(3, random_state=1).shape
    (3, 2)
    """

    _is_conditional = False

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        groups: Any = None,
        *,
        engine: str = "native",
        jax_options: JaxOptions | None = None,
    ) -> FlowDensity:
        """Fits the density to a table. Ctrl-C ends the fit, and keeps the best so far.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            An array, a frame of pandas, polars or Arrow, or a dict of columns.
        y : ignored
        sample_weight : array of shape (n_samples,), optional
            A row of weight 2 is as good as two of them.
        groups : array of shape (n_samples,), optional
            Labels of rows that belong together: they are all fitted to, or all held out.
        engine : {"native", "jax"}
            "jax" trains what was fitted further by JAX, on all of its devices (see ``to_jax``). It pays where there are
            accelerators; ranks of rows, and the record of the fit, stay those of the native fit.
        jax_options : JaxOptions, optional
            How JAX trains.

        Raises
        ------
        ValueError
            For a table that has no rows or columns, values that are missing or infinite, and parameters that are none.
        """
        columns = columns_of(X, type(self).__name__)
        self._keep_features(columns)
        self._checked_engine(engine)
        self._fit(columns, None, sample_weight, groups)
        if engine == "jax":
            self._train_with_jax(columns.select(self.model_.needs()), jax_options, sample_weight)
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """ln p of each row, in nats and in the units of the table.

        For a value that is rounded in the table it is the logarithm of the mean density of its cell. With ``missing`` other
        than "error", a row in which values are missing has the density of the others; a row without any value, NaN.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        log_prob : array of shape (n_samples,)
            -inf for rows that the density excludes.
        """
        cells = self._features(X)
        return self.model_.score(cells)[0]

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of ln p over the rows."""
        return float(np.mean(self.score_samples(X)))

    def explain(self, X: Any, most: int = 3) -> list[Explanation | None]:
        """Why each row is unlikely: at most ``most`` columns, the least likely ones first.

        None for a row in which a value is missing.
        """
        return self._explain(self._features(X), most)

    def sample(self, n_samples: int = 1, random_state: Any = None, given: Any = None) -> Any:
        """Draws rows: an array, or a frame like that of the fit.

        Parameters
        ----------
        n_samples : int
            The number of rows, or of rows for each row of ``given``.
        random_state : int, None, RandomState or Generator
        given : frame or dict of columns, optional
            Values of some columns to condition on, which is decided here and not in the fit. Values far from the rows of the
            fit warn (``ExtrapolationWarning``).

        Raises
        ------
        ValueError
            For given columns that the density has not, and for values of which too few draws have any weight.
        """
        self._check_is_fitted()
        return self._draw(n_samples, self._given(given), random_state)

    def quantiles(self, q: Any, given: Any, random_state: Any = None) -> Any:
        """Quantiles of the columns that are not given, for each row of ``given``.

        Parameters
        ----------
        q : float or array of floats from 0 to 1
        given : frame or dict of columns

        Returns
        -------
        quantiles : array of shape (n_given, n_columns, n_quantiles), or a frame with columns ``name_0.05``, ...
            A frame has also ``effective``: of how many independent draws the weighted draws are worth.
        """
        self._check_is_fitted()
        cells = self._given(given)
        if cells is None:
            raise ValueError("given is None; quantiles are of some columns given others")
        return self._quantiles(q, cells, random_state)

    def report(self, X: Any, rows: int = 2000, audit: bool = True, random_state: Any = 0) -> Page:
        """A page on the density and these rows: how it was fitted, whether the rows look like samples of it, which are least
        likely, and what is proven of its layers.

        Make it of rows that the density was not fitted to.
        """
        cells = self._features(X)
        return Page(self.model_.report(cells, int(rows), bool(audit), seed_of(random_state)))

    def _given(self, given: Any) -> list[tuple[str, Any]] | None:
        if given is None:
            return None
        columns = columns_of(given, type(self).__name__, "given")
        known = self.model_.needs()
        if columns.names is None:
            raise ValueError(f"given has no column names; pass a dict or a frame with some of {', '.join(known)}")
        unknown = [name for name in columns.names if name not in known]
        if unknown:
            raise ValueError(f"given has the column {unknown[0]!r}, which is none of the density: {', '.join(known)}")
        return self._read(columns, columns.names, "given")
