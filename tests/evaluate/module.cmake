# The page of the report: what a browser makes of the reports that test_report left. Skipped where no browser is installed.
set_tests_properties(evaluate/test_report PROPERTIES FIXTURES_SETUP evaluate_reports)
add_test(NAME evaluate/page_browser
    COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/check_page.sh ${CMAKE_CURRENT_BINARY_DIR}/test_report.tmp)
set_tests_properties(evaluate/page_browser PROPERTIES FIXTURES_REQUIRED evaluate_reports SKIP_RETURN_CODE 77 TIMEOUT 120)
set_tests_properties(evaluate/test_mistakes PROPERTIES FIXTURES_SETUP evaluate_mistakes)
add_test(NAME evaluate/mistakes_browser
    COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/check_mistakes.sh ${CMAKE_CURRENT_BINARY_DIR}/test_mistakes.tmp)
set_tests_properties(evaluate/mistakes_browser PROPERTIES FIXTURES_REQUIRED evaluate_mistakes SKIP_RETURN_CODE 77 TIMEOUT 120)
target_sources(test_no_reset PRIVATE ${PROJECT_SOURCE_DIR}/tests/deploy/random_model.c)
target_include_directories(test_no_reset PRIVATE ${PROJECT_SOURCE_DIR}/tests)
