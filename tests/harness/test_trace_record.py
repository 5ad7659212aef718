import hashlib
from pathlib import Path

import msgspec
import pytest

from harness.campaign.trace_record import check_trace, trace_record
from results.errors import BlockpointError
from results.traffic import Traffic
from tests.analysis.synthetic import Cell, build


def test_a_campaign_keeps_name_and_digest_of_its_trace_and_notices_another(tmp_path: Path) -> None:
    file = tmp_path / "monday.csv"
    file.write_bytes(b"0\n1\n3\n")
    traffic = Traffic("trace", trace=str(file))
    kept = trace_record(traffic)
    assert kept == {"trace": {"name": "monday.csv", "sha256": hashlib.sha256(b"0\n1\n3\n").hexdigest()}}
    campaign, _ = build(tmp_path / "c", [Cell("celery", [(20, 1, 50)])])
    plan = msgspec.structs.replace(campaign.manifest.plans[0], options=traffic.options)
    manifest = msgspec.structs.replace(campaign.manifest, plans=[plan], environment=kept)
    check_trace(manifest)
    file.write_bytes(b"0\n1\n4\n")
    with pytest.raises(BlockpointError, match="has changed"):
        check_trace(manifest)
    file.unlink()
    with pytest.raises(BlockpointError, match="cannot be read"):
        check_trace(manifest)


def test_without_a_trace_there_is_nothing_to_keep(tmp_path: Path) -> None:
    assert trace_record(Traffic()) == {}
    campaign, _ = build(tmp_path / "c", [Cell("celery", [(20, 1, 50)])])
    check_trace(campaign.manifest)
