"""How much memory a process has had."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_KIB: Final = 1024


def peak_mib(status: Path = _STATUS) -> float:
    """The highest resident memory of this process or of one it waited for, in MiB.

    The larger of the two, not their sum: a model that is fitted in a process of its own has its
    peak there. Linux counts what a parent had when it started a process towards ``ru_maxrss`` of
    that process; ``VmHWM`` does not, so it is taken where there is one.
    """
    import resource

    children = _mib(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    if found:
        return max(int(found[1]) / _KIB, children)
    return max(_mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss), children)


def _mib(maxrss: int) -> float:
    """Bytes on macOS, KiB elsewhere."""
    return maxrss / (_KIB**2 if sys.platform == "darwin" else _KIB)
