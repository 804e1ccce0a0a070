foreach(name test_quantize test_simulation test_choose test_histogram test_prepare)
    target_sources(${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/quantize_support.c)
endforeach()
target_sources(test_simulation PRIVATE ${CMAKE_CURRENT_LIST_DIR}/simulation.c)
