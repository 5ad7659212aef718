# ---
# jupyter:
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
# What one campaign measured, from its derived tables. Set `BLOCKPOINT_CAMPAIGN` to a campaign's name or
# folder to run this by hand; `blockpoint report` does so for you.

# %%
from IPython.display import display

from analysis.charts.catalogue import catalogue
from analysis.report.notebook import campaign, show

derived = campaign()
summary = derived.summary
charts = {chart.name: chart for chart in catalogue(derived) if chart.draw}
print(f"{derived.manifest.campaign}: {summary['trial_id'].nunique()} trials, {len(summary)} rows")

# %% [markdown]
# ## The table
#
# One row a step of a trial, warm-up cut. Time starts when a request was *due*. A percentile with `at_least`
# beside it includes requests that were never answered. Invalid trials are listed, and used nowhere.

# %%
subject = ["strategy", "variant", "duration_ms", "scenario", "offered_per_s"]
p99 = ["accept_p99_ms", "ping_p99_ms", "ping_sync_p99_ms", "queue_wait_p99_ms"]
summary[[*subject, "completed_per_s", *p99, "valid"]].round(2)

# %% [markdown]
# ## Accepting a task, and two bystanders
#
# `/ping` is an `async def` endpoint: it suffers where the event loop is blocked. `/ping-sync` is a `def`
# endpoint: it suffers where the thread pool is full. Neither has anything to do with tasks.

# %%
for name, chart in charts.items():
    if name.startswith("latency-"):
        display(show(chart.draw()))

# %% [markdown]
# ## Completed against offered
#
# On the diagonal the work keeps up. It cannot go above the dash-dotted ceiling, whichever library runs it.

# %%
for name, chart in charts.items():
    if name.startswith("throughput-"):
        display(show(chart.draw()))

# %% [markdown]
# ## What it costs

# %%
for name, chart in charts.items():
    if name.startswith("cost-"):
        display(show(chart.draw()))
