add_test(NAME structure/check_structure COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/check_structure.sh ${PROJECT_SOURCE_DIR})
add_test(NAME structure/test_check_structure COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/test_check_structure.sh)
add_test(NAME structure/check_configuration_page COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/check_configuration_page.sh ${PROJECT_SOURCE_DIR})
