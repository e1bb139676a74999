"""The kernels as PyTorch has them or composes them, forward and backward on the same inputs."""

import time
from typing import Callable

import torch
import torch.nn.functional as F
from safetensors import safe_open
from serve import serve
from torch_blocks import BLOCKS

LEAST_SECONDS = 0.1
# words of a mixture
SUPPORT = 10

Inputs = dict[str, torch.Tensor]
# names of the inputs that carry gradients, and what is computed of all
Case = tuple[list[str], Callable[[Inputs], torch.Tensor]]


def attention(inputs: Inputs) -> Case:
    length = inputs["query"].shape[1]
    mask = None
    if not causal(inputs["ranges"]):
        keys = torch.arange(length)
        starts, ends = inputs["ranges"].view(length, 3, 2, 1).unbind(2)
        keep = ((keys >= starts) & (keys < ends)).any(1)
        mask = torch.zeros(length, length).masked_fill_(~keep, float("-inf"))
    inputs["ranges"] = torch.empty(0)
    turn = lambda x: x.transpose(1, 2)  # noqa: E731
    return ["query", "key", "value"], lambda i: turn(
        F.scaled_dot_product_attention(
            turn(i["query"]), turn(i["key"]), turn(i["value"]), attn_mask=mask, is_causal=mask is None, enable_gqa=True
        )
    )


def causal(ranges: torch.Tensor) -> bool:
    return bool((ranges[:, 1] == torch.arange(1, len(ranges) + 1)).all() and (ranges[:, 2:] == 0).all())


def rotary(inputs: Inputs) -> Case:
    _, length, _, width = inputs["x"].shape
    frequencies = 10_000.0 ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    angles = torch.arange(length)[None, :, None, None] * frequencies
    cosine, sine = angles.cos(), angles.sin()

    def compute(i: Inputs) -> torch.Tensor:
        first, second = i["x"].chunk(2, dim=-1)
        return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)

    return ["x"], compute


def rms_norm(inputs: Inputs) -> Case:
    return ["x", "weight"], lambda i: F.rms_norm(i["x"], i["weight"].shape, i["weight"], 1e-5)


def swiglu(inputs: Inputs) -> Case:
    return ["gate", "up"], lambda i: F.silu(i["gate"]) * i["up"]


def adapted_linear(inputs: Inputs) -> Case:
    def compute(i: Inputs) -> torch.Tensor:
        return torch.addmm(F.linear(i["x"], i["weight"]), F.linear(i["x"], i["lower"]), i["raise"].t(), alpha=2)

    return ["x", "lower", "raise"], compute


def cross_entropy(inputs: Inputs) -> Case:
    inputs["targets"] = inputs["targets"].long()
    return ["logits"], lambda i: F.cross_entropy(i["logits"], i["targets"], reduction="none")


def full_kl(inputs: Inputs) -> Case:
    return ["logits"], lambda i: F.kl_div(i["logits"].log_softmax(-1), i["probabilities"], reduction="none").sum(-1)


def sparse_kl(inputs: Inputs) -> Case:
    inputs["ids"] = inputs["ids"].long()

    def compute(i: Inputs) -> torch.Tensor:
        log_p = i["logits"].gather(1, i["ids"]) - i["logits"].logsumexp(-1, keepdim=True)
        return (i["probabilities"] * (i["probabilities"].log() - log_p)).sum(-1)

    return ["logits"], compute


def mixture(inputs: Inputs) -> Case:
    inputs["ids"] = inputs["ids"].long()
    return ["alpha"], lambda i: F.embedding_bag(i["ids"], i["table"], per_sample_weights=i["alpha"], mode="sum")


def embedding(inputs: Inputs) -> Case:
    inputs["ids"] = inputs["ids"].long()
    return ["table"], lambda i: F.embedding(i["ids"], i["table"])


def gather_rows(inputs: Inputs) -> Case:
    inputs["selection"] = inputs["selection"].long()
    return ["x"], lambda i: i["x"].index_select(0, i["selection"])


def scatter_rows(inputs: Inputs) -> Case:
    inputs["selection"] = inputs["selection"].long()
    return ["base", "values"], lambda i: i["base"].index_copy(0, i["selection"], i["values"])


def head_cross_entropy(inputs: Inputs) -> Case:
    inputs["targets"] = inputs["targets"].long()
    return ["hidden", "table"], lambda i: F.cross_entropy(i["hidden"] @ i["table"].T, i["targets"], reduction="none")


def head_sparse_kl(inputs: Inputs) -> Case:
    _, of_logits = sparse_kl(inputs)
    return ["hidden"], lambda i: of_logits({**i, "logits": i["hidden"] @ i["table"].T})


def top_words(_: Inputs) -> Case:
    return [], lambda i: i["logits"].topk(SUPPORT).values


def head_top_words(_: Inputs) -> Case:
    return [], lambda i: (i["hidden"] @ i["table"].T).topk(SUPPORT).values


CASES = {
    **BLOCKS,
    "head-cross-entropy": head_cross_entropy,
    "head-sparse-kl": head_sparse_kl,
    "attention-causal": attention,
    "attention-ltsum": attention,
    "rms-norm": rms_norm,
    "rotary": rotary,
    "swiglu": swiglu,
    "adapted-linear": adapted_linear,
    "cross-entropy": cross_entropy,
    "full-kl": full_kl,
    "sparse-kl": sparse_kl,
    "mixture": mixture,
    "embedding": embedding,
    "gather-rows": gather_rows,
    "scatter-rows": scatter_rows,
    "top-words": top_words,
    "head-top-words": head_top_words,
}


class Kernels:
    def __init__(self, params: dict):
        self.file = params["folder"]
        self.name, self.once = "", lambda: []

    def check(self, case: str) -> list[float]:
        """Mean square of the output and of each gradient."""
        return [x.detach().double().square().mean().item() for x in self.open(case)()]

    def run(self, case: str) -> dict:
        once = self.open(case)
        begin, count = time.perf_counter(), 0
        while True:
            once()
            count += 1
            seconds = time.perf_counter() - begin
            if seconds >= LEAST_SECONDS:
                return {"seconds": seconds / count}

    def open(self, case: str) -> Callable[[], list[torch.Tensor]]:
        if self.name != case:
            with safe_open(self.file, framework="pt") as file:
                names = [name for name in file.keys() if name.startswith(f"{case}/")]
                inputs = {name.split("/")[1]: file.get_tensor(name) for name in names}
            optimiser = case.startswith("adam-w")
            self.name = case
            self.once = adam_w(inputs, case.endswith("clipped")) if optimiser else differentiated(case, inputs)
        return self.once


def differentiated(case: str, inputs: Inputs) -> Callable[[], list[torch.Tensor]]:
    names, compute = CASES[case](inputs)
    if not names:
        return torch.inference_mode()(lambda: [compute(inputs)])
    moved = [inputs[name].requires_grad_() for name in names]

    def once() -> list[torch.Tensor]:
        output = compute(inputs)
        return [output, *torch.autograd.grad(output, moved, inputs["dy"])]

    return once


def adam_w(inputs: Inputs, clips: bool) -> Callable[[], list[torch.Tensor]]:
    """The tenth step; PyTorch moves weights in place, and so every later run is a step further."""
    weights = inputs["weights"].requires_grad_()
    weights.grad = inputs["gradient"]
    optimiser = torch.optim.AdamW([weights], lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, fused=True)
    state = {"step": torch.tensor(9.0), "exp_avg": inputs["mean"], "exp_avg_sq": inputs["variance"]}
    optimiser.state[weights] = state

    def once() -> list[torch.Tensor]:
        if clips:
            # scales the gradient where it lies; a second time by 1
            torch.nn.utils.clip_grad_norm_([weights], 1, foreach=True)
        optimiser.step()
        return [weights]

    return once


if __name__ == "__main__":
    serve(Kernels)
