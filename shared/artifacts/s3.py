"""Objects in a bucket of S3, MinIO or another store that speaks its protocol, by obstore.

The bucket must be there: making one takes wider rights than this process should have, and a slip in its name
would make a second.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from shared.artifacts.port import CALL_SECONDS, CHECK_SECONDS, PARTS_OVER, ObjectFacts, StoredObject
from shared.artifacts.retry import ATTEMPT_SECONDS, ATTEMPTS, TransientError, repeated
from shared.errors import StoreUnavailableError
from shared.ids import new_id

if TYPE_CHECKING:
    from obstore.store import S3Store

T = TypeVar("T")

_PARTS_AT_ONCE = 4
_PAGE = 1000
_UPLOAD = "upload"
_REGION = re.compile(r"\.([a-z]{2}-[a-z-]+-\d)\.amazonaws\.com")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")


class S3ObjectStore:
    """`ObjectStore` and `SignsUrls` on one bucket; opens no connection before its first call."""

    def __init__(self, *, endpoint: str, bucket: str, access_key: str, secret_key: str) -> None:
        self._endpoint = endpoint
        self._bucket = bucket
        self._access_key = access_key
        self._secret_key = secret_key
        self._opened: S3Store | None = None

    async def put(self, *, object_key: str, data: bytes, about: ObjectFacts | None = None) -> bool:
        attributes = _attributes(about or ObjectFacts())
        if len(data) > PARTS_OVER:
            return await repeated(
                lambda _: self._put_parts(object_key, data, attributes), attempt_seconds=CALL_SECONDS
            )
        return await repeated(lambda attempt: self._put_whole(object_key, data, attributes, attempt))

    async def get(self, *, object_key: str) -> bytes | None:
        return await repeated(lambda _: self._get(object_key))

    async def delete(self, *, object_key: str) -> None:
        import obstore

        async def delete(_: int) -> None:
            try:
                await self._mapped(obstore.delete_async(self._store(), object_key))
            except FileNotFoundError:
                # Amazon answers 204, others 404.
                return

        await repeated(delete)

    async def list_objects(self, *, folder: str = "") -> AsyncIterator[StoredObject]:
        import obstore

        # The client itself repeats a page: from outside, a broken listing can only begin again.
        store = self._connect(retries=ATTEMPTS - 1)
        pages = obstore.list(store, prefix=folder.strip("/") or None, chunk_size=_PAGE)
        try:
            while True:
                async with asyncio.timeout(CALL_SECONDS):
                    page = await self._mapped(anext(pages))
                for item in page:
                    yield StoredObject(
                        object_key=item["path"], size=item["size"], modified_at=item["last_modified"]
                    )
        except StopAsyncIteration:
            return
        except (TransientError, TimeoutError) as error:
            raise _unavailable(error) from None

    async def check(self) -> None:
        import obstore

        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._mapped(obstore.list_with_delimiter_async(self._store(), prefix="check"))
        except (TransientError, TimeoutError) as error:
            raise _unavailable(error) from None

    async def sign_url(self, *, object_key: str, lifetime: timedelta) -> str:
        import obstore

        return await self._mapped(obstore.sign_async(self._store(), "GET", object_key, lifetime))

    async def close(self) -> None:
        """The client's connections go with it."""
        self._opened = None

    async def _put_whole(
        self, object_key: str, data: bytes, attributes: dict[str, str], attempt: int
    ) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            await self._mapped(
                obstore.put_async(
                    self._store(),
                    object_key,
                    data,
                    attributes=attributes,
                    mode="create",
                    use_multipart=False,
                )
            )
        except AlreadyExistsError:
            # An attempt before this one may have arrived although its answer did not.
            return attempt > 0 and await self._is_ours(object_key, attributes)
        return True

    async def _put_parts(self, object_key: str, data: bytes, attributes: dict[str, str]) -> bool:
        import obstore

        # Not every store takes a condition on the end of an upload in parts, and obstore sends none.
        try:
            await self._mapped(obstore.head_async(self._store(), object_key))
            return await self._is_ours(object_key, attributes)
        except FileNotFoundError:
            await self._mapped(
                obstore.put_async(
                    self._store(),
                    object_key,
                    data,
                    attributes=attributes,
                    use_multipart=True,
                    chunk_size=PARTS_OVER,
                    max_concurrency=_PARTS_AT_ONCE,
                )
            )
        return True

    async def _is_ours(self, object_key: str, attributes: dict[str, str]) -> bool:
        import obstore

        found = await self._mapped(obstore.get_async(self._store(), object_key, options={"head": True}))
        return found.attributes.get(_UPLOAD) == attributes[_UPLOAD]

    async def _get(self, object_key: str) -> bytes | None:
        import obstore

        try:
            found = await self._mapped(obstore.get_async(self._store(), object_key))
        except FileNotFoundError:
            return None
        return bytes(await self._mapped(found.bytes_async()))

    async def _mapped(self, call: Awaitable[T]) -> T:
        """What the call answers; its failures as TransientError or ours.

        AlreadyExistsError, FileNotFoundError and StopAsyncIteration are answers, and pass.
        """
        from obstore.exceptions import AlreadyExistsError, BaseError, GenericError

        try:
            return await call
        except AlreadyExistsError:
            raise
        # obstore raises the built-in for an object that is not there, also when the bucket is not.
        except FileNotFoundError as error:
            self._check_bucket(_word(error))
            raise
        except GenericError as error:
            word = _word(error)
            self._check_bucket(word)
            raise TransientError(word) from None
        # The vendor's text holds addresses and parts of the request: it is not chained.
        except (BaseError, ValueError) as error:
            raise StoreUnavailableError(f"the artifact store refused ({_word(error)})") from None

    def _check_bucket(self, word: str) -> None:
        if word == "NoSuchBucket":
            raise StoreUnavailableError(
                f"there is no bucket {self._bucket!r}: make it, or set ARTIFACT_BUCKET", retry_after=30
            ) from None

    def _store(self) -> S3Store:
        if self._opened is None:
            self._opened = self._connect(retries=0)
        return self._opened

    def _connect(self, *, retries: int) -> S3Store:
        from obstore.store import S3Store

        region = _REGION.search(self._endpoint)
        return S3Store(
            self._bucket,
            endpoint=self._endpoint,
            access_key_id=self._access_key,
            secret_access_key=self._secret_key,
            region=region[1] if region else "us-east-1",
            virtual_hosted_style_request=False,
            # The store refuses what did not arrive as it was sent.
            checksum_algorithm="SHA256",
            client_options={
                "allow_http": self._endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=3),
                "timeout": timedelta(seconds=ATTEMPT_SECONDS if retries else CALL_SECONDS),
            },
            # Repeats are ours, but for listings: `repeated` knows what an earlier attempt may have done.
            retry_config={"max_retries": retries, "retry_timeout": timedelta(seconds=CALL_SECONDS)},
        )


def _attributes(about: ObjectFacts) -> dict[str, str]:
    """Headers and metadata of an object, with an id of this upload to know it by."""
    attributes = {
        "Content-Type": about.content_type,
        # What users upload is never shown as a page where the bucket is served.
        "Content-Disposition": "attachment",
        _UPLOAD: new_id(),
        **about.facts,
    }
    if about.content_encoding:
        attributes["Content-Encoding"] = about.content_encoding
    return attributes


def _word(error: Exception) -> str:
    """What the store said, in one word: its code, the HTTP status, or the kind of error."""
    text = str(error)
    code = _CODE.search(text)
    if code is not None:
        return code[1]
    status = _STATUS.search(text)
    return status[1] if status else type(error).__name__


def _unavailable(error: Exception) -> StoreUnavailableError:
    word = str(error) or "timeout"
    return StoreUnavailableError(f"the artifact store did not answer ({word})", retry_after=2)
