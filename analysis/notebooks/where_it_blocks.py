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
# # Where it blocks
#
# Two points that most comparisons confuse: where the **API** blocks, and where the **work** falls behind.

# %%
from IPython.display import display

from analysis.charts.catalogue import catalogue
from analysis.report.notebook import campaign, show
from analysis.report.words import read
from analysis.trials.point_table import answers, table

derived = campaign()
points = derived.points
charts = {chart.name: chart for chart in catalogue(derived) if chart.draw}

# %% [markdown]
# ## How far each way carries you
#
# One row a subject, the one that carries furthest on top. Filled from the lowest to the highest rate tried.

# %%
for name, chart in charts.items():
    if name.startswith("reach-"):
        display(show(chart.draw()))

# %% [markdown]
# ## Where the API starts to block
#
# The p99 of an unrelated request against the arrival rate. Where a line bends up through the limit, the API
# blocks; beside it, whether accepting and the work itself still keep up.

# %%
for name, chart in charts.items():
    if name.startswith("blocking-"):
        display(show(chart.draw()))

# %% [markdown]
# ## For every duration of a task
#
# A bar reaches from the highest rate that held to the lowest that did not. Dotted: the ceiling in theory.

# %%
for name, chart in charts.items():
    if name.startswith("frontier-"):
        display(show(chart.draw()))

# %% [markdown]
# ## Every point
#
# `~` marks what is shaky: verdicts at an edge disagree, their margin of error crosses the limit, or trials
# were too short to rule out slow spells that come seldom.

# %%
table(answers(points))

# %% [markdown]
# ## In words

# %%
for reading in read(derived.summary, points):
    print(f"{reading.strategy}/{reading.variant}, {reading.condition}: {' '.join(reading.sentences)}\n")

# %% [markdown]
# ## Waiting for a slot
#
# Where the API stays fast, the wait has moved into a queue: this is where it went.

# %%
for name, chart in charts.items():
    if name.startswith("queue-wait-"):
        display(show(chart.draw()))

# %% [markdown]
# ## Longer tasks, and a burst

# %%
for name, chart in charts.items():
    if name.startswith(("duration-", "burst-")):
        display(show(chart.draw()))
