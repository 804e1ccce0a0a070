# What a browser makes of the pages that test_stats left. Skipped where no browser is installed.
set_tests_properties(inspect/test_stats PROPERTIES FIXTURES_SETUP inspect_pages)
add_test(NAME inspect/pages_browser
    COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/check_pages.sh ${CMAKE_CURRENT_BINARY_DIR}/test_stats.tmp)
set_tests_properties(inspect/pages_browser PROPERTIES FIXTURES_REQUIRED inspect_pages SKIP_RETURN_CODE 77 TIMEOUT 180)
