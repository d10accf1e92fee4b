"""Writes a pack into the manifest of a folder.

`python -m ocr_engine.scripts.packs.make FOLDER NAME MODEL --languages ru,uk`

The files have to lie in the folder. An entry of the same name is replaced; what does not fit together is not written.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ocr_engine.errors import EngineError
from ocr_engine.scripts.packs.manifest import MANIFEST, Entry, Manifest, checked, read_manifest


def main(argv: Sequence[str]) -> int:
    """0 where the pack stands in the manifest now, 2 where it cannot be used, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m ocr_engine.scripts.packs.make", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("name", help="what the pack is called, such as eslav-v5")
    parser.add_argument("model", help="its recogniser (.onnx), by the name that it has in the folder")
    parser.add_argument("--characters", help="its character list in the folder, where the model carries none")
    parser.add_argument("--languages", required=True, help="what it reads: BCP 47 tags with commas between")
    asked = parser.parse_args(argv)
    try:
        entry = Entry(
            name=asked.name,
            model=asked.model,
            sha256=_sha256(asked.folder / asked.model),
            languages=tuple(tag.strip() for tag in asked.languages.split(",")),
            characters=asked.characters,
            characters_sha256=_sha256(asked.folder / asked.characters) if asked.characters else None,
        )
        pack = checked(asked.folder, entry)
        manifest = asked.folder / MANIFEST
        others = read_manifest(asked.folder).packs if manifest.exists() else ()
    except (OSError, EngineError) as error:
        print(f"{asked.name}: {error}", file=sys.stderr)
        return 2
    kept = (other for other in others if other.name != entry.name)
    manifest.write_bytes(msgspec.json.format(msgspec.json.encode(Manifest((*kept, entry))), indent=1) + b"\n")
    print(f"{pack.name}: {len(pack.characters)} characters, sha256 {pack.sha256}")
    return 0


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
