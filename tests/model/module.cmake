foreach(name test_float_runner test_qmodel test_model test_log_energy)
    target_sources(${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/model_support.c)
endforeach()
