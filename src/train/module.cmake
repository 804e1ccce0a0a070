# The kernels: one source, one instance per instruction set, chosen at run time, and one in double precision for the
# gradient checks. Fused multiply-add is wanted here; nothing that changes NaN, infinity, signed zero or the order of sums.
set(tin_kernels baseline double)
set(tin_kernel_flags_double -DTIN_KERNEL_DOUBLE=1)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND tin_kernels avx2 avx512)
    set(tin_kernel_flags_avx2 -march=x86-64-v3)
    set(tin_kernel_flags_avx512 -march=x86-64-v4)
    target_compile_definitions(tin_train PRIVATE TIN_KERNELS_X86=1)
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux") # of which a program asks for the tiles
        list(APPEND tin_kernels amx)
        set(tin_kernel_flags_amx -march=x86-64-v4 -DTIN_KERNEL_TILES=1)
        target_compile_definitions(tin_train PRIVATE TIN_KERNELS_TILES=1)
    endif()
endif()
set(tin_kernel_level -O3)
if(TINAMOU_SANITIZE)
    set(tin_kernel_level -O1) # a minute less for each instance
endif()
foreach(name IN LISTS tin_kernels)
    add_library(tin_kernel_${name} OBJECT ${CMAKE_CURRENT_LIST_DIR}/kernel/kernel.c)
    tin_target_settings(tin_kernel_${name})
    target_compile_options(tin_kernel_${name} PRIVATE ${tin_kernel_level} -fno-math-errno -fno-trapping-math -ffp-contract=fast
        ${tin_kernel_flags_${name}})
    target_compile_definitions(tin_kernel_${name} PRIVATE TIN_KERNEL_NAME=${name})
    target_sources(tin_train PRIVATE $<TARGET_OBJECTS:tin_kernel_${name}>)
endforeach()
# So that square roots vectorise; both leave every value as it is.
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/optimiser.c PROPERTIES COMPILE_OPTIONS
    "-fno-math-errno;-fno-trapping-math")
include(${PROJECT_SOURCE_DIR}/bench/train/bench.cmake)
