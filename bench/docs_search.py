"""Measures documentation search: python -m bench.docs_search CORPUS QUERIES [--misses]."""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from shared.tools.documentation.index import Hit, Index
from shared.tools.documentation.library import FolderSource, build_index

DEPTH = 10


def main() -> None:
    """Prints the figures of one corpus and one file of judged questions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder of Markdown pages")
    parser.add_argument("queries", type=Path, help="judged questions, one JSON object a line")
    parser.add_argument(
        "--misses", action="store_true", help="list the questions below a perfect page ranking"
    )
    arguments = parser.parse_args()

    queries = [
        json.loads(line) for line in arguments.queries.read_text(encoding="utf-8").splitlines() if line
    ]
    began = time.perf_counter()
    index = build_index(FolderSource(arguments.corpus).sources())
    built = time.perf_counter() - began
    print(
        f"pages {len(index.pages)}  sections {sum(len(page.sections) for page in index.pages)}  "
        f"built in {built * 1000:.0f} ms"
    )
    report(index, queries, misses=arguments.misses)


def report(index: Index, queries: list[dict[str, Any]], *, misses: bool) -> None:
    """Prints ranking quality by kind of question, abstention and latency."""
    by_kind: dict[str, list[dict[str, float]]] = defaultdict(list)
    times: list[float] = []
    empty_right = unanswerable = empty_wrong = 0
    for query in queries:
        hits, took = _timed(index, query["query"])
        times.append(took)
        if not query["answerable"]:
            unanswerable += 1
            empty_right += not hits
            if hits and misses:
                best = f"{hits[0].page.path}#{hits[0].section.heading}"
                print(f"  answered though unanswerable: {query['query']!r} -> {best}")
            continue
        empty_wrong += not hits
        pages = list(dict.fromkeys(hit.page.path for hit in hits))
        headings = [(hit.page.path, hit.section.heading) for hit in hits]
        page_gains = {page["path"]: float(page["grade"]) for page in query["relevant"]}
        heading_gains = {
            (page["path"], section["heading"]): float(section["grade"])
            for page in query["relevant"]
            for section in page["sections"]
        }
        figures = {f"page {name}": value for name, value in measures(pages, page_gains).items()}
        figures |= {f"heading {name}": value for name, value in measures(headings, heading_gains).items()}
        by_kind[query["kind"]].append(figures)
        if misses and figures["page nDCG@10"] < 0.999:
            print(f"  {figures['page nDCG@10']:.2f} {query['query']!r}: want {page_gains}, got {pages[:5]}")
    everything = [figures for kind in by_kind.values() for figures in kind]
    names = list(everything[0])
    print(f"{'':12}" + "".join(f"{name.replace('heading', 'head'):>15}" for name in names))
    for kind, rows in [*by_kind.items(), ("all", everything)]:
        means = (statistics.fmean(row[name] for row in rows) for name in names)
        print(f"{kind:12}" + "".join(f"{mean:15.3f}" for mean in means))
    print(
        f"unanswerable: {empty_right} of {unanswerable} answered with nothing; "
        f"answerable wrongly empty: {empty_wrong}"
    )
    ordered = sorted(times)
    print(f"latency ms: p50 {statistics.median(times):.2f}  p95 {ordered[int(len(ordered) * 0.95)]:.2f}")


def _timed(index: Index, question: str) -> tuple[list[Hit], float]:
    """The first hits, and the milliseconds of the quickest of three searches: load disturbs it less."""
    best = math.inf
    for _ in range(3):
        began = time.perf_counter()
        hits = index.search(question)[:DEPTH]
        best = min(best, (time.perf_counter() - began) * 1000)
    return hits, best


def measures(ranked: list[Any], gains: dict[Any, float]) -> dict[str, float]:
    """Recall at 1 and 5, reciprocal rank and nDCG within the first ten; gains are 2^grade - 1."""
    first = next((place for place, item in enumerate(ranked[:DEPTH], 1) if gains.get(item)), 0)
    ideal = sorted(gains.values(), reverse=True)
    return {
        "recall@1": len([item for item in ranked[:1] if gains.get(item)]) / len(gains),
        "recall@5": len([item for item in ranked[:5] if gains.get(item)]) / len(gains),
        "MRR@10": 1 / first if first else 0.0,
        "nDCG@10": _discounted([gains.get(item, 0.0) for item in ranked]) / _discounted(ideal),
    }


def _discounted(gains: list[float]) -> float:
    return sum((2**gain - 1) / math.log2(place + 1) for place, gain in enumerate(gains[:DEPTH], 1))


if __name__ == "__main__":
    main()
