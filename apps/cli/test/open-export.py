"""Opens exported folders as their owners would: AutoTokenizer, AutoModelForCausalLM, and PEFT for adapters.

In: [{"model", "adapter" or null, "texts"}] as JSON; out, for each: ids, ids of generation, and logits of every text.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

results = []
for case in json.load(sys.stdin):
    tokenizer = AutoTokenizer.from_pretrained(case["model"])
    model = AutoModelForCausalLM.from_pretrained(case["model"], dtype=torch.float32, attn_implementation="eager")
    generation = [model.generation_config.eos_token_id, model.generation_config.pad_token_id]
    if case["adapter"]:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, case["adapter"])
    model.eval()
    rows = [tokenizer.encode(text, add_special_tokens=False) for text in case["texts"]]
    with torch.no_grad():
        logits = [model(torch.tensor([row])).logits[0].tolist() for row in rows]
    results.append({"ids": rows, "generation": generation, "logits": logits})
print(json.dumps(results))
