# What measurements are made with: tests/bench/README. `make bench-tools` builds a relay that does nothing
# else, an origin, a load generator and a simulation of balancing.
EXTRA_DIST += tests/bench
BENCH_TOOLS = tests/bench/floor tests/bench/origin tests/bench/load tests/bench/balance-sim
EXTRA_PROGRAMS += $(BENCH_TOOLS)
CLEANFILES += $(BENCH_TOOLS)
BENCH_SHARED = tests/bench/common.h tests/bench/common.c
tests_bench_floor_SOURCES = tests/bench/floor.c $(BENCH_SHARED)
tests_bench_origin_SOURCES = tests/bench/origin.c tests/bench/http.h tests/bench/http.c $(BENCH_SHARED)
tests_bench_load_SOURCES = tests/bench/load.h tests/bench/load.c tests/bench/load_connection.c \
	tests/bench/load_schedule.c tests/bench/histogram.h tests/bench/histogram.c \
	tests/bench/http.h tests/bench/http.c $(BENCH_SHARED)
tests_bench_load_LDADD = -lm
tests_bench_balance_sim_SOURCES = tests/bench/balance.c
tests_bench_balance_sim_LDADD = $(BALANCE) -lm

bench-tools: $(BENCH_TOOLS)

# What a request costs, beside the floor and other balancers: tests/bench/README. In ten minutes it
# writes a table, a plot and the figures that they are made of into bench/.
bench: tinylb$(EXEEXT) bench-tools
	TINYLB='$(abs_top_builddir)/tinylb' $(top_srcdir)/tests/bench/compare $(BENCH_ARGUMENTS)

# What slow attackers cost others: likewise.
bench-slow: tinylb$(EXEEXT)
	TINYLB='$(abs_top_builddir)/tinylb' $(top_srcdir)/tests/bench/slow $(BENCH_ARGUMENTS)

# What reloads lose, and what failing backends do to users, beside nginx and HAProxy: likewise.
bench-reload: tinylb$(EXEEXT)
	TINYLB='$(abs_top_builddir)/tinylb' $(top_srcdir)/tests/bench/reload $(BENCH_ARGUMENTS)
bench-faults: tinylb$(EXEEXT)
	TINYLB='$(abs_top_builddir)/tinylb' $(top_srcdir)/tests/bench/faults $(BENCH_ARGUMENTS)

# Records what a request costs now, for tests/process/test_costs.py to compare with.
costs: tinylb$(EXEEXT)
	TINYLB='$(abs_top_builddir)/tinylb' PYTHONPATH=$(top_srcdir)/tests /usr/bin/python3 -B -m lib.costs >costs.new
	mv costs.new $(top_srcdir)/tests/bench/costs

.PHONY: bench-tools bench bench-slow bench-reload bench-faults costs
