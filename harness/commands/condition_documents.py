"""Under which conditions a campaign was measured, for programs: how its targets were served, and by what."""

from typing import Any, Final

from harness.commands.agent_documents import agent_document
from results.schema import Manifest, Subject
from results.store import Campaign

ABSENT: Final = "not installed"


def condition_document(campaign: Campaign) -> dict[str, Any]:
    """Return what was chosen for all targets, where they ran, and the packages with which each subject did.

    Of a service of somebody's own nothing of it is known: None, and no packages.
    """
    manifest = campaign.manifest
    of_service = any(subject.asked for subject in manifest.subjects)
    return {
        **(dict.fromkeys(manifest.served) if of_service else manifest.served),
        "agent": agent_document(campaign),
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
