"""Under which conditions a campaign was measured, for programs: how its targets were served, and by what."""

from typing import Any, Final

from results.schema import Manifest, Subject

ABSENT: Final = "not installed"


def condition_document(manifest: Manifest) -> dict[str, Any]:
    """Return what was chosen for all targets, and the packages with which each subject ran."""
    return {
        **manifest.served,
        "subjects": [_packages(manifest, subject) for subject in manifest.subjects],
    }


def _packages(manifest: Manifest, subject: Subject) -> dict[str, Any]:
    """Return the versions of a subject's own environment; of the harness's, those that a manifest names."""
    ours = manifest.environment.get("packages", {})
    found = subject.versions or {"python": manifest.served["python"], **ours}
    return {
        "subject": subject.key,
        "versions": {name: version for name, version in found.items() if version not in (None, ABSENT)},
    }
