foreach(name hapt spsw wisdm pamap2 uci_har opportunity speech_commands)
    tin_embed(tin_project tin_mapping_${name} ${PROJECT_SOURCE_DIR}/src/project/mappings/${name}.yaml)
endforeach()
