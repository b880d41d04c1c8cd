"""How a run over files is done; nothing here changes a vector."""

from __future__ import annotations

import os
from dataclasses import dataclass

from recsys.errors import ConfigError


@dataclass(frozen=True)
class JobOptions:
    """Processes, limits and what to distrust.

    Attributes:
        workers: processes; one a core unless given.
        threads_per_worker: threads of each process.
        timeout_s: seconds after which a file is given up.
        block: vectors and failures between two writes: what a killed run may lose.
        rehash: read every file again instead of trusting its size and times.
        retry_failed: try files again that an earlier run could not encode.
        progress: show a bar on standard error, where that is a terminal.

    Raises:
        ConfigError: a number is not positive.
    """

    workers: int | None = None
    threads_per_worker: int = 1
    timeout_s: float = 120.0
    block: int = 64
    rehash: bool = False
    retry_failed: bool = False
    progress: bool = True

    def __post_init__(self) -> None:
        for name in ("workers", "threads_per_worker", "timeout_s", "block"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{name} is {value}, it must be above 0")

    @property
    def processes(self) -> int:
        """Workers, or the cores that this process may use."""
        if self.workers is not None:
            return self.workers
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
