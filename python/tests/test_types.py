"""Types: the stub of the compiled module, and what a user's checker sees."""

import subprocess
import sys

import pushforward

USE = """
import numpy as np
from pushforward import ConditionalFlowDensity, FlowDensity

density = FlowDensity(model="gaussian", time=3.0).fit(np.zeros((3, 2)))
reveal_type(density)
reveal_type(density.score(np.zeros((3, 2))))
ConditionalFlowDensity().fit([[1.0]])
FlowDensity(tyme=3.0)
"""


def run(folder, *arguments):
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def test_the_stub_is_that_of_the_compiled_module(tmp_path):
    code, told = run(tmp_path, "mypy.stubtest", "pushforward._native")
    assert code == 0, told


def test_a_checker_knows_the_types_and_finds_mistakes(tmp_path):
    (tmp_path / "use.py").write_text(USE)
    _, told = run(tmp_path, "mypy", "use.py")
    assert 'Revealed type is "pushforward._flow_density.FlowDensity"' in told, told
    assert 'Revealed type is "float"' in told or 'Revealed type is "builtins.float"' in told, told
    assert 'Missing named argument "given"' in told
    assert 'Unexpected keyword argument "tyme"' in told


def test_the_stub_of_the_package_has_its_names():
    from pathlib import Path

    stub = (Path(pushforward.__file__).parent / "__init__.pyi").read_text()
    own = {line.split(" as ")[1] for line in stub.splitlines() if " as " in line}
    assert own == set(pushforward.__all__)
    assert all(hasattr(pushforward, name) for name in pushforward.__all__)
