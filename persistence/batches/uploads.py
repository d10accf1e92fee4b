"""The uploads of a batch, each taken up where it is stored: what is small was gathered in files until then."""

from persistence.store import StoreError
from persistence.upload import Upload


def at_hand(upload: Upload) -> Upload:
    """See Upload.in_one_place. Raises StoreError."""
    try:
        return upload.in_one_place()
    except OSError as error:
        raise StoreError(f"an upload cannot be read again: {error.strerror}") from error
