"""The pages that the `type` of a problem leads to: what the error means, and what to do about it."""

from collections.abc import Mapping
from html import escape
from types import MappingProxyType

from app.http.problems import ERRORS
from app.http.responses.static import Prepared, prepare

ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "malformed_request": "Compare the request with /docs; `detail` names what is wrong with it.",
        "unknown_parameter": "`detail` names what is not known, and what is taken. Nothing was kept of the upload.",
        "digest_mismatch": "The body changed on its way, or the digest is of something else. Send it again.",
        "missing_file": "Send the image as the multipart part `file`, or as the body itself.",
        "unauthorized": "Send the key as X-API-Key, or as Authorization: Bearer. It may have expired, or been revoked.",
        "forbidden": "The key's scope does not allow this; the operator of the service gives keys their scopes.",
        "url_not_allowed": "Send the file itself; the operator says in INPUT_URL_HOSTS where files are fetched from.",
        "url_unreachable": "`detail` says what went wrong. Send the file itself, or try again later.",
        "not_found": "Compare the address with /docs.",
        "job_not_found": "The id is unknown, or the job is another key's.",
        "delivery_not_found": "GET /images/{id}/deliveries lists those of a job.",
        "callback_refused": "Give an https:// URL of a public host; for others the operator has WEBHOOK_ALLOWED_HOSTS.",
        "webhooks_off": "The operator sets WEBHOOK_SECRETS; until then leave `callback_url` out.",
        "method_not_allowed": "The answer's Allow header names the methods that there are.",
        "upload_timeout": "Send it again over a faster connection; UPLOAD_TIMEOUT_SECONDS is the operator's.",
        "not_a_dead_letter": "Only jobs that were given up can be requeued or deleted here. Look at its `status`.",
        "already_ended": "There is nothing left to cancel; its `status` says how it ended.",
        "request_in_flight": "Wait for as long as Retry-After says and send it again with the same key.",
        "job_gone": "It was deleted, or has expired. Upload the image again.",
        "batch_not_found": "The id is unknown, or the batch is another key's.",
        "batch_gone": "It was deleted, or all its jobs have expired. Send the files again.",
        "archive_too_large": "Send the files in several ZIPs; /capabilities tells the limits. Nothing was kept.",
        "too_many_files": "Send the files in several batches; /capabilities tells the limits. Nothing was kept.",
        "invalid_archive": "Pack the files anew, with deflate and without encryption; a ZIP in a ZIP is not unpacked.",
        "image_too_large": "Send a smaller file; /capabilities tells the limits.",
        "too_many_pixels": "Scale the page down; /capabilities tells the limits.",
        "too_many_pages": "Send fewer pages at a time; /capabilities tells the limits.",
        "unsupported_media_type": "Save it as PNG, JPEG or PDF; /capabilities tells the kinds that are read.",
        "invalid_image": "The file is damaged or cut off. Sending it again unchanged does not help.",
        "invalid_document": "The file is damaged or cut off. Sending it again unchanged does not help.",
        "page_too_costly": "Print the page to a picture, or flatten it; of a file with many such, send the rest alone.",
        "password_required": "Send the document without encryption, or with the right password.",
        "idempotency_key_reused": "Use a new key for each upload, and the same one only to send the same file again.",
        "rate_limited": "Wait for as long as Retry-After says; RateLimit tells what is left.",
        "quota_exceeded": "Wait until jobs of this key have ended; Retry-After says when that may be.",
        "internal": "A fault of the service; its log has the request id. Trying again may help.",
        "too_many_streams": "Close event streams that are not needed, or ask for jobs one by one.",
        "queue_full": "Wait for as long as Retry-After says and send it again. Nothing was kept.",
        "overloaded": "Wait for as long as Retry-After says and send it again. Nothing was kept.",
        "stopping": "Wait for as long as Retry-After says and send it again. Nothing was kept.",
        "store_unavailable": "Try again after Retry-After; the operator finds the reason in the log.",
        "storage_full": "The operator has to make room on the disk. Nothing was kept.",
        "pool_unavailable": "Try again later; the operator finds the reason in the log.",
        "timeout": "The page took longer than JOB_TIMEOUT_SECONDS each time. A smaller version may work.",
        "worker_crashed": "Reading it ended its process each time. The operator finds more in the log.",
        "engine_error": "Requeue it; if it fails again, the operator finds the reason in the log.",
        "not_acceptable": "Ask for one of the formats that /docs names, in Accept or as `format`.",
        "result_unfinished": "Ask again later, or for the pages that are read.",
        "no_result": "The job failed or was cancelled; its `status` and `error` say why.",
        "no_such_page": "The job's `pages_total` says how many pages the file has.",
        "out_of_memory": "A smaller version may work; the operator may give workers more memory.",
        "image_missing": "The stored upload is gone. Send it again.",
    }
)

NO_ADVICE = "The `detail` of the answer says what is meant; /docs describes the request."


def problem_page(code: str) -> Prepared | None:
    """The page of the code; None where there is no such code."""
    kind = ERRORS.get(code)
    if kind is None:
        return None
    words = f"<p>{_marked(ADVICE.get(code, NO_ADVICE))}</p><p><code>{code}</code>, HTTP status {kind.status}</p>"
    return _page(kind.title, words + '<p><a href="../problems">All problems</a></p>')


def all_problems() -> Prepared:
    """The page that leads to all of them."""
    rows = "".join(
        f'<tr><td><a href="problems/{code}">{code}</a></td><td>{kind.status}</td><td>{escape(kind.title)}</td></tr>'
        for code, kind in ERRORS.items()
    )
    return _page("Problems", f"<table><tr><th>Code<th>Status<th>Meaning</tr>{rows}</table>")


def _page(title: str, body: str) -> Prepared:
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return prepare(f"{head}<title>{escape(title)}</title><h1>{escape(title)}</h1>{body}</html>\n".encode(), "text/html")


def _marked(text: str) -> str:
    """Every second piece between back-ticks is code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
