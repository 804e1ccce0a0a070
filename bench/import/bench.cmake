# bench_import: speed of reading CSV files; bench/import/bench_import.py compares it with pandas.
add_executable(bench_import EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/bench_import.c)
tin_target_settings(bench_import)
target_link_libraries(bench_import PRIVATE tin_data)
