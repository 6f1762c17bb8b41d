"""The lock of a lake in S3: an object that only conditional puts change, renewed while its holder lives.

It is held by whoever wrote it last, until that one has not renewed it for ``LEASE`` by the server's clock: the clocks
of two machines are never compared. A holder that slept meanwhile finds out before it writes. The object stays for good.
Here: taking, renewing, losing. Not here: waiting (lock.py), what is written under it (storage.py).
"""

import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from pydantic import TypeAdapter, ValidationError

from heap_assets.aws.refusals import explained
from heap_assets.errors import LakeError, ObjectMissingError, SourceError
from heap_assets.lake.locking.holder import Holder, this_process

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LEASE: Final = timedelta(seconds=60)
_REFUSED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "NotModified"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lease:
    """What the object says; ``written`` is another each time, so that no two contents have one ETag."""

    holder: Holder
    held: bool
    written: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    lease: _Lease | None
    etag: str
    age: timedelta


_DOCUMENT = TypeAdapter(_Lease)


class S3Lease:
    """A lock in S3."""

    pause = 1.0

    def __init__(self, client: "S3Client", bucket: str, key: str, *, place: str, lease: timedelta = LEASE) -> None:
        self.place, self.others = place, True
        self._client, self._bucket, self._key, self._seconds = client, bucket, key, lease.total_seconds()
        self._me = this_process()
        self._etag: str | None = None
        self._lost = self._proved = False
        self._renewed = 0.0
        self._renewing = threading.Lock()
        self._stop = threading.Event()

    def try_acquire(self, what: str) -> Holder | None:
        """Take the lease, or return who holds it."""
        found = self._read()
        holder = self._holding(found)
        if holder is not None and holder.key != self._me.key:
            return holder
        before = "" if found is None or found.lease is None else found.lease.holder.key
        self._me = replace(self._me, since=datetime.now(UTC), what=what)
        began = _awake()
        etag = self._put(_unchanged(found), held=True)
        if etag is None:
            found = self._read()
            holder = self._holding(found)
            if holder is None or holder.key != self._me.key:  # somebody was quicker
                return holder or Holder()
            etag = found.etag if found else None  # the answer to our put was lost
        self._refuse_stores_without_conditions()
        self.others = before != self._me.key
        self._etag, self._renewed, self._lost = etag, began, False
        self._stop = threading.Event()
        threading.Thread(target=self._keep_renewing, args=(self._stop,), name="heap-lease", daemon=True).start()
        return None

    def holder(self) -> Holder | None:
        """Return who holds the lease."""
        return self._holding(self._read())

    def check(self) -> None:
        """Raise a ``LakeError`` if the lease is not ours for certain."""
        if self._etag is not None and _awake() - self._renewed > self._seconds / 2:
            self._renew()
        if self._lost or (self._etag is not None and _awake() - self._renewed > self._seconds):
            raise LakeError(
                f"{self.place}: this process has lost the lake's lock: it stood still or could not reach S3 for longer"
                f" than {self._seconds:.0f} s, and another sync may be at work. It writes nothing more; sync again."
            )

    def release(self) -> None:
        """Let the next one have it; if S3 cannot be reached, the lease runs out."""
        self._stop.set()
        with self._renewing:
            etag, self._etag, self._lost = self._etag, None, False
            if etag is not None:
                with suppress(SourceError):
                    self._put({"IfMatch": etag}, held=False)

    def discard(self) -> None:
        """Delete the object."""
        self._stop.set()
        with self._renewing:
            self._etag = None
            with suppress(SourceError), explained(self.place):
                self._client.delete_object(Bucket=self._bucket, Key=self._key)

    def _holding(self, found: _Found | None) -> Holder | None:
        lease = None if found is None else found.lease
        if (
            found is None
            or lease is None
            or not lease.held
            or lease.holder.is_gone()
            or found.age.total_seconds() > self._seconds
        ):
            return None
        return lease.holder

    def _keep_renewing(self, stop: threading.Event) -> None:
        while not stop.wait(self._seconds / 6):
            self._renew()
            if self._lost:
                return

    def _renew(self) -> None:
        """Renew the lease, or find out that another holds it; if S3 cannot be asked, nothing is known."""
        with self._renewing:
            if self._etag is None or self._lost:
                return
            began = _awake()
            with suppress(SourceError):
                etag = self._put({"IfMatch": self._etag}, held=True)
                if etag is None:
                    found = self._read()
                    if found is not None and found.lease is not None and found.lease.holder.key == self._me.key:
                        etag = self._put({"IfMatch": found.etag}, held=True)  # the answer to a put of ours was lost
                self._lost = etag is None
                if etag is not None:
                    self._etag, self._renewed = etag, began

    def _read(self) -> _Found | None:
        try:
            with explained(self.place):
                answer = self._client.get_object(Bucket=self._bucket, Key=self._key)
                content = answer["Body"].read()
        except ObjectMissingError:
            return None
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        try:
            lease = _DOCUMENT.validate_json(content)
        except ValidationError:
            lease = None
        return _Found(lease=lease, etag=answer["ETag"], age=now - answer["LastModified"])

    def _put(self, condition: Mapping[str, Any], *, held: bool) -> str | None:
        """Put the object on a condition and return its ETag; None if the condition does not hold."""
        lease = _Lease(holder=self._me, held=held, written=uuid.uuid4().hex)
        content = _DOCUMENT.dump_json(lease)
        bare: Mapping[str, Any] = {name: value.strip('"') for name, value in condition.items()}
        with explained(self.place):
            for said in (condition, bare):  # Ceph 16 compares an ETag without the quotes that it sends it in
                try:
                    return self._client.put_object(Bucket=self._bucket, Key=self._key, Body=content, **said)["ETag"]
                except ClientError as error:
                    code = error.response.get("Error", {}).get("Code")
                    if code == "NotImplemented":
                        raise self._without_conditions() from error
                    if code not in _REFUSED:
                        raise
        return None

    def _refuse_stores_without_conditions(self) -> None:
        """Try once what must be refused: a store that ignores conditions would let two syncs write at a time."""
        if not self._proved and self._put({"IfNoneMatch": "*"}, held=True) is not None:
            raise self._without_conditions()
        self._proved = True

    def _without_conditions(self) -> LakeError:
        return LakeError(
            f"{self.place}: this S3 store does not know conditional writes (If-None-Match, If-Match), so that it cannot"
            " keep two syncs apart. Put the lake into a store that does, such as AWS S3 or Ceph, or into a folder."
        )


def _unchanged(found: _Found | None) -> dict[str, str]:
    """Return the condition that nobody has written since this was found."""
    return {"IfNoneMatch": "*"} if found is None else {"IfMatch": found.etag}


def _awake() -> float:
    """Return seconds of a clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
