"""The models that recognition runs: found, checked, and each opened as a session."""

import msgspec
from msgspec import Struct

from ocr_engine.errors import EngineError
from ocr_engine.models import files
from ocr_engine.models.catalogue import FAMILIES, Normalisation
from ocr_engine.models.files import ModelFile
from ocr_engine.models.runtime.choice import Runtime, RuntimeChoice
from ocr_engine.models.runtime.settling import settled
from ocr_engine.models.session import LineSession, Session, open_quantised, open_session
from ocr_engine.options import EngineOptions
from ocr_engine.result import OcrModel


class LoadedModels(Struct, frozen=True, kw_only=True):
    """The sessions, and what must be known to feed them and to read their answers."""

    detection: Session
    recognition: LineSession
    angle: Session
    quick_recognition: LineSession | None
    """The recogniser in 8-bit integers: in half the time the same text, of all but a few lines."""
    detection_input: Normalisation
    recognition_input: Normalisation
    angle_input: Normalisation
    characters: tuple[str, ...]
    """The recognition model's classes after the blank and without the space at the end, in its order."""
    sure_mean: float
    """Confidence from which the recogniser is believed what it read in a line at first."""
    runtime: Runtime
    """What runs them."""
    described: tuple[OcrModel, ...]
    """What a result says of them."""
    notes: tuple[str, ...]
    """What an operator should know of how they run, such as why one does not run as an optimised graph."""

    def release(self) -> None:
        """Gives back to the system what memory the sessions keep for the next run."""
        for session in (self.detection, self.recognition, self.angle, self.quick_recognition):
            if session is not None:
                session.release()


def load_models(options: EngineOptions) -> LoadedModels:
    """The models that the options name. Raises EngineError where one is missing, wrong or cannot be opened."""
    found = files.find(options)
    choice = settled(options, found) if options.backend == "auto" else RuntimeChoice(runtime=options.backend)
    options = msgspec.structs.replace(options, backend=choice.runtime)
    detection, recognition, angle = (open_session(file, options) for file in found)
    notes = [choice.reason] if choice.reason else []
    notes += [session.note for session in (detection, recognition, angle) if session.note]
    quick = None
    try:
        quick = open_quantised(found.recognition, options)
    except EngineError as error:
        notes.append(error.detail)
    return LoadedModels(
        detection=detection,
        recognition=recognition,
        angle=angle,
        quick_recognition=quick,
        detection_input=found.detection.normalisation,
        recognition_input=found.recognition.normalisation,
        angle_input=found.angle.normalisation,
        characters=found.characters,
        sure_mean=FAMILIES[options.model].sure_mean,
        runtime=choice.runtime,
        described=tuple(_described(file) for file in found),
        notes=tuple(dict.fromkeys(notes)),
    )


def _described(file: ModelFile) -> OcrModel:
    return OcrModel(role=file.role, name=file.name, sha256=file.sha256)
