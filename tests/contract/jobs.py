"""Jobs to put into stores."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from ocr_engine.result import ImageInfo, OcrLine, OcrModel, OcrPage, OcrResult, OcrTimings
from persistence.job import Job, JobError
from persistence.store import JobStore
from persistence.upload import Upload

START = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)

RESULT = OcrResult(
    pages=(
        OcrPage(
            number=1,
            width=640,
            height=480,
            rotation=90,
            lines=(
                OcrLine(
                    text="Grüße 你好 \U0001f9fe e\u0301 \x00 \u202eabc\t\"'\\",
                    confidence=0.1 + 0.2,
                    polygon=((0.1, 1e-300), (1 / 3, 0.0), (639.999999, 12.5), (0.0, 1e300)),
                ),
                OcrLine(text="", confidence=0.0, polygon=((0, 0),) * 4, low_confidence=True),
            ),
        ),
        OcrPage(number=2, width=1, height=1),
    ),
    models=(OcrModel(role="recognition", name="v6", sha256="ab" * 32),),
    timings=OcrTimings(decode=0.001, total=1.25),
    worker="worker-1",
)

IMAGE = bytes(range(256)) * 3


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def job(job_id: str = "a", created: float = 0.0, size: int = 5, owner: str = "") -> Job:
    image = ImageInfo(media_type="image/png", width=640, height=480, frames=2, size=size)
    moment = after(created)
    return Job(id=job_id, owner=owner, image=image, created_at=moment, updated_at=moment, due_at=moment)


def failure(code: str = "timeout", attempt: int = 1) -> JobError:
    return JobError(code=code, detail="it broke: \x00 \U0001f4a5", at=after(1), attempt=attempt, worker="worker-1")


async def stored(store: JobStore, *jobs: Job) -> None:
    for each in jobs:
        await store.add(each, Upload.of(IMAGE))


async def moved(store: JobStore, *steps: Job) -> Job:
    """Stores the later ones of these versions of one job, each over the one before."""
    for old, new in pairwise(steps):
        assert await store.replace(old, new)
    return steps[-1]


async def dead(store: JobStore, job_id: str, at: float, code: str = "timeout", owner: str = "") -> Job:
    new = job(job_id, owner=owner)
    await stored(store, new)
    claimed = new.claimed(after(0))
    return await moved(store, new, claimed, claimed.dead_lettered(failure(code), after(at)))
