"""Where the rows of examples lie without padding, and without those that nobody reads: the last token of a branch or of
an answer predicts nothing, and the encoder's end marker comes after all latents.

What depends on sizes alone (positions, masks, places) is made once for equal sizes.
"""

import functools

import torch
from training_work import Work


def packed(work: Work, rows: list[dict]) -> dict:
    """One layout of rows that each hold ids, positions, mask (None: causal), and the places of what is read."""
    width = work.config["headWidth"]
    lengths = [len(row["ids"]) for row in rows]
    frequencies = work.config["ropeBase"] ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    angles = torch.cat([row["positions"] for row in rows])[:, None, None] * frequencies
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)
    places = lambda name: torch.cat([row[name] + start for start, row in zip(starts, rows)])  # noqa: E731
    return {
        "ids": torch.tensor([token for row in rows for token in row["ids"]]),
        "latents": places("latents"),
        "read": places("read"),
        "lengths": lengths,
        "read_lengths": [len(row["read"]) for row in rows],
        "masks": [row["mask"] for row in rows],
        "read_masks": [row["read_mask"] for row in rows],
        "cosine": angles.cos(),
        "sine": angles.sin(),
    }


def additive(keep: torch.Tensor) -> torch.Tensor:
    return torch.zeros(keep.shape).masked_fill_(~keep, float("-inf"))[None, None]


def places_of(positions: list[int], latents: list[int], read: list[int], keep: torch.Tensor, causal: bool) -> dict:
    mask = additive(keep)
    return {
        "positions": torch.tensor(positions, dtype=torch.float32),
        "latents": torch.tensor(latents),
        "read": torch.tensor(read),
        "mask": None if causal else mask,
        "read_mask": mask[:, :, read],
    }


@functools.cache
def encoder_places(prompt: int, segments: tuple[int, ...]) -> dict:
    latents, length = [], prompt
    for segment in segments:
        latents.append(length + segment)
        length += segment + 1
    keep = torch.ones(length, length, dtype=torch.bool).tril()
    keep[:, latents] = False
    keep[latents, latents] = True
    return places_of(list(range(length)), latents, latents, keep, False)


@functools.cache
def decoder_places(prompt: int, segments: tuple[int, ...], final: int, student: bool) -> dict:
    """The backbone P, T, Z, E, A with each segment after its latent; a student's rows before latents are read first."""
    positions, latents, read, spans = list(range(prompt)), [], [], []
    for i in range(len(segments)):
        latents.append(len(positions))
        positions.append(prompt + i)
        if student or i + 1 == len(segments):
            continue
        latent, inner = latents[-1], segments[i + 1] - 1
        read += range(latent, latent + 1 + inner)
        spans.append((latent, latent + 1, latent + 1 + inner))
        positions += range(prompt + i + 1, prompt + i + 1 + inner)
    start = len(positions)
    read += range(start - 1, start - 1 + final)
    positions += range(positions[-1] + 1, positions[-1] + final)
    keep = torch.ones(len(positions), len(positions), dtype=torch.bool).tril()
    for latent, begin, end in spans:
        keep[end:, begin:end] = False
        keep[begin:end, :latent] = False
    before = [latent - 1 for latent in latents] if student else []
    return places_of(positions, latents, before + read, keep, student)


def encoder_row(work: Work, example: dict) -> dict:
    first = example["prompt"] + example["think"]
    ids = list(first)
    for segment in example["segments"]:
        ids += segment
        ids.append(work.training["compress"])
    return {"ids": ids, **encoder_places(len(first), tuple(map(len, example["segments"])))}


def decoder_row(work: Work, example: dict) -> dict:
    """The row, and the words that its rows predict."""
    student = work.phase == "student"
    first, final, segments = example["prompt"] + example["think"], example["end"] + example["answer"], example["segments"]
    ids, words = list(first), []
    for i in range(len(segments)):
        ids.append(work.training["compress"])
        if not student and i + 1 < len(segments):
            ids += segments[i + 1][:-1]
            words += segments[i + 1]
    ids += final[:-1]
    places = decoder_places(len(first), tuple(map(len, segments)), len(final), student)
    return {"ids": ids, "words": words + final, **places}
