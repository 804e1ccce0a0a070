# bench_drift: the figure drift.1e6_frames (not built by default).
add_executable(bench_drift EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/drift/bench_drift.c)
tin_target_settings(bench_drift)
target_link_libraries(bench_drift PRIVATE tin_quantize)
