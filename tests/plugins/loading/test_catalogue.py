"""Which files of a folder have to be copied."""

from __future__ import annotations

from sparkify.loading.catalogue import FolderChange
from sparkify.loading.source import SourceFile

FOLDER = "song_data/A/A/"
A, B, C = (SourceFile("bucket", f"{FOLDER}{key}.json", 10, f"etag-{key}") for key in "abc")


def test_a_folder_that_is_as_it_was_is_not_copied() -> None:
    change = FolderChange.of(FOLDER, [A, B], {A.key: A.etag, B.key: B.etag})
    assert (change.copy, change.replaces) == ([], False)


def test_a_new_folder_is_copied_whole() -> None:
    change = FolderChange.of(FOLDER, [A, B], {})
    assert (change.copy, change.replaces) == ([A, B], False)


def test_new_files_are_copied_alone() -> None:
    change = FolderChange.of(FOLDER, [A, B, C], {A.key: A.etag, B.key: B.etag})
    assert (change.copy, change.replaces) == ([C], False)


def test_a_changed_file_brings_its_folder_again() -> None:
    change = FolderChange.of(FOLDER, [A, B], {A.key: A.etag, B.key: "older"})
    assert (change.copy, change.replaces, change.changed) == ([A, B], True, 1)


def test_a_vanished_file_brings_its_folder_again() -> None:
    change = FolderChange.of(FOLDER, [A], {A.key: A.etag, B.key: B.etag})
    assert (change.copy, change.replaces, change.vanished) == ([A], True, 1)


def test_a_vanished_folder_leaves_nothing() -> None:
    change = FolderChange.of(FOLDER, [], {A.key: A.etag})
    assert (change.copy, change.replaces) == ([], True)
