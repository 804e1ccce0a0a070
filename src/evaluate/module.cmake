# The page of the report: TypeScript and charts bundled into one script and one style sheet, then embedded. Nothing is fetched at build time.
find_program(TINAMOU_ESBUILD esbuild)
if(NOT TINAMOU_ESBUILD)
    message(FATAL_ERROR "esbuild is missing, which bundles the page of the report; install the Debian packages esbuild and libjs-dygraphs")
endif()
find_path(TINAMOU_DYGRAPHS dygraphs/dygraph.min.js PATHS /usr/share/javascript /usr/share/nodejs NO_DEFAULT_PATH)
if(NOT TINAMOU_DYGRAPHS)
    message(FATAL_ERROR "dygraphs is missing, which draws the charts of the report; install the Debian package libjs-dygraphs")
endif()

set(report ${PROJECT_SOURCE_DIR}/src/evaluate/report)
file(GLOB report_sources CONFIGURE_DEPENDS ${report}/*.ts ${report}/*.css)
set(bundle ${CMAKE_CURRENT_BINARY_DIR}/report)
add_custom_command(OUTPUT ${bundle}/report.js ${bundle}/report.css
    COMMAND ${CMAKE_COMMAND} -E env NODE_PATH=${TINAMOU_DYGRAPHS} ${TINAMOU_ESBUILD} ${report}/report.ts --bundle --minify
        --format=iife --target=es2020 --charset=ascii --legal-comments=inline --log-level=warning --outdir=${bundle}
    DEPENDS ${report_sources} ${TINAMOU_DYGRAPHS}/dygraphs/dygraph.min.js ${TINAMOU_DYGRAPHS}/dygraphs/dygraph.css VERBATIM)
tin_embed(tin_evaluate tin_report_page ${report}/report.html)
tin_embed(tin_evaluate tin_report_style ${bundle}/report.css)
tin_embed(tin_evaluate tin_report_script ${bundle}/report.js)
