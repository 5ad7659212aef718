# ---
# jupyter:
#   blockpoint:
#     reads: drills
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What is lost
#
# A process dies, or the broker does: what became of each task that had been accepted? In a drill that
# happens on purpose, and every task is accounted for from three records: the client's, the workers', the
# broker's. Every cell is plain pandas and can be changed: the names in `CAPITALS` are meant to be.

# %%
CAMPAIGN = "drills"  # a folder, or a name under results/runs or results/published; one of `blockpoint drill`

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from analysis.charts.style import colour
from analysis.drills.derive import derive_drills
from analysis.drills.intervals import share_interval
from analysis.drills.matrix import drills_in_order, subjects_in_order
from results.store import campaign_folder

plt.rcParams.update({"figure.dpi": 110, "text.parse_math": False})  # a name may hold dollar signs
pd.options.display.max_colwidth = 120
campaign = derive_drills(campaign_folder(CAMPAIGN))
every = campaign.trials
trials = every[every["valid"]]
assert len(trials), "no drill of this campaign counts"
print(f"{campaign.manifest.campaign}: {len(every)} drills, {len(every) - len(trials)} of them do not count")

# %% [markdown]
# ## The table
#
# One row a drill. Each scheduled task has exactly one fate; these are the counts.

# %%
fates = {
    "completed": "ran, once",
    "hidden": "nobody ran it until its broker's window had passed, or somebody started a process again",
    "started_twice": "started again, completed once",
    "completed_twice": "ran to its end more than once",
    "failed": "its last attempt raised",
    "held": "the broker still had it at the last look",
    "cut_off": "still running, or waiting in memory, at the last look",
    "lost": "accepted, and neither ran nor is it anywhere",
    "rejected": "never accepted: an error, or no connection; its client knows",
    "unknown": "no answer came, and it never ran",
    "ran_unaccepted": "ran, though its client saw no acceptance: trying again would run it twice",
    "shed": "never sent",
    "unaccounted": "its records contradict each other",
}
counts = trials[["scheduled", "accepted", *fates]].sum()
meaning = {"scheduled": "tasks that were due", "accepted": "its client got a 2xx"} | fates
pd.DataFrame({"meaning": meaning, "in all drills": counts.astype(int)})

# %% [markdown]
# ## What was broken?

# %%
names = drills_in_order(list(trials["drill"]))
done = trials.groupby("drill").agg(what=("summary", "first"), drills=("drill", "size"))
done.reindex(names)

# %% [markdown]
# ## Lost, of what was accepted
#
# Empty: the drill does not concern the strategy (nobody can kill the worker of one that has none). A zero
# is a count, and no promise: the cells after the next ask how sure it is.

# %%
subjects = [subject.key for subject in subjects_in_order(campaign.manifest)]
sums = trials.groupby(["subject", "drill"])[["accepted", *fates]].sum().astype(int)
cells = sums["lost"].astype(str) + " of " + sums["accepted"].astype(str)
cells.unstack().reindex(index=subjects, columns=names).fillna("")

# %% [markdown]
# ## One drill, fate by fate
#
# As shares of what was accepted, without those that simply ran. It starts with the drill that took most of
# the tasks that were under way.

# %%
DRILL = trials.groupby("drill")["lost_in_flight"].sum().idxmax()
FATES = ["lost", "hidden", "started_twice", "completed_twice", "held", "cut_off", "failed"]

own = trials[trials["drill"] == DRILL]
counted = own.groupby("subject")[["accepted", *FATES]].sum()
counted = counted.reindex([subject for subject in subjects if subject in counted.index])
shares = counted[FATES].div(counted["accepted"], axis=0)
figure, axes = plt.subplots(figsize=(8, 0.4 * len(shares) + 1.2))
left = pd.Series(0.0, shares.index)
for fate in FATES:
    if shares[fate].any():
        axes.barh(shares.index, shares[fate], left=left, label=fate.replace("_", " "))
        left += shares[fate]
axes.invert_yaxis()
axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
axes.set(xlabel="of the accepted tasks", title=f"{DRILL}: {own['summary'].iloc[0]}")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# ## Repeat by repeat
#
# Tasks of one drill met the same fault at the same moment, and share their luck: the repeats tell how much
# that is. A dot a repeat.

# %%
figure, axes = plt.subplots(figsize=(8, 0.4 * len(shares) + 1.2))
for subject in shares.index:
    share = (own["lost"] / own["accepted"])[own["subject"] == subject]
    axes.plot(share, [subject] * len(share), "o", alpha=0.5, color=colour(subject.partition("/")[0]))
axes.invert_yaxis()
axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
axes.set(xlabel="lost of the accepted tasks, in each repeat", title=DRILL)
plt.show()

# %% [markdown]
# ## How sure is that?
#
# `from` and `to` are the 95 % interval of the share, by a bootstrap over repeats; empty where all repeats
# agree. Where no repeat lost anything there is an exact bound instead: `at most` is how likely a drill may
# be to lose something. Were it likelier, so many repeats would all have been spared in less than 5 % of the
# cases.

# %%
rows = {}
for subject, repeats in own.groupby("subject"):
    lost, accepted = repeats["lost"].to_numpy(np.int64), repeats["accepted"].to_numpy(np.int64)
    low, high = share_interval(lost, accepted)
    rows[subject] = {
        "lost": lost.sum(),
        "accepted": accepted.sum(),
        "share": lost.sum() / accepted.sum(),
        "from": low,
        "to": high,
        "repeats": len(repeats),
        "with a loss": (lost > 0).sum(),
        "at most": np.nan if lost.any() else 1 - 0.05 ** (1 / len(repeats)),
    }
print(DRILL)
pd.DataFrame(rows).T.reindex(shares.index).round(3)

# %% [markdown]
# ## Of those that were under way
#
# What a fault meets depends on the load: how long tasks are, and how many wait. So take the share of what
# was in the target's hands when it came.

# %%
met = own.groupby("subject")[["in_flight", "lost_in_flight"]].sum(min_count=1)
met["share"] = met["lost_in_flight"] / met["in_flight"]
print(DRILL)
met.reindex(shares.index).round(2)

# %% [markdown]
# ## Hidden is not lost, but late
#
# A broker waits for a silent worker before it gives its tasks to another. `window_s` is how long it did so
# here, shortened for the drill; `by_default` is what the same settings would make of it in production.

# %%
late = trials[trials["hidden_at_rest"] > 0].groupby(["drill", "subject"])
late = late.agg(
    hidden=("hidden_at_rest", "sum"),
    seen_after_s=("hidden_until_s", "max"),
    window_s=("window_s", "max"),
    by_default_s=("default_window_s", "max"),
)
late.astype({"hidden": int}).round(1)

# %% [markdown]
# ## Twice
#
# What is not lost may run twice, or begin to: a task that sends an e-mail has to bear that. Of what was
# accepted, and only where it happened.

# %%
TWICE = ["started_twice", "completed_twice"]

twice = sums[TWICE].sum(axis=1)
cells = twice.astype(str) + " of " + sums["accepted"].astype(str)
cells = cells[twice > 0].unstack()
cells.reindex(
    index=[s for s in subjects if s in cells.index], columns=[n for n in names if n in cells]
).fillna("")

# %% [markdown]
# ## Go on
#
# - Another fault: set `DRILL` to one of the names above.
# - Your own strategy, or more repeats: `blockpoint drill kill-worker --strategy celery --repeats 20`, and
#   put that campaign's name into the first cell.
# - What each drill does, moment by moment: `docs/drills.md`.
