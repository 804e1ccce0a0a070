if(TARGET test_kernels)
    target_link_libraries(test_kernels PRIVATE tin_model)
endif()
