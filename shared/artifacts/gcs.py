"""Objects in a bucket of Google Cloud Storage, by google-cloud-storage, whose calls block: each in a thread.

Credentials are the client's own (application default); STORAGE_EMULATOR_HOST sends it to a test server. As
with S3, the bucket must be there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from shared.artifacts.port import CALL_SECONDS, CHECK_SECONDS, PARTS_OVER, ObjectFacts, StoredObject
from shared.artifacts.retry import ATTEMPT_SECONDS, TransientError, repeated
from shared.errors import StoreUnavailableError
from shared.ids import new_id

T = TypeVar("T")

_THREADS = 16
_TIMEOUT = (3.0, ATTEMPT_SECONDS)
_PAGE = 1000
_UPLOAD = "upload"


class GcsObjectStore:
    """`ObjectStore` and `SignsUrls` on one bucket; makes its client at the first call."""

    def __init__(self, *, bucket: str, project: str | None = None) -> None:
        self._bucket = bucket
        self._project = project
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="gcs")
        self._lock = threading.Lock()
        self._opened: Any = None

    async def put(self, *, object_key: str, data: bytes, about: ObjectFacts | None = None) -> bool:
        about = about or ObjectFacts()
        about = replace(about, facts={**about.facts, _UPLOAD: new_id()})
        large = len(data) > PARTS_OVER

        async def put(attempt: int) -> bool:
            return await self._call(lambda client: self._put(client, object_key, data, about, attempt))

        return await repeated(put, attempt_seconds=CALL_SECONDS if large else None)

    async def get(self, *, object_key: str) -> bytes | None:
        async def get(_: int) -> bytes | None:
            return await self._call(lambda client: self._get(client, object_key))

        return await repeated(get)

    async def delete(self, *, object_key: str) -> None:
        async def delete(_: int) -> None:
            await self._call(lambda client: self._delete(client, object_key))

        await repeated(delete)

    async def list_objects(self, *, folder: str = "") -> AsyncIterator[StoredObject]:
        prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
        token: str | None = None
        while True:
            found, token = await self._list_page(prefix, token)
            for item in found:
                yield item
            if token is None:
                return

    async def check(self) -> None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._call(self._check)
        except (TransientError, TimeoutError) as error:
            word = str(error) or "timeout"
            raise StoreUnavailableError(
                f"the artifact store did not answer ({word})", retry_after=2
            ) from None

    async def sign_url(self, *, object_key: str, lifetime: timedelta) -> str:
        async def sign(_: int) -> str:
            return await self._call(
                lambda client: _sign(client.bucket(self._bucket).blob(object_key), lifetime)
            )

        return await repeated(sign)

    async def close(self) -> None:
        """Closes the client's connections and lets its threads end."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()
        self._threads.shutdown(wait=False)

    async def _call(self, work: Callable[[Any], T]) -> T:
        """What `work` answers in a thread of ours; its failures as TransientError or ours."""

        def mapped() -> T:
            try:
                return work(self._client())
            # The border of the vendor: whatever its layers raise becomes an error of ours.
            except Exception as error:  # noqa: BLE001
                raise _ours(error) from None

        return await asyncio.get_running_loop().run_in_executor(self._threads, mapped)

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = _connect(self._project)
            return self._opened

    async def _list_page(self, prefix: str, token: str | None) -> tuple[list[StoredObject], str | None]:
        async def page(_: int) -> tuple[list[StoredObject], str | None]:
            return await self._call(lambda client: self._page(client, prefix, token))

        return await repeated(page)

    def _put(self, client: Any, object_key: str, data: bytes, about: ObjectFacts, attempt: int) -> bool:
        from google.api_core.exceptions import NotFound, PreconditionFailed

        blob = client.bucket(self._bucket).blob(object_key)
        # Asked first, so that a large body is not sent for nothing; the condition below decides.
        if len(data) > PARTS_OVER and blob.exists(timeout=_TIMEOUT, retry=None):
            return self._is_ours(client, object_key, about)
        blob.metadata = dict(about.facts)
        # What users upload is never shown as a page where the bucket is served.
        blob.content_disposition = "attachment"
        if about.content_encoding:
            blob.content_encoding = about.content_encoding
        try:
            # In parts (a resumable upload) when it is over 8 MiB: the library's own threshold.
            blob.upload_from_string(
                data,
                content_type=about.content_type,
                if_generation_match=0,
                timeout=_TIMEOUT,
                retry=None,
                checksum="crc32c",
            )
        except PreconditionFailed:
            # An attempt before this one may have arrived although its answer did not.
            return attempt > 0 and self._is_ours(client, object_key, about)
        except NotFound:
            raise self._no_bucket() from None
        return True

    def _is_ours(self, client: Any, object_key: str, about: ObjectFacts) -> bool:
        found = client.bucket(self._bucket).get_blob(object_key, timeout=_TIMEOUT, retry=None)
        return found is not None and (found.metadata or {}).get(_UPLOAD) == about.facts[_UPLOAD]

    def _get(self, client: Any, object_key: str) -> bytes | None:
        from google.api_core.exceptions import NotFound

        blob = client.bucket(self._bucket).blob(object_key)
        try:
            # As it is stored: the frame is checked and opened by us.
            data: bytes = blob.download_as_bytes(raw_download=True, timeout=_TIMEOUT, retry=None)
        except NotFound:
            self._check(client)
            return None
        return data

    def _delete(self, client: Any, object_key: str) -> None:
        from google.api_core.exceptions import NotFound

        try:
            client.bucket(self._bucket).blob(object_key).delete(timeout=_TIMEOUT, retry=None)
        except NotFound:
            self._check(client)

    def _check(self, client: Any) -> None:
        """Returns when the bucket is there and may be listed."""
        self._page(client, "check/", None, size=1)

    def _page(
        self, client: Any, prefix: str, token: str | None, size: int = _PAGE
    ) -> tuple[list[StoredObject], str | None]:
        from google.api_core.exceptions import NotFound

        blobs = client.list_blobs(
            self._bucket,
            prefix=prefix or None,
            page_token=token,
            page_size=size,
            timeout=_TIMEOUT,
            retry=None,
        )
        try:
            page = next(blobs.pages, ())
        except NotFound:
            raise self._no_bucket() from None
        found = [StoredObject(object_key=b.name, size=b.size, modified_at=b.updated) for b in page]
        return found, blobs.next_page_token

    def _no_bucket(self) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"there is no bucket {self._bucket!r}: make it, or set ARTIFACT_BUCKET", retry_after=30
        )


def _connect(project: str | None) -> Any:
    # The package has no type marker; mypy words that by what else it reads.
    from google.cloud import storage  # type: ignore[attr-defined,import-untyped,unused-ignore]
    from requests.adapters import HTTPAdapter

    client = storage.Client(project=project)
    # It asks for the bucket itself in threads of its own, for traces that nobody takes: a right that reading
    # and writing objects does not need.
    client._bucket_metadata_cache = None
    # A connection a thread; with the default of ten the others are made and thrown away at each call.
    for scheme in ("https://", "http://"):
        client._http.mount(scheme, HTTPAdapter(pool_maxsize=_THREADS))
    return client


def _sign(blob: Any, lifetime: timedelta) -> str:
    """A V4 URL, signed by the credentials' own key or, where they have none, by the IAM service."""
    from google.auth.credentials import Signing
    from google.auth.transport.requests import Request

    credentials = blob.client._credentials
    arguments: dict[str, Any] = {}
    if not isinstance(credentials, Signing):
        email = getattr(credentials, "service_account_email", None)
        if email is None:
            raise StoreUnavailableError("this process has no key that signs URLs")
        credentials.refresh(Request())
        arguments = {
            "service_account_email": credentials.service_account_email,
            "access_token": credentials.token,
        }
    signed: str = blob.generate_signed_url(version="v4", expiration=lifetime, method="GET", **arguments)
    return signed


def _ours(error: Exception) -> Exception:
    """A vendor's failure as one of ours; its text, which holds addresses, stays behind."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError

    if isinstance(error, StoreUnavailableError | TransientError):
        return error
    word = type(error).__name__
    if isinstance(error, GoogleAuthError) and not error.retryable:
        return StoreUnavailableError("the artifact store has no credentials that hold", retry_after=30)
    if isinstance(error, GoogleAPICallError) and not _may_pass(error.code):
        return StoreUnavailableError(f"the artifact store refused ({word})")
    return TransientError(word)


def _may_pass(status: int | None) -> bool:
    """Whether the same request may be taken another time."""
    return status is None or status >= 500 or status in (408, 409, 429)
