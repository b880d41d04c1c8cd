"""Draws new examples for every law until the time is up; whatever fails is printed, to be pinned.

The laws' files take turns, those that were explored least first, also from one run to the next, so
that many short runs reach as far as one long one. Ctrl-C ends it as the time does.
"""

# ruff: noqa: T201 - a program, which prints

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from laws import EXPLORING

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".hypothesis" / "explored.json"
TIMES = 10
WORKERS = min(2, os.cpu_count() or 1)
PYTEST = (sys.executable, "-m", "pytest", "-m", "hypothesis", "-p", "no:cacheprovider")


@dataclass
class Rounds:
    """How often each file was explored to its end."""

    done: dict[str, int]
    busy: set[str] = field(default_factory=set)

    def next(self) -> str | None:
        """The file that is behind the others; one of them by lot."""
        free = [name for name in self.done if name not in self.busy]
        return min(free, key=lambda name: (self.done[name], random.random()), default=None)

    def save(self) -> None:
        STATE.parent.mkdir(exist_ok=True)
        STATE.write_text(json.dumps(self.done, indent=1, sort_keys=True) + "\n")


def law_files() -> list[str]:
    """The files that hold laws."""
    command = [*PYTEST, "--collect-only", "-q", "--no-header"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        sys.exit(listed.stdout + listed.stderr)
    return sorted({line.partition("::")[0] for line in listed.stdout.splitlines() if "::" in line})


def explored(name: str, seed: int, ended: Event) -> tuple[str, int, str]:
    """The file, pytest's exit code (negative where it was ended) and what it printed."""
    process = subprocess.Popen(
        [*PYTEST, "-q", "--no-header", "--tb=short", f"--hypothesis-seed={seed}", name],
        cwd=ROOT,
        env={**os.environ, EXPLORING: str(TIMES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is for this program, which ends its own
    )
    while True:
        try:
            printed = process.communicate(timeout=1)[0]
            return name, process.returncode, printed
        except subprocess.TimeoutExpired:
            if ended.is_set():
                os.killpg(process.pid, signal.SIGKILL)


def outcomes(rounds: Rounds, until: float) -> Iterator[tuple[str, int, str]]:
    """What became of file after file, until the time is up."""
    ended = Event()
    running: set[Future[tuple[str, int, str]]] = set()
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            while time.monotonic() < until:
                while len(running) < WORKERS and (name := rounds.next()) is not None:
                    rounds.busy.add(name)
                    running.add(pool.submit(explored, name, random.getrandbits(32), ended))
                left = until - time.monotonic()
                finished, running = wait(running, max(left, 0), return_when=FIRST_COMPLETED)
                yield from (future.result() for future in finished)
        finally:
            ended.set()


def explore(minutes: float) -> int:
    """How many files failed."""
    known = json.loads(STATE.read_text()) if STATE.exists() else {}
    rounds = Rounds({name: known.get(name, 0) for name in law_files()})
    print(
        f"{len(rounds.done)} files of laws, {TIMES} times the usual examples, {minutes:g} minutes"
    )
    failed: set[str] = set()
    try:
        for name, code, printed in outcomes(rounds, time.monotonic() + 60 * minutes):
            rounds.busy.discard(name)
            rounds.done[name] += 1
            rounds.save()
            print(
                f"{time.strftime('%H:%M:%S')} {'FAILED' if code else 'passed'} {name}", flush=True
            )
            if code:
                failed.add(name)
                print(printed, flush=True)
    except KeyboardInterrupt:
        print("ended early")
    least, most = min(rounds.done.values()), max(rounds.done.values())
    print(f"every file was explored {least} to {most} times so far")
    for name in sorted(failed):
        print(f"pin what failed above with @example, then mend it: {name}")
    return len(failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10)
    try:
        sys.exit(min(1, explore(parser.parse_args().minutes)))
    except KeyboardInterrupt:
        sys.exit("ended before anything was explored")
