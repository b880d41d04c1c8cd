"""What a measurement ran on: versions and hardware, without the name of the machine."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from threadpoolctl import threadpool_info

import recsys
from recsys.documents import Document

_GIB = 2**30


class Hardware(Document):
    """The machine, as far as it explains a duration.

    Attributes:
        cpu: model of the processor.
        cores: logical cores this process may use.
        threads: threads of the numerical libraries.
        memory_gib: physical memory in GiB, None where the system does not tell.
    """

    cpu: str
    cores: int
    threads: int
    memory_gib: float | None


def hardware() -> Hardware:
    """The hardware this process runs on."""
    return Hardware(cpu=_cpu_model(), cores=_cores(), threads=_threads(), memory_gib=_memory_gib())


def versions() -> dict[str, str]:
    """Versions of Python, this package and the numerical libraries that are installed."""
    found = {"python": platform.python_version(), "recsys": recsys.__version__}
    for name in ("numpy", "torch"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _threads() -> int:
    return max((int(library["num_threads"]) for library in threadpool_info()), default=1)


def _memory_gib() -> float | None:
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB, 1)
