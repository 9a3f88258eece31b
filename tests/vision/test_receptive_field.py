"""Receptive fields against the gradient: what can change a cell is where its gradient lives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dlviz.vision.receptive_field import receptive_fields
from dlviz.vision.residual_cnn import ResidualBlock
from dlviz.vision.tape import observe, tape
from tests.vision.networks import classifier, photo

NETS = {
    "strides": nn.Sequential(nn.Conv2d(3, 4, 7, 2, 3), nn.AvgPool2d(3, 2, 1), nn.Conv2d(4, 4, 3, 1, 1)),
    "dilation": nn.Sequential(nn.Conv2d(3, 4, 3, dilation=1, padding=1), nn.Conv2d(4, 4, 2, dilation=1)),
    "uneven": nn.Sequential(nn.Conv2d(3, 4, (3, 5), (1, 2), (1, 0)), nn.AvgPool2d((2, 1))),
    "adaptive": nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d((5, 7)), nn.Conv2d(4, 4, 3)),
    "even": nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.AdaptiveAvgPool2d(8), nn.Conv2d(4, 4, 3)),
    "pad": nn.Sequential(nn.Conv2d(3, 4, 3, 2, padding=2), nn.AvgPool2d(2, ceil_mode=True)),
}


class Block(nn.Module):
    """A residual block with positive weights and no activation that could close."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.block = nn.Conv2d(3, 4, 3), ResidualBlock(4, 8, stride=2)
        self.block.act1 = self.block.act2 = nn.Identity()

    def forward(self, x):
        return self.block(self.stem(x))


NETS["residual"] = Block()


def support(network, pixels, row, column):
    """The box around the pixels where the gradient of a cell is not zero."""
    pixels = pixels.clone().requires_grad_()
    network(pixels)[0, :, row, column].sum().backward()
    seen = pixels.grad[0].abs().sum(0).numpy() > 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


@pytest.mark.parametrize("name", NETS)
def test_the_field_is_exactly_where_the_gradient_lives(name):
    network, pixels = NETS[name].eval(), torch.rand(1, 3, 32, 40)
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.1, 1)
    field = receptive_fields(tape(network, pixels))[-1]
    height, width = network(pixels).shape[2:]
    for row in {0, 1, height // 2, height - 1}:
        for column in {0, 1, width // 2, width - 1}:
            assert field.box(row, column) == support(network, pixels, row, column)
    assert field.rows.shape == (height, 2) and field.columns.shape == (width, 2)


def test_the_textbook_numbers():
    """ResNet-18: 7x7 stride 2, pool 3x3 stride 2, then two 3x3 a block; 435 pixels at the end of layer4."""
    model = classifier("resnet18")
    pixels, _ = model.prepare(photo())
    entries = tape(model, pixels)
    fields = {entry.name: field for entry, field in zip(entries, receptive_fields(entries), strict=True)}
    assert fields["conv1"].size == (7, 7) and fields["conv1"].start == (-3, -3)
    assert fields["maxpool"].size == (11, 11) and fields["maxpool"].stride == (4, 4)
    assert fields["layer1.1.act2"].size == (43, 43)
    assert fields["layer4.1.act2"].size == (435, 435) and fields["layer4.1.act2"].stride == (32, 32)
    assert not fields["layer4.1.act2"].whole


def test_theory_and_cells_agree_away_from_the_edges():
    model = classifier("residual_cnn")
    field = receptive_fields(tape(model, model.prepare(photo())[0]))[5]
    i = len(field.rows) // 2
    assert field.size is not None and field.stride is not None and field.start is not None
    start = field.start[0] + i * field.stride[0]
    assert tuple(field.rows[i]) == (start, start + field.size[0])


def test_a_gate_and_attention_let_the_whole_photo_in():
    for name, kind in (("mobilenet_v3_small", "gate"), ("vit", "attention")):
        model = classifier(name)
        entries = tape(model, model.prepare(photo())[0])
        fields = receptive_fields(entries)
        first = next(entry.index for entry in entries if entry.operation == kind)
        assert fields[first].whole and not fields[1].whole
        top, left, bottom, right = fields[first].box(0, 0)
        assert (bottom - top) * (right - left) < 64 * 64


def test_observed_values_carry_their_gradient():
    model = classifier("residual_cnn")
    pixels, _ = model.prepare(photo())
    entries = tape(model, pixels)
    calls = observe(model, pixels.requires_grad_(), [entries[3].index, entries[-1].index], grad=True)
    (gradient,) = torch.autograd.grad(calls[entries[-1].index].output[0, 0], calls[entries[3].index].output)
    assert gradient.shape == (1, 48, 32, 32) and gradient.abs().sum() > 0
