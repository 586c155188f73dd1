"""The secrets that tests give to what they run, each with a mark by which it is found where it must not be.

tests/redaction.py looks for the marks in every line of every log of a run. A test that needs a secret takes
one of these, or makes one that holds a mark.
"""

from __future__ import annotations

import base64
import hashlib
import re

MARK = "planted-secret"
# Of keys that must be base64.
KEY_MARK = "plantedSecret"

JWT_SECRET = f"{MARK} of thirty-two bytes or more"
GEMINI_KEY = f"{MARK}-gemini-key"
NATS_TOKEN = f"{MARK}-nats-token"
S3_SECRET_KEY = f"{MARK}-s3-key"
DATABASE_PASSWORD = f"{MARK}-database"
PLATFORM_KEY = f"{MARK}-platform-key"

# A token says nothing of the secret that signed it, but opens as much.
FOUND = re.compile(rf"{MARK}|{KEY_MARK}|\beyJ[\w-]{{10,}}\.eyJ[\w-]{{10,}}")


def encryption_key(number: int = 1) -> str:
    """A key for ENCRYPTION_KEYS, always the same for a number."""
    filled = hashlib.sha256(str(number).encode()).hexdigest()
    key = f"{KEY_MARK}{filled}"[:43] + "="
    # The last letter of 32 bytes holds two bits that must be zero.
    return base64.b64encode(base64.b64decode(key)).decode()
