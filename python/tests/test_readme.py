"""The examples of the README run, in their order, and say what they show."""

import os
import re
from pathlib import Path


README = Path(__file__).parents[1] / "README.md"


def test_the_examples_of_the_readme_run(tmp_path, capsys):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.S)
    assert len(blocks) >= 2
    here, names = os.getcwd(), {}
    os.chdir(tmp_path)
    try:
        for block in blocks:
            exec(compile(block, str(README), "exec"), names)
    finally:
        os.chdir(here)
    # How long a fit takes decides on its last digits.
    told = re.findall(r"print\(.*\)\s+# (.+) about", README.read_text())
    assert told
    shown = capsys.readouterr().out
    for start in told:
        assert start in shown
