"""A documentation service as the platform serves it: list, pages and search, with ETags."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import orjson

from tests.servers.web_service import Asked, Said, json_answer


@dataclass(slots=True)
class DocumentationSite:
    """Its pages by path, without `.md`, as the platform names them; call it with a request.

    `broken` is answered in place of anything else; `slashes` sends clients to a trailing slash first.
    """

    pages: dict[str, str]
    broken: Said | None = None
    slashes: bool = False
    answered: list[int] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Said:
        said = self.broken or self._answer(asked)
        self.answered.append(said.status)
        return said

    def _answer(self, asked: Asked) -> Said:
        if self.slashes and not asked.path.endswith("/"):
            return Said(status=308, headers={"location": f"{asked.path}/"})
        path = asked.path.rstrip("/")
        if path == "/api/docs/raw":
            return _tagged(asked, orjson.dumps(self._index()), "application/json")
        if path == "/api/docs/search":
            return self._search(asked)
        page = self.pages.get(path.removeprefix("/api/docs/raw/"))
        if page is None:
            return json_answer({"error": "Document not found"}, 404)
        return _tagged(asked, page.encode(), "text/markdown; charset=utf-8")

    def _index(self) -> dict[str, object]:
        docs = [
            {"path": path, "url": f"/api/docs/raw/{path}/", "title": path.title(), "description": "A page"}
            for path in self.pages
        ]
        return {"success": True, "count": len(docs), "docs": docs}

    def _search(self, asked: Asked) -> Said:
        words = asked.query["q"].lower().split()
        found = [
            {
                "title": path.title(),
                "heading": "Saving values",
                "path": path,
                "url": f"/docs/{path}#saving-values",
                "content": text,
                "score": 1.5,
            }
            for path, text in self.pages.items()
            if any(word in text.lower() for word in words)
        ]
        limit = int(asked.query["limit"])
        return json_answer({"query": asked.query["q"], "results": found[:limit], "total_found": len(found)})


def _tagged(asked: Asked, body: bytes, media_type: str) -> Said:
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if asked.headers.get("if-none-match") == tag:
        return Said(status=304, headers={"etag": tag})
    return Said(body=body, headers={"etag": tag, "content-type": media_type})
