# bench_train: speed of the bare training step; bench/train/bench_train.py compares it with PyTorch.
add_executable(bench_train EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/bench_train.c)
tin_target_settings(bench_train)
target_link_libraries(bench_train PRIVATE tin_train)
