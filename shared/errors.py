"""Our own errors: each carries its wire code, HTTP status and whether a retry can help.

    AppError
    ├── InvalidRequestError 400            ├── ConflictError 409
    │   └── UnprocessableError 422         │   ├── TurnInProgressError
    │       ├── IdempotencyMismatchError   │   ├── TurnRolledBackError
    │       ├── BotInvalidError            │   ├── DeploymentInProgressError
    │       │                              │   ├── BotUnverifiedError
    │       ├── DeploymentRefusedError     │   │
    │       ├── InstanceInvalidError       │   │
    │       └── FindingsError              │   ├── SessionConflictError
    ├── UnauthenticatedError 401           │   ├── VersionConflictError
    ├── PermissionDeniedError 403          │   ├── ApprovalRequiredError
    │                                      │   └── ApprovalConflictError
    ├── NotFoundError 404                  ├── TooLargeError 413
    │   ├── SessionNotFoundError           ├── UnsupportedMediaTypeError 415
    │   ├── TurnNotFoundError              ├── RateLimitedError 429
    │   ├── ArtifactNotFoundError          ├── UnavailableError 503
    │   ├── ToolNotFoundError              │   ├── ModelUnavailableError
    │   ├── DeadLetterNotFoundError        │   ├── StoreUnavailableError
    │   └── InstanceNotFoundError          │   │   └── DamagedError
    ├── MethodNotAllowedError 405          │   │
    │                                      │   ├── UnreachedError
    │                                      │   ├── PublishError
    │                                      │   └── BrokerUnavailableError
    ├── PlatformUnavailableError 502       ├── DeploymentNotConfiguredError 503
    ├── DeploymentUnknownError 502         ├── SandboxUnavailableError 503
    ├── ModelRefusedError 502              └── InternalError 500
    │   └── ModelKeyRefusedError
    ├── ModelTimeoutError 504
    ├── ToolError (becomes a tool result, never an HTTP error)
    │   ├── ToolInputError
    │   └── ToolFailedError
    └── ConfigurationError (start-up only)

Codes and statuses are those of the wire contract, section 2.
"""

from __future__ import annotations

from typing import Any, ClassVar


class AppError(Exception):
    """Base of all errors we raise; `message` is safe to show to the caller.

    `details` are extra members of the problem+json body; the cause is chained with `raise ... from`.
    """

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.details = details


class InternalError(AppError):
    """Something of ours is wrong; the caller sees only the request id."""

    title = "Internal error"


class InvalidRequestError(AppError):
    """The request cannot be understood: wrong JSON, wrong parameter."""

    code, http_status, title = "invalid_request", 400, "Invalid request"


class UnprocessableError(InvalidRequestError):
    """The request is well formed but a field's value is not allowed."""

    http_status, title = 422, "Invalid request"


class IdempotencyMismatchError(UnprocessableError):
    """The same Idempotency-Key came with another body."""

    code, title = "idempotency_mismatch", "Idempotency key used with another body"


class FindingsError(UnprocessableError):
    """An upload holds something that must not be stored; `findings` says what and where."""

    code, title = "content_refused", "Content refused by the scan"


class BotInvalidError(UnprocessableError):
    """The session's files are no bot that the platform takes; `problems` names each file and field."""

    code, title = "bot_invalid", "The files are no bot that the platform takes"


class InstanceInvalidError(UnprocessableError):
    """The platform would not take the instance; `problems` names each field."""

    code, title = "instance_invalid", "No instance that the platform takes"


class DeploymentRefusedError(UnprocessableError):
    """The platform said no; `platform_status` and `platform_message` are its own, not to be trusted."""

    code, title = "deployment_refused", "The platform refused the bot"


class UnauthenticatedError(AppError):
    """No credentials, or none that hold."""

    code, http_status, title = "unauthenticated", 401, "Authentication required"


class PermissionDeniedError(AppError):
    """Known caller, forbidden act."""

    code, http_status, title = "forbidden", 403, "Forbidden"


class NotFoundError(AppError):
    """Nothing there for this caller; what belongs to another user looks the same."""

    code, http_status, title = "not_found", 404, "Not found"


class SessionNotFoundError(NotFoundError):
    """No such session for this user."""

    code, title = "session_not_found", "Session not found"


class TurnNotFoundError(NotFoundError):
    """No such turn for this user."""

    code, title = "turn_not_found", "Turn not found"


class ArtifactNotFoundError(NotFoundError):
    """No such artifact, or not that version, in this session."""

    code, title = "artifact_not_found", "Artifact not found"


class InstanceNotFoundError(NotFoundError):
    """No such instance of this session."""

    code, title = "instance_not_found", "Instance not found"


class ToolNotFoundError(NotFoundError):
    """No tool of that name."""

    code, title = "tool_not_found", "Tool not found"


class DeadLetterNotFoundError(NotFoundError):
    """No such event waits in the dead-letter record."""

    code, title = "dead_letter_not_found", "Dead letter not found"


class MethodNotAllowedError(AppError):
    """The path exists, not with this method."""

    code, http_status, title = "method_not_allowed", 405, "Method not allowed"


class ConflictError(AppError):
    """The state has moved on; read again."""

    code, http_status, title = "conflict", 409, "Conflict"


class TurnInProgressError(ConflictError):
    """One turn runs at a time in a session."""

    code, title, retryable = "turn_in_progress", "A turn is running in this session", True


class TurnRolledBackError(ConflictError):
    """A newer message removed the turn, with what it had done."""

    code, title = "turn_rolled_back", "The turn was rolled back"


class SessionConflictError(ConflictError):
    """A write met another revision than it expected, or its lease was taken over."""

    code, title, retryable = "session_conflict", "The session has changed", True


class VersionConflictError(ConflictError):
    """`If-Match` names a version that is not the newest."""

    code, title = "version_conflict", "The artifact has another version"


class ApprovalRequiredError(ConflictError):
    """The tool needs the user's yes first."""

    code, title = "approval_required", "Approval required"


class DeploymentInProgressError(ConflictError):
    """The same deployment is under way in another call."""

    code, title, retryable = "deployment_in_progress", "The deployment is under way", True


class BotUnverifiedError(ConflictError):
    """No verification speaks for exactly these files, and nobody said that this is known."""

    code, title = "bot_unverified", "The bot is not verified"


class ApprovalConflictError(ConflictError):
    """The user's answer does not fit what is asked: changed, used, late, or never asked."""

    code, title = "approval_conflict", "The approval does not fit"


class TooLargeError(AppError):
    """More bytes than we take."""

    code, http_status, title = "payload_too_large", 413, "Payload too large"


class UnsupportedMediaTypeError(AppError):
    """A body of a type this route does not read."""

    code, http_status, title = "unsupported_media_type", 415, "Unsupported media type"


class RateLimitedError(AppError):
    """Too many requests; `retry_after` seconds say when to come again."""

    code, http_status, title, retryable = "rate_limited", 429, "Rate limited", True


class UnavailableError(AppError):
    """A part we need is down; a retry after `retry_after` seconds may work."""

    code, http_status, title, retryable = "unavailable", 503, "Unavailable", True


class ModelUnavailableError(UnavailableError):
    """The model's service refused, failed or limited us, also after retries."""

    code, title = "model_unavailable", "The model is unavailable"


class StoreUnavailableError(UnavailableError):
    """The database or the object store did not answer."""

    code, title = "store_unavailable", "The store is unavailable"


class DamagedError(StoreUnavailableError):
    """The stored bytes of a file's version are missing, or are not what was saved."""


class UnreachedError(UnavailableError):
    """There was no connection: what was to be sent never left."""


class PublishError(UnavailableError):
    """A broker did not take an event; it stays in the outbox and is tried again."""

    code, title = "publish_failed", "Events were not published"


class BrokerUnavailableError(UnavailableError):
    """The broker that events come from does not answer, or none is configured."""

    code, title = "broker_unavailable", "The broker is unavailable"


class SandboxUnavailableError(AppError):
    """Nothing on this machine isolates a bot's code well enough, so none is run."""

    code, http_status, title = "sandbox_unavailable", 503, "Code cannot be run here"


class PlatformUnavailableError(AppError):
    """The platform did not do what was asked, and has made no bot: the same call may be repeated."""

    code, http_status, title, retryable = "platform_unavailable", 502, "The platform is unavailable", True


class DeploymentUnknownError(AppError):
    """The platform may have made the bot, and does not say: nothing is sent twice."""

    code, http_status, title = "deployment_unknown", 502, "It is not known whether the bot was made"


class DeploymentNotConfiguredError(AppError):
    """There is no platform to deploy to."""

    code, http_status, title = "deployment_not_configured", 503, "No platform is configured"


class ModelRefusedError(AppError):
    """The model's service does not take our request (bad key, unknown model): a retry does not help."""

    code, http_status, title = "model_refused", 502, "The model refused the request"


class ModelKeyRefusedError(ModelRefusedError):
    """The model's service does not accept the key that the call was made with."""


class ModelTimeoutError(AppError):
    """The model did not answer in time."""

    code, http_status, title, retryable = "model_timeout", 504, "The model timed out", True


class ToolError(AppError):
    """A tool could not do its work; the message is written for the model, and it sees it."""

    code, title = "tool_error", "Tool error"

    def __init__(self, message: str, *, code: str | None = None, retryable: bool = False) -> None:
        super().__init__(message)
        self.tool_code = code or type(self).code
        self.tool_retryable = retryable


class ToolInputError(ToolError):
    """The arguments do not fit; the model may correct itself."""

    code = "invalid_arguments"


class ToolFailedError(ToolError):
    """The work failed for a reason that other arguments do not cure."""

    code = "tool_failed"


class ConfigurationError(AppError):
    """A setting is wrong: names the variable and what it takes, never its value."""

    code, title = "configuration", "Wrong configuration"
