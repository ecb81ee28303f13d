"""Records the backend test cases of the `onnx` wheel for the operator Attention, for test/onnx.test.ts.

    pip install -r test/oracle/requirements-onnx.txt
    python test/oracle/record-onnx.py

The wheel collects each case twice: as a node of type Attention, and once more as the graph that the operator is
defined by (names that end in `_expanded`). Those have no Attention node to run, so they are left out: half remains.

`attention.json` lists the cases, `attention.bin` holds each distinct array once. Present keys and values are the
past ones followed by the new ones: that is checked here, to the last bit, and not stored.
"""

import json
import pathlib
import platform
import warnings

import numpy
import onnx
import onnx.backend.test.case.node as node_cases

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "onnx"
ALIGNMENT = 8


class Store:
    """Distinct arrays, one after the other."""

    def __init__(self):
        self.bytes = bytearray()
        self.places = {}

    def put(self, array):
        raw = numpy.ascontiguousarray(array).tobytes()
        if raw not in self.places:
            self.bytes += b"\0" * (-len(self.bytes) % ALIGNMENT)
            self.places[raw] = len(self.bytes)
            self.bytes += raw
        return {"type": str(array.dtype), "dims": list(array.shape), "at": self.places[raw]}


def named(names, arrays):
    """A node's names, without the empty ones of absent tensors, and their arrays."""
    present = [name for name in names if name]
    assert len(present) == len(arrays), (names, len(arrays))
    return dict(zip(present, arrays))


def joined(past, new, heads):
    """The past of [batch, heads, sequence, channels] and what came, which may be [batch, sequence, heads * channels]."""
    if new.ndim == 3:
        new = new.reshape(*new.shape[:2], heads, -1).transpose(0, 2, 1, 3)
    return numpy.concatenate([past, new], axis=2)


def record(case, store):
    (node,) = case.model.graph.node
    (opset,) = [entry.version for entry in case.model.opset_import if entry.domain == ""]
    ((inputs, outputs),) = case.data_sets
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    inputs = named(node.input, inputs)
    outputs = named(node.output, outputs)
    for name, source in (("key", "K"), ("value", "V")):
        present = outputs.pop(f"present_{name}", None)
        if present is not None:
            expected = joined(inputs[f"past_{name}"], inputs[source], attributes.get("kv_num_heads"))
            assert expected.dtype == present.dtype and expected.tobytes() == present.tobytes(), case.name
    return {
        "name": case.name,
        "opset": opset,
        "attributes": attributes,
        "inputs": {name: store.put(array) for name, array in inputs.items()},
        "wanted": [name for name in node.output if name],
        "outputs": {name: store.put(array) for name, array in outputs.items()},
        "rtol": case.rtol,
        "atol": case.atol,
    }


def main():
    with warnings.catch_warnings():
        # The wheel builds the cases of every operator on the way, and some of them overflow on purpose.
        warnings.simplefilter("ignore")
        collected = node_cases.collect_testcases("Attention")
    nodes = [case for case in collected if not case.name.endswith("_expanded")]
    assert all([node.op_type for node in case.model.graph.node] == ["Attention"] for case in nodes)
    store = Store()
    recorded = {
        "made": {
            "command": "python test/oracle/record-onnx.py",
            "onnx": onnx.__version__,
            "numpy": numpy.__version__,
            "python": platform.python_version(),
        },
        "collected": len(collected),
        "expanded": len(collected) - len(nodes),
        "cases": [record(case, store) for case in nodes],
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join("  " + json.dumps(case) for case in recorded.pop("cases"))
    head = json.dumps(recorded, indent=1).removesuffix("\n}")
    (FOLDER / "attention.json").write_text(f'{head},\n "cases": [\n{lines}\n ]\n}}\n')
    (FOLDER / "attention.bin").write_bytes(store.bytes)
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name}: {path.stat().st_size} bytes")
    print(f"{len(nodes)} cases of {len(collected)}")


if __name__ == "__main__":
    main()
