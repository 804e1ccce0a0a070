foreach(name test_engine test_gradient test_golden test_optimiser test_learn_scales)
    target_sources(${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/train_models.c)
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR})
endforeach()
foreach(name test_sampler test_train test_fake_quant test_learn_scales test_train_memory test_recordings test_preview
    test_teacher)
    target_sources(${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/train_data.c)
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR})
endforeach()
target_link_libraries(test_fake_quant PRIVATE tin_quantize)
target_link_options(test_train_memory PRIVATE LINKER:--wrap=tin_alloc LINKER:--wrap=tin_grow LINKER:--wrap=tin_strdup
    LINKER:--wrap=tin_free)
