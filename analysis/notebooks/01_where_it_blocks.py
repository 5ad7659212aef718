# ---
# jupyter:
#   blockpoint:
#     reads: trials
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
# # Where it blocks
#
# Which arrival rate makes unrelated requests slow, for each way of running background work, and how sure is
# that? Every cell is plain pandas and can be changed: the names in `CAPITALS` are meant to be.

# %%
CAMPAIGN = "quick-reference"  # a folder, or a name under results/runs or results/published

import matplotlib.pyplot as plt
import pandas as pd

from analysis.charts.style import colour, variant_style
from analysis.trials.curves import with_gaps
from analysis.trials.derive import read_derived
from analysis.trials.points import at_rates
from results.store import campaign_folder

plt.rcParams.update({"figure.dpi": 110, "text.parse_math": False})  # a name may hold dollar signs
pd.options.display.max_colwidth = 120
campaign = read_derived(campaign_folder(CAMPAIGN))
trials = campaign.summary
trials.insert(0, "subject", trials["strategy"] + "/" + trials["variant"])
count = trials["trial_id"].nunique()
print(f"{campaign.manifest.campaign}: {count} trials, {len(trials)} rows, {(~trials['valid']).sum()} invalid")

# %% [markdown]
# ## The table
#
# One row a trial (a step of it, where its rate changes), warm-up cut. These are the columns that matter
# here.

# %%
meaning = {
    "subject": "the strategy and its variant",
    "kind": "what a task does: wait, or compute",
    "duration_ms": "how long a task takes",
    "topology": "whether web process and workers share their cores",
    "offered_per_s": "tasks that were due a second, whether the target kept up or not",
    "accept_p99_ms": "99 % of the tasks were accepted within this time of being due",
    "ping_p99_ms": "the same of an unrelated `async def` endpoint: it waits for the event loop",
    "ping_sync_p99_ms": "the same of an unrelated `def` endpoint: it waits for a thread of the pool",
    "ping_sync_n": "requests that its p99 was taken from",
    "ping_sync_p99_at_least": "some were never answered, so that the true p99 may be higher",
    "valid": "the generator was on time, and nobody else used the cores; other trials count nowhere",
}
pd.DataFrame({"meaning": meaning, "first row": trials[list(meaning)].iloc[0]})

# %% [markdown]
# ## Which tasks?
#
# Only trials of equal tasks may be compared. Here are all that the campaign has; the next cell starts with
# those that were measured most often.

# %%
CONDITION = ["kind", "duration_ms", "topology"]
steady = at_rates(trials[~trials["closed"]])
assert len(steady), "no trial at a fixed rate was sealed"
steady.groupby(CONDITION).agg(subjects=("subject", "nunique"), valid=("valid", "sum"))

# %%
KIND, DURATION_MS, TOPOLOGY = steady.groupby(CONDITION).size().idxmax()

asked = steady.query("kind == @KIND and duration_ms == @DURATION_MS and topology == @TOPOLOGY")
chosen = asked[asked["valid"]]
tasks = f"{KIND} tasks of {DURATION_MS:g} ms, {TOPOLOGY}"
print(f"{tasks}: {len(chosen)} of {len(asked)} rows are valid")

# %% [markdown]
# ## One strategy
#
# Each stream of requests against the arrival rate. A bar is the 95 % interval within one trial: what other
# luck in the same seconds would have made of it, not what another day would.

# %%
SUBJECT = asked.groupby("subject")["valid"].sum().idxmax()
LIMIT_MS = campaign.manifest.limit_ms

one = chosen[chosen["subject"] == SUBJECT].sort_values("offered_per_s")
figure, axes = plt.subplots(figsize=(7, 4))
for stream, name in {"accept": "accepting a task", "ping": "/ping", "ping_sync": "/ping-sync"}.items():
    p99, low, high = (one[f"{stream}_p99{side}_ms"] for side in ("", "_low", "_high"))
    margin = [(p99 - low).clip(lower=0), (high - p99).clip(lower=0)]
    axes.errorbar(one["offered_per_s"], p99, margin, fmt="o-", capsize=3, label=name)
axes.axhline(LIMIT_MS, color="black", linestyle="--", label="the limit")
axes.set(xlabel="arrival rate (tasks/s)", ylabel="p99 (ms)", yscale="log", title=f"{SUBJECT}: {tasks}")
axes.yaxis.set_major_formatter("{x:g}")
axes.legend()
plt.show()

# %% [markdown]
# ## All of them
#
# An unrelated request does not care which endpoint is the slow one: take the worse of the two. Points that
# lie far apart are not joined, since nobody measured between them.

# %%
BYSTANDERS = ["ping_p99_ms", "ping_sync_p99_ms"]

figure, axes = plt.subplots(figsize=(8, 5))
for (strategy, variant), own in chosen.groupby(["strategy", "variant"]):
    worst = own.groupby("offered_per_s")[BYSTANDERS].median().max(axis=1).reset_index(name="ms")
    worst = with_gaps(worst, "offered_per_s")
    line, marker = variant_style(variant)
    look = {"color": colour(strategy), "linestyle": line, "marker": marker}
    axes.plot(worst["offered_per_s"], worst["ms"], label=f"{strategy}/{variant}", **look)
axes.axhline(LIMIT_MS, color="black", linestyle="--", label="the limit")
axes.set(xlabel="arrival rate (tasks/s)", ylabel="worse p99 of two bystanders (ms)", title=tasks)
axes.loglog()
axes.xaxis.set_major_formatter("{x:g}")
axes.yaxis.set_major_formatter("{x:g}")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# ## Where does it cross the limit?
#
# Between the highest rate that held and the lowest that did not. No number in `failed`: at no rate that was
# tried; none in `held`: already at the lowest. Change `LIMIT_MS` or `STREAMS` and run it again.

# %%
LIMIT_MS = campaign.manifest.limit_ms
STREAMS = ["accept_p99_ms", *BYSTANDERS]

rates = chosen.groupby(["subject", "offered_per_s"])[STREAMS].median().max(axis=1)
rates = rates.rename("p99_ms").reset_index()
failed = rates[rates["p99_ms"] > LIMIT_MS].groupby("subject")["offered_per_s"].min()
below = rates["offered_per_s"] < rates["subject"].map(failed).astype(float).fillna(float("inf"))
held = rates[below].groupby("subject")["offered_per_s"].max()
print(f"{tasks}; the limit is {LIMIT_MS:g} ms")
pd.DataFrame({"held": held, "failed": failed}).sort_values(["failed", "held"])

# %% [markdown]
# ## How sure is that?
#
# The p99 of a few seconds misses slow spells that come seldom. The campaign's own answer, under its own
# limit, weighs how long such spells last and how many a trial may have missed by chance, and it puts
# repeats together, of which the table above takes the median. An API blocks where more than 1 % of a stream
# is slow; `at most` is the share that the held edge may still have. An edge is `certain` where no such
# doubt is left.

# %%
answer = campaign.points.query(
    "kind == @KIND and duration_ms == @DURATION_MS and topology == @TOPOLOGY and question == 'blocking'"
)
answer = answer.set_index(answer["strategy"] + "/" + answer["variant"])
heading = {
    "held_per_s": "held",
    "failed_per_s": "failed",
    "by": "what blocks",
    "held_slow_share": "slow when held",
    "held_slow_high": "at most",
    "certain": "certain",
    "ending": "the search ended",
    "trials": "trials",
}
answer[list(heading)].rename(columns=heading).round(3)

# %% [markdown]
# ## And under another limit?
#
# The same trials, judged again: `held to failed`, for limits of your choice. What moves far with the limit
# bends slowly; what does not stands at a wall. Here each p99 is taken as it was measured.

# %%
LIMITS_MS = [25, 50, 100, 250, 500]

judged = {}
for limit_ms in LIMITS_MS:
    failed = rates[rates["p99_ms"] > limit_ms].groupby("subject")["offered_per_s"].min()
    below = rates["offered_per_s"] < rates["subject"].map(failed).astype(float).fillna(float("inf"))
    held = rates[below].groupby("subject")["offered_per_s"].max()
    edges = pd.DataFrame({"held": held, "failed": failed}).round(1).astype("string").fillna("…")
    judged[f"{limit_ms} ms"] = edges["held"] + " to " + edges["failed"]
pd.DataFrame(judged)

# %% [markdown]
# ## Go on
#
# - Another campaign: put its folder into the first cell. A search of your own, with narrower edges:
#   `blockpoint find --duration 100ms --precision 1.1`.
# - Longer tasks: set `DURATION_MS` to one that the table above has.
# - What happens to the tasks meanwhile: `02_latency_and_throughput`.
