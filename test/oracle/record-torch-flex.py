"""Records score functions of FlexAttention, for test/torch-sweep.test.ts.

    pip install -r test/oracle/requirements.txt
    python test/oracle/record-torch-flex.py

`flex_attention` runs eagerly on the CPU, in float64: each option of ours is a score_mod or a mask_mod there, and the
combined ones are both at once. ALiBi's slopes come from the paper's rule, written down here once more.
"""

import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from torch_pack import int32, normal, packed, write

SEED = 20261202


def slopes(heads):
    """Press, Smith and Lewis: powers of two; beyond the largest power of two, the odd ones of the next set."""
    base = 2 ** (heads.bit_length() - 1)
    first = [2.0 ** (-8 * (n + 1) / base) for n in range(base)]
    others = [2.0 ** (-8 * (n + 1) / (2 * base)) for n in range(0, 2 * base, 2)]
    return torch.tensor((first + others)[:heads], dtype=torch.float64)


class Call:
    """A call that grows by options: ours beside FlexAttention's."""

    def __init__(self, name, seed, heads=6, kv_heads=6, queries=7, keys=7, head_dim=4, batch=1, offset=0):
        generator = torch.Generator().manual_seed(SEED + seed)
        self.name, self.heads, self.grouped = name, heads, heads != kv_heads
        self.batch, self.queries, self.keys, self.offset = batch, queries, keys, offset
        self.q = normal(generator, (batch, heads, queries, head_dim))
        self.k = normal(generator, (batch, kv_heads, keys, head_dim))
        self.v = normal(generator, (batch, kv_heads, keys, head_dim))
        self.options, self.tensors, self.scores, self.masks = {}, {}, [], []
        self.generator = generator
        if offset:
            self.options["queryOffset"] = offset

    def softcap(self, cap):
        self.options["softcap"] = cap
        self.scores.append(lambda s, b, h, i, j: cap * torch.tanh(s / cap))
        return self

    def bias(self):
        bias = normal(self.generator, (self.batch, self.heads, self.queries, self.keys))
        self.tensors["bias"] = bias
        doubles = bias.double()
        self.scores.append(lambda s, b, h, i, j: s + doubles[b, h, i, j])
        return self

    def alibi(self):
        self.options["alibi"] = True
        own, offset = slopes(self.heads), self.offset
        self.scores.append(lambda s, b, h, i, j: s - own[h] * (i + offset - j).abs())
        return self

    def causal(self):
        self.options["causal"] = True
        offset = self.offset
        self.masks.append(lambda b, h, i, j: j <= i + offset)
        return self

    def window(self, left=None, right=None):
        self.options["window"] = {k: v for k, v in (("left", left), ("right", right)) if v is not None}
        offset = self.offset
        if left is not None:
            self.masks.append(lambda b, h, i, j: j >= i + offset - left)
        if right is not None:
            self.masks.append(lambda b, h, i, j: j <= i + offset + right)
        return self

    def lengths(self, *counts):
        self.options["keyLengths"] = int32(counts)
        own = torch.tensor(counts)
        self.masks.append(lambda b, h, i, j: j < own[b])
        return self

    def prefix(self, length):
        """The mask of a prefix language model: all of the prefix, then causal."""
        keep = torch.ones(self.queries, self.keys, dtype=torch.bool).tril()
        keep[:, :length] = True
        self.tensors["keep"] = keep
        self.masks.append(lambda b, h, i, j: (j < length) | (j <= i))
        return self

    def record(self):
        def score_mod(s, b, h, i, j):
            for modify in self.scores:
                s = modify(s, b, h, i, j)
            return s

        def mask_mod(b, h, i, j):
            kept = b >= 0
            for mask in self.masks:
                kept = kept & mask(b, h, i, j)
            return kept

        block = None
        if self.masks:
            block = create_block_mask(mask_mod, self.batch, None, self.queries, self.keys, device="cpu")
        doubles = [t.double() for t in (self.q, self.k, self.v)]
        output, lse = flex_attention(
            *doubles, score_mod=score_mod, block_mask=block, enable_gqa=self.grouped, return_lse=True
        )
        assert not output.isnan().any(), self.name
        return {
            "name": self.name,
            "options": self.options,
            "tensors": {name: packed(tensor) for name, tensor in self.tensors.items()},
            "q": packed(self.q),
            "k": packed(self.k),
            "v": packed(self.v),
            "output": packed(output),
            "lse": packed(lse),
        }


CALLS = [
    Call("softcap 2, six heads on two", 0, kv_heads=2).softcap(2.0),
    Call("softcap 30", 1, heads=2, kv_heads=2, keys=19).softcap(30.0),
    Call("alibi of 8 heads", 2, heads=8, kv_heads=8).alibi(),
    Call("alibi of 12 heads, causal", 3, heads=12, kv_heads=4).alibi().causal(),
    Call("alibi of one head behind a cache", 4, heads=1, kv_heads=1, queries=3, keys=20, offset=17).alibi().causal(),
    Call("window to the left", 5, queries=12, keys=12).window(left=3),
    Call("window to the right", 6, queries=12, keys=12).window(right=2),
    Call("window to both sides", 7, queries=12, keys=12).window(left=4, right=1),
    Call("causal window of one key", 8, queries=9, keys=9).window(left=0).causal(),
    Call("causal window behind a cache", 9, queries=5, keys=33, offset=28, kv_heads=3).window(left=9).causal(),
    Call("lengths", 10, keys=17, batch=2).lengths(17, 4),
    Call("lengths, causal, window", 11, queries=9, keys=9, batch=2).lengths(9, 6).causal().window(left=5),
    Call("prefix language model", 12, queries=11, keys=11).prefix(4),
    Call("softcap, then bias", 13).softcap(1.0).bias(),
    Call("softcap, bias, alibi", 14).softcap(1.5).bias().alibi(),
    Call("softcap, alibi, causal, window", 15, queries=12, keys=12, kv_heads=2).softcap(3.0).alibi().causal().window(left=6),
    Call("all of them behind a cache", 16, queries=4, keys=22, offset=18, kv_heads=2, batch=2)
    .softcap(2.5).bias().alibi().lengths(22, 19).causal().window(left=12),
]


if __name__ == "__main__":
    torch.set_num_threads(1)
    write("flex", "record-torch-flex.py", [call.record() for call in CALLS])
