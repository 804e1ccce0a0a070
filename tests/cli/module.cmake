# A pseudo terminal with a program at its end, for the shell.
add_executable(board_line ${CMAKE_CURRENT_LIST_DIR}/board_line.c)
tin_target_settings(board_line)
add_library(kill_at_change MODULE ${CMAKE_CURRENT_LIST_DIR}/kill_at_change.c)
tin_target_settings(kill_at_change)
# Whole runs of the program on a small project; scripts/test.sh leaves the label out under sanitizers.
foreach(name readme data relabel errors stages tune determinism kill seeds folds cross_validation deploy measure runs wakeword mlflow)
    add_test(NAME cli/test_cli_${name} COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/test_cli_${name}.sh $<TARGET_FILE:tinamou>
        ${CMAKE_CURRENT_BINARY_DIR}/test_cli_${name}.tmp $<TARGET_FILE:board_line> $<TARGET_FILE:kill_at_change>)
    set_tests_properties(cli/test_cli_${name} PROPERTIES LABELS whole TIMEOUT 900)
endforeach()
# A bare system may have no pseudo terminals, no voices, no venv of Python or no way to PyPI.
set_tests_properties(cli/test_cli_deploy cli/test_cli_wakeword cli/test_cli_mlflow PROPERTIES SKIP_RETURN_CODE 77)
