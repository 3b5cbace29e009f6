"""Which song files have to be copied."""

from __future__ import annotations

from sparkify.loading.catalogue import CataloguePlan
from sparkify.loading.source import SourceFile

A, B, C = (SourceFile("bucket", f"song_data/{key}.json", 10, f"etag-{key}") for key in "abc")


def test_an_unchanged_catalogue_is_not_copied() -> None:
    plan = CataloguePlan.of([A, B], {A.key: A.etag, B.key: B.etag})
    assert (plan.copy, plan.replace) == ([], False)


def test_the_first_catalogue_is_copied_whole() -> None:
    plan = CataloguePlan.of([A, B], {})
    assert (plan.copy, plan.replace) == ([A, B], False)


def test_new_files_are_copied_alone() -> None:
    plan = CataloguePlan.of([A, B, C], {A.key: A.etag, B.key: B.etag})
    assert (plan.copy, plan.replace) == ([C], False)


def test_a_changed_file_brings_the_whole_catalogue_again() -> None:
    plan = CataloguePlan.of([A, B], {A.key: A.etag, B.key: "older"})
    assert (plan.copy, plan.replace) == ([A, B], True)


def test_a_vanished_file_brings_the_whole_catalogue_again() -> None:
    plan = CataloguePlan.of([A], {A.key: A.etag, B.key: B.etag})
    assert (plan.copy, plan.replace) == ([A], True)
