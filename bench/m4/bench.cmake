# bench_m4_har: the figures m4.har.* (not built by default).
add_executable(bench_m4_har EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/m4/bench_m4_har.c
    ${PROJECT_SOURCE_DIR}/tests/deploy/random_model.c)
tin_target_settings(bench_m4_har)
target_include_directories(bench_m4_har PRIVATE ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(bench_m4_har PRIVATE tin_deploy)
