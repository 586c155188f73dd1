"""Values of Firestore's protocol as Python's, read from the messages themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def value_of(value: Any) -> Any:
    """The value of a protocol message `google.firestore.v1.Value` of the kinds that our documents hold.

    A timestamp comes as a time with microseconds, as precise as Firestore's own.
    """
    kind = value.WhichOneof("value_type")
    if kind == "map_value":
        return {name: value_of(each) for name, each in value.map_value.fields.items()}
    if kind == "array_value":
        return [value_of(each) for each in value.array_value.values]
    if kind == "timestamp_value":
        stamp = value.timestamp_value
        return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
    if kind == "null_value":
        return None
    return getattr(value, kind)
