"""Where memory is short, that is what a job is told, and not that its file is damaged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ocr_engine.errors import EngineError, InvalidImage, OutOfMemory, TooManyPixels
from ocr_engine.memory import short_memory_told

KINDS = ("png", "jpeg", "webp", "avif", "tiff")

IN_A_SMALL_PROCESS = """
import json, pathlib, resource, sys
import psutil
from ocr_engine.document.opening import open_document
from ocr_engine.errors import OcrError
from ocr_engine.image import pixels  # what decodes is loaded before memory is short
from ocr_engine.memory import short_memory_told
from ocr_engine.options import EngineOptions, ReadOptions

def told(data):
    try:
        with short_memory_told(4_000_000):
            open_document(data, ReadOptions(), EngineOptions()).draw(1)
    except OcrError as error:
        return error.code
    return "read"

room, *names = sys.argv[1:]
files = [pathlib.Path(name).read_bytes() for name in names]
_, most = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + int(room), most))
print(json.dumps([told(data) for data in files]))
"""


def test_a_sound_file_is_not_called_damaged_where_there_is_no_memory_to_decode_it(tmp_path: Path) -> None:
    files = [tmp_path / f"image.{kind}" for kind in KINDS]
    for file in files:
        Image.new("RGB", (2000, 2000), "white").save(file)
    cut = tmp_path / "cut"
    cut.write_bytes(files[0].read_bytes()[:-100])

    def told(room: int) -> object:
        command = [sys.executable, "-c", IN_A_SMALL_PROCESS, str(room), *map(str, files), str(cut)]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    assert told(room=5_000_000) == ["out_of_memory"] * 6
    assert told(room=1_000_000_000) == ["read"] * 5 + ["invalid_image"]


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (MemoryError(), OutOfMemory),
        (InvalidImage("damaged"), InvalidImage),
        (TooManyPixels("too large"), TooManyPixels),
        (RuntimeError("anything"), EngineError),
    ],
)
def test_with_room_each_failure_keeps_its_name(raised: Exception, told: type[Exception]) -> None:
    with pytest.raises(told), short_memory_told(1):
        raise raised
