from datetime import date, datetime, timedelta, timezone
from inspect import signature

import polars as pl
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from crossaisle.config import describe
from crossaisle.data.split import (
    SPLITS,
    cold_items,
    cold_users,
    given,
    k_shot,
    launch,
    leave_last_out,
    make_split,
    time_cut,
)
from crossaisle.data.world import World
from crossaisle.errors import ConfigError, DataError, MethodError

CUT = datetime(2024, 1, 22)
EARLY = pl.col("timestamp") < CUT


def line(day: int, user: str, item: str, domain: str) -> tuple[str, str, str, datetime]:
    return user, item, domain, datetime(2024, 1, day)


WORLD = World.from_frames(
    pl.DataFrame(
        [
            line(1, "ann", "a", "cake"),
            line(2, "ann", "t", "tea"),
            line(9, "bob", "a", "cake"),
            line(16, "bob", "b", "cake"),
            line(17, "cid", "b", "cake"),
            line(20, "ann", "c", "cake"),
            line(21, "cid", "t", "tea"),
            line(22, "bob", "t", "tea"),
            line(22, "bob", "c", "cake"),
            line(25, "ann", "a", "cake"),
            line(30, "dan", "d", "cake"),
        ],
        schema=["user_id", "item_id", "domain", "timestamp"],
        orient="row",
    )
)
CAKE = pl.col("domain") == WORLD.domain_code("cake")


def days(rows: pl.DataFrame) -> list[int]:
    return sorted(rows["timestamp"].dt.day().to_list())


def whole(split) -> list[tuple]:
    """Every row of all parts, in order."""
    parts = [split.train, split.valid, split.test, split.hidden]
    return sorted(pl.concat(parts).rows(), key=str)


def test_time_cut_trains_nothing_after_the_cut():
    split = time_cut(WORLD, "cake", CUT, valid_share=0.4)
    assert days(split.train) == [1, 2, 9, 16, 21]
    assert days(split.valid) == [17, 20]
    assert days(split.test) == [22, 25, 30]
    assert split.hidden.is_empty()
    assert (split.kind, split.cut, split.leaks_future) == ("time_cut", CUT, False)


def test_the_test_window_has_an_end():
    assert days(time_cut(WORLD, "cake", CUT, test_weeks=1).test) == [22, 25]


@pytest.mark.parametrize(
    "cut", ["2024-01-22", date(2024, 1, 22), datetime(2024, 1, 22, 3, tzinfo=timezone(timedelta(hours=3)))]
)
def test_a_cut_may_be_written_in_several_ways(cut):
    assert time_cut(WORLD, "cake", cut).cut == CUT


def test_launch_hides_what_is_older_than_the_launch():
    split = launch(WORLD, "cake", CUT, weeks=1)
    assert days(split.train) == [2, 16, 17, 20, 21]
    assert days(split.hidden) == [1, 9]
    assert days(split.test) == [22, 25, 30]
    none = launch(WORLD, "cake", CUT, weeks=0)
    assert none.train.filter(CAKE).is_empty()
    assert days(none.train) == [2, 21]
    assert days(none.hidden) == [1, 9, 16, 17, 20]


def test_the_question_is_the_same_for_every_week():
    tests = [launch(WORLD, "cake", CUT, weeks=w).test for w in (0, 1, 2, 8)]
    assert all(t.equals(tests[0]) for t in tests)


def test_launch_selects_on_the_last_visible_rows():
    split = launch(WORLD, "cake", CUT, weeks=1, valid_share=0.34)
    assert days(split.valid) == [20]
    assert days(split.train) == [2, 16, 17, 21]


def test_leave_last_out_is_labelled_leaking():
    split = leave_last_out(WORLD, "cake")
    assert split.leaks_future
    assert days(split.test) == [22, 25]  # cid and dan have one row only
    assert days(split.valid) == [16, 20]
    assert days(split.train) == [1, 2, 9, 17, 21, 22, 30]
    alone = World.from_frames(pl.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "x"], "domain": ["c", "c"]}))
    with pytest.raises(DataError, match="no user has two interactions in 'c': nothing to leave out"):
        leave_last_out(alone, "c")


def test_without_times_the_order_of_rows_counts():
    frame = pl.DataFrame({"user_id": ["a", "b", "a", "a"], "item_id": ["x", "x", "y", "z"], "domain": ["c"] * 4})
    world = World.from_frames(frame)
    split = leave_last_out(world, "c")
    assert world.item_ids.decode(split.test["item"].to_numpy()) == ["z"]
    assert world.item_ids.decode(split.valid["item"].to_numpy()) == ["y"]


def test_k_shot_shows_k_rows_of_each_item():
    split = k_shot(WORLD, "cake", 1, cut=CUT)
    counts = split.train.filter(CAKE).group_by("item").len()["len"].to_list()
    assert counts == [1, 1, 1]
    assert days(split.train.filter(~CAKE)) == [2, 21]
    assert days(split.test) == [22, 25, 30]
    assert split.hidden.height == 2
    assert not split.leaks_future
    open_end = k_shot(WORLD, "cake", 1)
    assert open_end.leaks_future
    assert open_end.test.height == 8 - 4


@settings(max_examples=25, deadline=None)
@for_all(few=st.integers(0, 3), more=st.integers(0, 3), seed=st.integers(0, 99))
def test_more_shots_contain_fewer_shots(few, more, seed):
    small, large = (k_shot(WORLD, "cake", n, seed=seed, cut=CUT).train.rows() for n in sorted((few, few + more)))
    assert set(small) <= set(large)
    assert k_shot(WORLD, "cake", few, seed=seed, cut=CUT).train.rows() == small


@settings(max_examples=25, deadline=None)
@for_all(seed=st.integers(0, 99), share=st.floats(0.2, 0.5), column=st.sampled_from(["item", "user"]))
def test_what_is_cold_is_never_seen_in_the_target(seed, share, column):
    split = (cold_items if column == "item" else cold_users)(WORLD, "cake", share, seed=seed, valid_share=0.25)
    cold = set(split.test[column]) | set(split.valid[column])
    assert not cold & set(split.train.filter(CAKE)[column])
    assert not set(split.test[column]) & set(split.valid[column])
    assert split.train.filter(~CAKE).height == 3
    assert whole(split) == sorted(WORLD.interactions.rows(), key=str)


def test_cold_users_with_a_cut_have_a_past_that_is_hidden():
    for seed in range(10):
        split = cold_users(WORLD, "cake", 0.5, seed=seed, cut=CUT, valid_share=0.0)
        cold = split.test["user"].unique().to_list()
        assert split.test.filter(EARLY).is_empty()
        assert split.train.filter(~EARLY).is_empty()
        past = WORLD.interactions.filter(CAKE & EARLY & pl.col("user").is_in(cold))
        assert set(past.rows()) <= set(split.hidden.rows())
        assert not set(split.hidden["user"]) & set(split.train.filter(CAKE)["user"])


@settings(max_examples=30, deadline=None)
@for_all(day=st.integers(2, 25), weeks=st.floats(0, 5), share=st.floats(0, 0.9))
def test_splits_by_time_never_leak_and_lose_nothing(day, weeks, share):
    cut = datetime(2024, 1, day)
    for split in (
        time_cut(WORLD, "cake", cut, valid_share=share),
        launch(WORLD, "cake", cut, weeks, valid_share=share),
    ):
        for part in (split.train, split.valid, split.hidden):
            assert part.filter(pl.col("timestamp") >= cut).is_empty()
        assert split.test.filter(pl.col("timestamp") < cut).is_empty()
        others = WORLD.interactions.filter((pl.col("timestamp") >= cut) & ~CAKE)
        assert sorted(whole(split) + others.rows(), key=str) == sorted(WORLD.interactions.rows(), key=str)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: time_cut(WORLD, "cake", "soon"), "cut is 'soon'; a time such as 2017-10-30T04:00:00 is needed"),
        (lambda: time_cut(WORLD, "cake", "2030-01-01"), r"cut 2030-01-01 .* is outside the data \(2024-01-01 .*choose"),
        (lambda: time_cut(WORLD, "cake", CUT, test_weeks=0), "test_weeks is 0; a number > 0 is needed"),
        (lambda: time_cut(WORLD, "cake", CUT, valid_share=1.0), "valid_share is 1.0; a share from 0 to below 1"),
        (lambda: launch(WORLD, "cake", CUT, weeks=-1), "weeks is -1; a number ≥ 0 is needed"),
        (lambda: k_shot(WORLD, "cake", -1), "shots is -1; a whole number ≥ 0 is needed"),
        (lambda: k_shot(WORLD, "cake", 1, test_weeks=2), "test_weeks is 2 and there is no cut; give the cut"),
        (lambda: cold_items(WORLD, "cake", 0), "share is 0; a share from 0.001 to below 1 is needed"),
        (lambda: cold_users(WORLD, "cake", 0.9, valid_share=0.1), "together they must stay below 1"),
        (lambda: make_split("launch", WORLD, "cake", {"cutt": CUT}), r"\[split\] launch: unknown key 'cutt'.*'cut'"),
    ],
)
def test_options_out_of_range_are_said(make, sentence):
    with pytest.raises(ConfigError, match=sentence):
        make()


def test_an_empty_test_is_said():
    with pytest.raises(DataError, match=r"'tea' has no interactions from 2024-01-25 .* on: nothing to test"):
        time_cut(WORLD, "tea", "2024-01-25")
    with pytest.raises(DataError, match=r"from 2024-01-03 .* to 2024-01-10 .*: nothing to test"):
        launch(WORLD, "tea", "2024-01-03", weeks=1, test_weeks=1)


def test_splits_by_time_need_times():
    frame = pl.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"], "domain": ["c", "c"]})
    with pytest.raises(DataError, match="split 'launch' needs a timestamp in every interaction, and 2 of 2 have none"):
        launch(World.from_frames(frame), "c", CUT, weeks=1)


def test_every_split_can_be_named():
    assert SPLITS.names() == ["time_cut", "launch", "leave_last_out", "k_shot", "cold_items", "cold_users", "given"]
    named = make_split("launch", WORLD, "cake", {"cut": "2024-01-22", "weeks": 1})
    assert named.train.equals(launch(WORLD, "cake", CUT, weeks=1).train)
    with pytest.raises(MethodError, match="unknown split 'lunch': did you mean 'launch'"):
        make_split("lunch", WORLD, "cake")


@pytest.mark.parametrize("name", SPLITS.names())
def test_options_by_name_are_the_arguments_of_the_function(name):
    method = SPLITS.get(name)
    arguments = {n: p.default for n, p in list(signature(method.make).parameters.items())[2:]}
    assert list(arguments) == [field for field, *_ in describe(method.options)]
    for field in method.options.__dataclass_fields__.values():
        if field.name != "weeks":
            assert field.default == arguments[field.name] or arguments[field.name] is signature(method.make).empty


# Given files


def parts(tmp_path, cuts=(17, 22)) -> dict[str, object]:
    frame = WORLD.interactions.select(
        *(
            pl.Series(name, WORLD.__dict__[words].decode(WORLD.interactions[code].to_numpy()))
            for name, words, code in (
                ("user_id", "user_ids", "user"),
                ("item_id", "item_ids", "item"),
                ("domain", "domains", "domain"),
            )
        ),
        "timestamp",
    )
    day = pl.col("timestamp").dt.day()
    rows = {"train": day < cuts[0], "valid": day.is_between(*cuts, closed="left"), "test": day >= cuts[1]}
    made = {}
    for name, keep in rows.items():
        made[name] = tmp_path / f"{name}.csv"
        frame.filter(keep).write_csv(made[name])
    return made


def test_given_files_part_the_world(tmp_path):
    split = given(WORLD, "cake", **parts(tmp_path))
    assert days(split.train) == [1, 2, 9, 16]
    assert days(split.valid) == [17, 20]
    assert days(split.test) == [22, 25, 30]
    assert split.train.schema == WORLD.interactions.schema
    assert split.train.equals(WORLD.interactions[:4])
    assert (split.cut, split.leaks_future) == (CUT, False)


def test_a_folder_with_parts_gives_the_same_split(tmp_path):
    files = parts(tmp_path)
    world = World.from_folder(tmp_path, cache=False)
    by_folder, by_files = given(world, "cake"), given(WORLD, "cake", **files)
    assert by_folder.train.drop("part").equals(by_files.train)
    assert by_folder.test.drop("part").equals(by_files.test)
    assert make_split("given", WORLD, "cake", {n: str(p) for n, p in files.items()}).test.equals(by_files.test)


def test_given_rows_from_the_future_are_labelled(tmp_path):
    files = parts(tmp_path)
    turned = given(WORLD, "cake", train=files["test"], test=files["train"])
    assert turned.leaks_future
    assert turned.cut is None
    assert turned.valid.is_empty()


def test_given_parts_that_do_not_fit_are_refused(tmp_path):
    files = parts(tmp_path)
    with pytest.raises(DataError, match="a given split needs train and test"):
        given(WORLD, "cake", train=files["train"])
    with pytest.raises(DataError, match=r"this World was not read from a folder with train\.\* and test\.\*"):
        given(WORLD, "cake")
    strange = pl.read_csv(files["test"]).with_columns(user_id=pl.lit("zoe"))
    with pytest.raises(DataError) as caught:
        given(WORLD, "cake", train=files["train"], test=strange)
    assert caught.value.problems == (
        "test.user_id: 1 ids are not in the World (for example 'zoe'); read them with it.",
    )  # fmt: skip
    with pytest.raises(DataError, match=r"the given test part has 1 problem"):
        given(WORLD, "cake", train=files["train"], test=strange.drop("item_id"))


def test_a_part_without_events_fits_only_one_kind_of_event(tmp_path):
    files = parts(tmp_path)
    frame = pl.read_csv(files["train"]).with_columns(event=pl.lit("view"))
    two = World.from_frames(pl.concat([frame, frame.with_columns(event=pl.lit("buy"))]))
    with pytest.raises(DataError) as caught:
        given(two, "cake", train=frame.drop("event"), test=frame)
    assert caught.value.problems == (
        "train.event: this column is missing, and the World has several events; add it.",
    )  # fmt: skip
