import subprocess
import sys

import pytest

pytest.importorskip("torch")

BROKEN = """
import torchvision.library
torchvision.library.attempts.append(1)
import torch
torch.library.register_fake("torchvision::nms")(lambda dets, scores, iou: dets)
torch.library.register_fake("torchvision::qnms")(lambda dets, scores, iou: dets)
"""
# A library that loads declares its operators, under whatever name it has; twice is once too often.
WHOLE = """
import torch
for name in ("nms", "qnms"):
    torch.library.define(f"torchvision::{name}", "(Tensor dets) -> Tensor")
"""
DECLARE = """
from recsys.features.torch_compat import declare_torchvision_operators as declare
first, second = declare(), declare.__wrapped__()
"""


def run(script, folder):
    """The last line that a script prints, with a folder in front of the import path."""
    script = f"import sys; sys.path.insert(0, {str(folder)!r})\n{script}"
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.fixture
def torchvision(tmp_path):
    """Makes a package that goes by that name."""

    def made(script):
        package = tmp_path / "torchvision"
        package.mkdir()
        (package / "__init__.py").write_text(script)
        (package / "library.py").write_text("attempts = []")
        return tmp_path

    return made


def test_the_problem_is_real(torchvision):
    assert "operator torchvision::nms does not exist" in run(
        "import torchvision", torchvision(BROKEN)
    )


def test_declared_operators_make_torchvision_importable(torchvision):
    script = f"{DECLARE}\nimport torchvision; print(first, second, torchvision.library.attempts)"
    assert run(script, torchvision(BROKEN)) == "True False [1]"


def test_beside_one_that_loads_it_alone_declares(torchvision):
    script = f"{DECLARE}\nprint(first, second, 'torchvision' in sys.modules)"
    assert run(script, torchvision(WHOLE)) == "False False True"


@pytest.mark.parametrize("error", ["RuntimeError", "ImportError", "OSError"])
def test_another_error_is_left_to_those_who_import(error, torchvision):
    script = f"{DECLARE}\nprint(first, hasattr(sys.modules['torch'].ops.torchvision, 'nms'))"
    folder = torchvision(f"import torch; raise {error}('no such thing')")
    assert run(script, folder) == "False False"


def test_nothing_is_done_without_torchvision():
    script = (
        "import importlib.util as u; u.find_spec = lambda name: None\n"
        f"{DECLARE}\nprint(first, second, 'torch' in sys.modules)"
    )
    assert run(script, "nowhere") == "False False False"
