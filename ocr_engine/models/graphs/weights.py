"""A model's weights in a file beside it, which ONNX Runtime maps: processes of one machine share them."""

import onnx

MIN_TENSOR_BYTES = 1024
"""Of a tensor that is worth its place there."""
PAGE_BYTES = 4096
"""Each tensor begins where the system can map it from."""


def outside(model: bytes, name: str) -> tuple[bytes, bytes]:
    """A model whose larger tensors stand in the file of that name beside it, and what that file holds.

    Raises what protobuf raises for bytes that are no model.
    """
    taken_apart = onnx.load_model_from_string(model)
    content = bytearray()
    for tensor in taken_apart.graph.initializer:
        raw = tensor.raw_data
        if len(raw) < MIN_TENSOR_BYTES:
            continue
        content.extend(bytes(-len(content) % PAGE_BYTES))
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", name), ("offset", len(content)), ("length", len(raw))):
            tensor.external_data.add(key=key, value=str(value))
        content.extend(raw)
    without: bytes = taken_apart.SerializeToString()
    return without, bytes(content)
