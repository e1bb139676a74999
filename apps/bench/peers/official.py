"""The released algorithm of Latent-SFT (arXiv 2510.15522) in plain PyTorch, written from its description.

Right-padded batches, dense additive masks into scaled_dot_product_attention, logits for every row of the decoder,
a head over the ten most probable words, adapters that are not merged, AdamW.
"""

import torch
import torch.nn.functional as F
from serve import serve
from training_work import LabellingPeer, Tensors, TrainingPeer, Work, load_work

IGNORED = -100
INITIAL, LATENT, SEGMENT, FINAL, PADDING = range(5)


def linear(weights: Tensors, name: str, x: torch.Tensor, scale: float) -> torch.Tensor:
    y = F.linear(x, weights[f"{name}.weight"])
    lower = weights.get(f"{name}.lora_A.weight")
    if lower is not None:
        y = y + F.linear(F.linear(x, lower), weights[f"{name}.lora_B.weight"]) * scale
    return y


def rms_norm(x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight


def rotate(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine


def states(work: Work, weights: Tensors, inputs: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor):
    """Inputs [B, T, D], positions [B, T], additive mask [B, 1, T, T] -> states after the final norm [B, T, D]."""
    config = work.config
    batch, length, _ = inputs.shape
    heads, groups, width = config["heads"], config["keyValueHeads"], config["headWidth"]
    scale = work.training["scale"]
    frequencies = config["ropeBase"] ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    angles = positions[:, None, :, None].float() * frequencies
    angles = torch.cat((angles, angles), dim=-1)  # [B, 1, T, d]
    cosine, sine = angles.cos(), angles.sin()
    x = inputs
    for layer in range(config["layers"]):
        prefix = f"model.layers.{layer}"
        y = rms_norm(x, weights[f"{prefix}.input_layernorm.weight"], config["normEpsilon"])

        def project(name: str, count: int) -> torch.Tensor:
            map_name = f"{prefix}.self_attn.{name}"
            return linear(weights, map_name, y, scale).view(batch, length, count, width).transpose(1, 2)

        query = rotate(project("q_proj", heads), cosine, sine)
        key = rotate(project("k_proj", groups), cosine, sine).repeat_interleave(heads // groups, dim=1)
        value = project("v_proj", groups).repeat_interleave(heads // groups, dim=1)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(batch, length, heads * width)
        x = x + linear(weights, f"{prefix}.self_attn.o_proj", mixed, scale)
        y = rms_norm(x, weights[f"{prefix}.post_attention_layernorm.weight"], config["normEpsilon"])
        gate = F.silu(linear(weights, f"{prefix}.mlp.gate_proj", y, scale))
        up = linear(weights, f"{prefix}.mlp.up_proj", y, scale)
        x = x + linear(weights, f"{prefix}.mlp.down_proj", gate * up, scale)
    return rms_norm(x, weights["model.norm.weight"], config["normEpsilon"])


def pad(rows: list[list[int]], filler: int) -> torch.Tensor:
    length = max(map(len, rows))
    return torch.tensor([row + [filler] * (length - len(row)) for row in rows])


def additive(keep: torch.Tensor) -> torch.Tensor:
    return torch.zeros(keep.shape).masked_fill_(~keep, torch.finfo(torch.float32).min)[:, None]


def compressing_mask(is_latent: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """LTIM: causal, and nobody but itself reads a compress token."""
    length = is_latent.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    hidden = is_latent[:, None, :] & causal.tril(-1)
    return additive(causal & ~hidden & valid[:, None, :] & valid[:, :, None])


def superposing_mask(kind: torch.Tensor, owner: torch.Tensor) -> torch.Tensor:
    """LTSuM: a segment reads its own latent and itself; all other rows read all but segments."""
    length = kind.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    row, column = kind[:, :, None], kind[:, None, :]
    own = ((column == LATENT) | (column == SEGMENT)) & (owner[:, :, None] == owner[:, None, :])
    backbone = (row != SEGMENT) & (column != SEGMENT)
    allowed = torch.where(row == SEGMENT, own, backbone)
    return additive(causal & allowed & (row != PADDING) & (column != PADDING))


def encoder_batch(work: Work) -> dict:
    filler = work.training["compress"]
    ids, latent = [], []
    for example in work.examples:
        row = example["prompt"] + example["think"]
        marks = [0] * len(row)
        for segment in example["segments"]:
            row = row + segment + [filler]
            marks = marks + [0] * len(segment) + [1]
        ids.append(row + example["end"])
        latent.append(marks + [0] * len(example["end"]))
    is_latent = pad(latent, 0).bool()
    lengths = torch.tensor([len(row) for row in ids])
    places = torch.arange(is_latent.shape[1])
    valid = places < lengths[:, None]
    return {
        "ids": pad(ids, filler),
        "is_latent": is_latent,
        "positions": places.expand(len(ids), -1) * valid,
        "mask": compressing_mask(is_latent, valid),
    }


def decoder_batch(work: Work) -> dict:
    """With segments for stage 1; without them for stage 2, whose rows are the backbone of stage 1's."""
    filler = work.training["compress"]
    with_segments = work.phase != "student"
    ids, labels, kind, owner, positions = [], [], [], [], []
    for example in work.examples:
        segments = example["segments"]
        row = example["prompt"] + example["think"]
        kinds, owners = [INITIAL] * len(row), [0] * len(row)
        label, places = [IGNORED] * len(row), list(range(len(row)))
        base = len(row) - 1
        for i in range(len(segments)):
            following = segments[i + 1] if with_segments and i + 1 < len(segments) else []
            row = row + [filler] + following
            label = label + [IGNORED] + following
            kinds = kinds + [LATENT] + [SEGMENT] * len(following)
            owners = owners + [i + 1] * (1 + len(following))
            places = places + list(range(base + i + 1, base + i + 2 + len(following)))
        final = example["end"] + example["answer"]
        ids.append(row + final)
        labels.append(label + final)
        kind.append(kinds + [FINAL] * len(final))
        owner.append(owners + [0] * len(final))
        positions.append(places + list(range(places[-1] + 1, places[-1] + 1 + len(final))))
    kinds = pad(kind, PADDING)
    return {
        "ids": pad(ids, filler),
        "labels": pad(labels, IGNORED),
        "is_latent": kinds == LATENT,
        "positions": pad(positions, 0),
        "mask": superposing_mask(kinds, pad(owner, 0)),
    }


def token_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over all labelled tokens, each predicted by the row before it."""
    shifted = logits[:, :-1].reshape(-1, logits.shape[-1])
    return F.cross_entropy(shifted, labels[:, 1:].reshape(-1), ignore_index=IGNORED)


def prepare_stage_one(work: Work) -> dict:
    return {"encoder": encoder_batch(work), "decoder": decoder_batch(work)}


def encode(work: Work, batch: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and words of every latent, [L, k] each."""
    hidden = encoder_states(work, batch)[batch["is_latent"]]
    table = work.decoder["model.embed_tokens.weight"].detach()
    logits, words = (hidden @ table.T).topk(work.training["support"], dim=-1)
    return logits.softmax(-1), words


def encoder_states(work: Work, batch: dict) -> torch.Tensor:
    """States of every row, [B, T, D]."""
    weights = work.encoder
    inputs = F.embedding(batch["ids"], weights["model.embed_tokens.weight"])
    query = weights.get("latent_query.weight")
    if query is not None:
        inputs = torch.where(batch["is_latent"][..., None], query, inputs)
    return states(work, weights, inputs, batch["positions"], batch["mask"])


def decode(work: Work, batch: dict, latents: torch.Tensor) -> torch.Tensor:
    """Logits of every row [B, T, V] with the latents in their slots."""
    weights = work.decoder
    table = weights["model.embed_tokens.weight"]
    inputs = F.embedding(batch["ids"], table)
    inputs = inputs.masked_scatter(batch["is_latent"][..., None], latents)
    return states(work, weights, inputs, batch["positions"], batch["mask"]) @ table.T


def stage_one_loss(work: Work, batch: dict) -> torch.Tensor:
    with torch.set_grad_enabled(work.phase != "decoder"):
        alpha, words = encode(work, batch["encoder"])
        table = work.decoder["model.embed_tokens.weight"].detach()
        latents = (alpha[..., None] * table[words]).sum(1)
    return token_loss(decode(work, batch["decoder"], latents), batch["decoder"]["labels"])


def prepare_student(work: Work) -> dict:
    return {
        "decoder": decoder_batch(work),
        "alpha": torch.tensor([row for label in work.labels for row in label["alpha"]]),
        "words": torch.tensor([row for label in work.labels for row in label["ids"]]),
    }


def student_loss(work: Work, batch: dict) -> torch.Tensor:
    """KL of the row before each latent to its label, mean over slots, then over examples; plus the token loss."""
    rows, words = batch["decoder"], batch["words"]
    alpha = batch["alpha"] / batch["alpha"].sum(-1, keepdim=True)
    latents = (alpha[..., None] * work.decoder["model.embed_tokens.weight"][words]).sum(1)
    logits = decode(work, rows, latents)
    before = rows["is_latent"].roll(-1, dims=1)
    log_p = logits[before].log_softmax(-1).gather(1, words)
    slots = (alpha * (alpha.clamp_min(1e-12).log() - log_p)).sum(-1)
    kl = torch.stack([part.mean() for part in slots.split([len(label["ids"]) for label in work.labels])]).mean()
    return kl + token_loss(logits, rows["labels"])


def label(work: Work, batch: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Soft labels: logits of every row of the padded batch, the ten most probable words of the latent ones."""
    hidden = encoder_states(work, batch)
    logits = (hidden @ work.decoder["model.embed_tokens.weight"].T)[batch["is_latent"]]
    values, words = logits.topk(work.training["support"], dim=-1)
    return values.softmax(-1), words


def open_work(params: dict) -> TrainingPeer:
    work = load_work({"phase": "labels", **params})
    if params["work"] == "labelling":
        return LabellingPeer(work, encoder_batch, label)
    if work.phase == "student":
        return TrainingPeer(work, prepare_student, student_loss)
    return TrainingPeer(work, prepare_stage_one, stage_one_loss)


if __name__ == "__main__":
    serve(open_work)
