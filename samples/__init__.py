"""Small images of our own, each with the text that is on it. Drawn by `python -m samples.make`; see README.md."""

from pathlib import Path

from msgspec import Struct

FOLDER = Path(__file__).resolve().parent


class Sample(Struct, frozen=True):
    """An image file and what it says."""

    name: str
    path: Path
    text: str
    """Its lines in reading order, one a line, without a line break at the end."""

    @property
    def data(self) -> bytes:
        """The bytes of the image file."""
        return self.path.read_bytes()


def all_samples() -> tuple[Sample, ...]:
    """Every sample, by name."""
    return tuple(sample(path.stem) for path in sorted(FOLDER.glob("*.txt")))


def sample(name: str) -> Sample:
    """The sample of that name: NAME.txt and the image beside it. Raises KeyError where there is none."""
    images = [path for path in FOLDER.glob(f"{name}.*") if path.suffix != ".txt"]
    if len(images) != 1:
        raise KeyError(name)
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return Sample(name, images[0], text.rstrip("\n"))
