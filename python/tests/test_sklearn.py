"""What scikit-learn asks of an estimator, by its own checks, and what people do with estimators."""

import subprocess
import sys

import joblib
import numpy as np
import pytest
import sklearn
from conftest import moons
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from pushforward import ConditionalFlowDensity, FlowDensity, NotFittedError


def test_every_check_of_scikit_learn_passes():
    done = check_estimator(FlowDensity(model="mixture"), on_fail=None)
    failed = [(check["check_name"], check["exception"]) for check in done if check["status"] == "failed"]
    skipped = {check["check_name"]: str(check["exception"]) for check in done if check["status"] == "skipped"}
    passed = [check for check in done if check["status"] == "passed"]
    print(f"{len(passed)} checks passed, {len(skipped)} skipped: {skipped}")
    assert not failed and not skipped
    assert len(passed) > 40


def test_it_is_cloned_with_its_parameters():
    density = FlowDensity(model="gaussian", kinds={0: "positive"}, time=3)
    assert clone(density).get_params() == density.get_params()
    assert repr(density) == "FlowDensity(kinds={0: 'positive'}, model='gaussian', time=3)"


def test_it_works_without_scikit_learn():
    code = """
import sys
sys.modules["sklearn"] = None
from pushforward import ConditionalFlowDensity, FlowDensity, NotFittedError
density = FlowDensity(model="gaussian", time=3)
assert repr(density) == "FlowDensity(model='gaussian', time=3)", repr(density)
assert density.set_params(time=4).get_params()["time"] == 4
try:
    density.score_samples([[1.0]])
except NotFittedError:
    print(density.fit([[float(i % 7), float(i % 5)] for i in range(50)]).score_samples([[1.0, 2.0]]).shape)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "(1,)", done.stderr


def test_given_columns_are_routed_to_the_folds_of_a_cross_validation():
    random = np.random.default_rng(0)
    C = random.normal(size=(300, 1))
    X = C + 0.1 * random.normal(size=(300, 1))
    with sklearn.config_context(enable_metadata_routing=True):
        density = ConditionalFlowDensity(time=2).set_fit_request(given=True).set_score_request(given=True)
        scores = cross_validate(density, X, cv=3, params={"given": C})["test_score"]
    # The entropy of the noise is 0.88 below 0.
    assert (scores > 0).all() and (scores < 1.2).all()


def test_an_unknown_parameter_has_the_nearest_name():
    with pytest.raises(ValueError, match="Did you mean 'missing'"):
        FlowDensity().set_params(misssing="drop")


def test_what_needs_a_fit_says_so():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        FlowDensity().score_samples([[1.0]])
    with pytest.raises(AttributeError, match="not fitted yet"):
        FlowDensity().sample(3)


def test_a_search_finds_that_moons_are_no_gaussian():
    search = GridSearchCV(FlowDensity(), {"model": ["gaussian", "mixture"]}, cv=3).fit(moons(400, 0))
    assert search.best_params_ == {"model": "mixture"}
    assert search.best_estimator_.score_samples(moons(5, 1)).shape == (5,)


def test_a_pipeline_scores_and_samples_standardised_rows():
    X = moons(300, 0)
    pipeline = make_pipeline(StandardScaler(), FlowDensity(model="gaussian")).fit(X)
    alone = FlowDensity(model="gaussian").fit(X)
    # Scales divide the density.
    jacobian = np.log(StandardScaler().fit(X).scale_).sum()
    np.testing.assert_allclose(pipeline.score_samples(X) - jacobian, alone.score_samples(X), atol=1e-3)


def test_processes_of_a_pool_score_the_same(fitted):
    density, X = fitted
    parts = joblib.Parallel(n_jobs=2)(joblib.delayed(density.score_samples)(part) for part in np.array_split(X, 4))
    np.testing.assert_array_equal(np.concatenate(parts), density.score_samples(X))


def test_cross_validation_scores_folds():
    scores = cross_val_score(FlowDensity(model="gaussian"), moons(300, 2), cv=3)
    assert np.isfinite(scores).all()
