# The device's kernels and the files of the emulated target are part of the tool.
foreach(fragment kernel requantize read_row write_row sigmoid curve blend dot4 dot4_wide lanes requantize_four t2_products t2 t43 n4 book sparse quad quad_sigmoid quad_curve v16 v16_linear v16_gru
        packed_linear packed_gru linear depthwise recurrent gru gru_before mgu min_gru lstm mean sum_row sum_slide sum_pool max_row avg_pool max_pool ema log_energy add multiply rescale scale_input decision)
    tin_embed(tin_deploy tin_fragment_${fragment} ${PROJECT_SOURCE_DIR}/runtime/${fragment}.h)
endforeach()
tin_embed(tin_deploy tin_target_m4_harness ${PROJECT_SOURCE_DIR}/src/deploy/targets/m4/harness.c)
tin_embed(tin_deploy tin_target_m4_link ${PROJECT_SOURCE_DIR}/src/deploy/targets/m4/link.ld)
include(${PROJECT_SOURCE_DIR}/bench/m4/bench.cmake)
