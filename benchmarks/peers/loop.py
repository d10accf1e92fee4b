"""A stock engine in a plain loop: `PYTHON loop.py MODULE` reads paths of images from stdin, a line each.

Runs under any Python in which MODULE (rapidocr_onnxruntime or rapidocr) is installed, so it imports nothing of ours.
"""

import importlib
import sys


def main() -> None:
    """Says `ready`, and then `ok` or the error for each image."""
    answers, sys.stdout = sys.stdout, sys.stderr  # some engines print
    engine = importlib.import_module(sys.argv[1]).RapidOCR()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        try:
            engine(line.rstrip("\n"))
            print("ok", file=answers, flush=True)
        except Exception as error:  # whatever a stock engine raises is its result
            print(repr(error), file=answers, flush=True)


if __name__ == "__main__":
    main()
