# bench_replay: speed of the integer model on the host; bench/replay/bench_replay.py compares it with PyTorch (not built by default).
add_executable(bench_replay EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/replay/bench_replay.c
    ${PROJECT_SOURCE_DIR}/tests/deploy/random_model.c)
tin_target_settings(bench_replay)
target_include_directories(bench_replay PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(bench_replay PRIVATE tin_model)
