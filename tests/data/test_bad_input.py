"""Every mistake has its sentence: what was got, what is allowed, what to do next."""

import re
from datetime import datetime, timedelta

import pandas as pd
import polars as pl
import pytest

from crossaisle.data.split import cold_items, k_shot, launch, leave_last_out, time_cut
from crossaisle.data.world import World
from crossaisle.errors import DataError

ID = "text or a whole number is needed."
PRICE = "a number ≥ 0 or nothing is needed."
SHARE = "a number > 0 and ≤ 1 or nothing is needed."
PLACE = "a whole number ≥ 0 or nothing is needed."
NUMBER = "a number or nothing is needed."
TIME = "a date and time such as 2017-12-31T23:59:59, or nothing, is needed."
DATES = "give dates such as 2017-12-31T23:59:59."


def problems(*frames, **options) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        World.from_frames(*frames, name="shop", **options)
    assert caught.value.exit_code == 2
    return caught.value.problems


def changed(shop, **columns) -> pl.DataFrame:
    return shop.interactions.with_columns(**columns)


def test_a_missing_column_names_what_is_there_and_the_nearest(shop):
    (sentence,) = problems(shop.interactions.rename({"user_id": "userid"}))
    assert sentence == (
        "interactions.user_id: this column is missing in the interactions frame; there are: userid, item_id, domain, "
        "event, timestamp, value, price, currency, basket; rename 'userid', or pass rename."
    )


def test_a_reserved_name_that_should_be_the_missing_column_is_one_problem(shop):
    (sentence,) = problems(shop.interactions.rename({"user_id": "user"}))
    assert sentence.endswith("rename 'user', or pass rename.")


def test_a_column_of_the_format_is_no_candidate_for_another(shop):
    (sentence,) = problems(shop.interactions.select("item_id", "domain"))
    assert sentence.endswith("there are: item_id, domain; add it.")


def test_a_missing_domain_tells_of_the_option(shop):
    (sentence,) = problems(shop.interactions.select("user_id", "item_id"))
    assert sentence.endswith('there are: user_id, item_id; add it, or pass domain="…" when there is only one.')


def test_a_domain_that_items_do_not_tell_is_asked_for(shop):
    (sentence,) = problems(shop.interactions.drop("domain"), shop.items)
    assert sentence == (
        "interactions.domain: this column is missing, and 1 items are in more than one domain (for example 'cup'); "
        "say in each interaction which domain it happened in."
    )


@pytest.mark.parametrize(
    ("column", "values", "sentence"),
    [
        ("user_id", [1.5] * 5, f"its type is Float64, for example 1.5; {ID} Convert the column."),
        ("price", [True] * 5, f"its type is Boolean, for example True; {PRICE} Convert the column."),
        ("timestamp", [True] * 5, f"its type is Boolean, for example True; {TIME} Convert the column."),
        ("user_id", ["a", None, "", "b", "c"], f"2 rows are empty (row 2; row 3); {ID}"),
        ("price", ["1", "2", "free", "", "4"], f"1 row is not a number (row 3: 'free'); {PRICE}"),
        ("price", [1.0, float("nan"), None, 1, 1], f"1 row is not finite (row 2: nan); {PRICE}"),
        ("price", [1.0, -2, 1, 1, 1], f"1 row is negative (row 2: -2.0); {PRICE}"),
        ("value", [1.0, 1, 1, 1, float("inf")], f"1 row is not finite (row 5: inf); {NUMBER}"),
        ("value", [1e300, 1, 1, 1, 1], f"1 row is not finite (row 1: 1e+300); {NUMBER}"),
        ("propensity", [0.0, 0.5, 1, 1, 1], f"1 row is too small (row 1: 0.0); {SHARE}"),
        ("propensity", [1.5, 0.5, 1, 1, 1], f"1 row is too large (row 1: 1.5); {SHARE}"),
        ("position", [0.5, 1, 2, 3, 4], f"1 row is not a whole number (row 1: 0.5); {PLACE}"),
        ("position", [-1, 1, 2, 3, 4], f"1 row is negative (row 1: -1); {PLACE}"),
        (
            "timestamp",
            ["2024-01-01", "2024-13-01", "soon", "", None],
            f"2 rows are not a time (row 2: '2024-13-01'; row 3: 'soon'); {TIME}",
        ),
    ],
)
def test_a_wrong_cell_is_named(shop, column, values, sentence):
    assert problems(changed(shop, **{column: pl.Series(values, strict=False)})) == (
        f"interactions.{column}: {sentence}",
    )


def test_nan_in_pandas_is_the_empty_cell_that_pandas_means(shop):
    frame = pd.DataFrame({"user_id": ["a"], "item_id": ["b"], "domain": ["c"], "price": [float("nan")]})
    assert World.from_frames(frame).interactions["price"].to_list() == [None]


def test_times_in_the_future_are_refused(shop):
    late = datetime.now() + timedelta(days=400)
    (sentence,) = problems(changed(shop, timestamp=pl.Series([datetime(2024, 1, 1)] * 4 + [late])))
    assert re.fullmatch(
        r"interactions\.timestamp: 1 row is in the future \(row 5: [-\d]{10} [:.\d]+\); times up to [-\d]{10} are "
        r"allowed; check the clock, the time zone and the unit\.",
        sentence,
    )


def test_milliseconds_taken_for_seconds_are_in_the_future(shop):
    wrong = pl.Series([1_704_067_200_000 * 10**6] * 5).cast(pl.Datetime("us"))
    (sentence,) = problems(changed(shop, timestamp=wrong))
    assert "5 rows are in the future (row 1: +55969-" in sentence


@pytest.mark.parametrize(
    ("factor", "unit", "rest"),
    [
        (1, None, f'look like seconds since 1970; pass time_unit="s", or {DATES}'),
        (10**3, None, f'look like milliseconds since 1970; pass time_unit="ms", or {DATES}'),
        (10**6, None, f'look like microseconds since 1970; pass time_unit="us", or {DATES}'),
        (10**9, None, 'look like nanoseconds since 1970; divide by 1000 and pass time_unit="us".'),
        (10**3, "s", 'look like milliseconds since 1970; pass time_unit="ms".'),
    ],
)
def test_whole_numbers_without_the_right_unit_are_refused(shop, factor, unit, rest):
    for values in ([1_704_067_200 * factor] * 5, [str(1_704_067_200 * factor)] * 5):
        (sentence,) = problems(changed(shop, timestamp=pl.Series(values)), time_unit=unit)
        assert f"whole numbers such as {1_704_067_200 * factor}" in sentence
        assert sentence.endswith(rest)


def test_numbers_that_are_no_time_are_refused(shop):
    (sentence,) = problems(changed(shop, timestamp=pl.Series([1, 2, 3, 4, 5])))
    assert sentence.endswith("holds whole numbers such as 1, which are no time since 1970 in any unit; " + DATES)


def test_text_among_whole_numbers_is_named(shop):
    values = [str(1_704_067_200 + i) for i in range(4)] + ["soon"]
    (sentence,) = problems(changed(shop, timestamp=pl.Series(values)), time_unit="s")
    assert sentence.startswith("interactions.timestamp: 1 row is not a time (row 5: 'soon');")


def test_an_item_listed_twice_is_named(shop):
    (sentence,) = problems(shop.interactions, pl.concat([shop.items, shop.items[1:2]]))
    assert sentence == (
        "items.item_id: 1 row is listed before for the same item_id and domain (row 5: 'cup'); one row each is allowed."
    )
    (sentence,) = problems(shop.interactions, shop.items, pl.concat([shop.users, shop.users[:1]]))
    assert (
        sentence
        == "users.user_id: 1 row is listed before for the same user_id (row 3: 'ann'); one row each is allowed."
    )


def test_no_rows_are_refused(shop):
    assert problems(shop.interactions.clear()) == (
        "interactions: the interactions frame has no rows; at least one interaction is needed.",
    )


def test_reserved_names_are_refused(shop):
    (sentence,) = problems(changed(shop, user=pl.lit(1)))
    assert sentence == "interactions.user: this name is kept for codes; give the column another name."


def test_a_column_of_ids_in_place_of_events_is_noticed():
    many = pl.DataFrame({"user_id": ["a"] * 300, "item_id": ["b"] * 300, "domain": ["c"] * 300})
    (sentence,) = problems(many.with_columns(event=pl.int_range(300).cast(pl.String)))
    assert sentence == ("interactions.event: 300 different values; at most 255 are allowed. Is it the right column?")


def test_every_problem_is_listed_at_once(shop):
    bad = changed(
        shop,
        user_id=pl.Series(["a", "", "b", "c", "d"]),
        price=pl.Series([-1.0, float("nan"), 1, 1, 1]),
        timestamp=pl.Series([1_704_067_200_000] * 5),
    ).drop("item_id")
    with pytest.raises(DataError) as caught:
        World.from_frames(bad, shop.items.drop("domain"), name="shop")
    assert [p.split(":")[0] for p in caught.value.problems] == [
        "interactions.item_id",
        "interactions.user_id",
        "interactions.timestamp",
        "interactions.price",
        "interactions.price",
        "items.domain",
    ]
    first, *lines = str(caught.value).splitlines()
    assert first == (
        "shop has 6 problems (rows count from 1, the header is not counted); mend the data, or read it with `lenient` "
        "to set bad rows aside:"
    )
    assert lines == [f"  - {p}" for p in caught.value.problems]


def test_only_the_first_rows_are_shown(shop):
    (sentence,) = problems(
        changed(shop, price=pl.Series([-1.0] * 5)).vstack(changed(shop, price=pl.Series([-1.0] * 5)))
    )
    assert "10 rows are negative (row 1: -1.0; row 2: -1.0; row 3: -1.0; row 4: -1.0; row 5: -1.0; …)" in sentence


def test_what_is_no_frame_is_refused(shop):
    with pytest.raises(
        DataError, match=r"interactions is a builtins\.object that cannot be read .*give a polars or pandas"
    ):
        World.from_frames(object())
    twice = shop.interactions.to_pandas()
    twice.columns = ["user_id", "user_id", *twice.columns[2:]]
    with pytest.raises(
        DataError, match=r"interactions is a pandas\.DataFrame that cannot be read .*each have one name"
    ):
        World.from_frames(twice)


# Files


def test_a_duplicate_header_is_named(tmp_path):
    (tmp_path / "interactions.csv").write_text("user_id,item_id,item_id\na,b,c\n")
    with pytest.raises(DataError, match=r"names a column twice in its header: 'item_id'; each name is allowed once"):
        World.from_folder(tmp_path, cache=False)


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_an_empty_file_is_refused(tmp_path, ending):
    (tmp_path / f"interactions.{ending}").touch()
    with pytest.raises(DataError, match=r"is empty; it needs a header and at least one row"):
        World.from_folder(tmp_path, cache=False)


def test_a_header_alone_is_refused(tmp_path):
    (tmp_path / "interactions.csv").write_text("user_id,item_id,domain\n")
    with pytest.raises(DataError, match=r"interactions\.csv has no rows; at least one interaction is needed"):
        World.from_folder(tmp_path, cache=False)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.parquet", b"PAR1 and then nothing", r"a\.parquet cannot be read as Parquet: .*; write it anew or correct"),
        (
            "a.csv",
            "user_id,größe\n".encode("latin-1"),
            r"a\.csv cannot be read as CSV \(UTF-8, commas\): .*write it anew",
        ),
        (
            "a.csv",
            b"user_id;item_id;domain\n1;2;3\n",
            r"seems to be separated by semicolons or tabs .* commas are needed",
        ),
        ("a.csv", b"user_id,item_id\n1,2,3,4\n", r"a\.csv cannot be read as CSV"),
        ("a.jsonl", b'{"user_id": 1}\n{oops}\n', r"a\.jsonl, line 2 is not JSON .*mend that line"),
        ("a.jsonl", b'{"user_id": 1}\n[1, 2]\n', r"a\.jsonl, line 2 is not a JSON object: one {…} per line is needed"),
        ("a.xlsx", b"anything", r"file ending 'xlsx' cannot be read; allowed: parquet, csv, jsonl"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        World.from_files(tmp_path / name, cache=False)


def test_a_file_damaged_inside_is_named(shop, tmp_path):
    path = tmp_path / "interactions.parquet"
    shop.interactions.write_parquet(path)
    content = bytearray(path.read_bytes())
    content[4:60] = bytes(56)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"interactions\.parquet: column 'user_id' cannot be read: .*write it anew"):
        World.from_files(path, cache=False)


def test_places_where_nothing_is(shop, tmp_path):
    with pytest.raises(DataError, match=r"no such file: .*none\.csv; check the path"):
        World.from_files(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"no such folder: .*none; give a folder with interactions\.parquet"):
        World.from_folder(tmp_path / "none")
    with pytest.raises(DataError, match=r"is a folder and a file is needed; name the file"):
        World.from_files(tmp_path)
    (tmp_path / "readme.txt").touch()
    with pytest.raises(DataError, match=r"has no interactions\.parquet.*there is: readme\.txt\. Add or rename one"):
        World.from_folder(tmp_path)
    with pytest.raises(DataError, match=r"URL scheme 'mysql' cannot be read; allowed: parquet, .*, sqlite, postgresql"):
        World.from_url("mysql://host/shop")
    shop.write(tmp_path, "csv")
    shop.write(tmp_path, "jsonl")
    with pytest.raises(DataError, match=r"has both interactions\.csv and interactions\.jsonl; keep one of them"):
        World.from_folder(tmp_path)


def test_interactions_beside_train_are_refused(shop, tmp_path):
    for name in ("interactions", "train"):
        shop.interactions.write_csv(tmp_path / f"{name}.csv")
    with pytest.raises(DataError, match=r"has both interactions\.csv and train\.csv; keep one of them"):
        World.from_folder(tmp_path)


# Targets

SPLITS = [
    lambda w, t: time_cut(w, t, "2024-01-03"),
    lambda w, t: launch(w, t, "2024-01-03", weeks=1),
    lambda w, t: k_shot(w, t, 1),
    lambda w, t: cold_items(w, t, 0.3),
    leave_last_out,
]


@pytest.mark.parametrize("split", SPLITS)
def test_a_target_that_cannot_be_tested_is_refused(shop, split):
    lonely = shop.interactions.with_columns(
        user_id=pl.when(pl.col("domain") == "tea").then(pl.lit("ann")).otherwise("user_id")
    )
    listed = pl.concat([shop.items, shop.items[:1].with_columns(domain=pl.lit("books"))])
    world = World.from_frames(lonely, listed)
    with pytest.raises(DataError, match="unknown domain 'wares': did you mean 'ware'"):
        split(world, "wares")
    with pytest.raises(DataError, match="target 'books' has no interactions; choose another target"):
        split(world, "books")
    with pytest.raises(DataError, match="target 'tea' has a single user; at least two are needed to train and test"):
        split(world, "tea")


def test_rows_of_unlisted_items_have_no_domain(shop):
    (sentence,) = problems(shop.interactions.drop("domain"), shop.items[[0, 2]])
    assert sentence == f"interactions.domain: 1 row is empty (row 4); {ID}"
