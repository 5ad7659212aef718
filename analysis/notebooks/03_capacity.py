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
# # Capacity
#
# A service gets so many tasks a second, each so long: which strategies carry that, how many slots and
# workers does it take, and what does it cost? Every cell is plain pandas and can be changed: the names in
# `CAPITALS` are meant to be.

# %%
CAMPAIGN = "quick-reference"  # a folder, or a name under results/runs or results/published

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from analysis.charts.style import ROLE_COLOURS
from analysis.queueing.waits import mdc_wait
from analysis.trials.derive import read_derived
from analysis.trials.points import at_rates
from results.store import campaign_folder

plt.rcParams.update({"figure.dpi": 110, "text.parse_math": False})  # a name may hold dollar signs
pd.options.display.max_colwidth = 120
campaign = read_derived(campaign_folder(CAMPAIGN))
trials, points = campaign.summary, campaign.points
for table in (trials, points):
    table.insert(0, "subject", table["strategy"] + "/" + table["variant"])
print(f"{campaign.manifest.campaign}: {trials['trial_id'].nunique()} trials, {len(points)} points")

# %% [markdown]
# ## The tables
#
# `points` holds the answers: a row for each subject, kind of tasks and question. `trials` holds what they
# were made of: a row a trial.

# %%
meaning = {
    "question": "blocking: above which rate is the API slow? saturation: above which does work pile up?",
    "held_per_s": "the highest rate at which that was not so",
    "failed_per_s": "the lowest rate at which it was; none where no rate was high enough",
    "certain": "neither edge may be chance",
    "slots": "tasks that can be in service at once; 0 where nothing bounds them",
    "ceiling_per_s": "the most that theory lets finish a second; none where it knows no limit",
}
costs = {
    "completed_per_s": "tasks that finished a second",
    "web_cpu_cores": "cores in use by the web process; the same for worker and broker",
    "web_rss_mib": "its greatest resident memory; the same for worker and broker",
    "behind": "work piled up: then the cost of a task is not what it would be in peace",
}
told = [points[list(meaning)].iloc[0], trials[list(costs)].iloc[0]]
pd.DataFrame({"meaning": meaning | costs, "first row": pd.concat(told)})

# %% [markdown]
# ## What do you need?
#
# Your rate, and tasks as the campaign has them. Leave some room: arrivals come in bunches, and a machine
# has bad days. `HEADROOM` is the share of what was carried that you mean to use.

# %%
RATE_PER_S = 200
HEADROOM = 0.7
CONDITION = ["kind", "duration_ms", "topology"]
steady = at_rates(trials[~trials["closed"]])
assert len(steady), "no trial at a fixed rate was sealed"
KIND, DURATION_MS, TOPOLOGY = steady.groupby(CONDITION).size().idxmax()

same = "kind == @KIND and duration_ms == @DURATION_MS and topology == @TOPOLOGY"
asked = f"{RATE_PER_S:g}/s, {KIND} tasks of {DURATION_MS:g} ms, {TOPOLOGY}"
print(asked)
points.groupby(CONDITION).agg(subjects=("subject", "nunique"))

# %% [markdown]
# ## Who carries it, as measured here?
#
# `yes` where a rate at least as high held, `no` where one as low or lower failed. Between the two, and
# above the highest rate that was tried, nobody knows.

# %%
answers = points.query(same).pivot(index="subject", columns="question", values=["held_per_s", "failed_per_s"])
held, failed = (answers[edge][["blocking", "saturation"]] for edge in ("held_per_s", "failed_per_s"))
verdict = np.select([held >= RATE_PER_S, failed <= RATE_PER_S], ["yes", "no"], "not known")
verdict = pd.DataFrame(verdict, held.index, ["API stays fast", "work keeps up"])
print(asked)
verdict.assign(**{"fast to (/s)": held["blocking"], "keeps up to (/s)": held["saturation"]}).sort_values(
    list(verdict), ascending=False
)

# %% [markdown]
# ## The law: slots = rate x duration
#
# So many tasks are in service at any moment (Little's law), whatever runs them, and each needs a slot. With
# just as many slots the queue never empties. `wait` is what 99 % of the tasks stay within before they
# start, for tasks of equal length that arrive by chance: theory (M/D/c), before any overhead.

# %%
UTILISATIONS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95]

busy = RATE_PER_S * DURATION_MS / 1000
slots = [max(1, int(np.ceil(busy / share))) for share in UTILISATIONS]
wait_ms = [1000 * mdc_wait(RATE_PER_S, DURATION_MS / 1000, count, 99) for count in slots]
print(f"{asked}: {busy:g} tasks in service on average")
pd.DataFrame({"slots in use": UTILISATIONS, "slots": slots, "wait, p99 (ms)": np.round(wait_ms, 1)})

# %% [markdown]
# ## How much of the law is real?
#
# Overhead takes its part: `share` is the rate that held over the ceiling of theory, for every duration that
# was measured. The truth is at least that, since the rate that failed may lie far above. Empty: theory has
# no ceiling there, or one edge was not found.

# %%
kept = points[points["question"] == "saturation"].copy()
kept["share"] = (kept["held_per_s"] / kept["ceiling_per_s"]).clip(upper=1).where(kept["failed_per_s"] > 0)
kept.pivot_table(index="subject", columns=CONDITION, values="share").round(2)

# %% [markdown]
# ## How many does it take?
#
# `slots needed` are those of the law, with the headroom and the measured share (so that they are enough,
# where a slot does nothing but serve the task), and `workers needed` have `SLOTS_A_WORKER` each. `stacks
# needed` are copies of all that was measured, side by side: a web process with its workers `carries` the
# rate at which the API was fast *and* the work kept up. More of anything needs more cores: see the next
# question.

# %%
SLOTS_A_WORKER = 10

needed = kept.query(same).set_index("subject")[["slots", "share"]]
needed["slots needed"] = np.ceil(busy / (HEADROOM * needed["share"]))
needed["workers needed"] = np.ceil(needed["slots needed"] / SLOTS_A_WORKER)
needed["carries (/s)"] = held.min(axis=1, skipna=False)
needed["stacks needed"] = np.ceil(RATE_PER_S / (HEADROOM * needed["carries (/s)"]))
print(f"{asked}, using {HEADROOM:.0%} of what was carried")
needed.sort_values(["stacks needed", "slots needed"]).round(2)

# %% [markdown]
# ## What does a task cost?
#
# From the trial of each subject that kept up nearest to your rate. At a low rate the cost of being there at
# all is shared by few tasks, so compare only what was measured `at` similar rates.

# %%
ROLES = ["web", "worker", "broker"]

fit = trials.query(same + " and valid and not behind and not closed and completed_per_s > 0")
fit = fit.assign(far=np.log(fit["offered_per_s"] / RATE_PER_S).abs()).sort_values("far")
fit = fit.drop_duplicates("subject").set_index("subject")
cpu_ms = 1000 * fit[[f"{role}_cpu_cores" for role in ROLES]].div(fit["completed_per_s"], axis=0)
memory_mib = fit[[f"{role}_rss_mib" for role in ROLES]]
cpu_ms.columns = memory_mib.columns = ROLES

cost = pd.DataFrame({"at (/s)": fit["offered_per_s"], "CPU a task (ms)": cpu_ms.sum(axis=1)})
cost[f"cores at {RATE_PER_S:g}/s"] = cost["CPU a task (ms)"] * RATE_PER_S / 1000
cost["memory (MiB)"] = memory_mib.sum(axis=1)
print(asked)
cost = cost.sort_values("CPU a task (ms)", ascending=False)
cost[::-1].round(2)

# %%
labels = [f"{subject}, at {rate:.0f}/s" for subject, rate in cost["at (/s)"].items()]
figure, both = plt.subplots(1, 2, figsize=(10, 0.4 * len(cost) + 1.2), sharey=True)
for axes, table, name in zip(both, (cpu_ms, memory_mib), ("CPU a task (ms)", "memory (MiB)"), strict=True):
    left = pd.Series(0.0, cost.index)
    for role in ROLES:
        width = table.loc[cost.index, role].fillna(0)
        axes.barh(labels, width, left=left, color=ROLE_COLOURS[role], label=role)
        left += width
    axes.set_xlabel(name)
both[0].set_title(f"{KIND} tasks of {DURATION_MS:g} ms, {TOPOLOGY}", loc="left")
both[1].legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# ## Go on
#
# - Your own numbers: `RATE_PER_S`, `HEADROOM` and a `DURATION_MS` that the campaign has.
# - Ask for what is not known: `blockpoint find --strategy celery/tuned --duration 100ms --precision 1.1`.
# - Tasks that compute instead of waiting (`kind` is `cpu`) are bound by cores, not by slots.
# - What is at risk meanwhile: `04_what_is_lost`.
