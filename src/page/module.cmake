# Pages for people: TypeScript and charts bundled into one script and one style sheet, then embedded. Nothing is fetched at build time.
find_program(TINAMOU_ESBUILD esbuild)
if(NOT TINAMOU_ESBUILD)
    message(FATAL_ERROR "esbuild is missing, which bundles the pages; install the Debian packages esbuild and libjs-dygraphs")
endif()
find_path(TINAMOU_DYGRAPHS dygraphs/dygraph.min.js PATHS /usr/share/javascript /usr/share/nodejs NO_DEFAULT_PATH)
if(NOT TINAMOU_DYGRAPHS)
    message(FATAL_ERROR "dygraphs is missing, which draws the charts of the pages; install the Debian package libjs-dygraphs")
endif()
tin_embed(tin_page tin_page_frame ${PROJECT_SOURCE_DIR}/src/page/page.html)

# tin_page(NAME FOLDER): bundles src/FOLDER/NAME.ts; `tin_NAME_style` and `tin_NAME_script` are what tin_page_write takes. To be called
# from the module.cmake of the folder's module.
function(tin_page name folder)
    set(source ${PROJECT_SOURCE_DIR}/src/${folder})
    file(GLOB sources CONFIGURE_DEPENDS ${source}/*.ts ${source}/*.css ${PROJECT_SOURCE_DIR}/src/page/*.ts ${PROJECT_SOURCE_DIR}/src/page/*.css)
    set(bundle ${CMAKE_CURRENT_BINARY_DIR}/pages)
    add_custom_command(OUTPUT ${bundle}/${name}.js ${bundle}/${name}.css
        COMMAND ${CMAKE_COMMAND} -E env NODE_PATH=${TINAMOU_DYGRAPHS} ${TINAMOU_ESBUILD} ${source}/${name}.ts --bundle --minify
            --format=iife --target=es2020 --charset=ascii --legal-comments=inline --log-level=warning --outdir=${bundle}
        DEPENDS ${sources} ${TINAMOU_DYGRAPHS}/dygraphs/dygraph.min.js ${TINAMOU_DYGRAPHS}/dygraphs/dygraph.css VERBATIM)
    string(REGEX REPLACE "/.*" "" module ${folder})
    tin_embed(tin_${module} tin_${name}_style ${bundle}/${name}.css)
    tin_embed(tin_${module} tin_${name}_script ${bundle}/${name}.js)
endfunction()
