"""Opens model folders with transformers and writes their logits.

In: [{"folder", "ids"}] as JSON; out, for each: T and V as int32, then T x V float32.
"""

import functools
import json
import struct
import sys

import torch
from transformers import AutoModelForCausalLM


@functools.lru_cache(maxsize=1)
def opened(folder: str) -> torch.nn.Module:
    model, report = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report[kind]:
            sys.exit(f"{folder}: {kind} {sorted(map(str, report[kind]))}")
    return model.eval()


for case in json.load(sys.stdin):
    with torch.no_grad():
        logits = opened(case["folder"])(torch.tensor([case["ids"]])).logits[0]
    sys.stdout.buffer.write(struct.pack("<ii", *logits.shape))
    sys.stdout.buffer.write(logits.contiguous().numpy().astype("<f4").tobytes())
