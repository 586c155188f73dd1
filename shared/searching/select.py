"""Settings to web search; each adapter is imported only when it is chosen."""

from __future__ import annotations

from shared.searching.port import WebSearch
from shared.settings import Settings


def select_search(settings: Settings) -> WebSearch | None:
    """Tavily with its key, else Google Search through Gemini with a model key, else None; opens nothing."""
    if settings.tavily_api_key is not None:
        from shared.searching.tavily import TavilySearch

        return TavilySearch(api_key=settings.tavily_api_key.get_secret_value())
    if settings.gemini_api_key is None and not settings.google_genai_use_vertexai:
        return None
    from shared.model.gemini_search import GeminiSearch

    key = settings.gemini_api_key
    return GeminiSearch(
        api_key=key.get_secret_value() if key else None,
        model=settings.gemini_model,
        base_url=settings.gemini_base_url,
        vertexai=settings.google_genai_use_vertexai,
        project=settings.google_cloud_project,
        location=settings.google_cloud_location,
    )
