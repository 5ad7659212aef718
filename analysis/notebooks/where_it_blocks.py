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
import pandas as pd
from IPython.display import display

from analysis.charts.catalogue import catalogue
from analysis.notebook import campaign, show
from analysis.words import read

derived = campaign()
readings = read(derived.summary)
charts = {chart.name: chart for chart in catalogue(derived) if chart.draw}

# %% [markdown]
# Each point lies between the highest rate that held and the lowest that did not.

# %%
pd.DataFrame(
    {
        "subject": f"{reading.strategy}/{reading.variant}",
        "tasks": reading.condition,
        "API blocks at": str(reading.blocks),
        "first": reading.by,
        "work falls behind at": str(reading.behind),
    }
    for reading in readings
)

# %% [markdown]
# ## In words

# %%
for reading in readings:
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
