# bench_har: the figures of the HAR network: m4.har.*, m0.har.*, ... (not built by default).
add_executable(bench_har EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/har/bench_har.c
    ${PROJECT_SOURCE_DIR}/tests/deploy/random_model.c)
tin_target_settings(bench_har)
target_include_directories(bench_har PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(bench_har PRIVATE tin_deploy)
