#include "model/decision_json.h"

#include "model/graph_json.h"

json_t *tin_decision_json(tin_json_builder *builder, const tin_decision_rule *rule, const tin_class *classes,
                          int n_classes)
{
    json_t *object = json_object(), *on = json_array();
    for (int k = 0; k < n_classes; k++) {
        tin_json_append(builder, on, classes[k].event ? json_integer(rule->on[k]) : json_null());
    }
    tin_json_put(builder, object, "on", on);
#define X(field, least, most) tin_json_put(builder, object, #field, json_integer(rule->field));
    TIN_RULE_FIELD_LIST(X)
#undef X
    return object;
}

static tin_status read_thresholds(tin_decision_rule *rule, const json_t *object, int n_classes, tin_place place,
                                  tin_error *err)
{
    const json_t *list = NULL, *item;
    size_t k;
    tin_status status = tin_json_list(object, "on", (size_t)n_classes, (size_t)n_classes, &list, place, err);
    json_array_foreach(list, k, item)
    {
        if (status == TIN_OK && !json_is_null(item)) {
            status = tin_json_item(item, "on", -TIN_RULE_SCORE_MAX, TIN_RULE_SCORE_MAX, &rule->on[k], place, err);
        }
    }
    return status;
}

tin_status tin_decision_read(tin_decision_rule *rule, const json_t *object, int n_classes, const char *file,
                             tin_error *err)
{
    tin_decision_rule r = {0};
    const tin_place place = {file, "decision rule"};
    tin_status status = read_thresholds(&r, object, n_classes, place, err);
#define X(field, least, most)                                                                                          \
    status = status ? status : tin_json_int(object, #field, least, most, &r.field, place, err);
    TIN_RULE_FIELD_LIST(X)
#undef X
    status = status ? status : tin_json_int(object, "needed", 1, r.of, &r.needed, place, err);
    if (status == TIN_OK) {
        *rule = r;
    }
    return status;
}
