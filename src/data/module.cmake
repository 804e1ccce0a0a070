include(${PROJECT_SOURCE_DIR}/bench/import/bench.cmake)
