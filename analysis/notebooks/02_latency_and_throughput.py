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
# # Latency and throughput
#
# How long do requests take, counted from when they were *due*; how much work gets done of what arrives; and
# where do tasks wait? Every cell is plain pandas and can be changed: the names in `CAPITALS` are meant to
# be.

# %%
CAMPAIGN = "quick-reference"  # a folder, or a name under results/runs or results/published

import matplotlib.pyplot as plt
import pandas as pd

from analysis.charts.style import colour, variant_style
from analysis.trials.curves import with_gaps
from analysis.trials.derive import read_derived
from analysis.trials.load import load_campaign, read_trial
from analysis.trials.points import at_rates
from results.percentile import percentile
from results.store import campaign_folder
from results.terms import BYSTANDERS

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
# One row a trial (a step of it, where its rate changes), warm-up cut. `x_p50_ms` is a median, `x_p99_ms`
# the time that 99 % stay within; `x_p99_at_least` says that some never ended, so that the truth may be
# higher.

# %%
meaning = {
    "offered_per_s": "tasks that were due a second",
    "completed_per_s": "tasks that finished a second, in the same seconds",
    "ceiling_per_s": "the most that theory lets finish a second; none where it knows no limit",
    "rho": "offered over ceiling: from 1 on, work must pile up",
    "slots": "tasks that can be in service at once; 0 where nothing bounds them",
    "accept_p99_ms": "from when a task was due until its 202 came back",
    "ping_p99_ms": "the same of an unrelated `async def` endpoint",
    "ping_sync_p99_ms": "the same of an unrelated `def` endpoint",
    "queue_wait_p99_ms": "from when a task was accepted until it was started",
    "service_p99_ms": "from when it was started until it had finished",
    "completion_p99_ms": "from when it was due until it had finished",
}
pd.DataFrame({"meaning": meaning, "first row": trials[list(meaning)].iloc[0]})

# %% [markdown]
# ## Which tasks?

# %%
CONDITION = ["kind", "duration_ms", "topology"]
steady = at_rates(trials[~trials["closed"]])
assert len(steady), "no trial at a fixed rate was sealed"
KIND, DURATION_MS, TOPOLOGY = steady.groupby(CONDITION).size().idxmax()

asked = steady.query("kind == @KIND and duration_ms == @DURATION_MS and topology == @TOPOLOGY")
chosen = asked[asked["valid"]]
tasks = f"{KIND} tasks of {DURATION_MS:g} ms, {TOPOLOGY}"
print(f"{tasks}: {len(chosen)} of {len(asked)} rows are valid")
steady.groupby(CONDITION).agg(subjects=("subject", "nunique"), valid=("valid", "sum"))

# %% [markdown]
# ## The streams, side by side
#
# Median and p99 at the rates of one strategy, from the due time. A stream whose p99 is high beside a low
# median stalls now and then; one whose median is high, too, has a queue that does not empty.

# %%
SUBJECT = asked.groupby("subject")["valid"].sum().idxmax()

one = chosen[chosen["subject"] == SUBJECT].groupby("offered_per_s")
streams = ["accept", "ping", "ping_sync", "queue_wait", "completion"]
print(f"{SUBJECT}: {tasks}; ms, of repeats the median")
one[[f"{stream}_{p}_ms" for stream in streams for p in ("p50", "p99")]].median().round(1)

# %% [markdown]
# ## Work done of work offered
#
# On the diagonal a strategy keeps up. Below it, the rest piles up: nothing goes above the ceiling of
# theory. That of a pool is the number of slots over the time that a task takes, whichever library runs it.

# %%
figure, axes = plt.subplots(figsize=(8, 5))
for (strategy, variant), own in chosen.groupby(["strategy", "variant"]):
    done = with_gaps(own.groupby("offered_per_s")["completed_per_s"].median().reset_index(), "offered_per_s")
    line, marker = variant_style(variant)
    look = {"color": colour(strategy), "linestyle": line, "marker": marker}
    axes.plot(done["offered_per_s"], done["completed_per_s"], label=f"{strategy}/{variant}", **look)
both = [chosen["offered_per_s"].min(), chosen["offered_per_s"].max()]
axes.plot(both, both, color="silver", zorder=0, label="keeps up")
for ceiling in chosen["ceiling_per_s"].dropna().unique():
    if ceiling < both[1]:
        axes.axhline(ceiling, color="black", linestyle=":", linewidth=0.8, zorder=0)
        axes.annotate(f"{ceiling:.0f}/s", (both[0], ceiling), (0, 2), textcoords="offset points", fontsize=8)
axes.set(xlabel="arrival rate (tasks/s)", ylabel="completed (tasks/s); dotted: ceilings", title=tasks)
axes.loglog()
axes.xaxis.set_major_formatter("{x:g}")
axes.yaxis.set_major_formatter("{x:g}")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# ## Waiting for a slot
#
# Where the API stays fast, the wait has moved into a queue. Left of the line there are slots enough on
# average: tasks wait because they come in bunches, or because a worker looks for them only now and then.
# Right of it the wait grows for as long as the load lasts.

# %%
figure, axes = plt.subplots(figsize=(8, 5))
for (strategy, variant), own in chosen.dropna(subset=["rho"]).groupby(["strategy", "variant"]):
    wait = with_gaps(own.groupby("rho")["queue_wait_p99_ms"].median().clip(lower=0.01).reset_index(), "rho")
    line, marker = variant_style(variant)
    look = {"color": colour(strategy), "linestyle": line, "marker": marker}
    axes.plot(wait["rho"], wait["queue_wait_p99_ms"], label=f"{strategy}/{variant}", **look)
axes.axvline(1, color="black", linestyle="--", label="the ceiling")
axes.set(xlabel="offered over ceiling", ylabel="p99 of the wait for a slot (ms)", title=tasks)
axes.loglog()
axes.xaxis.set_major_formatter("{x:g}")
axes.yaxis.set_major_formatter("{x:g}")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# ## One trial, request by request
#
# The raw rows of one trial, warm-up included: the one in which `/ping-sync` was slowest, or any other whose
# name you put into `TRIAL`. A dot a request, at the moment when it was due.

# %%
TRIAL = trials.sort_values(["valid", "ping_sync_p99_ms"], na_position="first")["trial_id"].iloc[-1]

measured = load_campaign(campaign.folder)
(*_, trial) = (each for each in measured.trials if each.plan.trial_id == TRIAL)
raw = read_trial(measured.campaign, trial)
begin_ns = raw.tasks["due_ns"].min()
requests = {"accepting a task": raw.tasks.assign(latency_ms=raw.tasks["accept_ms"])}
requests |= {stream.label: raw.bystanders[raw.bystanders["stream"] == stream] for stream in BYSTANDERS}

figure, axes = plt.subplots(figsize=(8, 4))
for name, rows in requests.items():
    axes.plot((rows["due_ns"] - begin_ns) / 1e9, rows["latency_ms"], ".", markersize=3, label=name)
axes.set(xlabel="due (s)", ylabel="latency (ms)", yscale="log", title=TRIAL)
axes.yaxis.set_major_formatter("{x:g}")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1), markerscale=3)
plt.show()

# %% [markdown]
# ## What a tester that waits would have seen
#
# A client that sends its next request only after an answer skips the worst moments, since it is stuck in
# them: *coordinated omission*. Take the same rows, and leave out what was due while it was still waiting:
# `waiting` is all that such a client would have known of the same seconds.

# %%
found = {}
for name, rows in requests.items():
    latency_ms = rows["latency_ms"].fillna(rows["bound_ms"])
    sent, free_ns = [], 0
    for due_ns, took_ms in zip(rows["due_ns"], latency_ms, strict=True):
        sent.append(due_ns >= free_ns)
        if sent[-1]:
            free_ns = due_ns + took_ms * 1e6
    waiting = latency_ms[sent]
    found[name] = {
        "requests": len(rows),
        "p99 (ms)": percentile(latency_ms.to_numpy(), 99),
        "requests, waiting": len(waiting),
        "p99 (ms), waiting": percentile(waiting.to_numpy(), 99),
        "median (ms)": latency_ms.median(),
        "median (ms), waiting": waiting.median(),
    }
print(TRIAL)
pd.DataFrame(found).T.round(1)

# %% [markdown]
# ## Go on
#
# - Another strategy: set `SUBJECT` to one that the charts name.
# - Several clients that wait: give the last cell a list of times at which each is free, and take the
#   earliest.
# - How many slots a rate needs: `03_capacity`.
