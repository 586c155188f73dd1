"""Every kind of fill against numbers worked out by hand."""

from __future__ import annotations

import pytest

from shared.backtest.inside.ledger import Costs
from tests.shared.backtest.rows import FREE, ledger, row


def test_a_buy_pays_the_opening_slippage_and_the_takers_fee() -> None:
    book = ledger(row(0, 100), row(1, 100, 120, 90, 110), costs=Costs(0.0, 0.001, 0.01, 0.0))
    book.buy(1, 0, 505.0, "signal")
    # 505 / (100 x 1.01) = 5 units; fee 505 x 0.001; 1000 - 505 - 0.505.
    assert book.positions[0].quantity == pytest.approx(5.0)
    assert book.positions[0].entry_price == pytest.approx(101.0)
    assert book.cash == pytest.approx(494.495)
    assert book.equity(1) == pytest.approx(494.495 + 5 * 110)


def test_an_account_spends_no_more_than_it_has_fees_included() -> None:
    book = ledger(row(0, 100), row(1, 100), costs=Costs(0.0, 0.01, 0.0, 0.0))
    book.buy(1, 0, 5000.0, "signal")
    assert book.positions[0].quantity == pytest.approx(1000 / 1.01 / 100)
    assert book.cash == pytest.approx(0.0, abs=1e-9)
    assert book.fills[0].cut


def test_a_sell_gives_up_a_part_below_the_opening() -> None:
    book = ledger(row(0, 100), row(1, 100), row(2, 200), costs=Costs(0.0, 0.0, 0.01, 0.0))
    book.buy(1, 0, 404.0, "signal")
    book.reduce(2, 0, 1.0, "signal")
    assert book.fills[1].price == pytest.approx(198.0)
    assert book.positions[0].quantity == pytest.approx(3.0)
    assert book.positions[0].entry_price == pytest.approx(101.0)
    assert book.cash == pytest.approx(1000 - 404 + 198)


def test_an_order_above_its_share_of_the_volume_is_filled_in_part() -> None:
    book = ledger(row(0, 100), row(1, 100, volume=20.0), costs=Costs(0.0, 0.0, 0.0, 0.1))
    book.buy(1, 0, 500.0, "signal")
    # A tenth of 20 units.
    assert book.positions[0].quantity == pytest.approx(2.0)
    assert book.fills[0].cut


def test_a_candle_without_volume_fills_nothing() -> None:
    book = ledger(row(0, 100), row(1, 100, volume=0.0), costs=Costs(0.0, 0.0, 0.0, 0.1))
    book.buy(1, 0, 500.0, "signal")
    assert book.fills == []
    assert book.refused == 1


def test_entries_average() -> None:
    book = ledger(row(0, 100), row(1, 100), row(2, 200))
    book.buy(1, 0, 100.0, "first")
    book.buy(2, 0, 600.0, "second")
    # One unit at 100, three at 200.
    assert book.positions[0].entry_price == pytest.approx(175.0)
    assert book.positions[0].entries == 2


def test_a_short_earns_when_the_price_falls() -> None:
    book = ledger(row(0, 100), row(1, 100), row(2, 80), short=True, costs=Costs(0.0, 0.001, 0.0, 0.0))
    book.short(1, 0, 500.0, "signal")
    assert book.positions[0].quantity == pytest.approx(-5.0)
    book.reduce(2, 0, 5.0, "signal")
    # 5 x 20 less 0.5 and 0.4 of fees.
    assert book.cash == pytest.approx(1000 + 100 - 0.5 - 0.4)


def test_a_spot_market_is_not_sold_short() -> None:
    book = ledger(row(0, 100), row(1, 100))
    book.short(1, 0, 500.0, "signal")
    assert book.fills == []
    assert book.refused == 1


def test_shorts_and_longs_together_never_exceed_the_account() -> None:
    book = ledger(row(0, 100), row(1, 100), short=True)
    book.short(1, 0, 5000.0, "signal")
    assert book.positions[0].quantity == pytest.approx(-10.0)
    assert book.free(1) == pytest.approx(0.0)


@pytest.mark.parametrize(("rate", "cash"), [(0.01, 1000 + 5.0), (-0.01, 1000 - 5.0)])
def test_funding_is_paid_by_longs_to_shorts_on_what_is_held_at_the_opening(rate: float, cash: float) -> None:
    book = ledger(row(0, 100), row(1, 100), row(2, 100, funding=rate), short=True)
    book.short(1, 0, 500.0, "signal")
    book.pay_funding(2)
    assert book.equity(2) == pytest.approx(cash)
    assert book.funding[0] == pytest.approx(1000 - cash)


@pytest.mark.parametrize(
    ("low", "opening", "filled_at"),
    [(99.0, 100.0, None), (98.9, 100.0, 99.0), (97.0, 98.0, 98.0)],
    ids=["touched is not passed", "passed", "opened beyond it"],
)
def test_a_resting_buy(low: float, opening: float, filled_at: float | None) -> None:
    book = ledger(row(0, 100), row(1, opening, 101, low), costs=Costs(0.001, 0.5, 0.5, 0.0))
    book.rest(1, 0, [("buy", 99.0, 198.0)], "quote")
    if filled_at is None:
        assert book.fills == []
        return
    (fill,) = book.fills
    assert fill.price == filled_at
    assert fill.quantity == pytest.approx(2.0)
    # The maker's fee and no slippage.
    assert fill.fee == pytest.approx(2 * filled_at * 0.001)


def test_a_resting_sell_on_spot_sells_only_what_was_held_before() -> None:
    book = ledger(row(0, 100), row(1, 100), row(2, 100, 102, 98))
    book.buy(1, 0, 100.0, "signal")
    book.rest(2, 0, [("buy", 99.0, 99.0), ("sell", 101.0, 505.0)], "quote")
    assert [(fill.side, fill.price) for fill in book.fills[1:]] == [("buy", 99.0), ("sell", 101.0)]
    assert [fill.quantity for fill in book.fills[1:]] == pytest.approx([1.0, 1.0])
    assert book.positions[0].quantity == pytest.approx(1.0)


def test_a_resting_sell_on_a_perpetual_turns_a_long_into_a_short() -> None:
    book = ledger(row(0, 100), row(1, 100), row(2, 100, 102, 98), short=True)
    book.buy(1, 0, 100.0, "signal")
    book.rest(2, 0, [("sell", 101.0, 303.0)], "quote")
    assert book.positions[0].quantity == pytest.approx(-2.0)
    assert book.positions[0].entry_price == pytest.approx(101.0)


def test_an_account_that_the_candle_ruins_ends() -> None:
    book = ledger(row(0, 100), row(1, 100), row(2, 100, 250, 100), short=True)
    book.short(1, 0, 1000.0, "signal")
    book.settle(2)
    assert book.ruined_at == 2
    assert book.equity(2) == 0.0


def test_an_exit_inside_the_candle_slips_from_its_level() -> None:
    book = ledger(row(0, 100), row(1, 100), row(2, 100, 100, 90), costs=Costs(0.0, 0.0, 0.01, 0.0))
    book.buy(1, 0, 101.0, "signal")
    book.exit_within(2, 0, 95.0, "stop loss")
    assert book.fills[-1].price == pytest.approx(95 * 0.99)
    assert book.positions[0].quantity == 0.0


def test_free_costs_leave_the_account_as_it_was() -> None:
    book = ledger(row(0, 100), row(1, 100), costs=FREE)
    book.buy(1, 0, 300.0, "signal")
    book.reduce(1, 0, 3.0, "signal")
    assert book.cash == pytest.approx(1000.0)
