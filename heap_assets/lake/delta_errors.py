"""What goes wrong in Delta, as one error that names the place and the next step.

Here: from deltalake's exceptions to a LakeError. Not here: what S3 refuses to boto3 (aws/refusals.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import DeltaError, TableNotFoundError

from heap_assets.errors import LakeError


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Turn what Delta raises into a ``LakeError``; that there is no table yet stays what it is."""
    try:
        yield
    except TableNotFoundError:
        raise
    except (DeltaError, OSError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)  # Delta's kernel adds its own trace
        raise LakeError(f"{address}: {said}; check the lake's place and the rights on it, then sync again") from error
