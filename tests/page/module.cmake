# Types of all pages. Skipped where the tool is not installed.
find_program(TINAMOU_TSC tsc)
if(TINAMOU_TSC)
    add_test(NAME page/types COMMAND ${TINAMOU_TSC} -p ${PROJECT_SOURCE_DIR}/src/page/tsconfig.json)
endif()
