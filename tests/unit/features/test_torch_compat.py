import subprocess
import sys

import pytest

pytest.importorskip("torch")

TORCHVISION = """
import torch
torch.library.register_fake("torchvision::nms")(lambda dets, scores, iou: dets)
torch.library.register_fake("torchvision::qnms")(lambda dets, scores, iou: dets)
"""


def run(script, folder):
    """The last line that a script prints, with a folder in front of the import path."""
    script = f"import sys; sys.path.insert(0, {str(folder)!r})\n{script}"
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.fixture
def broken_torchvision(tmp_path):
    """A package that behaves as torchvision does when its extension cannot load."""
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(TORCHVISION)
    (package / "_C.so").write_bytes(b"made for another machine")
    return tmp_path


def test_the_problem_is_real(broken_torchvision):
    assert "operator torchvision::nms does not exist" in run(
        "import torchvision", broken_torchvision
    )


def test_declared_operators_make_torchvision_importable(broken_torchvision):
    script = (
        "from recsys.features.torch_compat import declare_torchvision_operators as declare\n"
        "first, second = declare(), declare.__wrapped__()\n"
        "import torchvision; print(first, second)"
    )
    assert run(script, broken_torchvision) == "True False"


def test_nothing_is_done_without_torchvision_or_beside_one_that_loads(broken_torchvision):
    script = (
        "import importlib.util as u; from recsys.features import torch_compat as c\n"
        "find = u.find_spec; u.find_spec = lambda name: None\n"
        "absent, lazy = c.declare_torchvision_operators.__wrapped__(), 'torch' not in sys.modules\n"
        "u.find_spec = find; c._loads = lambda file: True\n"
        "loads = c.declare_torchvision_operators.__wrapped__()\n"
        "import torch; print(absent, lazy, loads, hasattr(torch.ops.torchvision, 'nms'))"
    )
    assert run(script, broken_torchvision) == "False True False False"
