from pathlib import Path

from tests.harness.blockpoint import blockpoint

PUBLISHED = Path(__file__).parents[2] / "results" / "published"


def test_drills_have_no_point_to_judge_by_another_limit(tmp_path: Path) -> None:
    asked = blockpoint("report", str(PUBLISHED / "drills-kill-child"), "--slo-ms", "50", runs=tmp_path)
    assert asked.returncode == 2
    assert asked.stderr.strip().endswith("drills have no blocking point to judge again")


def test_a_limit_is_a_positive_number_of_milliseconds(tmp_path: Path) -> None:
    asked = blockpoint("report", "nothing", "--slo-ms", "0", runs=tmp_path)
    assert asked.returncode == 2
    assert "--slo-ms" in asked.stderr
