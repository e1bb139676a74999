"""The same steps as fast as plain PyTorch goes on a CPU: no padding, only rows that somebody reads, chunked losses.

Examples lie one after another in one matrix [N, D] for all linear maps; attention runs example by example. Rows that
nobody reads are not there, and in the last layer only those whose states are read go on after the keys and values.
Loss and gradient of the vocabulary come from one pass over chunks of rows, and logits are never kept.
"""

import torch
import torch.nn.functional as F
from best_layers import join_maps, states
from best_layouts import decoder_row, encoder_row, packed
from serve import serve
from training_work import LabellingPeer, TrainingPeer, Work, load_work

CHUNK_ROWS = 256


class SoftCrossEntropy(torch.autograd.Function):
    """sum_r w_r sum_j -q_rj log softmax(h_r W^T)[i_rj], with its gradient made in the same pass over chunks."""

    @staticmethod
    def forward(ctx, hidden, table, words, shares, weights):
        d_hidden = torch.empty_like(hidden)
        d_table = torch.zeros_like(table) if ctx.needs_input_grad[1] else None
        loss = hidden.new_zeros(())
        for start in range(0, hidden.shape[0], CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            h, ids, slope = hidden[part], words[part], shares[part] * weights[part, None]
            logits = h @ table.T
            top, said = logits.max(-1, keepdim=True), logits.gather(1, ids)
            p = torch.softmax(logits, -1, out=logits)
            # the most probable word has p = exp(top - log of the sum)
            log_sum = top.values - p.gather(1, top.indices).log_()
            loss += (slope * (log_sum - said)).sum()
            total = slope.sum(-1, keepdim=True)
            d_hidden[part] = (p @ table).mul_(total) - torch.bmm(slope[:, None], table[ids])[:, 0]
            if d_table is not None:
                d_table.addmm_(p.T, h * total)
                given = (slope[..., None] * h[:, None]).view(-1, h.shape[1])
                d_table.index_add_(0, ids.reshape(-1), given, alpha=-1)
        ctx.save_for_backward(d_hidden, d_table)
        return loss

    @staticmethod
    def backward(ctx, d_loss):
        d_hidden, d_table = ctx.saved_tensors
        return d_hidden * d_loss, None if d_table is None else d_table * d_loss, None, None, None


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
    rows = [decoder_row(work, example) for example in work.examples]
    targets = sum(len(row["words"]) for row in rows)
    words, shares, weights = [], [], []
    for row, label in zip(rows, work.labels):
        slots, support = label["alpha"].shape
        words += [label["ids"], torch.tensor(row["words"])[:, None].expand(-1, support)]
        shares += [label["alpha"], torch.eye(1, support).expand(len(row["words"]), -1)]
        weights += [1 / (slots * len(rows))] * slots + [1 / targets] * len(row["words"])
    weights, alpha = torch.tensor(weights), torch.cat(shares[::2])
    slot_weights = torch.cat([torch.full((len(part), 1), 1 / (len(part) * len(rows))) for part in shares[::2]])
    return {
        "decoder": packed(work, rows),
        "alpha": alpha,
        "latent_words": torch.cat(words[::2]),
        "words": torch.cat(words),
        "shares": torch.cat(shares),
        "weights": weights,
        "entropy": (slot_weights * alpha * alpha.clamp_min(1e-12).log()).sum().item(),
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


def label_rows(work: Work, layout: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Soft labels, from the logits of latent rows alone."""
    hidden = encoder_states(work, layout)
    values, words = (hidden @ work.decoder["model.embed_tokens.weight"].T).topk(work.training["support"], dim=-1)
    return values.softmax(-1), words


def open_work(params: dict) -> TrainingPeer:
    work = load_work({"phase": "labels", **params})
    join_maps(work)
    for label in work.labels:
        alpha = torch.tensor(label["alpha"])
        label["alpha"], label["ids"] = alpha / alpha.sum(-1, keepdim=True), torch.tensor(label["ids"])
    if params["work"] == "labelling":
        return LabellingPeer(work, encoder_layout, label_rows)
    if work.phase == "student":
        return TrainingPeer(work, prepare_student, student_loss)
    return TrainingPeer(work, prepare_stage_one, stage_one_loss)


if __name__ == "__main__":
    serve(open_work)
