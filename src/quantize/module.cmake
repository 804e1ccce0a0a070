include(${PROJECT_SOURCE_DIR}/bench/drift/bench.cmake)
