"""Under which conditions a campaign was measured, for programs: how its targets were served, and by what."""

from typing import Any, Final

from results.schema import Manifest, Subject

ABSENT: Final = "not installed"


def condition_document(manifest: Manifest) -> dict[str, Any]:
    """Return what was chosen for all targets, and the packages with which each subject ran.

    Of a service of somebody's own neither is known: None, and no packages.
    """
    of_service = any(subject.asked for subject in manifest.subjects)
    return {
        **(dict.fromkeys(manifest.served) if of_service else manifest.served),
        "subjects": [_packages(manifest, subject) for subject in manifest.subjects],
    }


def _packages(manifest: Manifest, subject: Subject) -> dict[str, Any]:
    """Return the versions of a subject's own environment; of the harness's, those that a manifest names."""
    ours = {"python": manifest.served["python"], **manifest.part("packages")}
    found = subject.versions or ({} if subject.asked else ours)
    return {
        "subject": subject.key,
        "versions": {name: version for name, version in found.items() if version not in (None, ABSENT)},
    }
