# `tinamou init` writes what the examples show: one place for both.
tin_embed(tinamou cli_example_simulate ${PROJECT_SOURCE_DIR}/examples/gestures/tinamou.yaml)
tin_embed(tinamou cli_example_csv ${PROJECT_SOURCE_DIR}/examples/csv/tinamou.yaml)
tin_embed(tinamou cli_example_spsw ${PROJECT_SOURCE_DIR}/examples/spsw/tinamou.yaml)
tin_embed(tinamou cli_example_hapt ${PROJECT_SOURCE_DIR}/examples/hapt-activities/tinamou.yaml)
