# Unit tests: a program on cmocka for each module, made from the file of its name. A test is one word in
# the list of its layer, and is linked with the libraries of that layer's floor and below, so that a
# call upwards does not link.
if HAVE_CMOCKA
BASE_TESTS = \
	tests/unit/test_cells tests/unit/test_channel tests/unit/test_clock \
	tests/unit/test_escape tests/unit/test_fd tests/unit/test_log tests/unit/test_protocol tests/unit/test_rng \
	tests/unit/test_siphash tests/unit/test_slice tests/unit/test_text tests/unit/test_title
NET_TESTS = \
	tests/unit/test_address tests/unit/test_canonical tests/unit/test_connection \
	tests/unit/test_connection_news tests/unit/test_connection_splice tests/unit/test_deadline \
	tests/unit/test_listener tests/unit/test_network tests/unit/test_readings \
	tests/unit/test_redirect
HTTP_TESTS = \
	tests/unit/test_chunk tests/unit/test_cookie tests/unit/test_field tests/unit/test_forward \
	tests/unit/test_head_ripe tests/unit/test_location tests/unit/test_login \
	tests/unit/test_message tests/unit/test_reply tests/unit/test_request \
	tests/unit/test_response tests/unit/test_upgrade_offer
BALANCE_TESTS = \
	tests/unit/test_hash_picker tests/unit/test_health tests/unit/test_loaded_picks \
	tests/unit/test_maglev tests/unit/test_pickers tests/unit/test_random_picker \
	tests/unit/test_round_robin tests/unit/test_session tests/unit/test_turns
BOARD_TESTS = \
	tests/unit/test_board tests/unit/test_budget tests/unit/test_keys tests/unit/test_room \
	tests/unit/test_rows tests/unit/test_rows_limit
SETTINGS_TESTS = \
	tests/unit/test_backends tests/unit/test_option tests/unit/test_settings \
	tests/unit/test_settings_mistakes
HTTP1_TESTS = \
	tests/unit/test_body
UPSTREAM_TESTS = \
	tests/unit/test_affinity tests/unit/test_availability tests/unit/test_capacity \
	tests/unit/test_keep_alive tests/unit/test_load tests/unit/test_pool_setup tests/unit/test_queue \
	tests/unit/test_retry_budget tests/unit/test_select tests/unit/test_selection
EXCHANGE_TESTS = \
	tests/unit/test_access_log tests/unit/test_attempt tests/unit/test_attempt_queue \
	tests/unit/test_attempt_times tests/unit/test_blame tests/unit/test_counters \
	tests/unit/test_early_response tests/unit/test_exchange_many \
	tests/unit/test_exchange_setup tests/unit/test_free_list tests/unit/test_gather \
	tests/unit/test_local_reply tests/unit/test_loop_token tests/unit/test_own_stream \
	tests/unit/test_path_models tests/unit/test_phase tests/unit/test_redispatch \
	tests/unit/test_replay tests/unit/test_request_id tests/unit/test_request_state \
	tests/unit/test_response_state tests/unit/test_route_table tests/unit/test_stall \
	tests/unit/test_tunnel
DOWNSTREAM_TESTS = \
	tests/unit/test_client tests/unit/test_connections_per_client tests/unit/test_http1_read \
	tests/unit/test_http1_respond
PROXY_TESTS =
WORKER_TESTS = \
	tests/unit/test_sandbox tests/unit/test_worker_state
MONITOR_TESTS = \
	tests/unit/test_monitor tests/unit/test_names tests/unit/test_probe \
	tests/unit/test_target_log tests/unit/test_target_state tests/unit/test_targets
MASTER_TESTS = \
	tests/unit/test_announce tests/unit/test_backoff tests/unit/test_canary \
	tests/unit/test_canary_compare tests/unit/test_child tests/unit/test_escrow \
	tests/unit/test_fdstore tests/unit/test_generation tests/unit/test_generation_drain \
	tests/unit/test_handover tests/unit/test_handover_env tests/unit/test_hang \
	tests/unit/test_inbox tests/unit/test_logs tests/unit/test_master_state \
	tests/unit/test_messages tests/unit/test_monitor_child tests/unit/test_pidfile \
	tests/unit/test_register_rows tests/unit/test_reload tests/unit/test_shutdown \
	tests/unit/test_stand_in tests/unit/test_stop tests/unit/test_supervise \
	tests/unit/test_upgrade tests/unit/test_upgrade_phase
COMMAND_TESTS = \
	tests/unit/test_selftest

UNIT_TESTS = \
	$(BASE_TESTS) $(NET_TESTS) $(HTTP_TESTS) $(BALANCE_TESTS) $(BOARD_TESTS) $(SETTINGS_TESTS) \
	$(HTTP1_TESTS) $(UPSTREAM_TESTS) $(EXCHANGE_TESTS) $(DOWNSTREAM_TESTS) $(PROXY_TESTS) $(WORKER_TESTS) \
	$(MONITOR_TESTS) $(MASTER_TESTS) $(COMMAND_TESTS)
check_PROGRAMS = $(UNIT_TESTS)
TESTS = $(UNIT_TESTS)

$(BASE_TESTS): $(BASE)
$(NET_TESTS): $(NET)
$(HTTP_TESTS): $(HTTP)
$(BALANCE_TESTS): $(BALANCE)
$(BOARD_TESTS): $(BOARD)
$(SETTINGS_TESTS): $(SETTINGS)
$(HTTP1_TESTS): $(HTTP1)
$(UPSTREAM_TESTS): $(UPSTREAM)
$(EXCHANGE_TESTS): $(EXCHANGE)
$(DOWNSTREAM_TESTS): $(DOWNSTREAM)
$(PROXY_TESTS): $(PROXY)
$(WORKER_TESTS): $(WORKER)
$(MONITOR_TESTS): $(MONITOR)
$(MASTER_TESTS): $(MASTER)
$(COMMAND_TESTS): $(COMMAND)
$(BASE_TESTS): LDADD = $(BASE) $(CMOCKA_LIBS)
$(NET_TESTS): LDADD = $(NET) $(LIBEVENT_LIBS) $(CMOCKA_LIBS)
$(HTTP_TESTS): LDADD = $(HTTP) $(CMOCKA_LIBS)
$(BALANCE_TESTS): LDADD = $(BALANCE) $(CMOCKA_LIBS)
$(BOARD_TESTS): LDADD = $(BOARD) $(CMOCKA_LIBS)
$(SETTINGS_TESTS): LDADD = $(SETTINGS) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(CMOCKA_LIBS)
$(HTTP1_TESTS): LDADD = $(HTTP1) $(LIBEVENT_LIBS) $(CMOCKA_LIBS)
$(UPSTREAM_TESTS): LDADD = $(UPSTREAM) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(CMOCKA_LIBS)
$(EXCHANGE_TESTS): LDADD = $(EXCHANGE) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(CMOCKA_LIBS)
$(DOWNSTREAM_TESTS): LDADD = $(DOWNSTREAM) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(CMOCKA_LIBS)
$(PROXY_TESTS): LDADD = $(PROXY) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(CMOCKA_LIBS)
$(WORKER_TESTS): LDADD = $(WORKER) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(CMOCKA_LIBS)
$(MONITOR_TESTS): LDADD = $(MONITOR) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(CMOCKA_LIBS)
$(MASTER_TESTS): LDADD = $(MASTER) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(CMOCKA_LIBS)
$(COMMAND_TESTS): LDADD = $(COMMAND) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(CMOCKA_LIBS)

tests_unit_test_path_models_SOURCES = tests/unit/test_path_models.c tests/lib/path_models.c \
	tests/lib/path_models.h

# Functions that a test takes the place of.
tests_unit_test_deadline_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=mem_alloc,--wrap=mem_resize
tests_unit_test_names_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=resolver_start,--wrap=resolver_end
tests_unit_test_probe_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=socket,--wrap=connect,--wrap=getsockopt \
	-Wl,--wrap=send,--wrap=recv,--wrap=clock_us
tests_unit_test_random_picker_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=rng_below
tests_unit_test_sandbox_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=syscall,--wrap=prctl
tests_unit_test_targets_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=probe_start
# A test takes the place of each function that it has as __wrap_NAME.
$(UNIT_TESTS): AM_LDFLAGS = $(TINYLB_LDFLAGS) $(TINYLB_NO_LTO) $$(sh $(srcdir)/tests/unit/wraps $(srcdir)/$@.c)
endif

EXTRA_DIST += tests/unit/wraps $(wildcard $(srcdir)/tests/unit/*.h)
