"""On a full disk nothing is sent that cannot be recorded, and sent messages are recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.domain.settings import StoreLocation
from notifier.store import open_store
from notifier.store.disk import BALLAST_BYTES, ballast_file
from tests.factories import DAY
from tests.store.small_disk import missing, on_a_disk

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.mark.parametrize(
    ("options", "hint"),
    [("size=2m", "at least 4096 KiB"), ("size=8m,nr_inodes=3", "no free inodes")],
)
def test_nothing_begins_on_a_disk_without_space(tmp_path: Path, options: str, hint: str) -> None:
    output = on_a_disk(options, tmp_path, "after the dot")

    assert output.startswith("StoreError 74")
    assert hint in output


def test_no_dot_is_sent_that_cannot_be_recorded(tmp_path: Path) -> None:
    output = on_a_disk("size=8m", tmp_path, "before the dot")

    assert output.startswith("opened\nStoreError 74")
    assert "disk is full" in output


def test_a_sent_message_is_recorded_on_a_full_disk(tmp_path: Path) -> None:
    output = on_a_disk("size=8m", tmp_path, "after the dot")

    assert output.startswith("opened\n{'sent'}, ballast: False\n")
    assert "the ballast was deleted; make space" in output


def test_a_backup_without_space_is_only_a_warning(tmp_path: Path) -> None:
    output = on_a_disk("size=8m", tmp_path, "a copy")

    assert output.startswith("opened\ncopied: False\nfrozen: complete\n")
    assert f"notifier.db.backup-{DAY} cannot be written: the disk is too full" in output


def test_a_read_only_disk_allows_reading_and_refuses_writing(
    tmp_path: Path,
) -> None:
    output = on_a_disk("size=16m", tmp_path, "read-only")

    assert output.startswith("read: 1\nStoreError 74")
    assert str(tmp_path / "notifier.db") in output


async def test_a_deleted_ballast_is_created_again(file: Path) -> None:
    location = StoreLocation(f"sqlite:///{file}")
    async with open_store(location) as store:
        assert ballast_file(file).stat().st_size == BALLAST_BYTES
        ballast_file(file).unlink()
        await store.back_up(DAY)
        assert ballast_file(file).exists()
        ballast_file(file).unlink()
    async with open_store(location):
        assert ballast_file(file).exists()
