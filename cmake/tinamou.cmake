# Helpers: one folder of src/ is one static library; compiler settings are per target.

function(tin_target_settings target)
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE TINAMOU_VERSION="${PROJECT_VERSION}")
    target_compile_features(${target} PUBLIC c_std_17)
    # No fused multiply-add by the compiler's own choice: results must not depend on the optimiser (the training engine sets its own).
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
        -Wdouble-promotion -Wformat=2 -Wvla -ffp-contract=off $<$<BOOL:${TINAMOU_WERROR}>:-Werror>)
    if(TINAMOU_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${TINAMOU_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
        target_link_options(${target} PUBLIC -fsanitize=${TINAMOU_SANITIZE})
    endif()
endfunction()

function(tin_sources target folder)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
    target_sources(${target} PRIVATE ${sources})
    tin_target_settings(${target})
endfunction()

# tin_module(NAME DEPENDS folders... LIBRARIES targets...)
function(tin_module name)
    cmake_parse_arguments(arg "" "" "DEPENDS;LIBRARIES" ${ARGN})
    add_library(tin_${name} STATIC)
    tin_sources(tin_${name} src/${name})
    list(TRANSFORM arg_DEPENDS PREPEND tin_)
    target_link_libraries(tin_${name} PUBLIC ${arg_DEPENDS} ${arg_LIBRARIES})
    if(EXISTS ${PROJECT_SOURCE_DIR}/src/${name}/module.cmake)
        include(${PROJECT_SOURCE_DIR}/src/${name}/module.cmake)
    endif()
endfunction()

# tin_embed(TARGET SYMBOL FILE...): the files' bytes, joined, as `const char SYMBOL[]` (NUL-terminated) and `const size_t SYMBOL_size`.
function(tin_embed target symbol)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.c)
    add_custom_command(OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DSYMBOL=${symbol} "-DINPUTS=${ARGN}" -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
        DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
    target_sources(${target} PRIVATE ${output})
endfunction()
