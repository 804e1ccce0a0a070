# Random models and the small data set of the tests of training.
foreach(name test_prune test_low_rank test_share test_compress)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/train/train_models.c ${PROJECT_SOURCE_DIR}/tests/train/train_data.c
        ${CMAKE_CURRENT_LIST_DIR}/compress_support.c)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/train ${CMAKE_CURRENT_LIST_DIR})
endforeach()
target_link_libraries(test_compress PRIVATE tin_quantize)
