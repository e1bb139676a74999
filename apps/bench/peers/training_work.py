"""What the training peers share: the work folder, what moves in it, and one optimiser step."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import torch
from safetensors.torch import load_file
from serve import LEAST_SECONDS, mean_seconds

Tensors = dict[str, torch.Tensor]


@dataclass
class Work:
    """Examples and settings as the bench wrote them, and the weights of both models by name."""

    config: dict
    training: dict
    examples: list[dict]
    labels: list[dict]
    encoder: Tensors
    decoder: Tensors
    phase: str

    @property
    def trained(self) -> list[torch.Tensor]:
        found = {id(t): t for m in (self.encoder, self.decoder) for t in m.values() if t.requires_grad}
        return list(found.values())


def load_work(params: dict) -> Work:
    """Loads the work; `phase` says which model moves: encoder, decoder, union, student (the decoder alone), or
    labels (none).
    """
    folder, phase = Path(params["folder"]), params["phase"]
    told = json.loads((folder / "work.json").read_text(encoding="utf-8"))
    base = load_file(folder / "model" / "model.safetensors")
    moving = {
        "encoder": phase in ("encoder", "union"),
        "decoder": phase in ("decoder", "union", "student"),
    }
    models: dict[str, Tensors] = {}
    if told["training"]["method"] == "lora":
        adapters = load_file(folder / "adapters.safetensors")
        for model, moves in moving.items():
            prefix = f"{model}/"
            own = {name[len(prefix) :]: tensor for name, tensor in adapters.items() if name.startswith(prefix)}
            # one copy of the frozen base for both, where the released code holds two
            models[model] = {**base, **{name: tensor.requires_grad_(moves) for name, tensor in own.items()}}
    else:
        for model, moves in moving.items():
            models[model] = {name: tensor.clone().requires_grad_(moves) for name, tensor in base.items()}
    return Work(
        told["config"], told["training"], told["examples"], told["labels"], models["encoder"], models["decoder"], phase
    )


class TrainingPeer:
    """Optimiser steps over one batch, its preparation included in the time, as it comes anew in every step."""

    def __init__(self, work: Work, prepare: Callable[[Work], dict], loss: Callable[[Work, dict], torch.Tensor]):
        self.work, self.prepare, self.loss = work, prepare, loss
        settings = work.training
        trained = work.trained
        # norms are not decayed, as is the custom
        groups = [
            {"params": [t for t in trained if t.ndim > 1], "weight_decay": settings["weightDecay"]},
            {"params": [t for t in trained if t.ndim <= 1], "weight_decay": 0.0},
        ]
        self.trained = trained
        self.optimiser = torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=settings["learningRate"],
            betas=(settings["beta1"], settings["beta2"]),
            eps=settings["epsilon"],
            fused=True,
        )

    def check(self, case: str) -> list[float]:
        """Losses of the first steps: equal ones also say that gradients and updates are equal."""
        return [self.descend()["loss"] for _ in range(self.work.training["checkedSteps"])]

    def run(self, case: str) -> dict:
        if case != self.work.phase:
            raise ValueError(f"expected case {self.work.phase}, got {case}")
        steps = []
        while sum(step["seconds"] for step in steps) < LEAST_SECONDS:
            steps.append(self.descend())
        return {name: sum(step[name] for step in steps) / len(steps) for name in ("seconds", "prepareSeconds")}

    def descend(self) -> dict:
        begin = time.perf_counter()
        batch = self.prepare(self.work)
        prepared = time.perf_counter()
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(self.work, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, self.work.training["clip"], foreach=True)
        self.optimiser.step()
        value = loss.item()
        end = time.perf_counter()
        return {"seconds": end - begin, "prepareSeconds": prepared - begin, "loss": value}


class LabellingPeer:
    """Soft labels of one batch by the frozen encoder, from tokens to numbers that can be written."""

    def __init__(self, work: Work, prepare: Callable[[Work], dict], label: Callable[[Work, dict], tuple]):
        self.work, self.prepare, self.label = work, prepare, label

    def check(self, case: str) -> list[float]:
        """Every weight, from the largest down, and for every latent the sum of its words: equals change no order."""
        alpha, words = self.answer()
        return [*alpha.flatten().tolist(), *words.sum(-1).tolist()]

    def run(self, case: str) -> dict:
        return {"seconds": mean_seconds(self.answer)}

    @torch.inference_mode()
    def answer(self) -> tuple[torch.Tensor, torch.Tensor]:
        alpha, words = self.label(self.work, self.prepare(self.work))
        return alpha, words
