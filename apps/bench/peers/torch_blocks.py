"""Halves of a layer, products with weights of fewer bytes, and a step of decoding, in PyTorch's operations."""

from typing import Callable

import torch
import torch.nn.functional as F

Inputs = dict[str, torch.Tensor]
Case = tuple[list[str], Callable[[Inputs], torch.Tensor]]

EPSILON, BASE, SCALE, STEP_LAYERS = 1e-5, 10_000.0, 2, 2


def angles_of(positions: torch.Tensor, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """[T] -> cosine and sine, [T, 1, d / 2] each."""
    frequencies = BASE ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    angles = positions[:, None, None] * frequencies
    return angles.cos(), angles.sin()


def rotate(x: torch.Tensor, angles: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    (cosine, sine), (first, second) = angles, x.chunk(2, dim=-1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, causal: bool) -> torch.Tensor:
    """[B, T, H, d] by [B, S, G, d]."""
    turn = lambda x: x.transpose(1, 2)  # noqa: E731
    mixed = F.scaled_dot_product_attention(turn(query), turn(key), turn(value), is_causal=causal, enable_gqa=True)
    return turn(mixed)


def mapped(i: Inputs, name: str, x: torch.Tensor) -> torch.Tensor:
    y = F.linear(x, i[name])
    if f"{name}Lower" not in i:
        return y
    return torch.addmm(y, F.linear(x, i[f"{name}Lower"]), i[f"{name}Raise"].t(), alpha=SCALE)


def moving(inputs: Inputs, names: list[str]) -> list[str]:
    if f"{names[0]}Lower" in inputs:
        return ["x", *(f"{name}{part}" for name in names for part in ("Lower", "Raise"))]
    return ["x", "norm", *names]


def attention_block(inputs: Inputs) -> Case:
    batch, length, _ = inputs["ranges"].shape
    width = len(inputs["head"])
    angles = angles_of(torch.arange(length), width)

    def compute(i: Inputs) -> torch.Tensor:
        y = F.rms_norm(i["x"], i["norm"].shape, i["norm"], EPSILON)
        heads = lambda name: mapped(i, name, y).view(batch, length, -1, width)  # noqa: E731
        mixed = attend(rotate(heads("query"), angles), rotate(heads("key"), angles), heads("value"), True)
        return i["x"] + mapped(i, "output", mixed.reshape(batch * length, -1))

    return moving(inputs, ["query", "key", "value", "output"]), compute


def feed_forward_block(inputs: Inputs) -> Case:
    def compute(i: Inputs) -> torch.Tensor:
        y = F.rms_norm(i["x"], i["norm"].shape, i["norm"], EPSILON)
        return i["x"] + mapped(i, "down", F.silu(mapped(i, "gate", y)) * mapped(i, "up", y))

    return moving(inputs, ["gate", "up", "down"]), compute


def product(inputs: Inputs) -> Case:
    return [], lambda i: F.linear(i["x"], i["weight"])


def bfloat16_product(inputs: Inputs) -> Case:
    """Its factors are both rounded; there is no product of float32 rows with bfloat16 weights."""
    inputs["weight"] = inputs["weight"].bfloat16()
    return [], lambda i: F.linear(i["x"].bfloat16(), i["weight"]).float()


def decoder_step(inputs: Inputs) -> Case:
    batch, used, _, width = inputs["key0"].shape
    angles = angles_of(torch.full((1,), used), width)
    # room for the step's own row, which every run writes again
    caches = [F.pad(inputs[f"{name}{layer}"], (0, 0, 0, 0, 0, 1)) for layer in range(STEP_LAYERS) for name in ("key", "value")]

    def compute(i: Inputs) -> torch.Tensor:
        x = i["x"]
        for layer in range(STEP_LAYERS):
            query, key, value, output, gate, up, down = (i[f"map{7 * layer + j}"] for j in range(7))
            keys, values = caches[2 * layer : 2 * layer + 2]
            norms = [i[f"norm{2 * layer + j}"] for j in range(2)]
            y = F.rms_norm(x, norms[0].shape, norms[0], EPSILON)
            heads = lambda weight: F.linear(y, weight).view(batch, 1, -1, width)  # noqa: E731, B023
            keys[:, used:], values[:, used:] = rotate(heads(key), angles), heads(value)
            mixed = attend(rotate(heads(query), angles), keys, values, False)
            x = x + F.linear(mixed.reshape(batch, -1), output)
            y = F.rms_norm(x, norms[1].shape, norms[1], EPSILON)
            x = x + F.linear(F.silu(F.linear(y, gate)) * F.linear(y, up), down)
        last = i[f"norm{2 * STEP_LAYERS}"]
        return F.rms_norm(x, last.shape, last, EPSILON)

    return [], compute


BLOCKS = {
    "attention-block": attention_block,
    "feed-forward-block": feed_forward_block,
    "packed-product-float32": product,
    "packed-product-bfloat16": bfloat16_product,
    # the nearest that PyTorch has in its public interface
    "packed-product-int8": product,
    "decoder-step": decoder_step,
}
