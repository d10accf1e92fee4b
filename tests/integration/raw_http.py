"""Requests as bytes, right ones and others: what no HTTP client would send."""

from samples import sample

PNG = sample("health").data
HOST = b"Host: x\r\n"


def post(headers: bytes, body: bytes = b"", path: bytes = b"/images") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body


def sized(body: bytes, content_type: bytes = b"image/png", more: bytes = b"") -> bytes:
    return post(b"Content-Type: %s\r\nContent-Length: %d\r\n%s" % (content_type, len(body), more), body)


def form(body: bytes, boundary: bytes = b"b", more: bytes = b"") -> bytes:
    return sized(body, b"multipart/form-data; boundary=" + boundary, more)


def part(disposition: bytes, content: bytes = PNG) -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + content + b"\r\n"


END = b"--b--\r\n"
