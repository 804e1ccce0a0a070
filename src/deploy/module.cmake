# The device's kernels and the files of the emulated target are part of the tool.
foreach(fragment kernel multiply_high requantize read_row write_row sigmoid curve blend state8 dot4 dot4_wide lanes widen_taps four_sigmoids move_words state_lanes narrow requantize_four wrap t2_products t2 t43 n4 book sparse
        cmsis_products cmsis_window cmsis_linear cmsis_sums_linear cmsis_gru cmsis_depthwise helium quad quad_sigmoid quad_curve move v16 v16_rows v32 vector_linear vector_gru
        packed_rows packed_once packed_layer packed_bytes packed_wide packed_relu packed_gru packed_gru_split linear depthwise recurrent gru gru_before mgu min_gru lstm mean sum_row sum_slide sum_pool max_row avg_pool max_pool ema log2_eighths log_energy log_mel log_variance slow_mean high_pass difference magnitude add multiply rescale scale_input scale_lanes decision)
    tin_embed(tin_deploy tin_fragment_${fragment} ${PROJECT_SOURCE_DIR}/runtime/${fragment}.h)
endforeach()
foreach(file harness.c board_arm.h board_riscv.h board_avr.h board_hosted.h semihosting.h link.ld)
    get_filename_component(name ${file} NAME_WE)
    tin_embed(tin_deploy tin_target_${name} ${PROJECT_SOURCE_DIR}/src/deploy/targets/${file})
endforeach()
# What packages are made from.
foreach(template selftest.h selftest.c serial.h serial.c example.c example.ino verify.c verify.ino verify_zephyr.c verify_espidf.c readme readme_cmake readme_arduino readme_zephyr readme_platformio readme_espidf
        cmake_lists arduino_properties zephyr_module zephyr_cmake zephyr_kconfig zephyr_sample_cmake zephyr_prj zephyr_prj_verify zephyr_sample zephyr_sample_verify platformio_library
        platformio_ini espidf_cmake espidf_component espidf_project espidf_main_cmake espidf_main_component)
    string(REPLACE "." "_" symbol ${template})
    tin_embed(tin_deploy tin_package_${symbol} ${PROJECT_SOURCE_DIR}/src/deploy/packages/${template}.in)
endforeach()
include(${PROJECT_SOURCE_DIR}/bench/har/bench.cmake)
