# Without the cross compiler or the emulator these tests fail, unless someone says that they may be skipped.
option(TINAMOU_SKIP_WITHOUT_EMULATOR "Skip the tests on the emulated Cortex-M4 when arm-none-eabi-gcc or qemu-system-arm is missing" OFF)

foreach(name test_generate test_proofs test_generated_names test_measure test_cores test_object_check test_cmsis_nn test_shifts test_package test_verify)
    if(TARGET ${name})
        target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/deploy/random_model.c)
        target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
        if(TINAMOU_SKIP_WITHOUT_EMULATOR)
            target_compile_definitions(${name} PRIVATE SKIP_WITHOUT_EMULATOR)
            set_tests_properties(deploy/${name} PROPERTIES SKIP_RETURN_CODE 77)
        endif()
    endif()
endforeach()
# A bare system may have no pseudo terminals.
set_tests_properties(deploy/test_verify PROPERTIES SKIP_RETURN_CODE 77)
# Some minutes of analysis, of generated code only.
set_tests_properties(deploy/test_proofs PROPERTIES LABELS whole TIMEOUT 1800)
target_link_libraries(test_package PRIVATE PkgConfig::YAML)
