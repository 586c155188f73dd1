"""The measure of markets that move together."""

from __future__ import annotations

from collections.abc import Mapping

from shared.market.candles import Candles
from shared.market.measures import Measure, plain
from shared.market.statistics import correlations


def correlation_of(series: Mapping[str, Candles]) -> Measure:
    """Every pair of the markets with the correlation of its returns, by `first second`."""
    pairs = correlations(series)
    values = {
        f"{one} {other}": None if value is None else plain(value) for (one, other), value in pairs.items()
    }
    known = {pair: value for pair, value in values.items() if value is not None}
    if not known:
        return Measure(
            label="unknown",
            sentence="The markets have too few candles in common, or did not move, so nothing can be said.",
            values=values,
        )
    closest, loosest = max(known, key=lambda pair: known[pair]), min(known, key=lambda pair: known[pair])
    mean = sum(known.values()) / len(known)
    sentence = f"Returns of {closest.replace(' ', ' and ')} are the most alike ({known[closest]:+.2f})"
    if len(known) > 1:
        sentence += (
            f", those of {loosest.replace(' ', ' and ')} the least ({known[loosest]:+.2f}); mean {mean:+.2f}"
        )
    label = "high" if mean >= 0.7 else "moderate" if mean >= 0.3 else "low" if mean > -0.3 else "opposite"
    return Measure(label=label, sentence=f"{sentence}.", values=values)
