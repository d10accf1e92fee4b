"""What an ONNX file says of itself, read without the package `onnx` and without a session.

Fields by onnx.proto: ModelProto has graph = 7 and metadata_props = 14, whose entries have key = 1 and value = 2;
GraphProto has input = 11 and output = 12; ValueInfoProto type = 2, TypeProto tensor_type = 1, its shape = 2,
TensorShapeProto dim = 1 and its dim_value = 1.
"""

from collections.abc import Iterator

from ocr_engine.errors import EngineError


def metadata(model: bytes) -> dict[str, str]:
    """The `metadata_props` of an ONNX model. Raises EngineError where the bytes are none."""
    found: dict[str, str] = {}
    try:
        for entry in _all(memoryview(model), 14):
            pair = dict(_fields(entry))
            found[_text(pair[1])] = _text(pair.get(2, memoryview(b"")))
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise EngineError("this is no ONNX model") from error
    return found


def shapes(model: bytes) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
    """Sizes of the first input and of the first output, None where any will do. Raises EngineError."""
    try:
        (graph,) = _all(memoryview(model), 7)
        return _shape(next(_all(graph, 11))), _shape(next(_all(graph, 12)))
    except (IndexError, KeyError, ValueError, TypeError, StopIteration) as error:
        raise EngineError("this is no ONNX model") from error


def _shape(value: memoryview) -> tuple[int | None, ...]:
    for number in (2, 1, 2):
        (value,) = _all(value, number)
    sizes = (dict(_fields(dim)).get(1) for dim in _all(value, 1))
    return tuple(size if isinstance(size, int) else None for size in sizes)


def _all(message: memoryview, number: int) -> Iterator[memoryview]:
    """The parts of that number."""
    return (value for each, value in _fields(message) if each == number and isinstance(value, memoryview))


def _text(value: memoryview | int) -> str:
    return bytes(value).decode() if isinstance(value, memoryview) else str(value)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Number and content of each field of a protobuf message: its bytes, or a whole number; others are stepped over."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, at = _varint(message, at)
            yield number, value
        elif wire_type == 1:
            at += 8
        elif wire_type == 5:
            at += 4
        elif wire_type == 2:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise ValueError("cut short")
            yield number, message[at : at + length]
            at += length
        else:
            raise ValueError(f"wire type {wire_type}")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at a place, seven bits a byte, lowest first; and the place after it."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
