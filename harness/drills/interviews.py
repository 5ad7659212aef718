"""Asks every strategy of a drill's campaign what it lets an operator see."""

from harness.campaign.jobs import in_lanes
from harness.campaign.progress import Progress
from harness.campaign.session import Session, launch
from harness.interview import interview
from results.errors import BlockpointError
from results.interviews import keep, read_interviews
from results.store import Campaign


def hold_interviews(session: Session, campaign: Campaign, progress: Progress) -> None:
    """Interview each subject that was not yet; one that cannot be held is reported and left out."""
    known = {each.subject for each in read_interviews(campaign.folder)}
    left = [subject.key for subject in campaign.manifest.subjects if subject.key not in known]

    def ask(key: str) -> None:
        logs = campaign.folder / "logs" / f"interview-{key.replace('/', '-')}"
        logs.mkdir(parents=True, exist_ok=True)
        topology = campaign.manifest.topology[0]
        try:
            keep(
                campaign.folder,
                interview(launch(session, campaign.manifest.pinning[topology], key), key, logs),
            )
        except BlockpointError as error:
            if not session.family.closed:
                progress.say(f"{key} could not be interviewed: {error}")
        else:
            progress.say(f"asked what {key} lets an operator see")

    in_lanes(session, left, ask)
