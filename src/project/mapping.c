/* The ready mappings of published data sets, embedded at build from mappings/NAME.yaml. */
#include <string.h>

#include "project/config_schema.h"

extern const char tin_mapping_hapt[], tin_mapping_spsw[], tin_mapping_wisdm[], tin_mapping_pamap2[],
    tin_mapping_uci_har[], tin_mapping_opportunity[], tin_mapping_speech_commands[];

const char *tin_mapping_text(const char *name)
{
    static const struct {
        const char *name, *text;
    } mappings[] = {
        {"hapt", tin_mapping_hapt},
        {"spsw", tin_mapping_spsw},
        {"wisdm", tin_mapping_wisdm},
        {"pamap2", tin_mapping_pamap2},
        {"uci_har", tin_mapping_uci_har},
        {"opportunity", tin_mapping_opportunity},
        {"speech_commands", tin_mapping_speech_commands},
    };
    for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++) {
        if (strcmp(name, mappings[i].name) == 0) {
            return mappings[i].text;
        }
    }
    return NULL;
}
