"""The same steps as fast as plain PyTorch goes on a CPU: no padding, only rows that somebody reads, chunked losses.

Examples lie one after another in one matrix [N, D] for all linear maps; attention runs example by example. In the
last layer only rows that are read go on after the keys and values are made. Loss and gradient of the vocabulary come
from one pass over chunks of rows, and logits are never kept.
"""

import torch
import torch.nn.functional as F
from serve import serve
from training_work import LabellingPeer, Tensors, TrainingPeer, Work, load_work

CHUNK_ROWS = 256


def linear(weights: Tensors, name: str, x: torch.Tensor, scale: float) -> torch.Tensor:
    y = F.linear(x, weights[f"{name}.weight"])
    lower = weights.get(f"{name}.lora_A.weight")
    if lower is not None:
        y = torch.addmm(y, F.linear(x, lower), weights[f"{name}.lora_B.weight"].t(), alpha=scale)
    return y


def rotate(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


def states(work: Work, weights: Tensors, inputs: torch.Tensor, layout: dict) -> torch.Tensor:
    """Inputs [N, D] -> states after the final norm of the rows that are read, [R, D], in the order of the layout."""
    config, scale = work.config, work.training["scale"]
    heads, groups, width = config["heads"], config["keyValueHeads"], config["headWidth"]
    epsilon = config["normEpsilon"]
    cosine, sine, x = layout["cosine"], layout["sine"], inputs
    for layer in range(config["layers"]):
        prefix = f"model.layers.{layer}"
        last = layer + 1 == config["layers"]
        y = F.rms_norm(x, x.shape[-1:], weights[f"{prefix}.input_layernorm.weight"], epsilon)
        key = linear(weights, f"{prefix}.self_attn.k_proj", y, scale).view(-1, groups, width)
        value = linear(weights, f"{prefix}.self_attn.v_proj", y, scale).view(-1, groups, width)
        key = rotate(key, cosine, sine)
        if last:
            y, x, cosine, sine = (t[layout["read"]] for t in (y, x, cosine, sine))
        query = linear(weights, f"{prefix}.self_attn.q_proj", y, scale).view(-1, heads, width)
        query = rotate(query, cosine, sine)
        mixed = attend(query, key, value, layout, last).reshape(-1, heads * width)
        x = x + linear(weights, f"{prefix}.self_attn.o_proj", mixed, scale)
        y = F.rms_norm(x, x.shape[-1:], weights[f"{prefix}.post_attention_layernorm.weight"], epsilon)
        gate = F.silu(linear(weights, f"{prefix}.mlp.gate_proj", y, scale))
        up = linear(weights, f"{prefix}.mlp.up_proj", y, scale)
        x = x + linear(weights, f"{prefix}.mlp.down_proj", gate * up, scale)
    return F.rms_norm(x, x.shape[-1:], weights["model.norm.weight"], epsilon)


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: dict, last: bool) -> torch.Tensor:
    """[N, H, d] by [N, G, d]: one call where examples are equally long, else example by example."""
    lengths = layout["lengths"]
    query_lengths = layout["read_lengths"] if last else lengths
    masks = layout["read_masks"] if last else layout["masks"]
    if len(set(lengths)) == 1 and len(set(query_lengths)) == 1:
        mask = None if masks[0] is None else torch.cat(masks)
        batch = lambda x: x.view(len(lengths), -1, *x.shape[1:]).transpose(1, 2)  # noqa: E731
        return product(batch(query), batch(key), batch(value), mask).transpose(1, 2)
    parts = zip(query.split(query_lengths), key.split(lengths), value.split(lengths), masks)
    one = lambda x: x.transpose(0, 1)[None]  # noqa: E731
    return torch.cat([product(one(q), one(k), one(v), mask)[0].transpose(0, 1) for q, k, v, mask in parts])


def product(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=mask is None, enable_gqa=True
    )


class SoftCrossEntropy(torch.autograd.Function):
    """sum_r w_r sum_j -q_rj log softmax(h_r W^T)[i_rj], with its gradient made in the same pass over chunks."""

    @staticmethod
    def forward(ctx, hidden, table, words, shares, weights):
        d_hidden = torch.empty_like(hidden)
        d_table = torch.zeros_like(table) if ctx.needs_input_grad[1] else None
        loss = hidden.new_zeros(())
        for start in range(0, hidden.shape[0], CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            logits = hidden[part] @ table.T
            log_sum = logits.logsumexp(-1, keepdim=True)
            slope = shares[part] * weights[part, None]
            loss += (slope * (log_sum - logits.gather(1, words[part]))).sum()
            d_logits = logits.sub_(log_sum).exp_().mul_(slope.sum(-1, keepdim=True))
            d_logits.scatter_add_(1, words[part], -slope)
            d_hidden[part] = d_logits @ table
            if d_table is not None:
                d_table.addmm_(d_logits.T, hidden[part])
        ctx.save_for_backward(d_hidden, d_table)
        return loss

    @staticmethod
    def backward(ctx, d_loss):
        d_hidden, d_table = ctx.saved_tensors
        return d_hidden * d_loss, None if d_table is None else d_table * d_loss, None, None, None


def packed(work: Work, rows: list[dict]) -> dict:
    """One layout of rows that each hold ids, positions, mask (None: causal), and the places of what is read."""
    width = work.config["headWidth"]
    lengths = [len(row["ids"]) for row in rows]
    frequencies = work.config["ropeBase"] ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    angles = torch.tensor([p for row in rows for p in row["positions"]])[:, None, None].float() * frequencies
    starts = [sum(lengths[:i]) for i in range(len(rows))]
    places = lambda name: torch.tensor([start + i for start, row in zip(starts, rows) for i in row[name]])  # noqa: E731
    return {
        "ids": torch.tensor([token for row in rows for token in row["ids"]]),
        "latents": places("latents"),
        "read": places("read"),
        "lengths": lengths,
        "read_lengths": [len(row["read"]) for row in rows],
        "masks": [row["mask"] for row in rows],
        "read_masks": [read_mask(row) for row in rows],
        "cosine": angles.cos(),
        "sine": angles.sin(),
    }


def read_mask(row: dict) -> torch.Tensor:
    if row["mask"] is not None:
        return row["mask"][:, :, row["read"]]
    return additive(torch.arange(len(row["ids"])) <= torch.tensor(row["read"])[:, None])


def additive(keep: torch.Tensor) -> torch.Tensor:
    return torch.zeros(keep.shape).masked_fill_(~keep, float("-inf"))[None, None]


def encoder_row(work: Work, example: dict) -> dict:
    ids, latents = example["prompt"] + example["think"], []
    for segment in example["segments"]:
        ids = ids + segment
        latents.append(len(ids))
        ids = ids + [work.training["compress"]]
    ids = ids + example["end"]
    keep = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    keep[:, latents] = False
    keep[latents, latents] = True
    return {
        "ids": ids,
        "positions": range(len(ids)),
        "mask": additive(keep),
        "latents": latents,
        "read": latents,
    }


def decoder_row(work: Work, example: dict) -> dict:
    """The backbone P, T, Z, E, A with each segment after its latent; targets are words that the rows predict."""
    ids = example["prompt"] + example["think"]
    with_segments = work.phase != "student"
    positions, latents, read, words = list(range(len(ids))), [], [], []
    spans = []
    for i in range(len(example["segments"])):
        latents.append(len(ids))
        positions.append(len(example["prompt"]) + len(example["think"]) + i)
        ids = ids + [work.training["compress"]]
        if with_segments and i + 1 < len(example["segments"]):
            segment = example["segments"][i + 1]
            spans.append((len(ids) - 1, len(ids), len(ids) + len(segment)))
            read += range(len(ids) - 1, len(ids) - 1 + len(segment))
            words += segment
            positions += range(positions[-1] + 1, positions[-1] + 1 + len(segment))
            ids = ids + segment
    final = example["end"] + example["answer"]
    read += range(len(ids) - 1, len(ids) - 1 + len(final))
    words += final
    positions += range(positions[-1] + 1, positions[-1] + 1 + len(final))
    ids = ids + final
    mask = None
    if with_segments:
        keep = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
        for latent, start, end in spans:
            keep[end:, start:end] = False
            keep[start:end, :latent] = False
        mask = additive(keep)
    return {"ids": ids, "positions": positions, "mask": mask, "latents": latents, "read": read, "words": words}


def prepare_stage_one(work: Work) -> dict:
    rows = [decoder_row(work, example) for example in work.examples]
    words = torch.tensor([word for row in rows for word in row["words"]])
    return {
        "encoder": packed(work, [encoder_row(work, example) for example in work.examples]),
        "decoder": packed(work, rows),
        "words": words[:, None],
        "shares": torch.ones(len(words), 1),
        "weights": torch.full((len(words),), 1 / len(words)),
    }


def encode(work: Work, layout: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and words of every latent, [L, k] each."""
    hidden = encoder_states(work, layout)
    table = work.decoder["model.embed_tokens.weight"].detach()
    with torch.no_grad():
        words = (hidden @ table.T).topk(work.training["support"], dim=-1).indices
    logits = torch.bmm(table[words], hidden[..., None])[..., 0]
    return logits.softmax(-1), words


def encoder_states(work: Work, layout: dict) -> torch.Tensor:
    """States of the latent rows, [L, D]."""
    weights = work.encoder
    inputs = F.embedding(layout["ids"], weights["model.embed_tokens.weight"])
    query = weights.get("latent_query.weight")
    if query is not None:
        inputs = inputs.index_copy(0, layout["latents"], query.expand(len(layout["latents"]), -1))
    return states(work, weights, inputs, layout)


def decode(work: Work, layout: dict, latents: torch.Tensor) -> torch.Tensor:
    """States of the rows that are read, with the latents in their slots."""
    inputs = F.embedding(layout["ids"], work.decoder["model.embed_tokens.weight"])
    return states(work, work.decoder, inputs.index_copy(0, layout["latents"], latents), layout)


def mix(alpha: torch.Tensor, words: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    return F.embedding_bag(words, table, per_sample_weights=alpha, mode="sum")


def stage_one_loss(work: Work, batch: dict) -> torch.Tensor:
    table = work.decoder["model.embed_tokens.weight"]
    with torch.set_grad_enabled(work.phase != "decoder"):
        alpha, words = encode(work, batch["encoder"])
        latents = mix(alpha, words, table.detach())
    hidden = decode(work, batch["decoder"], latents)
    return SoftCrossEntropy.apply(hidden, table, batch["words"], batch["shares"], batch["weights"])


def prepare_student(work: Work) -> dict:
    """Rows before latents come first in each example, then those that predict a word; both share one vocabulary pass."""
    rows, words, shares, weights = [], [], [], []
    targets = sum(len(example["end"]) + len(example["answer"]) for example in work.examples)
    entropy = 0.0
    for example, label in zip(work.examples, work.labels):
        row = decoder_row(work, example)
        alpha = torch.tensor(label["alpha"])
        alpha = alpha / alpha.sum(-1, keepdim=True)
        slots, support = alpha.shape
        entropy += (alpha * alpha.clamp_min(1e-12).log()).sum().item() / (slots * len(work.examples))
        hot = torch.zeros(len(row["words"]), support)
        hot[:, 0] = 1
        word = torch.tensor(row["words"])[:, None].expand(-1, support)
        row["read"] = [latent - 1 for latent in row["latents"]] + row["read"]
        rows.append(row)
        words.append(torch.cat((torch.tensor(label["ids"]), word)))
        shares.append(torch.cat((alpha, hot)))
        weights += [1 / (slots * len(work.examples))] * slots + [1 / targets] * len(row["words"])
    return {
        "decoder": packed(work, rows),
        "alpha": torch.cat([s[: len(label["ids"])] for s, label in zip(shares, work.labels)]),
        "latent_words": torch.cat([w[: len(label["ids"])] for w, label in zip(words, work.labels)]),
        "words": torch.cat(words),
        "shares": torch.cat(shares),
        "weights": torch.tensor(weights),
        "entropy": entropy,
    }


def student_loss(work: Work, batch: dict) -> torch.Tensor:
    """Sum of the KL of labelled slots and the cross-entropy of words, as one soft cross-entropy and a constant."""
    table = work.decoder["model.embed_tokens.weight"]
    latents = mix(batch["alpha"], batch["latent_words"], table)
    hidden = decode(work, batch["decoder"], latents)
    loss = SoftCrossEntropy.apply(hidden, table, batch["words"], batch["shares"], batch["weights"])
    return loss + batch["entropy"]


def encoder_layout(work: Work) -> dict:
    return packed(work, [encoder_row(work, example) for example in work.examples])


def label(work: Work, layout: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Soft labels, from the logits of latent rows alone."""
    hidden = encoder_states(work, layout)
    values, words = (hidden @ work.decoder["model.embed_tokens.weight"].T).topk(work.training["support"], dim=-1)
    return values.softmax(-1), words


def open_work(params: dict) -> TrainingPeer:
    work = load_work({"phase": "labels", **params})
    if params["work"] == "labelling":
        return LabellingPeer(work, encoder_layout, label)
    if work.phase == "student":
        return TrainingPeer(work, prepare_student, student_loss)
    return TrainingPeer(work, prepare_stage_one, stage_one_loss)


if __name__ == "__main__":
    serve(open_work)
