"""Frames of pandas, polars and Arrow, and mappings of columns."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pushforward import ConditionalFlowDensity, DataLeftOutWarning, FlowDensity


COLOUR = {"colour": "category"}


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    colour = random.choice(["blue", "red"], 600, p=[0.3, 0.7])
    length = random.normal(size=600) + 2.0 * (colour == "red")
    return {"length": length, "width": length + random.normal(size=600), "colour": colour.tolist()}


def frames(table):
    return {
        "pandas": pd.DataFrame(table),
        "polars": pl.DataFrame(table),
        "pyarrow": pa.table(table),
        "dict": table,
    }


@pytest.fixture(scope="module")
def density(table):
    return FlowDensity(time=3, kinds=COLOUR, random_state=1).fit(pd.DataFrame(table))


def test_all_frames_have_the_same_density(table, density):
    expected = density.score_samples(pd.DataFrame(table))
    for name, frame in frames(table).items():
        np.testing.assert_array_equal(density.score_samples(frame), expected, err_msg=name)


def test_samples_are_a_frame_like_that_of_the_fit(table):
    types = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table, "dict": dict}
    for name, frame in frames(table).items():
        drawn = FlowDensity(time=1, kinds=COLOUR).fit(frame).sample(50, random_state=0)
        assert isinstance(drawn, types[name]), name
        columns = drawn.column_names if name == "pyarrow" else list(getattr(drawn, "columns", drawn))
        assert columns == ["length", "width", "colour"]
        assert set(np.asarray(drawn["colour"]).tolist()) <= {"blue", "red"}


def test_probabilities_of_categories_are_shares(table, density):
    drawn = density.sample(4000, random_state=0)
    assert abs((drawn["colour"] == "red").mean() - 0.7) < 0.05
    # The categories of a row of nothing else.
    rows = pd.DataFrame({"length": [np.nan, np.nan], "width": [np.nan, np.nan], "colour": ["red", "blue"]})
    loaded = FlowDensity.from_bytes(density.to_bytes(), missing="model")
    shares = np.exp(loaded.score_samples(rows))
    assert abs(shares.sum() - 1) < 1e-6 and abs(shares[0] - 0.7) < 0.05


def test_names_are_those_of_the_fit_as_in_scikit_learn(table, density):
    frame = pd.DataFrame(table)
    assert list(density.feature_names_in_) == ["length", "width", "colour"]
    with pytest.raises(ValueError, match="same order"):
        density.score_samples(frame[["width", "length", "colour"]])
    with pytest.raises(ValueError, match="unseen at fit time:\n- depth\n.*now missing:\n- width"):
        density.score_samples(frame.rename(columns={"width": "depth"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        density.score_samples(frame.to_numpy(dtype=object))


def test_missing_cells_of_any_frame_are_missing(table):
    table = {"length": table["length"].copy(), "width": table["width"], "colour": list(table["colour"])}
    table["length"][3] = np.nan
    table["colour"][5] = None
    for name, frame in frames(table).items():
        with pytest.raises(ValueError, match="row 3, column 'length' has no value"):
            FlowDensity().fit(frame)
    with_null = pl.DataFrame({**table, "length": [None if v != v else v for v in table["length"]]})
    with pytest.warns(DataLeftOutWarning, match="2 of 600 rows"):
        first = FlowDensity(time=1, missing="drop", kinds=COLOUR).fit(with_null)
    with pytest.warns(DataLeftOutWarning):
        second = FlowDensity(time=1, missing="drop", kinds=COLOUR).fit(pd.DataFrame(table))
    assert first.fit_record_["rows"] == second.fit_record_["rows"]
    assert np.isfinite(first.score_samples(with_null)).all()


def test_types_of_arrow_and_pandas_are_read():
    random = np.random.default_rng(0)
    length = random.normal(size=400)
    frame = pd.DataFrame(
        {
            "a": pd.array(np.where(np.arange(400) % 50 == 0, np.nan, length), dtype="Float64"),
            "b": random.integers(0, 9, 400).astype("int8"),
            "c": pd.Categorical(random.choice(["x", "y"], 400)),
            "d": random.random(400) < 0.5,
            "e": length.astype("float32"),
        }
    )
    frame.loc[0, "a"] = pd.NA
    with pytest.warns(DataLeftOutWarning, match="8 of 400 rows"):
        density = FlowDensity(time=1, missing="drop", kinds={"c": "category", "d": "category"}).fit(frame)
    assert {"c", "d"} <= set(density.model_.texts())
    arrow = pa.table(
        {
            "a": pa.array([None if v is pd.NA else float(v) for v in frame["a"]]),
            "b": pa.array(frame["b"].tolist(), type=pa.int16()),
            "c": pa.array(frame["c"].tolist()).dictionary_encode(),
            "d": pa.array([str(v) for v in frame["d"]]),
            "e": pa.array(frame["e"].to_numpy()),
        }
    )
    np.testing.assert_array_equal(density.score_samples(arrow), density.score_samples(frame))


def test_conditional_densities_of_frames(table):
    frame = pd.DataFrame(table)
    X, C = frame[["length", "width"]], frame[["colour"]]
    density = ConditionalFlowDensity(time=4).fit(X, given=C)
    scores = density.score_samples(X, given=C)
    other = C.replace({"blue": "red", "red": "blue"})
    assert scores.mean() > density.score_samples(X, given=other).mean()
    drawn = density.sample(300, given={"colour": ["blue", "red"]}, random_state=0)
    assert list(drawn.columns) == ["length", "width"] and len(drawn) == 600
    assert drawn["length"][300:].mean() - drawn["length"][:300].mean() > 1.5
    quantiles = density.quantiles([0.1, 0.9], given={"colour": ["red"]}, random_state=0)
    assert list(quantiles.columns) == ["length_0.1", "length_0.9", "width_0.1", "width_0.9", "effective"]


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (pd.DataFrame({"a": [1.0], 3: [2.0]}), TypeError, "string names"),
        (pd.DataFrame([[1.0, 2.0]], columns=["a", "a"]), ValueError, "several columns of one name: a"),
        ({"a": [1.0], "b": [1.0, 2.0]}, ValueError, "different lengths: a: 1, b: 2"),
        (pd.DataFrame({"a": [1.0, "n/a", 2.0]}), ValueError, "column 'a' holds 2 numbers and 1 texts: row 1 has 'n/a'"),
        (pd.Series([1.0, 2.0]), ValueError, "Expected 2D array, got 1D"),
        (pl.Series([1.0, 2.0]), ValueError, "Expected 2D array, got 1D"),
        (np.ones((6, 2)), ValueError, "x0 .*each value is 1"),
        (pl.DataFrame({"a": []}), ValueError, "0 sample"),
        (pd.DataFrame(), ValueError, "0 sample"),
    ],
)
def test_frames_that_are_none_are_refused(frame, error, message):
    with pytest.raises(error, match=message):
        FlowDensity().fit(frame)


def test_a_category_that_is_left_out_says_how_it_would_be_a_part(table):
    with pytest.warns(DataLeftOutWarning, match="kinds={'colour': 'category'} makes it a part"):
        FlowDensity(model="gaussian").fit(pd.DataFrame(table))


def test_nothing_is_imported_that_is_not_needed():
    code = "import sys, pushforward; print([m for m in ('sklearn', 'pandas', 'polars', 'scipy', 'jax') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_column_without_any_value_is_missing():
    frame = pl.DataFrame({"a": np.random.default_rng(0).normal(size=60), "b": [None] * 60})
    with pytest.raises(ValueError, match="row 0, column 'b' has no value"):
        FlowDensity().fit(frame)


def test_no_warning_is_given_without_a_reason(table, density):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        density.score_samples(pd.DataFrame(table))
        FlowDensity(time=1, kinds=COLOUR).fit(pd.DataFrame(table))


def test_a_row_without_its_category_is_left_out_of_a_fit_and_has_a_score(table):
    frame = pd.DataFrame(table)
    frame.loc[[3, 30], "colour"] = None
    frame.loc[[4, 40, 41], "width"] = np.nan
    density = FlowDensity(model="autoregressive", time=2, missing="model", kinds=COLOUR)
    with pytest.warns(DataLeftOutWarning, match="2 rows are left out, in which all values or a category are missing"):
        density.fit(frame)
    # p(x) is the sum of p(c, x) over the categories.
    whole = density.score_samples(frame.loc[[3, 30]])
    of_each = [density.score_samples(frame.loc[[3, 30]].assign(colour=colour)) for colour in ("blue", "red")]
    np.testing.assert_allclose(whole, np.logaddexp(*of_each), rtol=1e-9)


def test_rows_that_are_paired_by_position_have_their_labels_in_one_order():
    random = np.random.default_rng(0)
    c = pd.DataFrame({"c": random.normal(size=300)})
    x = pd.DataFrame({"x": c.c + 0.1 * random.normal(size=300)})
    density = ConditionalFlowDensity(time=5).fit(x, given=c)
    turned = c.iloc[::-1]
    for call in (density.score_samples, density.fit):
        with pytest.raises(ValueError, match="row 0 is 0 in X and 299 in given.*given.loc"):
            call(x, given=turned)
    scores = density.score_samples(x, given=c)
    np.testing.assert_array_equal(density.score_samples(x, given=turned.loc[x.index]), scores)
    # Labels of its own say nothing of an order, and arrays have none.
    np.testing.assert_array_equal(density.score_samples(x, given=c.set_axis(range(1000, 1300))), scores)
    np.testing.assert_array_equal(density.score_samples(x, given={"c": c.c.to_numpy()}), scores)
