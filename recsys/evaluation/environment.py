"""What a measurement ran on: versions and hardware, without the name of the machine."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
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


def versions(libraries: Iterable[str] = ("numpy", "torch")) -> dict[str, str]:
    """Versions of Python, this package and those of some libraries that are installed."""
    found = {"python": platform.python_version(), "recsys": recsys.__version__}
    for name in libraries:
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


@cache
def commit(package: Path = Path(recsys.__file__).parent) -> str | None:
    """The commit of the program; with "+" where its files are not those of the commit.

    None where the package is not part of a repository, or git is absent. Looked up once: files
    that change while a benchmark runs are not the ones it was started with.
    """
    root = package.parent
    head = _git(root, "rev-parse", "--show-toplevel", "HEAD")
    if head is None or len(head) != 2 or Path(head[0]).resolve() != root.resolve():
        return None
    changed = _git(root, "status", "--porcelain", "--", package.name, "configs", "datasets")
    return head[1] + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> list[str] | None:
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    except OSError:
        return None
    text = done.stdout.decode("utf-8", errors="replace")
    return text.splitlines() if done.returncode == 0 else None


def peak_mib(status: Path = Path("/proc/self/status")) -> float:
    """The highest resident memory of this process or of one it waited for, in MiB.

    The larger of the two, not their sum: a model that is fitted in a process of its own has its
    peak there. Linux counts what a parent had when it started a process towards ``ru_maxrss`` of
    that process; ``VmHWM`` does not, so it is taken where there is one.
    """
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes on macOS, KiB elsewhere
    own, children = (
        resource.getrusage(who).ru_maxrss / unit
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    return max(int(found[1]) / 2**10 if found else own, children)
