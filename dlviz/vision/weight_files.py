"""Weight files that others made: tensors and nothing else, put into the architecture that they are said to fit."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from dlviz.errors import WeightsError
from dlviz.i18n import N_


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a weight file by name: safetensors, or torch's format without its code.

    Raises
    ------
    WeightsError
        The file is damaged, or holds something other than tensors by name.
    """
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except torch.OutOfMemoryError:
        raise
    except (
        RuntimeError,
        ValueError,
        EOFError,
        LookupError,
        pickle.UnpicklingError,
        SafetensorError,
    ) as error:
        raise _unreadable(file) from error
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise _unreadable(file)
    return weights


def fill(network: nn.Module, file: Path, name: str, *, assign: bool = False) -> None:
    """Put the weights of ``file`` into ``network``, an architecture called ``name``.

    With ``assign`` the file's tensors become the network's own, and take the place of those that it has.

    Raises
    ------
    WeightsError
        The file holds no tensors, or not those of this architecture; the message names the file.
    """
    weights = read_weights(file)
    try:
        network.load_state_dict(weights, assign=assign)
    except RuntimeError as error:
        own = network.state_dict()
        raise WeightsError(
            N_(
                "The network {architecture} cannot be built from the weight file {file}: {missing} of its tensors "
                "are missing there, {unknown} are unknown to it, {misfits} have another shape."
            ),
            architecture=name,
            file=shown(file),
            missing=len(own.keys() - weights.keys()),
            unknown=len(weights.keys() - own.keys()),
            misfits=sum(own[key].shape != weights[key].shape for key in own.keys() & weights.keys()),
        ) from error


def shown(file: Path) -> str:
    """A file by its folder and name: where the folder lies on the server is no visitor's business."""
    return f"{file.parent.name}/{file.name}"


def _unreadable(file: Path) -> WeightsError:
    return WeightsError(
        N_(
            "No network can be built from the weight file {file}: it is damaged, or holds something other than "
            "tensors by name."
        ),
        file=shown(file),
    )
