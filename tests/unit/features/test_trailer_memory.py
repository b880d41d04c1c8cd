"""Memory does not grow with the length of a trailer."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.trailers import clicks, moving_square, write_film

pytest.importorskip("av")
pytest.importorskip("transformers")
pytest.importorskip("PIL")

PEAK = """
import sys
from pathlib import Path
from recsys.config.modalities import AudioConfig, VideoConfig
from recsys.features.audio import AudioEncoder
from recsys.features.video import VideoEncoder
from recsys.features.video import watch

path = Path(sys.argv[1])
VideoEncoder(VideoConfig()).encode_file(path)
AudioEncoder(AudioConfig()).encode_file(path)
watch(path, VideoConfig(), (224, 224))
print(next(line.split()[1] for line in Path("/proc/self/status").open() if "VmHWM" in line))
"""


def peak_mb(path):
    """Of a process of its own; what resource.getrusage tells would include its parent's."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
    )
    return int(done.stdout) / 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_film_six_times_as_long_takes_no_more_memory(tmp_path):
    short, long = (
        write_film(
            tmp_path / f"{seconds}.mkv",
            pictures=[np.concatenate([moving_square(5, (i % 5 * 50, 0, 99)) for i in range(n)])],
            sound=[clicks(seconds, 100)],
        )
        for n, seconds in ((4, 20), (24, 120))
    )
    assert peak_mb(long) < peak_mb(short) + 25  # the sound alone would take 50 MB more
