"""Every setting of the service: one frozen Struct, which `environment.py` reads once."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from config.kinds import LANGUAGE_TAGS, YEAR_SECONDS, Count, Natural, NonEmpty, Port, Seconds, Share

LEASE_SECONDS = 6.0
"""Default of QUEUE_LEASE_SECONDS. Heartbeats come at half of it: a node that stands still for the other half keeps its
jobs, and those of a dead one are at work again within seconds."""


class SettingsError(Exception):
    """One or more environment variables are wrong; `faults` names every one of them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Settings(Struct, frozen=True, kw_only=True):
    """What an operator decides. The environment variable has the field's name in capitals."""

    host: Annotated[NonEmpty, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on; 0 takes a free one.")] = 8000
    database_url: Annotated[
        NonEmpty,
        Meta(
            description="Where jobs live: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db`, or "
            "`postgresql://user:password@host/database`, which several nodes may share (docs/cluster.md)."
        ),
    ] = "sqlite:///data/jobs.db"
    image_store_url: Annotated[
        str,
        Meta(
            description="Where images wait: `s3://bucket/prefix`, `gs://…`, `az://…` or `file:///folder` (extra "
            "`objects`, docs/cluster.md). Empty: in the database."
        ),
    ] = ""
    role: Annotated[
        Literal["all", "api", "worker"],
        Meta(description="What a node on PostgreSQL does: `all`; `api`: no OCR; `worker`: no uploads, no page."),
    ] = "all"
    node_name: Annotated[
        str,
        Meta(description="What a node on PostgreSQL calls itself, no two alike. Empty: host and process id."),
    ] = ""
    queue_lease_seconds: Annotated[
        float,
        Meta(
            ge=1,
            le=YEAR_SECONDS,
            description="On PostgreSQL: silence of a node after which others take over the jobs that it had.",
        ),
    ] = LEASE_SECONDS

    max_workers: Annotated[
        int,
        Meta(
            ge=1,
            le=1024,
            description="OCR processes. `auto`: one a CPU that the process may use, as far as memory reaches.",
        ),
    ] = 1
    queue_limit: Annotated[
        Count, Meta(description="Pages that may wait; above that an upload is answered 503 with Retry-After.")
    ] = 10_000
    max_waiting_bytes: Annotated[
        Count, Meta(description="Bytes of images that may wait, all together; above that 503 with Retry-After.")
    ] = 4_000_000_000
    max_incoming_bytes: Annotated[
        Count,
        Meta(description="Bytes of uploads under way, half of them for one client; above that 503 with Retry-After."),
    ] = 512_000_000
    min_free_disk_bytes: Annotated[
        Natural,
        Meta(
            description="Uploads are refused with 507 while the store's disk has less room than this; "
            "looked at once a second where there is more than twice as much."
        ),
    ] = 500_000_000
    min_free_memory_bytes: Annotated[
        Natural,
        Meta(
            description="Uploads are refused with 503 while less memory than this can be had; "
            "looked at once a second where there is more than twice as much."
        ),
    ] = 200_000_000
    max_image_bytes: Annotated[Count, Meta(description="Largest upload in bytes; above that 413.")] = 200_000_000
    max_image_pixels: Annotated[
        Count,
        Meta(
            description="Largest page in pixels (width times height); above that 413, or, where it is a later page of "
            "a TIFF or a page of a PDF, a failed page."
        ),
    ] = 64_000_000
    max_image_pages: Annotated[
        int,
        # the probe looks at no more directories than that
        Meta(
            ge=1,
            le=2000,
            description="Most pages of a TIFF or PDF, up to 2000; above that 413, or, of a PDF, a dead letter.",
        ),
    ] = 2000
    input_url_hosts: Annotated[
        str,
        Meta(
            description="Hosts or networks, with commas between, that clients may have files fetched from, also "
            "private ones and by plain HTTP; `*`: any public HTTPS address. Empty: nothing is fetched."
        ),
    ] = ""
    max_batch_files: Annotated[
        int,
        Meta(ge=1, le=100_000, description="Most files of a batch, those in ZIPs counted one by one; above that 413."),
    ] = 1000
    max_batch_bytes: Annotated[
        Count, Meta(description="Most bytes of a batch's files, all together, sent and unpacked; above that 413.")
    ] = 500_000_000
    batch_timeout_seconds: Annotated[
        Seconds, Meta(description="Longest time a client may take to send a batch; then 408.")
    ] = 600.0
    upload_timeout_seconds: Annotated[
        Seconds, Meta(description="Longest time a client may take to send a body; then 408.")
    ] = 60.0

    max_wait_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=YEAR_SECONDS,
            description="Longest time that a request waits for a job's end on `Prefer: wait=N` or `?wait=N`.",
        ),
    ] = 30

    job_timeout_seconds: Annotated[
        Seconds,
        Meta(description="Most CPU seconds for a page, and five times that by the clock; then its process is killed."),
    ] = 120.0
    max_attempts: Annotated[Count, Meta(description="Attempts before a failing job becomes a dead letter.")] = 3
    retry_base_seconds: Annotated[
        Seconds,
        Meta(description="Wait before the second attempt; doubles with each further one, with jitter."),
    ] = 2.0
    retry_max_seconds: Annotated[Seconds, Meta(description="Longest wait between two attempts.")] = 300.0
    worker_max_jobs: Annotated[
        Count, Meta(description="Images after which an OCR process is recycled, its successor warm before it goes.")
    ] = 10_000
    worker_max_memory_bytes: Annotated[
        Count, Meta(description="Resident memory above which an OCR process is recycled.")
    ] = 1_000_000_000
    worker_address_space_bytes: Annotated[
        Count, Meta(description="Most that an OCR process may map (RLIMIT_AS): a decoder's excess ends its job.")
    ] = 8_000_000_000
    start_timeout_seconds: Annotated[
        Seconds, Meta(description="Longest start of one OCR process, models loaded and a line recognised.")
    ] = 120.0
    drain_seconds: Annotated[
        Seconds, Meta(description="At a stop: how long running jobs may finish before they are put back.")
    ] = 30.0

    keep_finished_days: Annotated[
        float,
        # beyond the beginning of the calendar there is no moment before which jobs could have ended
        Meta(
            ge=0,
            le=365_000,
            description="Days after which `done` and cancelled jobs are deleted (410), texts and all; 0: never.",
        ),
    ] = 30.0

    keep_uploads_hours: Annotated[
        float,
        Meta(
            ge=0,
            le=87_600,
            description="Hours for which an upload stays after its job is done, for searchable PDFs and pictures of "
            "its pages, where the job does not ask for another time (`keep_upload`); fewer while the disk is short. 0: "
            "dropped at the end.",
        ),
    ] = 24.0

    max_keep_uploads_hours: Annotated[
        float,
        Meta(
            ge=0,
            le=87_600,
            description="Most hours that a job may ask for by `keep_upload`, if more than `KEEP_UPLOADS_HOURS`. 0: no "
            "job's upload stays longer than that.",
        ),
    ] = 168.0

    ocr_model: Annotated[
        Literal["ppocr-v6", "ppocr-v6-tiny", "ppocr-v4"],
        Meta(description="Models: `ppocr-v6`; `ppocr-v6-tiny`: the fast mode (extra `tiny`); `ppocr-v4`."),
    ] = "ppocr-v6"
    ocr_detection_model: Annotated[
        str, Meta(description="Path of another detection model (.onnx, PP-OCR family). Empty: that of `OCR_MODEL`.")
    ] = ""
    ocr_recognition_model: Annotated[
        str, Meta(description="Path of another recognition model, for other languages. Empty: that of `OCR_MODEL`.")
    ] = ""
    ocr_angle_model: Annotated[
        str, Meta(description="Path of another classifier of upside-down lines. Empty: that of `OCR_MODEL`.")
    ] = ""
    ocr_characters: Annotated[
        str, Meta(description="Path of the recognition model's characters, one a line. Empty: the model's own list.")
    ] = ""
    ocr_cache_dir: Annotated[
        str, Meta(description="Folder of optimised graphs; one goes after 90 days unused. Empty: the user's own cache.")
    ] = ""
    ocr_backend: Annotated[
        Literal["auto", "onnxruntime", "openvino"],
        Meta(
            description="Runtime: `onnxruntime`; `openvino` (extra `openvino`); `auto`: the latter where it is "
            "installed, computes in bfloat16 and was faster in a trial at the first start."
        ),
    ] = "auto"
    ocr_int8: Annotated[
        bool,
        Meta(
            description="Read lines in 8-bit integers first where the processor is made for that, which takes half the "
            "time, and anew in float32 where in doubt. `false`: all in float32."
        ),
    ] = True
    ocr_min_confidence: Annotated[
        Share,
        Meta(description="Lines read with less confidence are flagged and left out of `text`."),
    ] = 0.5

    ocr_reading_order: Annotated[
        Literal["columns", "rows", "none"],
        Meta(
            description="`columns`: one after the other where a page has them, as people read; `rows`: row by row; "
            "`none`: each line that was found by itself, from the top down."
        ),
    ] = "columns"
    ocr_languages: Annotated[
        str,
        Meta(
            pattern=LANGUAGE_TAGS,
            description="Languages of the pages, as BCP 47 tags with commas between: `de,fr,pt-BR`. Empty: told by "
            "what is read. Where a letter or a space is in doubt, only theirs are chosen.",
        ),
    ] = ""
    ocr_tesseract_data: Annotated[
        str,
        Meta(
            description="Folder of Tesseract's data, with which other scripts are read (extra `tesseract`). Empty: "
            "where Debian's packages put it; `none`: they are not read."
        ),
    ] = ""
    ocr_model_packs: Annotated[
        str, Meta(description="Folder of recognisers of other scripts with their `packs.json`. Empty: there is none.")
    ] = ""
    health_interval_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=YEAR_SECONDS,
            description="How often the service reads the sample by itself, for the metrics; 0: when asked.",
        ),
    ] = 0.0
    health_cache_seconds: Annotated[Seconds, Meta(description="How long `/health/ai` repeats its last answer.")] = 10.0
    health_timeout_seconds: Annotated[
        Seconds,
        Meta(description="Longest wait of `/health/ai` for its sample; then it is `failing`."),
    ] = 60.0
    health_good_similarity: Annotated[
        Share, Meta(description="Text similarity of the sample from which `/health/ai` is `good`.")
    ] = 0.95
    health_acceptable_similarity: Annotated[
        Share, Meta(description="Text similarity of the sample from which `/health/ai` is `acceptable`.")
    ] = 0.85
    health_min_similarity: Annotated[
        Share, Meta(description="Text similarity of the sample below which `/health/ai` is `failing`.")
    ] = 0.6
    health_good_confidence: Annotated[
        Share, Meta(description="Mean confidence of the sample from which `/health/ai` is `good`.")
    ] = 0.85
    health_acceptable_confidence: Annotated[
        Share, Meta(description="Mean confidence of the sample from which `/health/ai` is `acceptable`.")
    ] = 0.7
    health_min_confidence: Annotated[
        Share, Meta(description="Mean confidence of the sample below which `/health/ai` is `failing`.")
    ] = 0.4
    health_good_latency_seconds: Annotated[
        Seconds, Meta(description="Latency of the sample above which `/health/ai` is `acceptable` at best.")
    ] = 5.0

    api_keys_file: Annotated[
        str,
        Meta(description="File of API keys, `name:sha256` a line (see Access). Empty: no key is asked for."),
    ] = ""
    protect_health: Annotated[bool, Meta(description="Ask for a key on `/health/*` too.")] = False
    protect_metrics: Annotated[bool, Meta(description="Ask for a key on `/metrics`, `/queue` and its history too.")] = (
        False
    )
    uploads_per_minute: Annotated[
        Natural,
        Meta(description="Uploads and requeues a minute and client (key, or address without keys); 0: no limit."),
    ] = 0
    reads_per_minute: Annotated[
        Natural,
        Meta(
            description="Other requests a minute and client; 0: no limit. Health, `/metrics` and `/queue` are never "
            "counted."
        ),
    ] = 0
    max_jobs_per_key: Annotated[
        Natural,
        Meta(description="Jobs of one key that may be unfinished, requeued ones too; above that 429. 0: no limit."),
    ] = 0
    webhook_secrets: Annotated[
        str,
        Meta(
            description="Secrets, `whsec_…` with commas between; each of them signs every webhook (`uv run "
            "python -m app webhook-secret` makes one). Empty: nobody is called, but for keys with secrets of their own."
        ),
    ] = ""
    webhook_secrets_file: Annotated[
        str, Meta(description="File of such secrets, one a line; read again when it changes.")
    ] = ""
    webhook_allowed_hosts: Annotated[
        str,
        Meta(
            description="Hosts, with commas between, each with or without a port, that webhooks may reach though they "
            "are private, and by plain HTTP; networks (`10.0.0.0/8`) as well. Empty: public HTTPS addresses only."
        ),
    ] = ""
    webhook_timeout_seconds: Annotated[
        float,
        Meta(gt=0, le=600, description="Longest wait for the answer to a webhook; then it is tried again later."),
    ] = 15.0
    public_url: Annotated[
        str, Meta(description="Where clients reach this service, for links in webhooks. Empty: paths only.")
    ] = ""
    cors_origins: Annotated[
        str,
        Meta(
            description="Origins, as `https://host:port`, with commas between, whose pages may call the API; `*`: all. "
            "Empty: none."
        ),
    ] = ""

    otel_exporter_otlp_endpoint: Annotated[
        str,
        Meta(description="Base URL of an OTLP/HTTP collector for traces (extra `otel`). Empty: nothing is traced."),
    ] = ""
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Meta(description="Least level that is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`."),
    ] = "INFO"
    log_format: Annotated[
        Literal["json", "console"], Meta(description="`json`: one object a line; `console`: for people.")
    ] = "json"
