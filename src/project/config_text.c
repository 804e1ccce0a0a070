#include <string.h>

#include "base/text.h"
#include "project/config.h"
#include "project/config_schema.h"

/* Every value with its length where it is text, and with 17 digits where it is real, so that two settings never share a
 * text. */
static void add_settings(tin_text *text, const tin_setting *settings, const char *base)
{
    for (const tin_setting *s = settings; s->key; s++) {
        const void *member = base + s->offset;
        if (s->neutral) {
            continue;
        }
        tin_text_printf(text, "%s=", s->key);
        switch (s->kind) {
        case TIN_SETTING_INT:
            tin_text_printf(text, "%d", *(const int *)member);
            break;
        case TIN_SETTING_REAL:
            tin_text_printf(text, "%.17g", *(const double *)member);
            break;
        case TIN_SETTING_REAL32:
            tin_text_printf(text, "%.9g", (double)*(const float *)member);
            break;
        case TIN_SETTING_RANGE:
            tin_text_printf(text, "%.17g %.17g", ((const double *)member)[0], ((const double *)member)[1]);
            break;
        case TIN_SETTING_BOOL:
            tin_text_add(text, *(const bool *)member ? "true" : "false");
            break;
        case TIN_SETTING_SEED:
            tin_text_printf(text, "%llu", (unsigned long long)*(const uint64_t *)member);
            break;
        case TIN_SETTING_OP:
            tin_text_add(text, tin_op_name(*(const tin_op *)member));
            break;
        case TIN_SETTING_TEXT: {
            const char *value = *(char *const *)member;
            tin_text_printf(text, "%zu:%s", value ? strlen(value) : 0, value ? value : ""); /* made by hand in C */
            break;
        }
        case TIN_SETTING_SECTION:
            tin_text_add(text, "{\n");
            add_settings(text, s->fields, member);
            tin_text_add(text, "}");
            break;
        case TIN_SETTING_TEXTS:
        case TIN_SETTING_LIST: {
            unsigned n = *(const unsigned *)(const void *)(base + s->count_offset);
            tin_text_printf(text, "%u[\n", n);
            for (unsigned i = 0; i < n; i++) {
                if (s->kind == TIN_SETTING_TEXTS) {
                    const char *value = (*(char *const *const *)member)[i];
                    tin_text_printf(text, "%zu:%s\n", strlen(value), value);
                } else {
                    add_settings(text, s->fields, *(const char *const *)member + i * s->item_size);
                    tin_text_add(text, ";\n");
                }
            }
            tin_text_add(text, "]");
            break;
        }
        }
        tin_text_add(text, "\n");
    }
}

void tin_config_augment_text(const tin_config_augment *augment, tin_text *text)
{
    add_settings(text, tin_augment_settings, (const char *)augment);
}

tin_status tin_config_canonical(const tin_config *config, bool data_only, char **text, tin_error *err)
{
    tin_text out = {0};
    *text = NULL;
    if (data_only) {
        const tin_setting *data = tin_settings;
        while (strcmp(data->key, "data") != 0) {
            data++;
        }
        add_settings(&out, data->fields, (const char *)config + data->offset);
    } else {
        add_settings(&out, tin_settings, (const char *)config);
    }
    tin_status status = tin_text_check(&out, err);
    if (status) {
        tin_text_free(&out);
        return status;
    }
    *text = out.data;
    return TIN_OK;
}
