"""Answering with Hugging Face transformers: `generate` for plain text, and a loop over its KV cache for latents."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from serve import mean_seconds, serve
from transformers import AutoModelForCausalLM
from transformers.cache_utils import DynamicCache


class Decoding:
    def __init__(self, params: dict):
        folder = Path(params["folder"])
        told = json.loads((folder / "work.json").read_text(encoding="utf-8"))["decoding"]
        self.latents, self.tokens, self.support = told["latents"], told["tokens"], told["support"]
        prompts = [told["prompts"][row] for row in params["rows"]]
        longest = max(map(len, prompts))
        # generate reads prompts that end together
        self.ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
        self.mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        self.model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32)
        self.model.eval()
        settings = self.model.generation_config
        settings.eos_token_id, settings.bos_token_id, settings.pad_token_id = None, None, 0

    def check(self, case: str) -> list[int]:
        """Every token that is answered."""
        return self.answer(case).flatten().tolist()

    def run(self, case: str) -> dict:
        return {"seconds": mean_seconds(lambda: self.answer(case))}

    @torch.inference_mode()
    def answer(self, case: str) -> torch.Tensor:
        if case == "prefill":
            return self.generate(1)
        if case == "tokens":
            return self.generate(self.tokens)
        return self.think(1 if case == "latents" else self.tokens)

    def generate(self, count: int) -> torch.Tensor:
        answered = self.model.generate(
            self.ids, attention_mask=self.mask, do_sample=False, min_new_tokens=count, max_new_tokens=count
        )
        return answered[:, self.ids.shape[1] :]

    def think(self, count: int) -> torch.Tensor:
        """Latents first, then words, all in one cache."""
        cache, mask = DynamicCache(), self.mask
        places = (mask.cumsum(-1) - 1).clamp_min(0)
        logits = self.step(cache, mask, places, input_ids=self.ids)
        place = places[:, -1:]
        table = self.model.get_input_embeddings().weight
        answered = []
        for index in range(self.latents + count):
            if index < self.latents:
                values, words = logits.topk(self.support, dim=-1)
                latent = F.embedding_bag(words, table, per_sample_weights=values.softmax(-1), mode="sum")
                fed = {"inputs_embeds": latent[:, None]}
            else:
                answered.append(logits.argmax(-1, keepdim=True))
                if len(answered) == count:
                    break
                fed = {"input_ids": answered[-1]}
            mask = torch.cat((mask, mask.new_ones(len(mask), 1)), dim=-1)
            place = place + 1
            logits = self.step(cache, mask, place, **fed)
        return torch.cat(answered, dim=-1)

    def step(self, cache: DynamicCache, mask: torch.Tensor, places: torch.Tensor, **fed: torch.Tensor):
        out = self.model(
            **fed, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        return out.logits[:, -1]


if __name__ == "__main__":
    serve(Decoding)
