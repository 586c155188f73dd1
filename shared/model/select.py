"""Settings to chat model; each adapter is imported only when it is chosen."""

from __future__ import annotations

from shared.model.port import ChatModel, ModelSource
from shared.settings import Settings
from shared.tracing.spans import is_tracing


def open_model(settings: Settings) -> ChatModel:
    """The model that the settings name; nothing is connected yet.

    Raises:
        ConfigurationError: Gemini is chosen without a key and without Vertex AI.
    """
    if settings.provider == "offline":
        from shared.model.offline import OfflineModel

        return OfflineModel()
    from shared.model.gemini import GeminiModel

    key = settings.gemini_api_key
    return GeminiModel(
        api_key=key.get_secret_value() if key else None,
        model=settings.gemini_model,
        base_url=settings.gemini_base_url,
        vertexai=settings.google_genai_use_vertexai,
        project=settings.google_cloud_project,
        location=settings.google_cloud_location,
        max_output_tokens=settings.max_output_tokens,
    )


def open_own_model(settings: Settings, api_key: str) -> ChatModel:
    """Gemini on one user's own key, also where the deployment uses Vertex AI or the offline planner."""
    from shared.model.gemini import GeminiModel

    return GeminiModel(
        api_key=api_key,
        model=settings.gemini_model,
        # A base URL beside Vertex AI is that of Vertex AI, which does not know the user's key.
        base_url=None if settings.google_genai_use_vertexai else settings.gemini_base_url,
        max_output_tokens=settings.max_output_tokens,
    )


def traced_models(settings: Settings, models: ModelSource) -> ModelSource:
    """The models, their calls in traces where these are collected."""
    if not is_tracing():
        return models
    from shared.model.traced import TracedModels

    if settings.provider == "offline":
        return TracedModels(models, provider="the0.offline")
    vertex = settings.google_genai_use_vertexai
    return TracedModels(models, provider="gcp.vertex_ai" if vertex else "gcp.gemini")
