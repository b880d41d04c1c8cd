"""What ``recsys train`` says and does about a training that was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

from recsys.cli.options import option
from recsys.cli.output import note, say

ResumeOption = Annotated[
    bool,
    option(
        "--resume",
        "Go on where a training of the same DIR was cut off, or start if there is none. "
        "Without it what was cut off is discarded.",
    ),
]

LIVE_LOG: Final = "log.jsonl"
"""The log of a training that is under way, in the folder of its checkpoint."""


def say_checkpoint(folder: Path, resume: bool) -> None:
    """Whether there is something to go on from, and what becomes of it.

    Raises:
        DataError: it is to be gone on from, and is torn or altered.
    """
    from recsys.recommenders.joint.training.checkpoints import DOCUMENT

    if resume:
        stands = _standing(folder)
        if stands is None:
            note(f"there is no checkpoint at {folder}, so training starts from the beginning")
        else:
            say("resuming", f"the training in {folder}, {stands}")
    elif (folder / DOCUMENT).is_file():
        note(
            f"the checkpoint at {folder} is discarded when training starts; to go on from it, "
            "press Ctrl-C now and give --resume"
        )


def _standing(folder: Path) -> str | None:
    from recsys.recommenders.joint.training.checkpoints import read_document

    document = read_document(folder)
    if document is None:
        return None
    standing = document["state"]["standing"]
    return f"after {standing['epoch'] - 1} epochs and {standing['step']} steps of the next"


@contextmanager
def resumable(folder: Path) -> Iterator[None]:
    """Say how to go on after Ctrl-C; leave nothing behind where there is nothing to go on from."""
    try:
        yield
    except BaseException as error:
        stands = _left(folder)
        if stands is None:
            clear(folder)
        elif isinstance(error, KeyboardInterrupt):
            note(f"the state {stands} is kept; the same command with --resume goes on")
        raise


def _left(folder: Path) -> str | None:
    """Where the training stands; what cannot be read must not hide why it ended."""
    from recsys.errors import RecsysError

    try:
        return _standing(folder)
    except RecsysError as error:
        return f"that cannot be read ({error.what})"


def clear(folder: Path) -> None:
    """Remove the checkpoint and the log in its folder."""
    from recsys.recommenders.joint.training.checkpoints import discard_checkpoint

    (folder / LIVE_LOG).unlink(missing_ok=True)
    discard_checkpoint(folder)
