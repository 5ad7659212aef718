"""How often a search's intervals hold the truth: the project's code on simulated targets.

`arrivals`, `services`, `stalls`, `pool` and `target` are a simulator that shares no code with the analysis;
`truth` is its long run; `trial` and `search` feed it to the real verdicts, early stop, policy and brackets.
"""
