# syntax=docker/dockerfile:1
ARG PYTHON_IMAGE=python:3.12-slim

# Dependencies into a virtual environment of their own: this layer changes only with the lock.
FROM ${PYTHON_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock /
# --no-deps: the lock is complete, and both rapidocr wheels would pull the GUI build of OpenCV.
# --ignore-requires-python: rapidocr-onnxruntime says <3.13, but runs on 3.13.
COPY deploy/image/trim.py /build/
# Languages in other scripts, by the names of Tesseract's data: "rus ukr ell". Empty: none, and no Tesseract (34 MB).
ARG TESSERACT_LANGUAGES=""
RUN pip --python /opt/venv/bin/python install --only-binary :all: --no-compile --no-deps --require-hashes \
        --ignore-requires-python -r requirements.lock \
    && if [ -z "${TESSERACT_LANGUAGES}" ]; then pip --python /opt/venv/bin/python uninstall --yes tesserocr; fi \
    && python /build/trim.py /opt/venv

# What is in the image, for those who have to know: /srv/sbom.cdx.json (CycloneDX).
FROM dependencies AS bill
COPY deploy/image/sbom.lock /build/
RUN python -m venv /build/tools \
    && /build/tools/bin/pip install --only-binary :all: --require-hashes -r /build/sbom.lock \
    && /build/tools/bin/cyclonedx-py environment --output-reproducible --output-file /sbom.cdx.json /opt/venv/bin/python

# The service beside them, everything that it loads compiled: the root file system may then be read-only.
FROM dependencies AS service
WORKDIR /srv
COPY app app
COPY ocr_engine ocr_engine
COPY persistence persistence
COPY config config
COPY samples samples
COPY LICENSE .
COPY deploy/image/compile.py /build/
RUN /opt/venv/bin/python /build/compile.py /compiled

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Smart Queue OCR" \
      org.opencontainers.image.description="A self-hosted, asynchronous OCR REST service that never loses a job" \
      org.opencontainers.image.licenses="Apache-2.0"
ARG TESSERACT_LANGUAGES=""
RUN if [ -n "${TESSERACT_LANGUAGES}" ]; then \
        apt-get update --quiet --quiet \
        && apt-get install --quiet --quiet --yes --no-install-recommends \
            $(for name in ${TESSERACT_LANGUAGES}; do echo "tesseract-ocr-${name}" | tr _ -; done) \
        && rm -rf /var/lib/apt/lists/*; \
    fi
RUN groupadd --gid 10001 ocr \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /data --shell /usr/sbin/nologin ocr \
    && install -d -o 10001 -g 10001 -m 0750 /data
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=service /srv /srv
COPY --from=service /compiled /
COPY --from=bill /sbom.cdx.json /srv/
WORKDIR /srv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATABASE_URL=sqlite:////data/jobs.db \
    OCR_CACHE_DIR=/data/graphs
# The graphs are made for the processor that runs them, so at the first start (about 3 s) and not while building.
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# http.client and not urllib: a proxy in the environment must not be asked for 127.0.0.1.
# 401 passes: under PROTECT_HEALTH the check has no key, and can only tell that the service answers.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-ISc", "import os, http.client as h; c = h.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/health/ready'); raise SystemExit(c.getresponse().status not in (200, 401))"]
ENTRYPOINT ["python", "-m", "app"]
