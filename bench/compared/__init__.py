"""The parts of `bench/run.py`: what is measured beside which peer, how a result is kept, and how it is shown.

results     rows, growth and handshakes as values, and as JSON
machine     what the numbers depend on: processor, disk, versions
processes   our service and its peers as child processes that always end
requests    signed requests, and the load that wrk makes of them
authorities, filling         what is there before something is measured
issuing, certificates, keys, handshakes, sizes, shares, scripts      the parts of a run
table, page, plots           lines for people, docs/benchmarks.md, SVG
"""
