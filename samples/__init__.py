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
    """Every sample, by name: each NAME.txt and the one image beside it."""
    samples = []
    for described in sorted(FOLDER.glob("*.txt")):
        (image,) = (path for path in FOLDER.glob(f"{described.stem}.*") if path != described)
        samples.append(Sample(described.stem, image, described.read_text(encoding="utf-8").rstrip("\n")))
    return tuple(samples)


def sample(name: str) -> Sample:
    """The sample of that name. Raises KeyError where there is none."""
    return {each.name: each for each in all_samples()}[name]
