"""A campaign's folder: create it, stage a trial, seal it atomically, open it again.

NAME/manifest.json              the conditions, written before the first trial
NAME/SHA256SUMS                 its checksum
NAME/trials/ID/trial.json       one sealed trial with its tables *.parquet, their SHA256SUMS, and logs/
NAME/trials/.partial-ID-*/      a trial under way; never read as complete
NAME/derived/, NAME/report/     made from the above, deletable; NAME/at-50ms/: both, under another limit
NAME/.lock                      held by whoever adds trials

One that was packed for keeping has no trials/, and is read the same: see `results.packed`.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from results.checkout import checkout
from results.columns import TABLES
from results.documents import read_sealed, write_document
from results.errors import BlockpointError
from results.files import sync, whole_folder
from results.locks import sole_writer
from results.packed import Packed, is_packed
from results.schema import Manifest, Subject, Trial
from results.sums import digest_of, seal
from results.tables import read_table
from results.text import named

MANIFEST = "manifest.json"
_PARTIAL = ".partial-"


def runs_folder() -> Path:
    """Return the folder of raw campaigns: `$BLOCKPOINT_RUNS`, else `results/runs` of the checkout.

    Without a checkout it is `results/runs` under the working directory, or `blockpoint-runs` where `results`
    is somebody's package. It is absolute: the processes that write there work elsewhere.
    """
    return Path(os.environ.get("BLOCKPOINT_RUNS") or _usual_runs()).resolve()


def _usual_runs() -> Path:
    root = checkout()
    if root is None and Path("results", "__init__.py").exists():
        return Path("blockpoint-runs")
    return (root or Path()) / "results" / "runs"


def campaign_folder(name_or_path: str) -> Path:
    """Find a campaign by path or name: under `runs_folder()`, else published; raises BlockpointError.

    One whose name is no single line is none: every message about it is to be one.
    """
    if named(Path(name_or_path)) != str(Path(name_or_path)):
        raise BlockpointError(f"there is no campaign {name_or_path!r}: no name of one has control characters")
    for folder in (Path(name_or_path), *(place / name_or_path for place in _places())):
        with contextlib.suppress(OSError, ValueError):  # a name that no file system takes
            if (folder / "manifest.json").is_file():
                return folder.resolve()
    raise BlockpointError(
        f"there is no campaign {name_or_path!r}: neither a folder with a manifest.json nor a name under "
        f"{named(runs_folder())}"
    )


def _places() -> Iterator[Path]:
    """Yield the folders in which a campaign is known by its name; only a checkout has published ones."""
    yield runs_folder()
    if root := checkout():
        yield root / "results" / "published"


def trial_folder_name(trial_id: str, attempt: int) -> str:
    """Return the name of the folder of one attempt at a planned trial."""
    return trial_id if attempt == 1 else f"{trial_id}.{attempt}"


@dataclass(frozen=True)
class Campaign:
    """An open campaign."""

    folder: Path
    manifest: Manifest

    @property
    def trials_folder(self) -> Path:
        """Where the sealed trials are, unless they are packed."""
        return self.folder / "trials"

    @cached_property
    def _packed(self) -> Packed | None:
        return Packed(self.folder) if is_packed(self.folder) else None

    def trials(self) -> list[Trial]:
        """Return every sealed trial, invalid ones too, in the order of their names."""
        if self._packed:
            return list(self._packed.trials)
        return [self._read_trial(folder) for folder in self._sealed()]

    def table(self, trial: Trial, name: str) -> pa.Table:
        """Return one of a trial's tables; raises BlockpointError where it is not whole."""
        if name not in trial.rows or name not in TABLES:
            raise BlockpointError(f"trial {trial.plan.trial_id}: sealed without the table {name!r}")
        if self._packed:
            return self._packed.table(trial, name)
        folder = self.folder_of(trial)
        digest = digest_of(folder / f"{name}.parquet", trial.schema)
        return read_table(folder, name, trial.rows[name], digest=digest, crc=trial.checksums.get(name))

    def check_others(self, trial: Trial, *read: str) -> None:
        """Raise BlockpointError where a sealed table that nobody reads is not whole."""
        for name in sorted(set(trial.rows).difference(read)):
            self.table(trial, name)

    def folder_of(self, trial: Trial) -> Path:
        """Return a sealed trial's folder, where it is not packed."""
        return self.trials_folder / trial_folder_name(trial.plan.trial_id, trial.attempt)

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """Be the one process that adds to it; raises BlockpointError that names another that is."""
        if self._packed:
            raise BlockpointError(f"{named(self.folder)}: is packed for keeping: no trial can be added")
        return sole_writer(self.folder)

    def stage(self, trial_id: str, attempt: int) -> Path:
        """Make an empty folder for a trial under way, which is no other process's, nor an earlier one's."""
        name = f"{_PARTIAL}{trial_folder_name(trial_id, attempt)}-"
        folder = Path(tempfile.mkdtemp(prefix=name, dir=self.trials_folder))
        folder.chmod(0o755)
        (folder / "logs").mkdir()
        return folder

    def seal(self, staged: Path, trial: Trial) -> Path:
        """Write `trial.json` and the checksums, and make the trial visible in one rename.

        Returns its folder.
        Raises ValueError where a table that the trial names is not there.
        """
        missing = [name for name in trial.rows if not (staged / f"{name}.parquet").is_file()]
        if missing or set(trial.rows) - set(TABLES):
            raise ValueError(f"cannot seal {staged}: tables {missing or sorted(trial.rows)}")
        for path in staged.glob("*.parquet"):
            sync(path)
        write_document(staged / "trial.json", without_the_known(trial, self.manifest))
        seal(staged, ["trial.json", *(f"{name}.parquet" for name in trial.rows)])
        sync(staged)
        sealed = self.folder_of(trial)
        staged.rename(sealed)
        sync(self.trials_folder)
        return sealed

    def discard_partial(self) -> None:
        """Remove what trials that were never sealed left behind; to be called by the sole writer."""
        for folder in self.trials_folder.glob(f"{_PARTIAL}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _read_trial(self, folder: Path) -> Trial:
        trial = read_sealed(folder / "trial.json", Trial)
        if trial_folder_name(trial.plan.trial_id, trial.attempt) != folder.name:
            raise BlockpointError(
                f"{named(folder)}: its trial.json says it is trial {trial.plan.trial_id!r}; "
                "moved or copied by hand?"
            )
        return trial

    def _sealed(self) -> Iterator[Path]:
        try:
            found = sorted(self.trials_folder.iterdir())
            yield from [folder for folder in found if folder.is_dir() and not folder.name.startswith(".")]
        except OSError as error:
            raise BlockpointError(f"{named(self.trials_folder)}: cannot be read ({error.strerror})") from None


def without_the_known(trial: Trial, manifest: Manifest) -> Trial:
    """Return the trial without what the manifest says of its target's identity already."""
    known = _identity(trial, manifest)
    own = {
        name: value for name, value in trial.load.identity.items() if known.get(name) != _read(name, value)
    }
    return msgspec.structs.replace(trial, load=msgspec.structs.replace(trial.load, identity=own))


def _identity(trial: Trial, manifest: Manifest) -> dict[str, Any]:
    """Return what a target says of itself where all is as the manifest has it."""
    subject = {each.key: each for each in manifest.subjects}.get(trial.plan.subject)
    told: dict[str, Any] = {"service": "blockpoint", "boot_id": trial.boot_id}
    if isinstance(packages := manifest.environment.get("packages"), dict):
        versions = trial.load.identity.get("versions", {})
        told["versions"] = {name: packages.get(name) for name in versions}
    told["conditions"] = manifest.conditions
    if subject is None:
        return told
    slots = {kind: service.slots for kind, service in subject.services.items()}
    return told | {
        "strategy": subject.strategy,
        "variant": subject.variant,
        "slots": slots,
        "subject": subject,
    }


def _read(name: str, value: Any) -> Any:
    with contextlib.suppress(msgspec.ValidationError):
        return msgspec.convert(value, Subject) if name == "subject" else value
    return value


def create_campaign(folder: Path, manifest: Manifest) -> Campaign:
    """Create a campaign's folder with its manifest; raises BlockpointError where the name is taken.

    It appears whole or not at all: an interruption, or a full disk, does not take the name.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(folder, replacing=False) as made:
            (made / "trials").mkdir()
            write_document(made / MANIFEST, manifest)
            seal(made, [MANIFEST])
    except OSError as error:
        if os.path.lexists(folder):
            raise BlockpointError(
                f"campaign {named(folder)} already exists: choose another --name or continue it with "
                f"--resume {named(Path(folder.name))}"
            ) from None
        raise BlockpointError(f"cannot create campaign {named(folder)}: {error.strerror}") from None
    return Campaign(folder, manifest)


def open_campaign(folder: Path) -> Campaign:
    """Open a campaign; raises BlockpointError where it is damaged, foreign or from a newer version."""
    campaign = Campaign(folder, read_sealed(folder / MANIFEST, Manifest))
    if not campaign.trials_folder.is_dir() and not is_packed(folder):
        raise BlockpointError(f"{named(folder)}: has a manifest but no trials/ folder; is it a whole copy?")
    return campaign
