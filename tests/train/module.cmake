foreach(name test_engine test_gradient test_golden)
    target_sources(${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/train_models.c)
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR})
endforeach()
