/* A decision rule as JSON, the same in metrics.json and wherever else a rule is kept: an object with the fields of
 * tin_decision_rule, "on" being a list [n_classes] with null for the classes that are no events. */
#ifndef TIN_DECISION_JSON_H
#define TIN_DECISION_JSON_H

#include "base/json_tools.h"
#include "model/decision.h"

json_t *tin_decision_json(tin_json_builder *builder, const tin_decision_rule *rule, const tin_class *classes,
                          int n_classes);
/* Reads it back; `on` of null is 0. TIN_ERR_FORMAT names the file and the field that is missing, of another type or out of
 * range, after which *rule is left alone. */
tin_status tin_decision_read(tin_decision_rule *rule, const json_t *object, int n_classes, const char *file,
                             tin_error *err) TIN_USE_RESULT;

#endif
