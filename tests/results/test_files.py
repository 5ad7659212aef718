from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from results.files import whole_folder


def test_many_who_replace_one_folder_at_a_time_all_get_through(tmp_path: Path) -> None:
    target = tmp_path / "derived"

    def write(number: int) -> None:
        with whole_folder(target) as made:
            for name in ("one", "two", "three"):
                (made / name).write_text(str(number))

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(write, range(80)))
    assert {path.name for path in target.iterdir()} == {"one", "two", "three"}
    assert len({path.read_text() for path in target.iterdir()}) == 1
    assert list(tmp_path.iterdir()) == [target]
