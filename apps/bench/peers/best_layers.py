"""A decoder as fast as plain PyTorch goes on a CPU: maps of one input joined, adapters added to their maps where rows
are many, and norms, rotary positions and gates with gradients of their own, in fewer passes than autograd takes.
"""

import torch
import torch.nn.functional as F
from training_work import Tensors, Work


def join_maps(work: Work) -> None:
    """Puts maps of one input into one matrix, and their adapters' A too: AdamW and clipping see the same numbers."""
    layers = work.config["layers"]
    made: dict[tuple[int, ...], torch.Tensor] = {}
    for weights in (work.encoder, work.decoder):
        for layer in range(layers):
            attention, mlp = f"model.layers.{layer}.self_attn", f"model.layers.{layer}.mlp"
            # in the last layer fewer rows have queries than have keys and values
            parts = ["k_proj", "v_proj"] if layer + 1 == layers else ["q_proj", "k_proj", "v_proj"]
            join(weights, f"{attention}.joined", [f"{attention}.{part}" for part in parts], made)
            join(weights, f"{mlp}.joined", [f"{mlp}.gate_proj", f"{mlp}.up_proj"], made)


def join(weights: Tensors, name: str, parts: list[str], made: dict[tuple[int, ...], torch.Tensor]) -> None:
    for kind in ("weight", "lora_A.weight"):
        if f"{parts[0]}.{kind}" not in weights:
            continue
        found = [weights.pop(f"{part}.{kind}") for part in parts]
        key = tuple(map(id, found))
        if key not in made:
            # a frozen base is shared by both models, and stays so
            made[key] = torch.cat([t.detach() for t in found]).requires_grad_(found[0].requires_grad)
        weights[f"{name}.{kind}"] = made[key]
    raises = [weights.pop(f"{part}.lora_B.weight", None) for part in parts]
    for i, tensor in enumerate(raises):
        if tensor is not None:
            weights[f"{name}.lora_B.{i}"] = tensor


class Adapted(torch.autograd.Function):
    """x (W + s B A)^T for maps side by side: W [sum of out, in], A [sum of r, in], one B [out, r] a map."""

    @staticmethod
    def forward(ctx, x, weight, lower, scale, *raises):
        # to add an adapter to its map costs as much as that many rows through its B, and saves them in both passes
        ctx.merged, ctx.scale = x.shape[0] >= x.shape[1], scale
        outs, ranks = [b.shape[0] for b in raises], [b.shape[1] for b in raises]
        if ctx.merged:
            weight = weight.clone()
            for rows, a, b in zip(weight.split(outs), lower.split(ranks), raises):
                rows.addmm_(b, a, alpha=scale)
        y = F.linear(x, weight)
        if not ctx.merged:
            low = F.linear(x, lower)
            for part, l, b in zip(y.split(outs, dim=1), low.split(ranks, dim=1), raises):
                part.addmm_(l, b.t(), alpha=scale)
        ctx.save_for_backward(x, weight, lower, *raises)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, weight, lower, *raises = ctx.saved_tensors
        parts = list(zip(dy.split([b.shape[0] for b in raises], dim=1), raises))
        d_low = torch.cat([d @ b for d, b in parts], dim=1).mul_(ctx.scale)
        d_x = dy @ weight if ctx.needs_input_grad[0] else None
        if d_x is not None and not ctx.merged:
            d_x.addmm_(d_low, lower)
        if not ctx.needs_input_grad[2]:
            return d_x, None, None, None, *[None for _ in raises]
        low = F.linear(x, lower).mul_(ctx.scale).split([b.shape[1] for b in raises], dim=1)
        d_raises = [d.t() @ l for (d, _), l in zip(parts, low)]
        return d_x, None, d_low.t() @ x, None, *d_raises


def linear(weights: Tensors, name: str, x: torch.Tensor, scale: float) -> torch.Tensor:
    weight, lower = weights[f"{name}.weight"], weights.get(f"{name}.lora_A.weight")
    if lower is None:
        return F.linear(x, weight)
    alone = weights.get(f"{name}.lora_B.weight")
    raises = [alone] if alone is not None else []
    while (tensor := weights.get(f"{name}.lora_B.{len(raises)}")) is not None:
        raises.append(tensor)
    return Adapted.apply(x, weight, lower, scale, *raises)


class RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, epsilon):
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        inverse = norm.square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        return (x * inverse).mul_(weight)

    @staticmethod
    def backward(ctx, dy):
        x, weight, inverse = ctx.saved_tensors
        slope = dy * weight
        share = torch.linalg.vecdot(slope, x)[..., None].mul_(inverse.pow(3)).div_(-x.shape[-1])
        d_weight = (x * inverse).mul_(dy).sum(0) if ctx.needs_input_grad[1] else None
        return slope.mul_(inverse).addcmul_(x, share), d_weight, None


def turned(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor, sign: int) -> torch.Tensor:
    y = torch.empty(x.shape)
    (first, second), (to_first, to_second) = x.chunk(2, dim=-1), y.chunk(2, dim=-1)
    torch.mul(first, cosine, out=to_first).addcmul_(second, sine, value=-sign)
    torch.mul(second, cosine, out=to_second).addcmul_(first, sine, value=sign)
    return y


class Rotary(torch.autograd.Function):
    """x [N, H, d] turned by the angles of its rows, [N, 1, d / 2]."""

    @staticmethod
    def forward(ctx, x, cosine, sine):
        ctx.save_for_backward(cosine, sine)
        return turned(x, cosine, sine, 1)

    @staticmethod
    def backward(ctx, dy):
        return turned(dy, *ctx.saved_tensors, -1), None, None


class SwiGlu(torch.autograd.Function):
    """silu(gate) up of [N, 2 F]; the gradient goes into one matrix as well."""

    @staticmethod
    def forward(ctx, both):
        ctx.save_for_backward(both)
        gate, up = both.chunk(2, dim=-1)
        return F.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx, dy):
        (both,) = ctx.saved_tensors
        gate, up = both.chunk(2, dim=-1)
        d_both = torch.empty_like(both)
        d_gate, d_up = d_both.chunk(2, dim=-1)
        torch.ops.aten.silu_backward.grad_input(dy * up, gate, grad_input=d_gate)
        torch.mul(F.silu(gate), dy, out=d_up)
        return d_both


def states(work: Work, weights: Tensors, inputs: torch.Tensor, layout: dict) -> torch.Tensor:
    """Inputs [N, D] -> states after the final norm of the rows that are read, [R, D], in the order of the layout."""
    config, scale = work.config, work.training["scale"]
    heads, groups, width = config["heads"], config["keyValueHeads"], config["headWidth"]
    epsilon = config["normEpsilon"]
    cosine, sine, x = layout["cosine"], layout["sine"], inputs
    for layer in range(config["layers"]):
        prefix = f"model.layers.{layer}"
        attention, mlp = f"{prefix}.self_attn", f"{prefix}.mlp"
        last = layer + 1 == config["layers"]
        y = RmsNorm.apply(x, weights[f"{prefix}.input_layernorm.weight"], epsilon)
        joined = linear(weights, f"{attention}.joined", y, scale).view(len(y), -1, width)
        if last:
            key, value = joined.split([groups, groups], dim=1)
            key = Rotary.apply(key, cosine, sine)
            y, x, cosine, sine = (t[layout["read"]] for t in (y, x, cosine, sine))
            query = linear(weights, f"{attention}.q_proj", y, scale).view(len(y), heads, width)
        else:
            query, key, value = joined.split([heads, groups, groups], dim=1)
            key = Rotary.apply(key, cosine, sine)
        query = Rotary.apply(query, cosine, sine)
        mixed = attend(query, key, value, layout, last).reshape(-1, heads * width)
        x = x + linear(weights, f"{attention}.o_proj", mixed, scale)
        y = RmsNorm.apply(x, weights[f"{prefix}.post_attention_layernorm.weight"], epsilon)
        hidden = SwiGlu.apply(linear(weights, f"{mlp}.joined", y, scale))
        x = x + linear(weights, f"{mlp}.down_proj", hidden, scale)
    return RmsNorm.apply(x, weights["model.norm.weight"], epsilon)


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: dict, last: bool) -> torch.Tensor:
    """[N, H, d] by [N, G, d]: one call where examples are equally long, else example by example."""
    lengths = layout["lengths"]
    query_lengths = layout["read_lengths"] if last else lengths
    masks = layout["read_masks"] if last else layout["masks"]
    if len(set(lengths)) == 1 and len(set(query_lengths)) == 1:
        alike = all(mask is masks[0] for mask in masks)
        mask = masks[0] if alike else torch.cat(masks)
        batch = lambda x: x.view(len(lengths), -1, *x.shape[1:]).transpose(1, 2)  # noqa: E731
        return product(batch(query), batch(key), batch(value), mask).transpose(1, 2)
    parts = zip(query.split(query_lengths), key.split(lengths), value.split(lengths), masks)
    one = lambda x: x.transpose(0, 1)[None]  # noqa: E731
    return torch.cat([product(one(q), one(k), one(v), mask)[0].transpose(0, 1) for q, k, v, mask in parts])


def product(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=mask is None, enable_gqa=True
    )
